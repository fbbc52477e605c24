"""Peers of `benchmarks.answers`, and what is told of a pair of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.bm25 import Bm25, content
from dongcha.models.text.dense import Dense
from dongcha.models.text.sparse import Sparse

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class SvmIntents:
    """TF-IDF of words (1-2) and characters (2-5 within words), scikit-learn's, and a linear SVM."""

    vectors: Any
    model: Any

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str], seed: int) -> SvmIntents:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_union
        from sklearn.svm import LinearSVC

        vectors = make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        )
        return cls(vectors, LinearSVC(random_state=seed).fit(vectors.fit_transform(texts), labels))

    def told(self, texts: Sequence[str]) -> tuple[list[str], Numbers]:
        """Each text's intent and the largest margin."""
        margins = self.model.decision_function(self.vectors.transform(texts))
        return [str(self.model.classes_[k]) for k in margins.argmax(axis=1)], margins.max(axis=1)


def tfidf_cosines(first: Sequence[str], second: Sequence[str], shown: NDArray[np.bool_]) -> Numbers:
    """Of each pair, by scikit-learn's TF-IDF of characters (1-3), learnt where it is shown."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    vectors.fit([text for texts in (first, second) for text, there in zip(texts, shown, strict=True) if there])
    one, two = vectors.transform(first), vectors.transform(second)
    return np.asarray(one.multiply(two).sum(axis=1)).ravel()


def pair_columns(first: Sequence[str], second: Sequence[str], shown: NDArray[np.bool_]) -> Numbers:
    """Of each pair: cosine by grams, of words and of characters alone, of latent vectors, shared words, lengths."""
    learnt = [text for texts in (first, second) for text, there in zip(texts, shown, strict=True) if there]
    sparse = Sparse.fit(learnt)
    one, two = sparse.transform(first), sparse.transform(second)
    both = one.multiply(two).tocsc()
    of_words = np.asarray(both[:, : len(sparse.word_keys)].sum(axis=1)).ravel()
    of_characters = np.asarray(both[:, len(sparse.word_keys) :].sum(axis=1)).ravel()
    some = [learnt[k] for k in np.random.default_rng(0).permutation(len(learnt))[:20_000]]
    dense = Dense.fit(some, width=100)
    latent = np.sum(dense.encode(first) * dense.encode(second), axis=1)
    rarity = Bm25.fit(learnt).rarity
    shared = np.array([_shared(set(content(a)), set(content(b)), rarity) for a, b in zip(first, second, strict=True)])
    lengths = np.array([(min(len(a), len(b)), max(len(a), len(b))) for a, b in zip(first, second, strict=True)])
    return np.column_stack([(of_words + of_characters) / 2, of_words, of_characters, latent, shared, lengths])


def _shared(one: set[str], two: set[str], rarity: Any) -> tuple[float, float, float]:
    """The shared words' part of the shorter and of the longer question, and the rarest word that only one has."""
    weights = [sum(map(rarity, words)) or 1.0 for words in (one, two)]
    both = sum(map(rarity, one & two))
    return both / min(weights), both / max(weights), max(map(rarity, one ^ two), default=0.0)
