"""Why an answer is what it is, for models that cannot tell themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def occlusion(score: Callable[[Array], Array], X: Array, typical: Array) -> Array:
    """How much each row's score would lose were one column typical: shape (rows, columns).

    `score`: X (rows, columns) → (rows,), on a scale where pushes add, such as logits or logs; `typical`: (columns,).
    Columns that say the same share one push between them badly: read the pushes as single questions, not as a sum.

    >>> occlusion(lambda X: 2 * X[:, 0] + X[:, 1], np.array([[3.0, 5.0]]), np.array([1.0, 5.0]))
    array([[4., 0.]])
    """
    own = score(X)
    pushes = np.empty(X.shape)
    for column, value in enumerate(typical):
        changed = X.copy()
        changed[:, column] = value
        pushes[:, column] = own - score(changed)
    return pushes


def typical_of(X: Array) -> Array:
    """Each column's median over what is known, shape (columns,); NaN where nothing is."""
    return np.array([np.median(known) if len(known := column[~np.isnan(column)]) else np.nan for column in X.T])
