"""What is like the things a customer took, by what it is called, where it belongs and what it costs: for new items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

FILE: Final = "content.npz"
WORDS: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|[^\W\u3040-\u30ff\u3400-\u9fff]+")
MOST_TERMS: Final = 50_000
ITEMS_AT_ONCE: Final = 500
PRICE_STEP: Final = 0.35
"""The width of a price bucket in log units: about one half dearer."""


@dataclass(frozen=True)
class ContentConfig:
    """What text, category and price weigh in likeness; `fading`: what one place farther back in the history weighs.

    `kept`: like items remembered of each item.
    """

    text: float = 1.0
    category: float = 0.5
    price: float = 0.3
    fading: float = 0.8
    kept: int = 100


class Content:
    """Scores items by their likeness to the items of a history: nobody need have taken them before."""

    def __init__(self, config: ContentConfig | None = None) -> None:
        self.config = config or ContentConfig()

    def fit(
        self,
        texts: Sequence[str],
        categories: Sequence[str | None] | None = None,
        prices: NDArray[np.float64] | None = None,
    ) -> Content:
        """Compare all items; each argument has one entry per item of the catalogue, empty or NaN where unknown.

        Returns itself.
        """
        parts = [(self.config.text, _terms(texts))]
        if categories is not None:
            parts.append((self.config.category, _one_hot(np.array([one or "" for one in categories]))))
        if prices is not None:
            parts.append((self.config.price, _buckets(prices)))
        self.alike = _alike(parts, self.config.kept)
        return self

    def scores(self, histories: Sequences) -> Scored:
        """Every item that is like some item of the history, with its score."""
        weights = histories.matrix((self.config.fading ** histories.ages()).astype(np.float32))
        return Scored.of(weights @ self.alike)

    def save(self, folder: Path) -> None:
        """The like items, as a sparse matrix."""
        from scipy.sparse import save_npz

        save_npz(folder / FILE, self.alike)

    def load(self, folder: Path) -> Content:
        """Read what `save` wrote; returns itself."""
        from scipy.sparse import load_npz

        self.alike = load_npz(folder / FILE)
        return self


def words(text: str) -> Iterator[str]:
    """Lower-case words; of Chinese and Japanese, which have no spaces, single characters and pairs.

    >>> list(words("Red MUG 红杯子"))
    ['red', 'mug', '红', '杯', '子', '红杯', '杯子']
    """
    for word in WORDS.findall(text.lower()):
        if "\u3040" <= word[0] <= "\u9fff":
            yield from word
            yield from map("".join, pairwise(word))
        else:
            yield word


def _terms(texts: Sequence[str]) -> Any:
    """TF-IDF of the words, rows of length 1, or of length 0 where a text is empty."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(True for text in texts for _ in words(text)):
        return csr_matrix((len(texts), 1), dtype=np.float32)
    made = TfidfVectorizer(analyzer=words, sublinear_tf=True, max_features=MOST_TERMS, dtype=np.float32)
    return made.fit_transform(texts).tocsr()


def _one_hot(names: NDArray[np.str_]) -> Any:
    from scipy.sparse import csr_matrix

    kinds, codes = np.unique(names, return_inverse=True)
    known = np.flatnonzero(names != "")
    ones = np.ones(len(known), dtype=np.float32)
    return csr_matrix((ones, (known, codes[known])), shape=(len(names), len(kinds)))


def _buckets(prices: NDArray[np.float64]) -> Any:
    """Each known price in two neighbouring buckets of its logarithm, by nearness; rows of length 1."""
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    known = np.flatnonzero(np.isfinite(prices) & (prices > 0))
    if not len(known):
        return csr_matrix((len(prices), 1), dtype=np.float32)
    place = np.log(prices[known]) / PRICE_STEP
    place -= np.floor(place.min())
    lower = np.floor(place).astype(np.int64)
    share = (place - lower).astype(np.float32)
    shape = (len(prices), int(lower.max()) + 2)
    both = csr_matrix((1 - share, (known, lower)), shape=shape) + csr_matrix((share, (known, lower + 1)), shape=shape)
    return normalize(both)


def _alike(parts: list[tuple[float, Any]], kept: int) -> Any:
    """The weighed mean of the parts' cosines, each item's `kept` highest, CSR (catalogue, catalogue)."""
    from scipy.sparse import vstack

    whole = sum(weight for weight, _ in parts)
    rows = []
    size = parts[0][1].shape[0]
    for start in range(0, size, ITEMS_AT_ONCE):
        some = slice(start, start + ITEMS_AT_ONCE)
        likeness = sum(weight / whole * (part[some] @ part.T) for weight, part in parts).tocsr()
        itself = likeness.indices == start + np.repeat(np.arange(likeness.shape[0]), np.diff(likeness.indptr))
        likeness.data[itself] = 0
        likeness.eliminate_zeros()
        rows.append(Scored.of(likeness).top(kept).matrix())
    return vstack(rows).tocsr()
