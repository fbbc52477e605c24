"""How good lists of words are as topics: do their words come together, and does each topic have words of its own?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Final

import numpy as np

TOP: Final = 10
"""How many of a topic's words are read."""


def npmi(topics: Sequence[Sequence[str]], texts: Sequence[Sequence[str]], top: int = TOP) -> float:
    """Normalised pointwise mutual information of a topic's words, -1 to 1, mean over pairs, then over topics.

    Words come together where a text holds both (Bouma 2009; Lau et al. 2014); a pair that never does counts -1.
    `topics`: words, best first; `texts`: words. NaN without a topic of two words, or without texts.
    """
    from scipy.sparse import csr_matrix

    read = [list(dict.fromkeys(words[:top])) for words in topics]
    column = {word: k for k, word in enumerate(sorted(set(chain.from_iterable(read))))}
    held = [sorted({column[word] for word in text if word in column}) for text in texts]
    starts = np.cumsum([0, *map(len, held)])
    found = csr_matrix(
        (np.ones(starts[-1]), np.array([*chain.from_iterable(held)], dtype=np.int64), starts), (len(held), len(column))
    )
    share = (found.T @ found).toarray() / max(len(held), 1)
    alone = share.diagonal()
    every = [[_npmi(share[a, b], alone[a], alone[b]) for a, b in combinations(map(column.get, it), 2)] for it in read]
    means = [np.mean(pairs) for pairs in every if pairs]
    return float(np.mean(means)) if means and held else float("nan")


def _npmi(both: float, one: float, other: float) -> float:
    if both <= 0:
        return -1.0
    return 1.0 if both >= 1 else float(np.log(both / (one * other)) / -np.log(both))


def diversity(topics: Sequence[Sequence[str]], top: int = TOP) -> float:
    """The share of different words among the topics' `top` (Dieng et al. 2020). NaN without a word."""
    said = [word for words in topics for word in words[:top]]
    return len(set(said)) / len(said) if said else float("nan")
