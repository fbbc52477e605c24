"""Whether a level has turned, when, and how sure: a filter over where the present stretch of one level began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATES: Final = (1 / 730, 1 / 1825, 1 / 7300)
"""How often a level may turn: once in 2, 5 or 20 years."""
MOST_LEARNT: Final = 100
ENOUGH: Final = 2.0
"""A slower rate than the first must be likelier by so much (in log-likelihood)."""


class Observed(NamedTuple):
    """One thing's observations in [0, 1], added up by day: each of shape (days,), days ascending, numbers above 0."""

    day: Floats
    number: Floats
    total: Floats


class Told(NamedTuple):
    """What `Turns.follow` says after each day, shape (days,), of the days up to it; and of the last day in hindsight.

    `down`, `up`: the chance that within the window the level has turned that way. `level`, `error`: its mean and
    standard deviation now. `before`, `began`: of the turn that is likeliest if there was one, the level before it and
    the place (among the days) of the first day after it. `path`: the level of the stretch that each day belongs to,
    by the likeliest beginnings, told from the last day backwards. `evidence`: the log-likelihood of all days.
    """

    down: Floats
    up: Floats
    level: Floats
    error: Floats
    before: Floats
    began: NDArray[np.int64]
    path: Floats
    evidence: float = 0.0


@dataclass(frozen=True)
class Turns:
    """Levels that hold for a while and then turn: the chance of every day that the present stretch began on it.

    The filter of Adams & MacKay (2007), with turns coming at a rate per day instead of per observation, so that days
    without any cost nothing. An observation y counts as y successes of one trial, and levels have Beta priors: for any
    distribution on [0, 1] with that mean the likelihood ratio's expectation is at most 1 (it is convex in y), so that a
    false alarm is no likelier for skewed or clumped observations. The chance of a turn is that of Shiryaev (1963); by
    the Shiryaev-Roberts theory an alarm where its odds pass rate × days comes by mistake no oftener than once in so
    many days (`alarm_at`), as far as the level before is known.

    >>> days = np.arange(60.0)
    >>> fell = Observed(days, np.full(60, 2.0), np.where(days < 40, 1.8, 0.6))
    >>> told = Turns(mean=0.9).follow(fell)
    >>> bool(told.down[39] < 0.05), bool(told.down[-1] > 0.99), int(told.began[-1]), round(float(told.before[-1]), 1)
    (True, True, 40, 0.9)
    """

    mean: float = 0.5
    strength: float = 10.0
    """The first level is drawn around `mean` as if that had been seen in so many observations,"""
    turned_strength: float = 4.0
    """and each later one as if in so many: a level that has turned may be anywhere."""
    per_day: float = 1 / 730
    """Turns a day."""
    window_days: float = 90.0
    least: float = 0.05
    """A change smaller than this is no turn."""

    @classmethod
    def fit(cls, things: Sequence[Observed], mean: float, strength: float, *, window_days: float = 90.0) -> Turns:
        """With the fastest rate of RATES under which the things are about as likely as under the best.

        Of many things the MOST_LEARNT most observed are looked at.
        """
        most = sorted(things, key=lambda seen: -float(seen.number.sum()))[:MOST_LEARNT]
        made = cls(mean, strength, window_days=window_days)
        evidence = [sum(replace(made, per_day=rate).follow(seen).evidence for seen in most) for rate in RATES]
        likely = [rate for rate, found in zip(RATES, evidence, strict=True) if found >= max(evidence) - ENOUGH]
        return replace(made, per_day=likely[0])

    def alarm_at(self, days_between: float) -> float:
        """The chance at which to raise an alarm, for one false alarm in so many days."""
        odds = self.per_day * days_between
        return odds / (1 + odds)

    def follow(self, seen: Observed, until: float | None = None) -> Told:
        """Go through the days in order; what is said of a day does not depend on later ones, but for `path`.

        `until`: the day on which the last is told, where no observation came since.
        """
        size = len(seen.day)
        down, up, level, error, before, path = (np.zeros(size) for _ in range(6))
        told = Told(down, up, level, error, before, np.zeros(size, np.int64), path)
        stretches, likeliest, evidence = _Stretches(self, size), np.zeros(size, np.int64), 0.0
        gaps = np.diff(seen.day, prepend=seen.day[:1])
        for t in range(size):
            evidence += stretches.add(t, seen.number[t], seen.total[t], self.per_day * gaps[t])
            chance, mean, spread = stretches.chance, stretches.mean, stretches.spread
            likeliest[t] = np.argmax(chance)
            level[t] = before[t] = chance @ mean
            error[t] = np.sqrt(chance @ (spread + (mean - level[t]) ** 2))
            today = seen.day[t] if until is None or t < size - 1 else until
            first = max(int(np.searchsorted(seen.day[: t + 1], today - self.window_days, side="right")), 1)
            if first <= t:
                self._turned(told, stretches, t, first)
        _paint(path, likeliest, seen, stretches)
        return told._replace(evidence=evidence)

    def _turned(self, told: Told, stretches: _Stretches, t: int, first: int) -> None:
        """What is told of turns on the days from `first` to `t`: each by the level now and the level before it."""
        from scipy.special import ndtr

        chance, mean = stretches.chance[first:], stretches.mean[first:]
        earlier, doubt = told.level[first - 1 : t], told.error[first - 1 : t]
        apart = np.sqrt(stretches.spread[first:] + doubt**2)
        fell = chance * ndtr((earlier - mean - self.least) / apart)
        rose = chance * ndtr((mean - earlier - self.least) / apart)
        told.down[t], told.up[t] = fell.sum(), rose.sum()
        best = first + int(np.argmax(fell if told.down[t] >= told.up[t] else rose))
        told.began[t], told.before[t] = best, told.level[best - 1]


class _Stretches:
    """For each day so far, that the present stretch began on it: its chance, and its level's mean and variance."""

    def __init__(self, turns: Turns, size: int) -> None:
        from scipy.special import betaln

        self.strength = np.where(np.arange(size) == 0, turns.strength, turns.turned_strength)
        self.prior = self.strength * turns.mean
        self._nothing = betaln(self.prior, self.strength - self.prior)
        self._good, self._bad = self.prior.copy(), self.strength - self.prior
        self._weight, self._fit = np.full(size, -np.inf), np.zeros(size)
        self.chance = self.mean = self.spread = np.zeros(0)

    def add(self, t: int, number: float, total: float, turns: float) -> float:
        """Day `t`, before which so many turns were to be expected; returns its log-likelihood."""
        from scipy.special import betaln

        if t:
            self._weight[:t] -= turns
        self._weight[t] = np.log(-np.expm1(-turns)) if t else 0.0
        here = slice(t + 1)
        good, bad, weight = self._good[here], self._bad[here], self._weight[here]
        good += total
        bad += number - total
        fit = betaln(good, bad) - self._nothing[here]
        weight += fit - self._fit[here]
        self._fit[here] = fit
        most = weight.max()
        self.chance = np.exp(weight - most)
        likelihood = float(most + np.log(self.chance.sum()))
        self.chance /= self.chance.sum()
        weight -= likelihood
        trials = good + bad
        self.mean = good / trials
        self.spread = self.mean * (1 - self.mean) / (trials + 1)
        return likelihood


def _paint(path: Floats, likeliest: NDArray[np.int64], seen: Observed, stretches: _Stretches) -> None:
    """Each day's level by its stretch, the stretches found from the last day backwards."""
    end = len(path)
    while end:
        start = int(likeliest[end - 1])
        total, count = seen.total[start:end].sum(), seen.number[start:end].sum()
        path[start:end] = (stretches.prior[start] + total) / (stretches.strength[start] + count)
        end = start
