"""What is praised and blamed over all texts: shares, and sentences in customers' own words."""

import polars as pl
import pytest

from dongcha import columns as c
from dongcha.profiles.aspects import summarise_aspects


def summary(told: dict[str, list[tuple[str, float]]], texts: dict[str, str]) -> pl.DataFrame:
    listed = [[{c.LABEL: name, c.VALUE: value} for name, value in pairs] for pairs in told.values()]
    kind = pl.List(pl.Struct({c.LABEL: pl.String, c.VALUE: pl.Float64}))
    answer = pl.DataFrame({c.ENTITY_ID: list(told), "aspects": listed}, {c.ENTITY_ID: pl.String, "aspects": kind})
    return summarise_aspects(answer, "aspects", pl.DataFrame({c.TEXT_ID: list(texts), c.TEXT: list(texts.values())}))


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
