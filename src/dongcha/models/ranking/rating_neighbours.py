"""What somebody would rate something by what they rated like it: neighbours among the things, beyond the biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dongcha.models.ranking.rating_biases import NOBODY, Array, Biases, Numbers, Ratings

SHRINKAGE: Final = 25.0
"""Two things are alike as far as so many who rated both agree, doubt included."""
DAMPING: Final = 1.0
MOST_OF_ONE: Final = 300
"""Of a rater with more ratings only the newest count, else one robot would fill the memory."""


@dataclass(frozen=True)
class RatingNeighbours:
    """Item-item neighbours on what the biases leave (Bell & Koren 2007), similarity shrunk by its support."""

    left: Any
    """CSR (raters, things): what the biases left of each rating."""
    alike: Any
    """CSR (things, things): similarity above 0, none with itself."""

    @classmethod
    def fit(cls, ratings: Ratings, biases: Biases) -> RatingNeighbours:
        """From the ratings that the biases were fitted on."""
        from scipy.sparse import csr_matrix

        order = np.lexsort((ratings.ages, ratings.raters))
        raters = ratings.raters[order]
        place = np.arange(len(order)) - np.searchsorted(raters, raters)
        kept = order[(place < MOST_OF_ONE) & (ratings.things[order] != NOBODY)]
        rows, columns = ratings.raters[kept], ratings.things[kept]
        shape = (len(biases.of_raters), len(biases.of_things))
        values = ratings.stars[kept] - biases.predict(rows, columns)
        times = csr_matrix((np.ones(len(kept)), (rows, columns)), shape=shape)
        left = csr_matrix((values, (rows, columns)), shape=shape)
        left = left.multiply(times.power(-1)).tocsr()
        once = (times > 0).astype(np.float64)
        products, support = (left.T @ left).tocoo(), (once.T @ once).tocsr()
        lengths = np.sqrt(np.maximum(np.asarray(left.multiply(left).sum(axis=0)).ravel(), 1e-12))
        both = np.asarray(support[products.row, products.col]).ravel() if products.nnz else np.empty(0)
        cosine = products.data / (lengths[products.row] * lengths[products.col]) * both / (both + SHRINKAGE)
        close = (cosine > 0) & (products.row != products.col)
        size = (shape[1], shape[1])
        return cls(left, csr_matrix((cosine[close], (products.row[close], products.col[close])), shape=size))

    def predict(self, raters: Numbers, things: Numbers) -> Array:
        """What to add to the biases, shape (pairs,): what the rater's likes of it had over theirs; 0 where unknown."""
        known = np.flatnonzero((raters != NOBODY) & (things != NOBODY))
        added = np.zeros(len(raters))
        if not len(known):
            return added
        alike, mine = self.alike[things[known]], self.left[raters[known]]
        rated = mine.copy()
        rated.data = np.ones_like(rated.data)
        weight = np.asarray(alike.multiply(rated).sum(axis=1)).ravel()
        added[known] = np.asarray(alike.multiply(mine).sum(axis=1)).ravel() / (weight + DAMPING)
        return added
