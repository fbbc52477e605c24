"""Moods over time, so that a week of few reviews does not shout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.insights.brand.days import day_of
from dongcha.models.change.spread import Days, Spread
from dongcha.models.change.turns import Told

OVER_TIME: Final = "mood_over_time"
ERROR: Final = "mood_error_over_time"
TEXTS: Final = "texts_over_time"
WEEK: Final = 7
MONDAY: Final = 4
"""1970-01-05 was the first Monday."""
DENSE_DAYS: Final = 90
"""Where all reviews lie within so many days, they are told by day, else by week."""
MOST_PERIODS: Final = 104
LEAST_LIKENESS: Final = 0.02
"""Those of one period are taken to be at least so much alike: a period's own mood may stand off from its level."""
PAIR: Final = pl.List(pl.Struct({c.LABEL: pl.String(), c.VALUE: pl.Float64()}))


def period_days(said: pl.DataFrame) -> int:
    """7 for weeks, from Monday (UTC); 1 for days where all lies within DENSE_DAYS."""
    if said.is_empty():
        return WEEK
    days = said.select(day_of(pl.col(c.HAPPENED_AT)))[c.HAPPENED_AT].to_numpy()
    return 1 if days.max() - days.min() < DENSE_DAYS else WEEK


def series(said: pl.DataFrame, watched: Sequence[tuple[Days, Spread, Told] | None]) -> pl.DataFrame:
    """Three columns of lists of (the period's first day, number): mood, its standard error, and how many reviews.

    A period's mood is its reviews' mean drawn towards the level that it belongs to, the more the fewer they are (the
    best linear unbiased prediction where those of one period are alike by `Spread.likeness`). Periods without any are
    left out; the newest MOST_PERIODS are told.
    """
    length = period_days(said)
    rows = [([], [], []) if each is None else _told(*each, length) for each in watched]
    return pl.DataFrame(
        [pl.Series(name, [row[k] for row in rows], PAIR) for k, name in enumerate((OVER_TIME, ERROR, TEXTS))]
    )


def _told(days: Days, spread: Spread, told: Told, length: int) -> tuple[list[dict[str, object]], ...]:
    worth = spread.worth(days)
    offset = MONDAY if length == WEEK else 0
    number = np.floor((days.day - offset) / length)
    periods, place = np.unique(number, return_inverse=True)
    count, total, level, texts = (
        np.bincount(place, weights, minlength=len(periods))
        for weights in (worth.number, worth.total, worth.number * told.path, days.number)
    )
    alike = max(spread.likeness, LEAST_LIKENESS)
    strength = (1 - alike) / alike
    mean = (total + strength * level / count) / (count + strength)
    error = np.sqrt(mean * (1 - mean) / (count + strength))
    starts = np.datetime_as_string((periods * length + offset).astype("datetime64[D]"))
    return tuple(
        [{c.LABEL: str(day), c.VALUE: float(value)} for day, value in zip(starts, values, strict=True)][-MOST_PERIODS:]
        for values in (2 * mean - 1, 2 * error, texts)
    )
