"""Whose mood is turning, and why: what an insight about subjects concluded, beside what their reviews talk about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf

MOOD: Final = "mood"
STEADY: Final = "steady"
YEAR: Final = timedelta(days=365)
"""What was said since the turn is held against what was said in the year before it."""
FEWEST: Final = 3
"""A topic is told if so many reviews since the turn are of it."""
EXAMPLES: Final = 3
SHORTEST: Final = 15
"""Characters of an example, where there is one."""


def alerts(
    answer: pl.DataFrame,
    said: pl.DataFrame,
    topics: pl.DataFrame,
    reasons: Mapping[str, Sequence[Mapping[str, Any]]],
    as_of: AsOf,
) -> list[dict[str, Any]]:
    """The subjects that are not steady, the surest first, each with what explains it.

    `answer`: entity_id and the columns of `brand`; `said`: columns as OPINIONS and `mood`; `topics`: entity_id (text)
    and `topic`, empty where topics were not scored. `topic` is the one that took the mood along most: its share of
    reviews and its mood, before the turn and since; `words` are the insight's reasons; `examples` are reviews since.
    """
    turned = answer.filter(pl.col("mood_alert") != STEADY).sort("mood_turned", c.ENTITY_ID, descending=[True, False])
    placed = said.join(topics, left_on=c.TEXT_ID, right_on=c.ENTITY_ID, how="left", maintain_order="left")
    return [_alert(row, placed, reasons.get(row[c.ENTITY_ID], ()), as_of) for row in turned.iter_rows(named=True)]


def topic_shares(said: pl.DataFrame, topics: pl.DataFrame, subject: str) -> pl.DataFrame:
    """The share and mean mood of each topic in a subject's reviews, by month: month, topic, reviews, share, mood."""
    mine = said.filter(pl.col(c.SUBJECT_ID) == subject)
    mine = mine.join(topics, left_on=c.TEXT_ID, right_on=c.ENTITY_ID, how="left", maintain_order="left")
    month = pl.col(c.HAPPENED_AT).dt.strftime("%Y-%m").alias(c.MONTH)
    told = mine.group_by(month, "topic").agg(pl.len().cast(pl.Int64).alias("reviews"), pl.col(MOOD).mean())
    shares = told.with_columns((pl.col("reviews") / pl.col("reviews").sum().over(c.MONTH)).alias("share"))
    return shares.drop_nulls("topic").sort(c.MONTH, "topic").select(c.MONTH, "topic", "reviews", "share", MOOD)


def _alert(
    row: Mapping[str, Any], said: pl.DataFrame, reasons: Sequence[Mapping[str, Any]], as_of: AsOf
) -> dict[str, Any]:
    turned = as_of.moment - timedelta(days=row["mood_since_days"])
    mine, when = said.filter(pl.col(c.SUBJECT_ID) == row[c.ENTITY_ID]), pl.col(c.HAPPENED_AT)
    since, before = mine.filter(when >= turned), mine.filter(when < turned, when >= turned - YEAR)
    earlier, direction = row["brand_mood"] - row["mood_change"], 1 if row["mood_change"] > 0 else -1
    topic = _moved(before, since, earlier, direction)
    words = [{"word": r[c.FEATURE], "before": r[c.TYPICAL], "since": r[c.VALUE], "push": r[c.EFFECT]} for r in reasons]
    kind, name = row[c.ENTITY_ID].split("/", maxsplit=1)
    return {
        c.SUBJECT_ID: row[c.ENTITY_ID],
        "kind": kind,
        c.NAME: name,
        "alert": row["mood_alert"],
        "sure": row["mood_turned"],
        MOOD: row["brand_mood"],
        "before": earlier,
        "since": f"{turned:%Y-%m-%d}",
        "reviews_since": len(since),
        "topic": topic,
        "words": words,
        "examples": _examples(since, topic, [told["word"] for told in words], direction),
    }


def _moved(before: pl.DataFrame, since: pl.DataFrame, level: float, direction: int) -> dict[str, Any] | None:
    """The topic that adds most to the turn: share × mood off the level before, since the turn less before it."""
    told = _by_topic(since, level).join(_by_topic(before, level), on="topic", how="left", suffix="_before")
    told = told.with_columns(pl.col("share_before", "pull_before").fill_null(0.0))
    push = (pl.col("pull") - pl.col("pull_before")) * direction
    found = told.filter(pl.col("reviews") >= FEWEST, push > 0).sort(push, "topic", descending=[True, False])
    if found.is_empty():
        return None
    names = ("topic", "share_before", "share", "mood_before", MOOD)
    return found.select(names).row(0, named=True)


def _by_topic(said: pl.DataFrame, level: float) -> pl.DataFrame:
    """Topic → how many of the reviews are of it, their share, their mood, and what they pull it off the level by."""
    counted = said.drop_nulls(["topic", MOOD]).group_by("topic").agg(pl.len().alias("reviews"), pl.col(MOOD).mean())
    share = pl.col("reviews") / max(len(said), 1)
    return counted.with_columns(share.alias("share"), (share * (pl.col(MOOD) - level)).alias("pull"))


def _examples(
    since: pl.DataFrame, topic: Mapping[str, Any] | None, words: Sequence[str], direction: int
) -> list[dict[str, Any]]:
    """Reviews since the turn that feel the way it went: of the topic, with most of the words, the newest first."""
    lower = pl.col(c.TEXT).str.to_lowercase()
    held = pl.sum_horizontal(
        pl.lit(0), *(lower.str.contains(word, literal=True).cast(pl.Int64) for word in words)
    ).alias("held")
    of_topic = (pl.col("topic") == (topic["topic"] if topic else "")).fill_null(False).alias("of_topic")
    strong = (pl.col(MOOD) * direction).alias("strong")
    felt = since.filter(strong > 0, pl.col(c.TEXT) != "").with_columns(held, of_topic, strong)
    best = (pl.col(c.TEXT).str.len_chars() >= SHORTEST, pl.col("of_topic") & (pl.col("held") > 0))
    strongest = (pl.col("strong").round(1), pl.col("held") + pl.col("of_topic"))
    ranked = felt.sort(*best, *strongest, c.HAPPENED_AT, c.TEXT_ID, descending=True)
    told = ranked.unique(c.TEXT, keep="first", maintain_order=True).head(EXAMPLES)
    return told.select(c.TEXT_ID, c.HAPPENED_AT, c.TEXT, MOOD).to_dicts()
