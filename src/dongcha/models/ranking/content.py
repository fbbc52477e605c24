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
"""Prices this far apart in log units, about one half dearer, are alike by 1 / e."""
MOST_SHARING: Final = 1000
"""A word or a category that more items share tells little, and costs time with the square of their number."""


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
        known = np.full(len(texts), np.nan) if prices is None else np.log(np.where(prices > 0, prices, np.nan))
        self.alike = _alike(parts, self.config, known)
        return self

    def scores(self, histories: Sequences) -> Scored:
        """Every item that is like some item of the history, with its score."""
        return Scored.held(histories, (self.config.fading ** histories.ages()).astype(np.float32)).led(self.alike)

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
    """TF-IDF of the words, rows of length 1, or of length 0 where nothing telling is said."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    common = min(MOST_SHARING / max(len(texts), 1), 1.0)
    try:
        made = TfidfVectorizer(
            analyzer=words, sublinear_tf=True, max_features=MOST_TERMS, max_df=common, dtype=np.float32
        )
        return made.fit_transform(texts).tocsr()
    except ValueError:  # no word at all, or none but common ones
        return csr_matrix((len(texts), 1), dtype=np.float32)


def _one_hot(names: NDArray[np.str_]) -> Any:
    from scipy.sparse import csr_matrix

    kinds, codes, sizes = np.unique(names, return_inverse=True, return_counts=True)
    known = np.flatnonzero((names != "") & (sizes[codes] <= MOST_SHARING))
    ones = np.ones(len(known), dtype=np.float32)
    return csr_matrix((ones, (known, codes[known])), shape=(len(names), len(kinds)))


def _alike(parts: list[tuple[float, Any]], config: ContentConfig, logs: NDArray[np.float64]) -> Any:
    """The weighed mean of the parts' likenesses, each item's `kept` highest, CSR (catalogue, catalogue).

    Prices are compared among items that have something else in common: everything costs something.
    """
    from scipy.sparse import vstack

    rows = []
    size = parts[0][1].shape[0]
    for start in range(0, size, ITEMS_AT_ONCE):
        some = slice(start, start + ITEMS_AT_ONCE)
        likeness = sum(weight * (part[some] @ part.T) for weight, part in parts).tocsr()
        own = start + np.repeat(np.arange(likeness.shape[0]), np.diff(likeness.indptr))
        apart = np.abs(logs[own] - logs[likeness.indices]) / PRICE_STEP
        likeness.data += config.price * np.nan_to_num(np.exp(-apart)).astype(np.float32)
        likeness.data[likeness.indices == own] = 0
        likeness.eliminate_zeros()
        rows.append(Scored.of(likeness).top(config.kept).matrix())
    return vstack(rows).tocsr() / (config.price + sum(weight for weight, _ in parts))
