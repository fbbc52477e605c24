"""Which of a few hundred things comes next: several simple guesses, multiplied with learnt powers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FILE: Final = "next_step.json"


@dataclass(frozen=True)
class Steps:
    """Visits of many rows, by row and oldest first: the thing each began with and the thing it ended with.

    `rows`, `first`, `last`: int64, shape (visits,); things are 0 to `things` - 1. `days`: float64, on any one origin.
    """

    rows: Codes
    days: Array
    first: Codes
    last: Codes
    things: int
    count: int
    """How many rows there are, those without a visit counted."""

    def take(self, rows: Codes) -> Steps:
        """The visits of these rows, which become rows 0, 1, …; a row of -1 has none."""
        starts = np.searchsorted(self.rows, rows, side="left")
        lengths = np.searchsorted(self.rows, rows, side="right") - starts
        own = np.repeat(np.arange(len(rows)), lengths)
        places = np.arange(len(own)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        columns = (self.first[places], self.last[places])
        return Steps(own, self.days[places], *columns, self.things, len(rows))

    def gaps(self) -> tuple[Codes, Array]:
        """Whose, and how many days, between every two visits in succession."""
        follows = self.rows[1:] == self.rows[:-1]
        return self.rows[1:][follows], np.diff(self.days)[follows]

    def waited(self, day: float, otherwise: float) -> Array:
        """Days from each row's newest visit to `day`, shape (count,); `otherwise` for a row without any."""
        newest = self.newest()
        found = np.full(self.count, otherwise, dtype=np.float64)
        found[newest >= 0] = day - self.days[newest[newest >= 0]]
        return found

    def newest(self) -> Codes:
        """The place of each row's newest visit, shape (count,); -1 where there is none."""
        found = np.full(self.count, -1, dtype=np.int64)
        found[self.rows] = np.arange(len(self.rows))
        return found

    def back(self) -> Codes:
        """How many visits of its row came after each, shape (visits,): 0 for the newest."""
        return self.newest()[self.rows] - np.arange(len(self.rows))


@dataclass(frozen=True)
class Memory:
    """How many of the newest visits a chain looks at, and what one farther back weighs."""

    reach: int = 1
    fading: float = 1.0
    at_end: bool = True
    """Whether it goes from what a visit ended with, or from what it began with."""


def popular(steps: Steps, day: float, half_life: float) -> Array:
    """Each thing's share of visits' beginnings, fading by half every `half_life` days before `day`; all above 0."""
    counted = np.bincount(steps.first, weights=faded(steps, day, half_life), minlength=steps.things)
    return np.asarray((counted + 0.5 / steps.things) / (counted.sum() + 0.5), dtype=np.float64)


def faded(steps: Steps, day: float, half_life: float) -> Array:
    """What each visit weighs at `day`: half as much every `half_life` days."""
    return np.asarray(0.5 ** ((day - steps.days) / half_life), dtype=np.float64)


def own(steps: Steps, weights: Array, prior: Array, strength: float) -> Array:
    """Each row's share of things among its own visits, smoothed by `strength` visits of the prior: (count, things)."""
    return _shares(_summed(steps.rows, steps.first, weights, (steps.count, steps.things)) + strength * prior)


def chain(steps: Steps, prior: Array, strength: float, at_end: bool = True) -> Array:
    """P(a visit begins with thing j | the one before ended with i), backing off to the prior: (things, things).

    `at_end` False: given what the visit before began with.
    """
    follows = steps.rows[1:] == steps.rows[:-1]
    before = (steps.last if at_end else steps.first)[:-1][follows]
    shape = (steps.things, steps.things)
    return _shares(_summed(before, steps.first[1:][follows], np.ones(len(before)), shape) + strength * prior)


def followed(steps: Steps, transitions: Array, prior: Array, memory: Memory) -> Array:
    """What the transitions say after each row's newest visits: (count, things); the prior where there is none."""
    found = np.zeros((steps.count, steps.things))
    weight = np.zeros(steps.count)
    things, back = (steps.last if memory.at_end else steps.first), steps.back()
    for age in range(memory.reach):
        there = np.flatnonzero(back == age)
        found[steps.rows[there]] += memory.fading**age * transitions[things[there]]
        weight[steps.rows[there]] += memory.fading**age
    found[weight == 0], weight[weight == 0] = prior, 1.0
    return found / weight[:, None]


def _summed(one: Codes, other: Codes, weights: Array, shape: tuple[int, int]) -> Array:
    flat = np.bincount(one * shape[1] + other, weights=weights, minlength=shape[0] * shape[1])
    return np.asarray(flat, dtype=np.float64).reshape(shape)


def _shares(counted: Array) -> Array:
    return np.asarray(counted / counted.sum(axis=1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class Pool:
    """Guesses multiplied: p(thing) ∝ Π guess(thing) ^ power, the powers learnt by maximum likelihood.

    A log-linear pool (Genest & Zidek, 1986), so its probabilities are calibrated as far as the powers reach.
    """

    powers: Mapping[str, float]

    @classmethod
    def fit(
        cls,
        guesses: Sequence[Mapping[str, Array]],
        truth: Sequence[Codes],
        weights: Sequence[float],
        ridge: float = 1.0,
    ) -> Pool:
        """Learn from batches: guess → (rows, things), the thing that came (rows,), and what a row of it weighs."""
        from scipy.optimize import minimize

        names = tuple(guesses[0])
        logs = [np.stack([np.log(batch[name]) for name in names]).astype(np.float32) for batch in guesses]
        start = np.full(len(names), 1 / len(names))
        total = sum(w * len(t) for w, t in zip(weights, truth, strict=True))

        def loss(powers: Array) -> tuple[float, Array]:
            value, slope = ridge * float(powers @ powers) / 2, ridge * powers
            for batch, came, weight in zip(logs, truth, weights, strict=True):
                v, s = _loss(batch, came, powers)
                value, slope = value + weight * v, slope + weight * s
            return value / total, slope / total

        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100})
        return cls(dict(zip(names, (float(power) for power in found.x), strict=True)))

    def predict(self, guesses: Mapping[str, Array]) -> Array:
        """Probabilities, shape (rows, things); each row sums to 1."""
        score = sum(power * np.log(guesses[name]) for name, power in self.powers.items())
        raised = np.exp(score - np.max(score, axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """As JSON."""
        (folder / FILE).write_text(json.dumps(self.powers), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Pool:
        """Read what `save` wrote."""
        return cls(json.loads((folder / FILE).read_text("utf-8")))


def _loss(logs: NDArray[np.float32], came: Codes, powers: Array) -> tuple[float, Array]:
    """The negative log likelihood of what came, summed over rows, and its slope; logs: (guesses, rows, things)."""
    score = np.einsum("g,grt->rt", powers.astype(np.float32), logs).astype(np.float64)
    score -= score.max(axis=1, keepdims=True)
    raised = np.exp(score)
    whole = raised.sum(axis=1)
    rows = np.arange(len(came))
    value = float(np.sum(np.log(whole) - score[rows, came]))
    share = raised / whole[:, None]
    slope = np.einsum("rt,grt->g", share, logs) - logs[:, rows, came].sum(axis=1)
    return value, slope
