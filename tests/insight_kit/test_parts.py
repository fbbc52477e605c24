"""Parts of a portrait: feelings by stars or by the words stars taught, themes by what one writes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.features.texts import TEXTS
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.history import History
from dongcha.insight_kit.moods import Moods
from dongcha.insight_kit.parts import Feeling, Part, Themes
from dongcha.insight_kit.pretrained import history_of

GOOD = ["lovely soft towel, so happy", "great value, fits well", "love it, works great"]
BAD = ["broke after a day, awful", "terrible smell, awful", "does not fit, awful"]


def said(rows: list[tuple[str, str, float | None]]) -> pl.DataFrame:
    """Rows of (customer, text, rating), a day after each other."""
    told = [
        {
            c.TEXT_ID: f"reviews/{day:03}",
            c.TABLE: c.REVIEWS,
            c.HAPPENED_AT: datetime(2024, 1, 1 + day, tzinfo=UTC),
            c.CUSTOMER_ID: who,
            c.TEXT: text,
            c.RATING: rating,
        }
        for day, (who, text, rating) in enumerate(rows)
    ]
    return pl.DataFrame(told, schema=TEXTS)


def facts(rows: list[tuple[str, str, float | None]], customers: list[str]) -> Facts:
    def nothing() -> pl.DataFrame:
        raise AssertionError("these parts read texts alone")

    history = History(nothing, nothing, nothing, lambda: said(rows))
    return Facts(AsOf.parse("2024-02-01"), Horizon(90), pl.DataFrame({c.ENTITY_ID: customers}), history)


RATED = [("a", text, 5.0) for text in GOOD] + [("b", text, 1.0) for text in BAD]
MEAN, LAST, WORST, SPEAKS = 1, 2, 3, 7


@pytest.mark.parametrize(("low", "high"), [(1.0, 5.0), (0.0, 1.0)])
def test_stars_and_thumbs_are_feelings(low: float, high: float) -> None:
    rows = [(who, text, high if stars == 5 else low) for who, text, stars in RATED]
    part = Feeling()
    part.learn(facts(rows, ["a", "b"]), seed=1)
    numbers = part.numbers(facts([*rows, ("a", "meh", low)], ["a", "b", "nobody"]))
    assert numbers[:2, MEAN].tolist() == pytest.approx([(3 - 1) / 6, -3 / 5])
    assert numbers[:2, LAST].tolist() == [-1, -1]
    assert numbers[:2, WORST].tolist() == [-1, -1]
    assert numbers[:, SPEAKS].tolist() == [1, 1, 0]


def test_unrated_texts_feel_as_stars_taught_their_words() -> None:
    part = Feeling()
    part.learn(facts(RATED * 4, ["a"]), seed=1)
    numbers = part.numbers(facts([("c", "an awful, awful towel", None), ("d", "so happy, love it", None)], ["c", "d"]))
    assert numbers[0, LAST] < 0 < numbers[1, LAST]


def test_without_ratings_nothing_is_felt_and_nothing_breaks() -> None:
    rows = [("a", text, None) for text in GOOD]
    part = Feeling()
    part.learn(facts(rows, ["a"]), seed=1)
    assert part.numbers(facts(rows, ["a"]))[0, [MEAN, LAST, WORST]].tolist() == [0, 0, 0]


def test_who_writes_of_the_same_stands_near() -> None:
    rows = [
        *[("a", f"the coffee beans taste of chocolate {k}", None) for k in range(5)],
        *[("b", f"coffee beans, strong taste {k}", None) for k in range(5)],
        *[("c", f"the lamp shade is too dark for reading {k}", None) for k in range(5)],
    ]
    part = Themes()
    part.learn(facts(rows, ["a", "b", "c"]), seed=1)
    vectors = part.numbers(facts(rows, ["a", "b", "c", "silent"]))
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    assert not vectors[3].any()


@pytest.mark.parametrize("kind", [Feeling, Themes])
def test_what_is_saved_is_what_is_loaded(kind: type[Part], tmp_path: Path) -> None:
    part, other = kind(), kind()
    known = facts([*RATED, *[("c", text, None) for text in BAD]], ["a", "b", "c"])
    part.learn(known, seed=1)
    part.save(tmp_path)
    other.load(tmp_path)
    np.testing.assert_array_equal(other.numbers(known), part.numbers(known))


def test_time_passes_for_who_says_nothing_more() -> None:
    part, known = Feeling(), facts(RATED, ["a", "b"])
    part.learn(known, seed=1)
    later = replace(known, as_of=AsOf.parse("2024-06-01"))
    assert (part.numbers(later)[:, 5] > part.numbers(known)[:, 5]).all()


def test_a_message_is_felt_without_the_reviews_common_mood() -> None:
    """Reviews are mostly good; who writes to the shop in unheard words is not thought happy for that."""
    rated = facts([*RATED, *RATED[:3] * 6], ["a"])
    moods = Moods.fit(history_of(rated).said, 5.0, seed=1)
    unheard = facts([("c", "my towel, parcel number seven", None)], ["c"])
    review = history_of(unheard).said
    message = review.with_columns(pl.lit("messages/1").alias(c.TEXT_ID))
    assert abs(moods.of(message)["mood"][0]) < abs(moods.of(review)["mood"][0])
