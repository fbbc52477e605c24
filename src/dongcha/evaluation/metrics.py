"""Figures of quality on arrays of shape (rows,): y what happened, p what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]


def auc(y: ArrayLike, p: ArrayLike) -> float:
    """The chance that a row with y = 1 is forecast above one with y = 0. MissingDataError with one class."""
    from sklearn.metrics import roc_auc_score

    y, p = _both_classes(y, p)
    return float(roc_auc_score(y, p))


def average_precision(y: ArrayLike, p: ArrayLike) -> float:
    """The area under precision against recall. MissingDataError with one class."""
    from sklearn.metrics import average_precision_score

    y, p = _both_classes(y, p)
    return float(average_precision_score(y, p))


def recall_at(y: ArrayLike, p: ArrayLike, share: float) -> float:
    """The share of the rows with y = 1 that are among the `share` of all rows forecast highest.

    At least one row is looked at; of rows forecast alike at the border each counts in part. MissingDataError with one
    class.

    >>> recall_at([1, 0, 1, 0], [.9, .5, .5, .1], .5)
    0.75
    """
    y, p = _both_classes(y, p)
    wanted = max(1, int(np.ceil(share * len(y))))
    border = np.sort(p)[::-1][wanted - 1]
    above, at = p > border, p == border
    part = (wanted - above.sum()) / at.sum()
    return float((y[above].sum() + part * y[at].sum()) / y.sum())


def kolmogorov_smirnov(y: ArrayLike, p: ArrayLike) -> float:
    """The largest distance between the forecasts' distributions of both classes: 0 to 1. MissingDataError with one."""
    from scipy.stats import ks_2samp

    y, p = _both_classes(y, p)
    return float(ks_2samp(p[y == 1], p[y == 0]).statistic)


def brier(y: ArrayLike, p: ArrayLike) -> float:
    """Mean squared error of a probability: 0 is perfect."""
    y, p = _pair(y, p)
    return float(np.mean((p - y) ** 2))


def rmse(y: ArrayLike, p: ArrayLike) -> float:
    """The root of the mean squared error, in the unit of y."""
    y, p = _pair(y, p)
    return float(np.sqrt(np.mean((p - y) ** 2)))


def macro_f1(y: ArrayLike, named: ArrayLike) -> float:
    """The mean over the classes of y of the harmonic mean of precision and recall; NaN without rows."""
    from sklearn.metrics import f1_score

    y, named = np.asarray(y), np.asarray(named)
    return float(f1_score(y, named, labels=np.unique(y), average="macro", zero_division=0)) if len(y) else float("nan")


def spearman(y: ArrayLike, p: ArrayLike) -> float:
    """Rank correlation, −1 to 1; 0 where either is constant."""
    from scipy.stats import spearmanr

    y, p = _pair(y, p)
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        return 0.0
    return float(spearmanr(y, p).statistic)


def normalised_gini(y: ArrayLike, p: ArrayLike) -> float:
    """How much of the money the ranking finds first: 1 as well as hindsight, 0 as chance; ties share alike.

    >>> normalised_gini([0, 10, 90], [1, 2, 3]), normalised_gini([0, 10, 90], [5, 5, 5])
    (1.0, 0.0)
    """
    y, p = _pair(y, p)
    best = _gini(y, y)
    if best <= 0:
        raise MissingDataError("The Gini has no meaning where every y is the same.", "Use another window.")
    return _gini(y, p) / best


def mae(y: ArrayLike, p: ArrayLike) -> float:
    """Mean absolute error, in the unit of y."""
    y, p = _pair(y, p)
    return float(np.mean(np.abs(p - y)))


def total_ratio(y: ArrayLike, p: ArrayLike) -> float:
    """Total forecast over total actual: 1 is honest. MissingDataError where the actual total is 0."""
    y, p = _pair(y, p)
    if y.sum() == 0:
        raise MissingDataError("The actual total is 0, so no forecast can be compared with it.", "Use another window.")
    return float(p.sum() / y.sum())


def coverage(y: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """The share of y within [low, high], ends included."""
    y, low = _pair(y, low)
    y, high = _pair(y, high)
    return float(np.mean((low <= y) & (y <= high)))


def adjusted_rand(one: NDArray[Any], other: NDArray[Any]) -> float:
    """How alike two groupings are: 1 the same but for names, 0 as by chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))


@dataclass(frozen=True)
class Decile:
    """A tenth of the rows, by forecast."""

    number: int
    """1 is the lowest forecast."""
    rows: int
    forecast: float
    """Mean forecast."""
    actual: float
    """Mean of what happened."""


def deciles(y: ArrayLike, p: ArrayLike, groups: int = 10) -> list[Decile]:
    """Rows cut by forecast into `groups` of equal size, lowest first: mean forecast beside mean actual."""
    y, p = _pair(y, p)
    parts = [part for part in np.array_split(np.argsort(p, kind="stable"), groups) if len(part)]
    return [
        Decile(number, len(part), float(p[part].mean()), float(y[part].mean()))
        for number, part in enumerate(parts, start=1)
    ]


def _gini(y: Array, p: Array) -> float:
    """Twice the area between the curve of y found, highest p first, and the diagonal."""
    if not y.sum():
        return 0.0
    _, place, count = np.unique(-p, return_inverse=True, return_counts=True)
    found = np.cumsum(np.bincount(place, weights=y)) / y.sum()
    before = np.concatenate([[0.0], found[:-1]])
    return float(np.sum(count / len(y) * (found + before)) - 1)


def _pair(y: ArrayLike, p: ArrayLike) -> tuple[Array, Array]:
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if len(y) != len(p) or not len(y):
        raise MissingDataError(f"{len(p)} forecasts cannot be judged by {len(y)} outcomes.", "Give one for one.")
    if np.isnan(y).any() or np.isnan(p).any():
        raise MissingDataError("A forecast or an outcome is missing.", "Judge only rows that have both.")
    return y, p


def _both_classes(y: ArrayLike, p: ArrayLike) -> tuple[Array, Array]:
    y, p = _pair(y, p)
    if not np.array_equal(np.unique(y), [0.0, 1.0]):
        raise MissingDataError(
            f"A ranking is judged by rows of both classes, 0 and 1; here are only {np.unique(y)[:5].tolist()}.",
            "Use another cutoff or horizon.",
        )
    return y, p
