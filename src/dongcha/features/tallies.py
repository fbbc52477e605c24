"""Counting as of many moments at once: what a group had seen by each of them, in arrays.

Moments are whole microseconds since 1970 (int64), amounts whole numbers (int64), so that every sum is exact: counted
among a million rows or among one customer's ten, the answer is the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NOBODY: Final = -1
"""The group of a row that belongs to none."""
FEW: Final = 16
"""So many questions are asked one by one; more are halved towards their answers side by side."""


@dataclass(frozen=True)
class Tally:
    """Things by group, in the order in which they begin to count, with running totals of one amount.

    `first`: where each group's things begin, and after the last group their end; `total[k]` is that of the things
    before k.
    """

    first: Ints
    moment: Ints
    total: Ints

    @classmethod
    def of(cls, group: Ints, moment: Ints, amount: Ints, groups: int) -> Tally:
        """Arrays of shape (things,): a thing counts from its moment on; one of NOBODY never does."""
        if (group == NOBODY).any():
            group, moment, amount = (column[group != NOBODY] for column in (group, moment, amount))
        order = np.lexsort((moment, group))
        first = _begins(group, groups)
        total = np.zeros(len(group) + 1, dtype=np.int64)
        np.cumsum(amount[order], out=total[1:])
        return cls(first, moment[order], total)

    def by(self, group: Ints, moment: Ints) -> tuple[Ints, Ints]:
        """How many things of a group, and how much, counted at a moment; shapes (questions,). 0 for NOBODY."""
        begin, place = _places(self.first, self.moment, group, moment)
        return place - begin, self.total[place] - self.total[begin]


@dataclass(frozen=True)
class Latest:
    """Of each group the thing that happened last, among those that were known by a moment."""

    first: Ints
    known: Ints
    newest: Ints
    """Which thing is the newest once the k-th is known."""

    @classmethod
    def of(cls, group: Ints, happened: Ints, known: Ints, groups: int) -> Latest:
        """Arrays of shape (things,); a thing counts from the moment after it happened and at which it is known."""
        counts = np.maximum(happened + 1, known)
        kept = np.flatnonzero(group != NOBODY)
        by_time = kept[np.lexsort((known[kept], happened[kept], group[kept]))]
        rank = np.empty(len(group), dtype=np.int64)
        rank[by_time] = np.arange(len(kept))
        by_known = kept[np.lexsort((rank[kept], counts[kept], group[kept]))]
        first = _begins(group[kept], groups)
        # Ranks rise from group to group, so the running maximum never looks back into another one.
        return cls(first, counts[by_known], by_time[np.maximum.accumulate(rank[by_known])])

    def by(self, group: Ints, moment: Ints) -> Ints:
        """The newest thing's place in the arrays it was made of, −1 where there is none; shape (questions,)."""
        begin, place = _places(self.first, self.known, group, moment)
        if not len(self.newest):
            return np.full(len(group), -1)
        return np.where(place > begin, self.newest[np.maximum(place - 1, 0)], -1)


def _begins(group: Ints, groups: int) -> Ints:
    """Where each group begins among things sorted by group, and the last one's end; as if there were one at least."""
    counted = np.bincount(group, minlength=max(groups, 1))
    return np.concatenate([[0], np.cumsum(counted)]).astype(np.int64)


def _places(first: Ints, moments: Ints, group: Ints, asked: Ints) -> tuple[Ints, Ints]:
    """Where each question's group begins, and the place after its last moment that is not later than the one asked."""
    if len(group) <= FEW:
        found = [_place(first, moments, g, t) for g, t in zip(group.tolist(), asked.tolist(), strict=True)]
        places = np.array(found, dtype=np.int64).reshape(-1, 2)
        return places[:, 0], places[:, 1]
    known = group != NOBODY
    begin = np.where(known, first[group], 0)
    end = np.where(known, first[np.where(known, group, 0) + 1], 0)
    low, high = begin.copy(), end.copy()
    while (open_ := low < high).any():
        middle = (low + high) >> 1
        counted = open_ & (moments[np.where(open_, middle, 0)] <= asked)
        low = np.where(counted, middle + 1, low)
        high = np.where(open_ & ~counted, middle, high)
    return begin, low


def _place(first: Ints, moments: Ints, group: int, asked: int) -> tuple[int, int]:
    if group == NOBODY:
        return 0, 0
    begin = int(first[group])
    return begin, begin + int(moments[begin : first[group + 1]].searchsorted(asked, "right"))
