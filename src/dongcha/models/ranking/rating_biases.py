"""What somebody would rate something: the mean, and how much better the thing and the rater fare than that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

NOBODY: Final = -1
"""The number of a rater or a thing that was never seen."""
DAMPINGS: Final = (1.0, 3.0, 10.0, 30.0)
HALF_LIVES: Final = (np.inf, 730.0, 180.0)


class Ratings(NamedTuple):
    """Who rated what, how, and how many days ago; all of shape (ratings,), things NOBODY where none is named."""

    raters: Numbers
    things: Numbers
    stars: Array
    ages: Array


@dataclass(frozen=True)
class Damping:
    """How many ratings' worth of doubt a bias starts with, and in how many days a rating loses half its weight."""

    of_things: float = 10.0
    of_raters: float = 10.0
    half_life_days: float = np.inf


GRID: Final = [Damping(i, u, half) for half in HALF_LIVES for i in DAMPINGS for u in DAMPINGS]


@dataclass(frozen=True)
class Biases:
    """Damped biases (Koren, "Factor in the neighbors", 2010, 2.1): mean + thing + rater; no bias where unknown."""

    mean: float
    of_things: Array
    of_raters: Array

    @classmethod
    def fit(cls, ratings: Ratings, raters: int, things: int, damping: Damping, *, rounds: int = 1) -> Biases:
        """From at least one rating; `raters` and `things` count them.

        Things first, then raters on what is left; with more `rounds` each is told again beside the other.
        """
        weights = 0.5 ** (ratings.ages / damping.half_life_days)
        weights /= weights.max()
        mean = float(np.average(ratings.stars, weights=weights))
        left, of_raters = ratings.stars - mean, np.zeros(raters)
        for _ in range(rounds):
            told = left - at(of_raters, ratings.raters)
            of_things = damped(ratings.things, told, weights, things, damping.of_things)
            told = left - at(of_things, ratings.things)
            of_raters = damped(ratings.raters, told, weights, raters, damping.of_raters)
        return cls(mean, of_things, of_raters)

    def predict(self, raters: Numbers, things: Numbers) -> Array:
        """The rating each rater would give the thing, shape (pairs,)."""
        return self.mean + at(self.of_things, things) + at(self.of_raters, raters)


def damped(numbers: Numbers, values: Array, weights: Array, count: int, damping: float) -> Array:
    """Each number's weighted mean of values, drawn to 0 as by `damping` ratings of weight 1, shape (count,)."""
    seen = numbers != NOBODY
    totals = np.bincount(numbers[seen], (weights * values)[seen], count)
    return np.asarray(totals / (np.bincount(numbers[seen], weights[seen], count) + damping), dtype=np.float64)


def at(biases: Array, numbers: Numbers) -> Array:
    """Each number's bias, 0 for NOBODY."""
    return np.asarray(np.append(biases, 0.0)[numbers], dtype=np.float64)


class Lesson(NamedTuple):
    """Ratings known at a past moment, and those that came after it."""

    known: Ratings
    raters: int
    things: int
    came: Ratings


def best_damping(lessons: Sequence[Lesson], grid: Iterable[Damping] = GRID) -> Damping:
    """The damping that foretold best what came after past moments, by squared error; the default without lessons."""
    usable = [lesson for lesson in lessons if len(lesson.known.stars) and len(lesson.came.stars)]

    def error(damping: Damping) -> float:
        told = [Biases.fit(*lesson[:3], damping).predict(lesson.came.raters, lesson.came.things) for lesson in usable]
        return sum(float(np.sum((p - lesson.came.stars) ** 2)) for p, lesson in zip(told, usable, strict=True))

    return min(grid, key=error) if usable else Damping()
