"""By how much more will be spent than a model says that learnt from other months, or from a shorter look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from dongcha.insight_kit.facts import Example, Facts
from dongcha.insights.lifetime_value.names import SPENT
from dongcha.models.tabular.bg_nbd import BgNbd

YEAR: Final = timedelta(days=365)
SAME_SEASON: Final = timedelta(days=16)
"""How far from a year ago a cutoff may lie to be of the same season."""
SEASON: Final = 2.0
"""A season at most doubles or halves what is spent: a few customers a year ago do not decide more than that."""


def season(past: Sequence[Example], foretold: Sequence[np.ndarray], now: Facts) -> float:
    """What was spent a year ago over what was foretold then; 1 where no cutoff is a year old.

    `foretold`: per example the forecasts by a model that weighs the newest months most, so that what it missed a year
    ago is what the season added.
    """
    away = [abs(now.as_of.moment - example.facts.as_of.moment - YEAR) for example in past]
    nearest = min(range(len(past)), key=away.__getitem__)
    if away[nearest] > SAME_SEASON:
        return 1.0
    return float(np.clip(past[nearest].label(SPENT).sum() / foretold[nearest].sum(), 1 / SEASON, SEASON))


def further_ahead(x: np.ndarray, t_x: np.ndarray, age: np.ndarray, learnt_days: int, days: int) -> float:
    """How many more purchases BG/NBD, fitted on (x, t_x, age) in days, expects in `days` than in `learnt_days`."""
    often = BgNbd.fit(x, t_x, age)
    ahead, near = (often.expected_purchases(t, x, t_x, age).sum() for t in (days, learnt_days))
    return float(ahead / near)
