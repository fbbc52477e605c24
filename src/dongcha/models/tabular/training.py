"""What every fit checks first: the target, and the weights of its rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]


def binary_target(y: Array) -> Array:
    """y as it came, if it is 0s and 1s and has both. Raises MissingDataError otherwise."""
    y = np.asarray(y, dtype=np.float64)
    seen = np.unique(y)
    if not np.array_equal(seen, [0.0, 1.0]):
        raise MissingDataError(
            f"A probability is learnt from 0s and 1s, both; the {len(y)} labels hold {seen[:5].tolist()}.",
            "Use a longer history or another horizon.",
        )
    return y


def positive_target(y: Array) -> Array:
    """y as it came, if nothing is below zero and something above. Raises MissingDataError otherwise."""
    y = np.asarray(y, dtype=np.float64)
    if not len(y) or np.isnan(y).any() or y.min() < 0 or y.max() <= 0:
        raise MissingDataError(
            f"An amount is learnt from numbers of at least 0, some above; the {len(y)} labels are not that.",
            "Use a longer history or another horizon.",
        )
    return y


def balanced_weight(sample_weight: Array | None, rows: int) -> Array:
    """Weights of mean 1, so that penalties keep their meaning; all 1 where none are given."""
    if sample_weight is None:
        return np.ones(rows)
    weight = np.asarray(sample_weight, dtype=np.float64)
    return np.asarray(weight / weight.mean(), dtype=np.float64)
