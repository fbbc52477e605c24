"""A list that does not say the same thing ten times: relevance against likeness to what stands above."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Items

POOL: Final = 5
"""Candidates weighed for each place of the list."""
ROWS_AT_ONCE: Final = 500

Reals = NDArray[np.float32]


def diversify(scored: Scored, vectors: Reals, count: int, strength: float) -> Items:
    """Each row's `count` items, first to last, shape (rows, count); -1 where there are fewer.

    Maximal marginal relevance (Carbonell & Goldstein 1998): every place goes to the highest (1 - strength) × relevance
    - strength × the greatest cosine to an item above it. Relevance is the score, scaled from 0 to 1 within the best
    5 × `count` of a row. `vectors`: one for every item of the catalogue; `strength` 0 leaves the order, 1 looks at
    likeness alone once the best item stands first.
    """
    if not 0 <= strength <= 1:
        raise ValueError("strength is from 0 to 1")
    long = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    unit = vectors / np.maximum(long, 1e-9)
    items, scores = scored.listed(POOL * count)
    parts = [
        _chosen(items[start : start + ROWS_AT_ONCE], scores[start : start + ROWS_AT_ONCE], unit, count, strength)
        for start in range(0, len(items), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty((0, count), dtype=np.int64)


def _chosen(items: Items, scores: Reals, unit: Reals, count: int, strength: float) -> Items:
    every, there = np.arange(len(items)), items >= 0
    gain = np.where(there, (1 - strength) * _scaled(scores, there), -np.inf)
    worth, likeness = np.where(there, _scaled(scores, there), -np.inf), np.full(items.shape, -1.0, dtype=np.float32)
    chosen = np.full((len(items), count), -1, dtype=np.int64)
    for place in range(count):
        best = worth.argmax(axis=1)
        found = np.isfinite(worth[every, best])
        chosen[found, place] = items[every, best][found]
        gain[every, best] = -np.inf
        likeness = np.maximum(likeness, _cosines(unit, items, items[every, best]))
        worth = gain - strength * likeness
    return chosen


def _scaled(scores: Reals, there: NDArray[np.bool_]) -> Reals:
    lowest = np.where(there, scores, np.inf).min(axis=1, keepdims=True)
    known = np.where(there, scores - np.where(np.isfinite(lowest), lowest, 0), 0)
    return np.asarray(known / np.maximum(known.max(axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _cosines(unit: Reals, items: Items, above: Items) -> Reals:
    return np.asarray(np.einsum("rpw,rw->rp", unit[items], unit[above]), dtype=np.float32)
