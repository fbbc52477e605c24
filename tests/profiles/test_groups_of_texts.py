"""Groups of texts: their stars, and whether a topic grows."""

from datetime import UTC, datetime

import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.profiles.groups import rated_since, summarise, with_trend


def test_a_topic_said_more_often_lately_grows() -> None:
    ids = [f"reviews/{number}" for number in range(8)]
    topics = pl.DataFrame({c.ENTITY_ID: ids, "topic": ["fit"] * 4 + ["smell"] * 4})
    old, new = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    said = pl.DataFrame(
        {
            c.TEXT_ID: ids,
            c.HAPPENED_AT: [old] * 3 + [new] + [old] + [new] * 3,
            c.RATING: [5.0, 5.0, 5.0, None, 1.0, 1.0, 1.0, 1.0],
        }
    )
    found = with_trend(summarise(topics, "topic", [rated_since(said, AsOf.parse("2024-05-01"))]))
    rows = {row["topic"]: row for row in found.iter_rows(named=True)}
    assert rows["fit"]["trend"] == pytest.approx((1 / 4) / 0.5)
    assert rows["smell"]["trend"] == pytest.approx((3 / 4) / 0.5)
    assert (rows["fit"][c.RATING], rows["smell"][c.RATING]) == (5.0, 1.0)


def test_without_lately_there_is_no_trend() -> None:
    topics = pl.DataFrame({c.ENTITY_ID: ["reviews/1"], "topic": ["fit"]})
    said = pl.DataFrame({c.TEXT_ID: ["reviews/1"], c.HAPPENED_AT: [datetime(2024, 1, 1, tzinfo=UTC)], c.RATING: [3.0]})
    found = with_trend(summarise(topics, "topic", [rated_since(said, AsOf.parse("2024-05-01"))]))
    assert found["trend"].to_list() == [None]
