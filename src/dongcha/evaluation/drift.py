"""Do today's rows still look like those that were learnt from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHIFTED: Final = 0.25
"""The customary mark above which a column counts as shifted."""
SMALLEST_SHARE: Final = 1e-4


def population_stability(then: Array, now: Array, bins: int = 10) -> float:
    """The population stability index of one column, shapes (rows then,) and (rows now,): 0 the same, > 0.25 shifted.

    Cut at the quantiles of `then`; missing values are a bin of their own.
    """
    known = _known(then)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else known
    was, is_ = _shares(then, edges), _shares(now, edges)
    return float(np.sum((is_ - was) * np.log(is_ / was)))


def drift(then: Array, now: Array, names: tuple[str, ...]) -> dict[str, float]:
    """The index of each column of two tables, shapes (rows, columns); most shifted first."""
    index = {name: population_stability(then[:, k], now[:, k]) for k, name in enumerate(names)}
    return dict(sorted(index.items(), key=lambda pair: -pair[1]))


def _known(values: Array) -> Array:
    return values[~np.isnan(values)]


def _shares(values: Array, edges: Array) -> Array:
    known = _known(values)
    counts = np.bincount(np.searchsorted(edges, known, "left"), minlength=len(edges) + 1)
    shares = np.append(counts, len(values) - len(known)) / max(len(values), 1)
    return np.maximum(shares, SMALLEST_SHARE)
