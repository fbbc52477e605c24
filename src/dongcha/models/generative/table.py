"""Numbers of any unit as a normal distribution can tell them, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FARTHEST: Final = 10.0
"""Standard deviations beyond which a value counts as no farther: the oddest row stays finite."""


@dataclass(frozen=True)
class TableScale:
    """Learnt from X of shape (rows, columns), float64, NaN where missing: signed logs of multiples of each column's
    usual size, standardised. NaN stays NaN."""

    usual: Array
    """The median size of each column's values that are not 0."""
    mean: Array
    deviation: Array
    missing: Array
    """The share of each column's values that is missing."""
    low: Array
    high: Array
    whole: Array
    """1 where all of a column's values are whole numbers, else 0."""

    @classmethod
    def fit(cls, X: Array) -> TableScale:
        known = [np.abs(column[~np.isnan(column) & (column != 0)]) for column in X.T]
        usual = np.array([np.median(column) if len(column) else 1.0 for column in known])
        logs = [column[~np.isnan(column)] for column in _logs(X, usual).T]
        mean = np.array([column.mean() if len(column) else 0.0 for column in logs])
        deviation = np.array([column.std() if len(column) else 0.0 for column in logs])
        filled = np.where(np.isnan(X), np.array([np.append(c[~np.isnan(c)], 0.0)[0] for c in X.T]), X)
        return cls(
            usual,
            mean,
            np.where(deviation < 1e-9, 1.0, deviation),
            np.isnan(X).mean(axis=0),
            filled.min(axis=0),
            filled.max(axis=0),
            (filled == np.rint(filled)).all(axis=0).astype(np.float64),
        )

    def scaled(self, X: Array) -> Array:
        """X in standard deviations from the mean."""
        return np.clip((_logs(X, self.usual) - self.mean) / self.deviation, -FARTHEST, FARTHEST)

    def raw(self, scaled: Array) -> Array:
        """What `scaled` made, in the columns' own units."""
        logs = scaled * self.deviation + self.mean
        return np.asarray(np.sign(logs) * np.expm1(np.abs(logs)) * self.usual, dtype=np.float64)

    def possible(self, X: Array) -> Array:
        """X as the columns might hold it: in the range they had, whole where they were."""
        inside = np.clip(X, self.low, self.high)
        return np.where(self.whole > 0, np.rint(inside), inside)

    def to_json(self) -> dict[str, Any]:
        return {name: values.tolist() for name, values in vars(self).items()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> TableScale:
        return cls(**{name: np.array(values, dtype=np.float64) for name, values in stored.items()})


def _logs(X: Array, usual: Array) -> Array:
    return np.asarray(np.sign(X) * np.log1p(np.abs(X) / usual), dtype=np.float64)
