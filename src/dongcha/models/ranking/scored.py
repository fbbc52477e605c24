"""Scores of a few items a row: what a ranker answers, and how answers are cut and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.sequences import Items, Sequences, among, distinct

Scores = NDArray[np.float32]

SIDE_BY_SIDE: Final = 1 << 20
"""So many sums are held at most, where few rows are multiplied with a matrix."""


@dataclass(frozen=True)
class Scored:
    """Row k has items `items[starts[k]:starts[k + 1]]` (int64, ascending, no two alike) with their `scores`."""

    items: Items
    scores: Scores
    starts: Items
    catalogue: int

    @classmethod
    def of(cls, matrix: Any) -> Scored:
        """From a SciPy sparse matrix, rows by catalogue: what is not stored has no score."""
        found = matrix.tocsr()
        found.sort_indices()
        return cls(
            found.indices.astype(np.int64),
            found.data.astype(np.float32),
            found.indptr.astype(np.int64),
            found.shape[1],
        )

    @classmethod
    def rows_of(cls, matrix: Any, rows: Items) -> Scored:
        """These rows of a SciPy CSR matrix whose indices ascend in each row, as `Scored.matrix` makes it."""
        places, lengths = _stored(matrix, rows)
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        items, scores = matrix.indices[places].astype(np.int64), matrix.data[places].astype(np.float32)
        return cls(items, scores, starts, matrix.shape[1])

    @classmethod
    def held(cls, histories: Sequences, weights: Scores | None = None) -> Scored:
        """What each history holds, its weights added up, by default 1 each: `histories.matrix` without SciPy."""
        keys = histories.rows() * histories.catalogue + histories.items
        values = np.ones(len(keys), dtype=np.float32) if weights is None else weights
        order = np.argsort(keys, kind="stable")
        first = np.flatnonzero(np.diff(keys[order], prepend=-1))
        scores = np.add.reduceat(values[order], first) if len(first) else values
        items, rows = histories.items[order][first], histories.rows()[order][first]
        return cls(items, scores, np.searchsorted(rows, np.arange(len(histories) + 1)), histories.catalogue)

    def led(self, matrix: Any) -> Scored:
        """What each row's items lead to: the product with a SciPy CSR matrix, items by other items.

        Of few rows the sums stand side by side for a moment, one for every item there is; SciPy, which takes longer to
        begin, does the others. Both add in double precision, so that a score is the same to the last bit of its own.
        """
        count, width = len(self), matrix.shape[1]
        if count * width > SIDE_BY_SIDE:
            return Scored.of(self._product(matrix))
        places, lengths = _stored(matrix, self.items)
        keys = np.repeat(self.rows() * width, lengths) + matrix.indices[places]
        weights = np.repeat(self.scores.astype(np.float64), lengths)
        sums = np.bincount(keys, weights * matrix.data[places], count * width)
        there = np.zeros(count * width, dtype=bool)
        there[keys] = True
        found = np.flatnonzero(there)
        starts = np.searchsorted(found, np.arange(count + 1) * width)
        return Scored(found % width, sums[found].astype(np.float32), starts, width)

    def _product(self, matrix: Any) -> Any:
        from scipy.sparse import csr_matrix

        # Only the lines that are needed are made double.
        needed = distinct(self.items)
        shape = (len(self), len(needed))
        mine = csr_matrix((self.scores.astype(np.float64), np.searchsorted(needed, self.items), self.starts), shape)
        return mine @ matrix[needed].astype(np.float64)

    def matrix(self) -> Any:
        """Back to a SciPy CSR matrix, rows by catalogue."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.scores, self.items, self.starts), shape=(len(self), self.catalogue))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> Items:
        """How many scores each row has, shape (rows,)."""
        return self.starts[1:] - self.starts[:-1]

    def rows(self) -> Items:
        """The row of every score, shape (scores,)."""
        return np.repeat(np.arange(len(self)), self.lengths())

    def keys(self) -> Items:
        """One number for every (row, item), ascending."""
        return self.rows() * self.catalogue + self.items

    def places(self) -> Items:
        """Every score's place in its row, 0 for the highest; ties go to the lower item number."""
        order, rows = _falling(self.scores), self.rows()
        order = order[np.argsort(rows[order].astype(np.min_scalar_type(len(self))), kind="stable")]
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order)) - np.repeat(self.starts[:-1], self.lengths())
        return places

    def top(self, count: int) -> Scored:
        """Each row's `count` highest."""
        return self.kept(self.places() < count)

    def take(self, rows: Items) -> Scored:
        """These rows, in this order."""
        lengths = self.lengths()[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Scored(self.items[places], self.scores[places], starts, self.catalogue)

    def without(self, histories: Sequences) -> Scored:
        """Without what a row's history already holds."""
        return self.kept(~among(self.keys(), histories.keys()))

    def at(self, keys: Items, otherwise: float = 0.0) -> Scores:
        """The scores of these (row, item) keys, in their order."""
        places = self.place_of(keys)
        found = np.full(len(keys), otherwise, dtype=np.float32)
        found[places >= 0] = self.scores[places[places >= 0]]
        return found

    def place_of(self, keys: Items) -> Items:
        """Where the scores of these (row, item) keys stand, in their order; -1 where one has none."""
        mine = self.keys()
        if not len(mine):
            return np.full(len(keys), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(mine, keys), len(mine) - 1)
        return np.where(mine[places] == keys, places, -1)

    def listed(self, count: int) -> tuple[Items, Scores]:
        """Each row's `count` highest, highest first, both of shape (rows, count): -1 and -inf where there are fewer."""
        items = np.full((len(self), count), -1, dtype=np.int64)
        scores = np.full((len(self), count), -np.inf, dtype=np.float32)
        places = self.places()
        kept = places < count
        rows = self.rows()[kept]
        items[rows, places[kept]] = self.items[kept]
        scores[rows, places[kept]] = self.scores[kept]
        return items, scores

    def kept(self, keep: NDArray[np.bool_]) -> Scored:
        """Those scores for which `keep`, shape (scores,), is true."""
        counts = np.bincount(self.rows()[keep], minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(counts)])
        return Scored(self.items[keep], self.scores[keep], starts, self.catalogue)


def stacked(parts: Sequence[Scored]) -> Scored:
    """The rows of the first part, then those of the second, and so on; all over the same catalogue."""
    before = np.cumsum([0, *(len(part.items) for part in parts)])
    starts = [part.starts[:-1] + start for part, start in zip(parts, before[:-1], strict=True)]
    return Scored(
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([*starts, before[-1:]]),
        parts[0].catalogue,
    )


def _stored(matrix: Any, rows: Items) -> tuple[Items, Items]:
    """Where these rows' values stand in a CSR matrix, and how many each row has."""
    begin = matrix.indptr[rows].astype(np.int64)
    lengths = matrix.indptr[rows + 1] - begin
    ends = np.cumsum(lengths)
    return np.repeat(begin - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0), lengths


def _falling(scores: Scores) -> Items:
    """The order from the highest score to the lowest, the earlier of equal ones first; none is NaN.

    The bits of a float, read as a whole number, rise with it (of one below zero they fall); with its place beside them
    one sort of numbers gives the order, several times faster than a stable argsort.
    """
    bits = (scores + np.float32(0)).view(np.uint32)
    falling = np.where(bits < 0x80000000, 0x7FFFFFFF - bits, bits).astype(np.uint64)
    return (np.sort(falling << np.uint64(32) | np.arange(len(scores), dtype=np.uint64)) & 0xFFFFFFFF).astype(np.int64)
