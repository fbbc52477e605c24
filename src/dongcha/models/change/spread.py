"""How observations in [0, 1] spread: within a day, between days, between things. Learnt from many things at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dongcha.models.change.turns import Observed

Floats = NDArray[np.float64]

STRENGTHS: Final = (2.0, 200.0)
LEAST_DISPERSION: Final = 0.1
PRIOR_TRIALS: Final = 20.0
"""As if so many observations of the widest spread had been seen, so that a handful of equal ones prove nothing."""

MANY: Final = 5
"""Days of fewer observations tell nothing of how alike those of one day are."""
KEPT: Final = 0.8
CHI_SQUARED_KEPT: Final = 0.4377
"""The mean of the lowest 80 % of chi-squared numbers (one degree of freedom)."""


class Days(NamedTuple):
    """One thing's observations by day: `Observed` and the sum of their squares, each of shape (days,)."""

    day: Floats
    number: Floats
    total: Floats
    squares: Floats

    @classmethod
    def of(cls, day: Floats, value: Floats) -> Days:
        """From single observations in [0, 1], shape (n,), and the day of each, in any order."""
        days, place = np.unique(np.floor(day), return_inverse=True)
        sums = [np.bincount(place, weights, minlength=len(days)) for weights in (None, value, value**2)]
        return cls(days, *(np.asarray(each, dtype=np.float64) for each in sums))


@dataclass(frozen=True)
class Spread:
    """What a count of observations is worth.

    `mean`: of all. `strength`: how alike things are, as the observations in a Beta prior (moments, as in the
    beta-binomial). `dispersion`: the variance within a day over that of a yes or no of the same mean, at most 1.
    `likeness`: how much alike those of one day are (intraclass correlation), by differences between neighbouring days.
    """

    mean: float
    strength: float
    dispersion: float
    likeness: float

    @classmethod
    def fit(cls, things: Sequence[Days]) -> Spread:
        """Learn from things; with none of them, or one observation each, the widest spread that there is."""
        counts = np.array([thing.number.sum() for thing in things])
        means = np.array([thing.total.sum() / max(thing.number.sum(), 1.0) for thing in things])
        mean = float(counts @ means / counts.sum()) if counts.sum() else 0.5
        inner = sum(float((each.squares - each.total**2 / each.number).sum()) for each in things)
        free = sum(float((each.number - 1).sum()) for each in things)
        if free < PRIOR_TRIALS:  # single observations, days apart: their spread about the things' own means
            inner = sum(float(k.squares.sum() - k.total.sum() ** 2 / k.number.sum()) for k in things)
            free = float((counts - 1).sum()) if len(counts) else 0.0
        widest = float(counts @ (means * (1 - means)) / counts.sum()) if counts.sum() else 0.25
        variance = (inner + PRIOR_TRIALS * widest) / (free + PRIOR_TRIALS)
        dispersion = float(np.clip(variance / widest, LEAST_DISPERSION, 1.0)) if widest > 0 else 1.0
        strength = _strength(counts, means, mean, dispersion)
        return cls(float(np.clip(mean, 0.01, 0.99)), strength, dispersion, _likeness(things, variance))

    def worth(self, thing: Days) -> Observed:
        """The thing's observations as so many independent yes-or-no ones (Kish's design effect)."""
        weight = 1 / (self.dispersion * (1 + (thing.number - 1) * self.likeness))
        return Observed(thing.day, thing.number * weight, thing.total * weight)


def _strength(counts: Floats, means: Floats, mean: float, dispersion: float) -> float:
    """Trials of the Beta prior whose variance is that between the things' levels, beyond what chance makes of them."""
    known = counts > 0
    if known.sum() < 2:
        return STRENGTHS[0]
    single = max(mean * (1 - mean), 1e-6)
    chance = single * dispersion / counts[known]
    weight = 1 / (chance + 0.1 * single)
    between = float(weight @ ((means[known] - mean) ** 2 - chance) / weight.sum())
    return float(np.clip(single / max(between, 1e-6) - 1, *STRENGTHS))


def _likeness(things: Sequence[Days], variance: float) -> float:
    """Intraclass correlation within a day, such that neighbouring days differ as much as they do.

    By the mean of the lowest 80 % of their squared differences, each over what is expected, so that the few days on
    which a level turned do not count; neighbours are a week apart at most.
    """
    apart, chance = [np.empty(0)], [np.empty(0)]
    for thing in things:
        many = (thing.number[1:] >= MANY) & (thing.number[:-1] >= MANY) & (np.diff(thing.day) <= 7)
        apart.append(np.diff(thing.total / thing.number)[many] ** 2)
        chance.append(variance * (1 / thing.number[1:] + 1 / thing.number[:-1])[many])
    squares, expected = np.concatenate(apart), np.concatenate(chance)
    if len(squares) < MANY or variance <= 0:
        return 0.0
    tried = np.concatenate([[0.0], np.geomspace(1e-5, 0.5, 60)])
    shared = variance * tried / (1 - tried)
    found = np.sort(squares / (expected + 2 * shared[:, None]), axis=1)[:, : max(int(KEPT * len(squares)), 1)]
    return float(tried[np.argmin(np.abs(found.mean(axis=1) - CHI_SQUARED_KEPT))])
