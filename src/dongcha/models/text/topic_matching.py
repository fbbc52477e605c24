"""Which of a refit's topics are the earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dongcha.models.text.topic_counts import Array

SAME: Final = 0.5
"""The least affinity of two word distributions that are one topic."""


def affinity(one: Array, its_words: Sequence[str], other: Array, others_words: Sequence[str]) -> Array:
    """How alike the rows of `one` (topics, words) and `other` are, 0 to 1, (topics, other topics).

    Bhattacharyya's coefficient (1943) over all words of both: the sum of the roots of the products.
    """
    place = {word: k for k, word in enumerate(others_words)}
    both = [(k, place[word]) for k, word in enumerate(its_words) if word in place]
    mine, theirs = np.array(both, dtype=np.int64).reshape(-1, 2).T
    return np.asarray(np.sqrt(one[:, mine]) @ np.sqrt(other[:, theirs]).T, dtype=np.float64)


def matched(alike: Array) -> dict[int, int]:
    """Row → column of the pairs that are one topic: the best matching of all (Kuhn 1955), without pairs too unlike."""
    from scipy.optimize import linear_sum_assignment

    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    return {int(row): int(column) for row, column in pairs if alike[row, column] >= SAME}
