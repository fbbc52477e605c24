"""Texts as sparse rows: TF-IDF of words, pairs of words and runs of characters, learnt from the texts themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.grams import Grams, Keys, character_grams, word_grams
from dongcha.models.text.tokens import located, normalised

FILE: Final = "sparse.safetensors"
TEXTS_AT_ONCE: Final = 5_000
FEWEST_TEXTS: Final = 2
"""A gram of fewer texts than this says nothing that carries over."""
MOST_COLUMNS: Final = 500_000
"""Of words and of characters each: the most frequent."""


@dataclass(frozen=True)
class Sparse:
    """Columns: grams of words, then of characters, each by its key in ascending order, with its weight for rarity."""

    word_keys: Keys
    character_keys: Keys
    rarity: NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Sparse:
        """Learn which grams there are, from any number of texts in any language."""
        counts = [_Counts(), _Counts()]
        for both in _grams(texts):
            for count, grams in zip(counts, both[1:], strict=True):
                count.add(grams.keys)
        keys = [count.kept() for count in counts]
        every = cls(keys[0], keys[1], np.ones(sum(map(len, keys)), np.float32))
        often = np.zeros(every.width, np.int64)
        for both in _grams(texts):
            often += np.bincount(every._counted(*both)[0].indices, minlength=every.width)
        stays = often >= FEWEST_TEXTS
        rarity = np.log((1 + len(texts)) / (1 + often[stays])) + 1
        words = len(keys[0])
        return cls(keys[0][stays[:words]], keys[1][stays[words:]], rarity.astype(np.float32))

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.rarity)

    def transform(self, texts: Sequence[str]) -> Any:
        """A SciPy CSR matrix (texts, width) float32: (1 + log count) × rarity, words and characters of length 1 each.

        What is unknown takes its share of that length, so that one known gram among many does not decide alone; a text
        none of whose grams is known is a row of zeros.
        """
        from scipy.sparse import csr_matrix, vstack

        parts = [self._weighted(*self._counted(*both)) for both in _grams(texts)]
        return vstack(parts, format="csr") if parts else csr_matrix((0, self.width), dtype=np.float32)

    def columns(self, words: Grams, characters: Grams) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each gram's column, -1 where it is not known."""
        of_words, of_characters = _find(self.word_keys, words.keys), _find(self.character_keys, characters.keys)
        return of_words, np.where(of_characters < 0, -1, of_characters + len(self.word_keys))

    def pushes(self, texts: Sequence[str], weights: NDArray[np.floating[Any]]) -> list[dict[str, float]]:
        """What each token adds to `transform(texts) @ weights`, weights of shape (width,).

        A gram's part is shared evenly by its tokens, or by its characters and so by the tokens that these stand in;
        blanks and punctuation belong to the token before. So the parts add up, but in a text without any token.
        """
        return [self._pushed(text, weights) for text in texts]

    def _pushed(self, text: str, weights: NDArray[np.floating[Any]]) -> dict[str, float]:
        normal = normalised(text)
        pieces = located(normal)
        both = word_grams([pieces]), character_grams([normal])
        counted, unknown = self._counted(1, *both)
        parts = np.zeros(self.width + 1)
        parts[counted.indices] = weights[counted.indices] / counted.data
        weighted = self._weighted(counted, unknown)
        parts[weighted.indices] *= weighted.data
        of_pieces, of_characters = (
            _shared(grams, parts[columns], size)
            for grams, columns, size in zip(both, self.columns(*both), (len(pieces), len(normal) + 2), strict=True)
        )
        told: dict[str, float] = {}
        # Characters are counted from the blank before the text; the first token has all that stands before it.
        bounds = [0, *(piece.start + 1 for piece in pieces[1:]), len(of_characters)]
        for piece, part, start, end in zip(pieces, of_pieces, bounds[:-1], bounds[1:], strict=bool(pieces)):
            told[piece.token] = told.get(piece.token, 0.0) + float(part + of_characters[start:end].sum())
        return told

    def save(self, folder: Path) -> None:
        """As safetensors."""
        from safetensors.numpy import save_file

        save_file(dict(vars(self)), folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Sparse:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        return cls(**load_file(folder / FILE))

    def _counted(self, texts: int, words: Grams, characters: Grams) -> tuple[Any, NDArray[np.int64]]:
        """How often each text holds each gram, and how many unknown ones of each kind, shape (texts, 2)."""
        from scipy.sparse import csr_matrix

        columns = self.columns(words, characters)
        unknown = [
            np.bincount(grams.rows[found < 0], minlength=texts)
            for grams, found in zip((words, characters), columns, strict=True)
        ]
        column, row = np.concatenate(columns), np.concatenate([words.rows, characters.rows])
        known = column >= 0
        ones = np.ones(int(known.sum()), np.float32)
        return csr_matrix((ones, (row[known], column[known])), shape=(texts, self.width)), np.stack(unknown, axis=1)

    def _weighted(self, counted: Any, unknown: NDArray[np.int64]) -> Any:
        """Each count as its weight; an unknown gram takes its share of the length as the rarest would."""
        counted.data = (1 + np.log(counted.data)) * self.rarity[counted.indices]
        part = 2 * np.repeat(np.arange(len(unknown)), np.diff(counted.indptr))
        part += counted.indices >= len(self.word_keys)
        of_known = np.bincount(part, counted.data**2, minlength=unknown.size)
        of_unknown = unknown.ravel() * float(self.rarity.max(initial=0)) ** 2
        counted.data = (counted.data / np.sqrt(of_known + of_unknown)[part]).astype(np.float32)
        return counted


def _grams(texts: Sequence[str]) -> Iterator[tuple[int, Grams, Grams]]:
    """Some texts at a time: their number, their grams of words and of characters."""
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        normal = [normalised(text) for text in texts[start : start + TEXTS_AT_ONCE]]
        yield len(normal), word_grams([located(text) for text in normal]), character_grams(normal)


def _shared(grams: Grams, parts: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Each gram's part shared evenly among all it covers, shape (size,)."""
    each = parts / grams.length
    steps = np.bincount(grams.first, each, size + 1) - np.bincount(grams.first + grams.length, each, size + 1)
    return np.asarray(np.cumsum(steps)[:size], dtype=np.float64)


class _Counts:
    """How often each key was seen."""

    def __init__(self) -> None:
        self.keys, self.counts = np.empty(0, np.uint64), np.empty(0, np.int64)

    def add(self, keys: Keys) -> None:
        new, counts = np.unique(keys, return_counts=True)
        self.keys, place = np.unique(np.concatenate([self.keys, new]), return_inverse=True)
        self.counts = np.bincount(place, np.concatenate([self.counts, counts])).astype(np.int64)

    def kept(self) -> Keys:
        """Those seen more than once, and of these the most frequent, in ascending order."""
        most = np.argsort(-self.counts, kind="stable")[:MOST_COLUMNS]
        return np.sort(self.keys[most[self.counts[most] >= FEWEST_TEXTS]])


def _find(sorted_keys: Keys, keys: Keys) -> NDArray[np.int64]:
    """Each key's place among the sorted ones, -1 where it is not there."""
    if not len(sorted_keys):
        return np.full(len(keys), -1)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[place] == keys, place, -1)
