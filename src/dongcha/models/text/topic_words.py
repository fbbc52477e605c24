"""Which words tell a topic: those it says often that also hang together."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.topic_counts import Array, Counts, present

TOLD: Final = 25
CANDIDATES: Final = 60
LEAST: Final = 0.001


def telling_words(counts: Counts, distribution: Array, top: int = TOLD) -> NDArray[np.int64]:
    """The columns of `counts` (texts, words) that tell a topic, best first, at most `top`.

    A word's score is its chance in the topic's `distribution` (words,) times how much it keeps company with the others
    there: normalised pointwise mutual information (Bouma 2009), discounted for small counts, mean over the 60 likeliest
    words by their chances. Only words that the topic has are told.
    """
    likeliest = np.argsort(-distribution, kind="stable")[:CANDIDATES]
    likeliest = likeliest[distribution[likeliest] > 0]
    chance = distribution[likeliest] / max(distribution[likeliest].sum(), 1e-12)
    has = present(counts[:, likeliest])
    both = (has.T @ has).toarray()
    company = _company(both, counts.shape[0]) * both / (both + 2)
    np.fill_diagonal(company, 0)
    together = company @ chance / np.maximum(1 - chance, 1e-12)
    order = np.argsort(-chance * np.maximum(together, LEAST), kind="stable")[:top]
    return np.asarray(likeliest[order], dtype=np.int64)


def _company(both: Array, texts: int) -> Array:
    """Normalised pointwise mutual information from counts of texts that have both words; 0 for none."""
    often = np.maximum(np.diag(both), 1)
    share = np.clip(both, 0.5, texts - 0.5) / texts
    return np.where(both > 0, np.log(share * texts**2 / np.outer(often, often)) / -np.log(share), 0.0)
