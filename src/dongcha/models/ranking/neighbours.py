"""Who took this also took that, whenever: item-item neighbours, and for small catalogues their best linear weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

NEWEST: Final = 200
"""Items of a row that are paired: the pairs of one endless row would outnumber everybody else's."""
MOST_ITEMS: Final = 5_000
"""The largest catalogue for which `Ease` takes seconds: its cost grows with the cube."""


@dataclass(frozen=True)
class NeighboursConfig:
    """`power`: pairs are divided by how often both items were taken to this power, .5 being the cosine; less favours
    what is common. `fading`: what one place farther back in the history weighs. `kept`: neighbours of each item.
    """

    power: float = 0.3
    fading: float = 0.85
    kept: int = 300


class Neighbours:
    """Scores items by how many took them together with the items of a history (Sarwar et al. 2001)."""

    def __init__(self, config: NeighboursConfig | None = None) -> None:
        self.config = config or NeighboursConfig()

    def fit(self, sequences: Sequences) -> Neighbours:
        """Count pairs; returns itself."""
        from scipy.sparse import diags

        held = _held(sequences.newest(NEWEST))
        often = np.maximum(np.asarray(held.sum(axis=0)).ravel(), 1).astype(np.float32) ** -self.config.power
        together = (held.T @ held).tocsr()
        together.setdiag(0)
        together.eliminate_zeros()
        self.near = Scored.of(diags(often) @ together @ diags(often)).top(self.config.kept).matrix()
        return self

    def scores(self, histories: Sequences) -> Scored:
        """Every item that neighbours some item of the history, with its score."""
        return Scored.held(histories, (self.config.fading ** histories.ages()).astype(np.float32)).led(self.near)


class Ease:
    """Scores items by the linear item-item weights that best tell each held item from the others (Steck 2019).

    A ridge in closed form; dense, so only for catalogues of at most `MOST_ITEMS`. `kept`: the largest weights of each
    item, of either sign.
    """

    def __init__(self, ridge: float = 250.0, kept: int = 500) -> None:
        self.ridge, self.kept = ridge, kept

    def fit(self, sequences: Sequences) -> Ease:
        """Invert the pair counts; returns itself. Raises ValueError where the catalogue is too large."""
        from scipy.sparse import csr_matrix

        if sequences.catalogue > MOST_ITEMS:
            raise ValueError(f"a catalogue of {sequences.catalogue:,} items is too large: at most {MOST_ITEMS:,}")
        held = _held(sequences)
        pairs = (held.T @ held).toarray().astype(np.float64)
        pairs[np.diag_indices_from(pairs)] += self.ridge
        weights = np.linalg.inv(pairs)
        weights /= -np.diag(weights).copy()
        weights[np.diag_indices_from(weights)] = 0
        kept = min(self.kept, weights.shape[1])
        least = -np.partition(-np.abs(weights), kept - 1, axis=1)[:, kept - 1 : kept]
        weights[np.abs(weights) < least] = 0
        self.weights = csr_matrix(weights.astype(np.float32))
        return self

    def scores(self, histories: Sequences) -> Scored:
        """Every item that speaks for or against, with the sum of its weights."""
        return Scored.of(_held(histories) @ self.weights)


def _held(sequences: Sequences) -> Any:
    """Rows by catalogue, 1 where an item is held, however often."""
    held = sequences.matrix()
    held.data[:] = 1
    return held
