"""Many histories of items, of different lengths, each oldest first: what rankers learn from and answer for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Items = NDArray[np.int64]
Days = NDArray[np.float64]


@dataclass(frozen=True)
class Sequences:
    """Row k is `items[starts[k]:starts[k + 1]]`, oldest first.

    `items`: int64, each from 0 to `catalogue` - 1; `starts`: int64, shape (rows + 1,). Where moments are known, `days`
    holds every item's, in days since any one origin, and `until` the moment up to which each row is known.

    >>> some = Sequences.of([[3, 1, 2], [0], []], catalogue=4)
    >>> some.lengths().tolist(), some.last().tolist(), some.without_last()[0].tolist()
    ([3, 1, 0], [2, 0, -1], [3, 1])
    """

    items: Items
    starts: Items
    catalogue: int
    days: Days | None = None
    until: Days | None = None
    ids: Items | None = None
    """Numbers that rows keep wherever they are taken, for rankers that know more of a row than its items."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], catalogue: int) -> Sequences:
        lengths = [len(row) for row in rows]
        flat = np.fromiter((item for row in rows for item in row), dtype=np.int64, count=sum(lengths))
        return cls(flat, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]), catalogue)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> Items:
        return self.items[self.starts[row] : self.starts[row + 1]]

    def lengths(self) -> Items:
        """How many items each row has, shape (rows,)."""
        return self.starts[1:] - self.starts[:-1]

    def rows(self) -> Items:
        """The row of every item, shape (items,)."""
        return np.repeat(np.arange(len(self)), self.lengths())

    def ages(self) -> Items:
        """How many items of its row came after every item, shape (items,): 0 for the newest."""
        return np.repeat(self.starts[1:], self.lengths()) - 1 - np.arange(len(self.items))

    def last(self) -> Items:
        """The newest item of each row, shape (rows,); -1 where a row is empty."""
        known = self.lengths() > 0
        last = np.full(len(self), -1, dtype=np.int64)
        last[known] = self.items[self.starts[1:][known] - 1]
        return last

    def without_last(self, count: int = 1) -> Sequences:
        """Each row without its newest `count` items, as it was known when the first of these came."""
        ages = self.ages()
        shorter = self._kept(ages >= count)
        if self.days is None:
            return shorter
        until = self.asked_at().copy()
        first = ages == np.minimum(count, np.repeat(self.lengths(), self.lengths())) - 1
        until[self.rows()[first]] = self.days[first]
        return replace(shorter, until=until)

    def asked_at(self) -> Days:
        """The moment up to which each row is known, shape (rows,): by default that of its newest item; 0 if empty."""
        if self.days is None:
            raise ValueError("these sequences have no moments")
        if self.until is not None:
            return self.until
        newest = np.zeros(len(self), dtype=np.float64)
        known = self.lengths() > 0
        newest[known] = self.days[self.starts[1:][known] - 1]
        return newest

    def newest(self, count: int) -> Sequences:
        """Each row's newest `count` items."""
        return self._kept(self.ages() < count)

    def take(self, rows: Items) -> Sequences:
        """These rows, in this order."""
        lengths = self.lengths()[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        days = None if self.days is None else self.days[places]
        return Sequences(
            self.items[places],
            starts,
            self.catalogue,
            days,
            None if self.until is None else self.until[rows],
            None if self.ids is None else self.ids[rows],
        )

    def keys(self) -> Items:
        """One number for every (row, item) that is held, ascending, each once."""
        return distinct(self.rows() * self.catalogue + self.items)

    def matrix(self, weights: NDArray[np.float32] | None = None) -> Any:
        """Rows by catalogue as a SciPy CSR matrix of float32: each item's weights added up, by default 1 each."""
        from scipy.sparse import csr_matrix

        values = np.ones(len(self.items), dtype=np.float32) if weights is None else weights
        shape = (len(self), self.catalogue)
        found = csr_matrix((values, self.items, self.starts), shape=shape, copy=True)
        found.sum_duplicates()
        return found

    def padded(self, length: int) -> Items:
        """The newest `length` items of each row, right-aligned in shape (rows, length); `catalogue` where none is."""
        recent = self.newest(length)
        found = np.full((len(self), length), self.catalogue, dtype=np.int64)
        found[recent.rows(), length - 1 - recent.ages()] = recent.items
        return found

    def _kept(self, keep: NDArray[np.bool_]) -> Sequences:
        lengths = np.bincount(self.rows()[keep], minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(lengths)])
        days = None if self.days is None else self.days[keep]
        return Sequences(self.items[keep], starts, self.catalogue, days, self.until, self.ids)


def distinct(numbers: Items) -> Items:
    """Each number once, ascending; of a few thousand `np.unique`, which makes a hash table, takes ten times as long."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) != 0] if len(ordered) else ordered


def among(numbers: Items, ascending: Items) -> NDArray[np.bool_]:
    """Whether each number is one of those that ascend, bool, the shape of `numbers`."""
    if not len(ascending):
        return np.zeros(numbers.shape, dtype=bool)
    places = np.minimum(np.searchsorted(ascending, numbers), len(ascending) - 1)
    return np.asarray(ascending[places] == numbers)
