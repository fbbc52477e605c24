"""What can be read off vectors along straight lines: how much they know, told by the simplest of heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

RIDGE: Final = 0.05
"""Penalty per row on squared weights over standardised columns: the same strength whatever the row count."""
FARTHEST: Final = 6.0
"""Standardised columns are cut at this many deviations, so that one strange row cannot bend every line."""

SAME: Final = 1e-9
"""A column that deviates less never varies, and counts for nothing."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearHeads:
    """Ridge regression on many targets at once, one head each; for yes-or-no targets a linear discriminant."""

    mean: Array
    deviation: Array
    weights: Array
    base: Array

    @classmethod
    def fit(cls, vectors: ArrayLike, targets: ArrayLike, ridge: float = RIDGE) -> LinearHeads:
        """Learn from vectors (rows, width) and targets (rows, heads)."""
        X, Y = np.asarray(vectors, dtype=np.float64), np.asarray(targets, dtype=np.float64)
        deviation = np.array(X.std(axis=0), dtype=np.float64)
        deviation[deviation < SAME] = np.inf
        heads = cls(X.mean(axis=0), deviation, np.empty((0, 0)), Y.mean(axis=0))
        Z = heads._scaled(X)
        penalty = ridge * len(Z) * np.eye(Z.shape[1])
        weights = np.linalg.solve(Z.T @ Z + penalty, Z.T @ (Y - heads.base))
        return replace(heads, weights=np.asarray(weights, dtype=np.float64))

    def predict(self, vectors: ArrayLike) -> Array:
        """Every head's score, shape (rows, heads)."""
        return np.asarray(self._scaled(np.asarray(vectors, dtype=np.float64)) @ self.weights + self.base)

    def _scaled(self, X: Array) -> Array:
        return np.asarray(np.clip((X - self.mean) / self.deviation, -FARTHEST, FARTHEST))
