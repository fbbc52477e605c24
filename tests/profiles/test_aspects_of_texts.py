"""What is praised and blamed over all texts: shares, and sentences in customers' own words."""

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.profiles.aspects import summarise_aspects


def summary(
    told: dict[str, list[tuple[str, float]]], texts: dict[str, str], ratings: dict[str, float] | None = None
) -> pl.DataFrame:
    listed = [[{c.LABEL: name, c.VALUE: value} for name, value in pairs] for pairs in told.values()]
    kind = pl.List(pl.Struct({c.LABEL: pl.String, c.VALUE: pl.Float64}))
    answer = pl.DataFrame({c.ENTITY_ID: list(told), "aspects": listed}, {c.ENTITY_ID: pl.String, "aspects": kind})
    stars = pl.Series([(ratings or {}).get(name) for name in texts], dtype=pl.Float64)
    said = pl.DataFrame({c.TEXT_ID: list(texts), c.TEXT: list(texts.values()), c.RATING: stars})
    return summarise_aspects(answer, "aspects", said)


def test_shares_are_of_the_texts_that_name_it_and_examples_hold_its_name() -> None:
    found = summary(
        {"1": [("price", 0.9), ("sound", -0.8)], "2": [("price", 0.1)], "3": [("price", -0.5)], "4": []},
        {
            "1": "Price\nThe price of it is lovely. I hate the muddy sound of it!",
            "2": "the price is 5",
            "3": "Nice. The price is an awful lot!",
            "4": "hello",
        },
    )
    rows = {row["aspect"]: row for row in found.iter_rows(named=True)}
    assert found["aspect"].to_list() == ["price", "sound"]
    assert rows["price"]["texts"] == 3
    assert rows["price"]["polarity"] == pytest.approx(0.5 / 3)
    assert (rows["price"]["praised"], rows["price"]["blamed"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert rows["price"]["praise"] == "The price of it is lovely."
    assert rows["price"]["blame"] == "The price is an awful lot!"
    assert (rows["sound"]["praise"], rows["sound"]["blame"]) == (None, "I hate the muddy sound of it!")


def test_a_chinese_sentence_is_an_example_and_no_aspect_is_no_row() -> None:
    found = summary({"1": [("物流", 0.9)]}, {"1": "很喜欢。物流真的很快！"})
    assert found["praise"].to_list() == ["物流真的很快！"]
    assert summary({"1": []}, {"1": "x"}).is_empty()


def test_what_blame_and_praise_go_with_is_told_apart_from_the_other_aspects() -> None:
    """Blamed delivery costs 1.5 stars, praised sound brings half a star, whatever else is named beside them."""
    random = np.random.default_rng(3)
    told, ratings = {}, {}
    for row in range(600):
        sound, delivery = random.choice([-0.9, 0.0, 0.9], 2)
        told[str(row)] = [("sound", float(sound)), ("delivery", float(delivery))] if row % 4 else []
        spoken = row % 4 > 0
        ratings[str(row)] = 4.0 + spoken * (0.5 * (sound > 0) - 1.5 * (delivery < 0)) + float(random.normal(0, 0.2))
    found = summary(told, dict.fromkeys(told, "x"), ratings)
    rows = {row["aspect"]: row for row in found.iter_rows(named=True)}
    assert rows["delivery"]["blamed_stars"] == pytest.approx(-1.5, abs=0.15)
    assert rows["sound"]["praised_stars"] == pytest.approx(0.5, abs=0.15)
    assert abs(rows["sound"]["blamed_stars"]) < 0.15
    assert summary({"1": [("sound", 0.9)]}, {"1": "x"}, {"1": 5.0})["praised_stars"].to_list() == [None]
