"""Which of many texts answer a question: by its words (BM25) and by likeness, together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.bm25 import Bm25
from dongcha.models.text.likeness import Likeness, Scores

LIKENESS_WEIGHT: Final = 0.75
"""Against 1 for BM25, each over its best; MRR@10 of questions on appliances is flat from .5 to 1 (decision 0010)."""


@dataclass(frozen=True)
class Hybrid:
    """Two ways to find, fused: each score over the best that the question reaches, then added with a weight."""

    bm25: Bm25
    likeness: Likeness
    weight: float = LIKENESS_WEIGHT

    def scores(self, question: str) -> tuple[Scores, Scores]:
        """BM25 and cosine of each text, shape (texts,) each."""
        return self.bm25.scores(question), self.likeness.scores(question)

    def among(self, lexical: Scores, cosine: Scores, may: NDArray[np.bool_]) -> Scores:
        """Both together, shape (texts,): of those texts that may be looked at; -inf for the others."""
        both = _over_best(lexical, may) + self.weight * _over_best(cosine, may)
        return np.where(may, both, -np.inf).astype(np.float32)


def best(both: Scores, most: int) -> NDArray[np.int64]:
    """The places of the texts that score most and above 0, best first; of equals the earlier."""
    order = np.argsort(-both, kind="stable")[:most]
    return order[both[order] > 0]


def _over_best(scores: Scores, may: NDArray[np.bool_]) -> Scores:
    best = float(scores[may].max(initial=0.0))
    return scores / best if best > 0 else np.zeros_like(scores)


def reciprocal_ranks(rankings: Sequence[NDArray[np.int64]], texts: int, damping: float = 60.0) -> NDArray[np.float64]:
    """Reciprocal rank fusion (Cormack et al. 2009), what the weighted sum is measured against; shape (texts,)."""
    total = np.zeros(texts)
    for ranking in rankings:
        total[ranking] += 1 / (damping + 1 + np.arange(len(ranking)))
    return total
