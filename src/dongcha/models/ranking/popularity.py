"""What everybody takes."""

from __future__ import annotations

from typing import Final

import numpy as np

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

OFFERED: Final = 100


class Popularity:
    """Scores the most taken items alike for every history: the baseline, and all there is for a new customer."""

    def fit(self, sequences: Sequences) -> Popularity:
        """Count; returns itself."""
        self.taken = np.bincount(sequences.items, minlength=sequences.catalogue).astype(np.float32)
        most = np.argsort(-self.taken, kind="stable")[:OFFERED]
        self.most = np.sort(most[self.taken[most] > 0])
        return self

    def scores(self, histories: Sequences) -> Scored:
        """The most taken items with their counts, for every row."""
        rows, offered = len(histories), len(self.most)
        starts = np.arange(rows + 1) * offered
        return Scored(np.tile(self.most, rows), np.tile(self.taken[self.most], rows), starts, histories.catalogue)
