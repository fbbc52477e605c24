"""From reviews to moods by day."""

from __future__ import annotations

from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.insight_kit.moods import MOOD, Moods
from dongcha.insight_kit.vocabulary import DAY_MICROSECONDS
from dongcha.models.change.spread import Days

UNRATED_SHARE: Final = 0.05
"""Where fewer reviews have no rating, those are left out."""


def moods_of(said: pl.DataFrame, best: float, *, seed: int) -> Moods:
    """How reviews feel, learnt from these; columns as OPINIONS. MissingDataError where no review has a rating."""
    reviews = said.unique(c.TEXT_ID)
    rated = reviews.drop_nulls(c.RATING)
    if rated.is_empty():
        raise MissingDataError("No review came with a rating.", "Load reviews with their ratings.")
    few = len(reviews) - len(rated) < UNRATED_SHARE * len(reviews)
    return Moods(best, None) if few else Moods.fit(rated, best, seed=seed)


def day_of(moment: pl.Expr) -> pl.Expr:
    """Days since 1970 with their fractions, UTC."""
    return moment.dt.epoch("us") / DAY_MICROSECONDS


def by_day(felt: pl.DataFrame) -> dict[str, Days]:
    """Subject → its moods by day (UTC), brought to [0, 1]; `felt` as `Moods.of` gives it."""
    known = felt.drop_nulls(MOOD)
    told = known.select(c.SUBJECT_ID, day_of(pl.col(c.HAPPENED_AT)).alias("day"), ((pl.col(MOOD) + 1) / 2).alias(MOOD))
    return {
        str(subject): Days.of(part["day"].to_numpy(), part[MOOD].to_numpy())
        for (subject,), part in told.sort(c.SUBJECT_ID, maintain_order=True).group_by([c.SUBJECT_ID])
    }
