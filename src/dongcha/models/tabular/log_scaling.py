"""One way to make raw numbers fit for weighted sums: signed logarithm, standardised, missing marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LogScaler:
    """Learnt from X of shape (rows, columns), float64, NaN where missing: counts and money are skewed, logs are not.

    `transform` gives shape (rows, columns + columns that may be missing): each column's signed log in standard
    deviations from its mean, the median where missing, then marks of what was missing. A column that never varies
    becomes 0.
    """

    median: Array
    mean: Array
    deviation: Array
    may_miss: NDArray[np.int64]
    """Which columns had missing values."""

    @classmethod
    def fit(cls, X: Array) -> LogScaler:
        logs = signed_log(X)
        missing = np.isnan(logs)
        median = np.array([np.median(known) if len(known := column[~np.isnan(column)]) else 0.0 for column in logs.T])
        full = _marked(np.where(missing, median, logs), missing, np.flatnonzero(missing.any(axis=0)))
        deviation = full.std(axis=0)
        deviation[deviation < 1e-9] = np.inf
        return cls(median, full.mean(axis=0), deviation, np.flatnonzero(missing.any(axis=0)))

    def transform(self, X: Array) -> Array:
        logs = signed_log(X)
        missing = np.isnan(logs)
        full = _marked(np.where(missing, self.median, logs), missing, self.may_miss)
        return np.asarray((full - self.mean) / self.deviation, dtype=np.float64)

    def gather(self, pushes: Array) -> Array:
        """Add the pushes of the missing marks to those of their columns: shape (rows, columns)."""
        columns = len(self.median)
        gathered = pushes[:, :columns].copy()
        gathered[:, self.may_miss] += pushes[:, columns:]
        return gathered

    def to_json(self) -> dict[str, Any]:
        deviation = np.where(np.isinf(self.deviation), 0.0, self.deviation)
        return {
            "median": self.median.tolist(),
            "mean": self.mean.tolist(),
            "deviation": deviation.tolist(),
            "may_miss": self.may_miss.tolist(),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LogScaler:
        deviation = np.array(stored["deviation"], dtype=np.float64)
        deviation[deviation == 0] = np.inf
        may_miss = np.array(stored["may_miss"], dtype=np.int64)
        return cls(np.array(stored["median"]), np.array(stored["mean"]), deviation, may_miss)


def signed_log(X: Array) -> Array:
    """sign(x) · log(1 + |x|)."""
    return np.asarray(np.sign(X) * np.log1p(np.abs(X)), dtype=np.float64)


def _marked(filled: Array, missing: NDArray[np.bool_], may_miss: NDArray[np.int64]) -> Array:
    return np.column_stack([filled, missing[:, may_miss].astype(np.float64)])
