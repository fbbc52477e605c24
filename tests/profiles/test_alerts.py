"""Alerts tell the topic that took the mood along, and reviews of it; topics are shared out month by month."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.profiles.alerts import alerts, topic_shares

AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
SINCE = 20.0


def said() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Before the turn 20 happy reviews of taste and 2 of broken handles; since then 4 and 6."""
    rows = [(40 + k, "taste", 0.8) for k in range(20)] + [(70, "handle", -1.0), (75, "handle", -1.0)]
    rows += [(k + 1, "taste", 0.8) for k in range(4)] + [(k + 6, "handle", -1.0) for k in range(6)]
    names = [f"reviews/{k:02}" for k in range(len(rows))]
    frame = pl.DataFrame(
        {
            c.SUBJECT_ID: "product/cup",
            c.TEXT_ID: names,
            c.HAPPENED_AT: [AS_OF - timedelta(days=days) for days, _, _ in rows],
            c.TEXT: [f"about the {topic} of my cup, {k}" for k, (_, topic, _) in enumerate(rows)],
            c.RATING: 3.0,
            "mood": [mood for _, _, mood in rows],
        }
    )
    return frame, pl.DataFrame({c.ENTITY_ID: names, "topic": [topic for _, topic, _ in rows]})


def answer(alert: str = "falling") -> pl.DataFrame:
    names = ["product/cup", "product/pot"]
    told = {"mood_alert": [alert, "steady"], "mood_turned": [0.97, 0.1], "brand_mood": [-0.2, 0.5]}
    return pl.DataFrame({c.ENTITY_ID: names, **told, "mood_change": [-0.8, 0.0], "mood_since_days": [SINCE, None]})


def test_only_what_turned_is_told_with_the_topic_that_took_the_mood_along() -> None:
    frame, topics = said()
    reason = {c.FEATURE: "handle", c.VALUE: 0.6, c.TYPICAL: 0.1, c.EFFECT: -0.8}
    (found,) = alerts(answer(), frame, topics, {"product/cup": [reason]}, AsOf(AS_OF))
    assert (found["kind"], found["name"], found["alert"], found["sure"]) == ("product", "cup", "falling", 0.97)
    assert found["before"] == pytest.approx(0.6)
    assert found["since"] == "2024-05-12"
    assert found["reviews_since"] == 10
    assert found["topic"]["topic"] == "handle"
    assert found["topic"]["share"] == pytest.approx(0.6)
    assert found["topic"]["share_before"] == pytest.approx(2 / 22)
    assert found["topic"]["mood"] == -1.0
    assert found["words"] == [{"word": "handle", "before": 0.1, "since": 0.6, "push": -0.8}]
    assert all("handle" in example[c.TEXT] for example in found["examples"])
    assert all(example[c.HAPPENED_AT] >= AS_OF - timedelta(days=SINCE) for example in found["examples"])


def test_without_topics_there_are_examples_all_the_same() -> None:
    frame, topics = said()
    (found,) = alerts(answer(), frame, topics.clear(), {}, AsOf(AS_OF))
    assert found["topic"] is None
    assert [example["mood"] for example in found["examples"]] == [-1.0] * 3


def test_nothing_turned_is_no_alert() -> None:
    frame, topics = said()
    assert alerts(answer("steady"), frame, topics, {}, AsOf(AS_OF)) == []


def test_topics_share_each_month_out() -> None:
    frame, topics = said()
    shares = topic_shares(frame, topics, "product/cup")
    assert shares.group_by(c.MONTH).agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1.0] * 3)
    assert topic_shares(frame, topics, "product/pot").is_empty()
