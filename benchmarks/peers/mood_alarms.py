"""Named rules that raise an alarm where a mean has fallen, each as a number per day that grows with suspicion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dongcha.models.change.turns import Observed

Floats = NDArray[np.float64]

WEEK = 7.0
SLACK = 0.25
SMOOTHING = 0.1
FEWEST = 10
"""Observations before a rule begins to look."""


def three_sigma(seen: Observed, spread: float) -> Floats:
    """How many standard deviations the last week's mean lies below those of the weeks before: Shewhart's chart."""
    return _weekly(seen, lambda means, number: float(means.std(ddof=1)))


def three_sigma_by_size(seen: Observed, spread: float) -> Floats:
    """The same, with limits that are wider for a week of fewer observations (Shewhart's p-chart)."""
    return _weekly(seen, lambda means, number: spread / float(np.sqrt(number)))


def _weekly(seen: Observed, limit: object) -> Floats:
    found = np.zeros(len(seen.day))
    number, total = (np.concatenate([[0.0], np.cumsum(each)]) for each in (seen.number, seen.total))
    for t in range(len(seen.day)):
        start = int(np.searchsorted(seen.day, seen.day[t] - WEEK, side="right"))
        if seen.day[t] - seen.day[0] < 8 * WEEK or start < 8:
            continue
        weeks = ((seen.day[t] - seen.day[:start]) // WEEK).astype(np.int64)
        counted, added = np.bincount(weeks, seen.number[:start]), np.bincount(weeks, seen.total[:start])
        means = added[counted > 0] / counted[counted > 0]
        many = number[t + 1] - number[start]
        sigma = limit(means, many)  # type: ignore[operator]
        middle = means.mean() if sigma == 0 else total[start] / number[start]
        found[t] = (middle - (total[t + 1] - total[start]) / many) / max(sigma, 1e-6)
    return found


def cusum(seen: Observed, spread: float) -> Floats:
    """Page's (1954) CUSUM of standardised observations, half a deviation being the fall looked for."""
    found, down, number, total = np.zeros(len(seen.day)), 0.0, 0.0, 0.0
    for t in range(len(seen.day)):
        if number >= FEWEST:
            step = (seen.total[t] - seen.number[t] * total / number) / spread
            found[t] = down = max(0.0, down - step - SLACK * seen.number[t])
        number, total = number + seen.number[t], total + seen.total[t]
    return found


def ewma(seen: Observed, spread: float) -> Floats:
    """Roberts' (1959) exponentially weighted mean of observations, in its own standard deviations."""
    found, mean, variance, number, total = np.zeros(len(seen.day)), 0.0, 0.0, 0.0, 0.0
    for t in range(len(seen.day)):
        if number >= FEWEST:
            keep = (1 - SMOOTHING) ** seen.number[t]
            mean = keep * mean + (1 - keep) * (total / number - seen.total[t] / seen.number[t])
            variance = keep**2 * variance + (1 - keep) ** 2 * spread**2 / seen.number[t]
            found[t] = mean / max(np.sqrt(variance), 1e-9)
        number, total = number + seen.number[t], total + seen.total[t]
    return found


PEERS = {
    "3-sigma on weekly means": three_sigma,
    "3-sigma, limits by size": three_sigma_by_size,
    "CUSUM": cusum,
    "EWMA": ewma,
}
