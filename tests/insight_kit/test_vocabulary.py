"""From words to codes: what was seen has one, what is new has none, and the order of customers is the caller's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from dongcha.features.sequence import TIMELINE
from dongcha.insight_kit.vocabulary import Vocabulary
from dongcha.models.behaviour.timelines import CATEGORY, KIND, PRICE, PRODUCT, RATING


def frame(rows: list[tuple[str, float, str, str | None, float | None, float | None]]) -> pl.DataFrame:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    made = [
        {
            "customer_id": who,
            "happened_at": start + timedelta(days=day),
            "event": event,
            "product_id": product,
            "price": price,
            "rating": rating,
            "category": None if product is None else product[0],
        }
        for who, day, event, product, price, rating in rows
    ]
    return pl.DataFrame(made, schema={**TIMELINE}).select(list(TIMELINE))


SEEN = frame(
    [
        ("a", 0, "Viewed", "x1", 1.0, None),
        ("a", 1, "Bought", "x1", 1.0, None),
        ("b", 0, "Bought", "y1", 9.0, None),
        ("b", 3, "Reviewed", "y1", 9.0, 4.0),
    ]
)


def test_codes_are_places_in_the_words_and_rows_are_the_callers() -> None:
    known = Vocabulary.fit(SEEN)
    found = known.timelines(SEEN, pl.Series(["b", "nobody", "a"]))
    assert found.starts.tolist() == [0, 2, 2, 4]
    assert [known.products[k] for k in found.fields[PRODUCT]] == ["y1", "y1", "x1", "x1"]
    assert [known.words[KIND][k] for k in found.fields[KIND]] == ["Bought", "Reviewed", "Viewed", "Bought"]
    assert found.fields[RATING].tolist() == [6, 4, 6, 6]
    assert found.days is not None
    assert np.diff(found.days)[[0, 2]].tolist() == [3.0, 1.0]
    cheap, dear = found.fields[PRICE][[2, 0]]
    assert cheap < dear < found.sizes[PRICE]


def test_what_was_not_seen_has_no_code() -> None:
    known = Vocabulary.fit(SEEN)
    later = frame([("a", 9, "Sang", "z9", None, None)])
    found = known.timelines(later, pl.Series(["a"]))
    for name in (PRODUCT, KIND, CATEGORY, PRICE, RATING):
        assert found.fields[name].tolist() == [found.sizes[name]]


def test_row_order_has_no_effect_and_files_give_the_same(tmp_path: Path) -> None:
    known = Vocabulary.fit(SEEN)
    assert Vocabulary.fit(SEEN.reverse()) == known
    known.save(tmp_path)
    assert Vocabulary.load(tmp_path) == known


def test_a_field_in_which_nothing_varies_is_left_out() -> None:
    known = Vocabulary.fit(SEEN.with_columns(event=pl.lit("Bought"), rating=None))
    assert KIND not in known.words
    assert not known.rated
