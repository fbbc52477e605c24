"""Texts as counts of the words that several of them share, and as vectors in which words of one company are near."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = Any
"""A scipy CSR matrix (texts, words), float64."""

MOST_WORDS: Final = 5_000
DIMENSIONS: Final = 50


def shared_words(texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The words worth counting: in 5 texts at least (2 or more of few texts), at most the 5,000 commonest; sorted."""
    fewest = min(5, max(2, len(texts) // 200))
    found = Counter(word for text in texts for word in set(text))
    often = sorted((word for word, count in found.items() if count >= fewest), key=lambda word: (-found[word], word))
    return tuple(sorted(often[:MOST_WORDS]))


def counted(texts: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> tuple[Counts, Array]:
    """How often each text has each word, (texts, words), and how many words it has that are not counted, (texts,)."""
    from scipy.sparse import csr_matrix

    place = {word: k for k, word in enumerate(vocabulary)}
    found = [[place[word] for word in text if word in place] for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in found], dtype=np.int64)])
    columns = np.array([k for row in found for k in row], dtype=np.int64)
    counts = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(texts), len(vocabulary)))
    counts.sum_duplicates()
    return counts, np.array([len(text) for text in texts], dtype=np.float64) - np.diff(starts)


def present(counts: Counts) -> Counts:
    """1 where a text has a word."""
    return (counts > 0).astype(np.float64)


def togetherness(counts: Counts) -> Counts:
    """How much oftener than by chance two words stand in one text, sparse (words, words), 0 where not oftener.

    Pointwise mutual information, normalised (Bouma 2009) so that rare pairs do not outdo frequent ones, and discounted
    where counts are small (Pantel & Lin 2002).
    """
    from scipy.sparse import csr_matrix

    has = present(counts)
    pairs = (has.T @ has).tocoo()
    texts, often = counts.shape[0], np.asarray(has.sum(axis=0)).ravel()
    apart = (pairs.row != pairs.col) & (pairs.data < texts)
    one, other, both = pairs.row[apart], pairs.col[apart], pairs.data[apart]
    information = np.log(both * texts / (often[one] * often[other])) / -np.log(both / texts)
    rarer = np.minimum(often[one], often[other])
    sure = information * both / (both + 1) * rarer / (rarer + 1)
    kept = sure > 0
    return csr_matrix((sure[kept], (one[kept], other[kept])), shape=pairs.shape)


def word_vectors(counts: Counts, seed: int = 0) -> Array:
    """A unit vector for each word, (words, at most 50), near where they keep one company (Levy & Goldberg 2014)."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    company = togetherness(counts)
    dimensions = min(DIMENSIONS, company.shape[0] - 1)
    if not company.nnz or dimensions < 1:
        return np.eye(company.shape[0], max(dimensions, 1))
    reduced = TruncatedSVD(dimensions, random_state=seed).fit(company)
    return np.asarray(normalize(reduced.components_.T * np.sqrt(reduced.singular_values_)), dtype=np.float64)


def text_vectors(counts: Counts, seed: int = 0) -> Array:
    """A unit vector for each text, (texts, at most 50): the mean of its words', the rarer the more; 0 without words."""
    from scipy.sparse import diags
    from sklearn.preprocessing import normalize

    often = np.asarray(present(counts).sum(axis=0)).ravel()
    rarity = np.log(max(counts.shape[0], 1) / np.maximum(often, 1)) + 1
    weighted = normalize(counts.sqrt() @ diags(rarity))
    return np.asarray(normalize(weighted @ word_vectors(counts, seed)), dtype=np.float64)
