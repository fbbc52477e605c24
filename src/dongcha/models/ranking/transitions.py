"""What is taken after what: counted over a few steps, weighed by how near and how common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences


@dataclass(frozen=True)
class TransitionsConfig:
    """How steps are counted.

    `reach`: the farthest two items of a sequence that are counted together, `reach` steps apart weighing 1 / reach.
    `backward`: what a step against time weighs. `from_power`, `to_power`: an item's counts are divided by how often it
    was taken to these powers, as it leads and as it follows. `fading`: what one place farther back in the history
    weighs. `kept`: followers remembered of each item.
    """

    reach: int = 10
    backward: float = 0.5
    from_power: float = 0.6
    to_power: float = 0.0
    fading: float = 0.6
    kept: int = 300


class Transitions:
    """Scores items by what followed, and came along with, the items of a history.

    Counting item pairs over sequences is the strongest simple recommender of its kind (Ludewig & Jannach 2018 compare
    such rules with neural models); with `backward` 1 and a long reach it is item-item nearest neighbours.
    """

    def __init__(self, config: TransitionsConfig | None = None) -> None:
        self.config = config or TransitionsConfig()

    def fit(self, sequences: Sequences) -> Transitions:
        """Count; returns itself."""
        from scipy.sparse import csr_matrix, diags

        size = sequences.catalogue
        rows = sequences.rows()
        counts = csr_matrix((size, size), dtype=np.float32)
        for step in range(1, self.config.reach + 1):
            same = rows[step:] == rows[:-step]
            before, after = sequences.items[:-step][same], sequences.items[step:][same]
            weight = np.full(len(before), 1 / step, dtype=np.float32)
            counts = counts + csr_matrix((weight, (before, after)), shape=(size, size))
            if self.config.backward:
                counts = counts + csr_matrix((self.config.backward * weight, (after, before)), shape=(size, size))
        taken = np.maximum(np.bincount(sequences.items, minlength=size), 1).astype(np.float32)
        counts = diags(taken**-self.config.from_power) @ counts @ diags(taken**-self.config.to_power)
        counts = counts.tocsr()
        counts.setdiag(0)
        counts.eliminate_zeros()
        self.following = Scored.of(counts).top(self.config.kept).matrix()
        return self

    def scores(self, histories: Sequences) -> Scored:
        """Every item that some item of the history leads to, with its score."""
        return Scored.held(histories, (self.config.fading ** histories.ages()).astype(np.float32)).led(self.following)
