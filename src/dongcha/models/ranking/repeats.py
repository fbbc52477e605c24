"""Who is due to take again what they took before: how often an item is taken again at all, and after how long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Items, Sequences

FILE: Final = "repeats.npz"
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class RepeatsConfig:
    """Times are days, or places in the row where sequences have no moments.

    `ahead`: how far ahead a repeat is foretold. `same`: takings so near each other are one occasion. `prior`: how many
    occasions the whole catalogue's habit counts beside an item's own. `own`: how many occasions the item's habit counts
    beside a row's own. `narrowest`: the least spread of log gaps.
    """

    ahead: float = 30.0
    same: float = 0.5
    prior: float = 10.0
    own: float = 3.0
    narrowest: float = 0.3


@dataclass(frozen=True)
class _Habits:
    """Every (row, item) once: what the row did with the item. All of shape (pairs,)."""

    keys: Items
    occasions: Reals
    newest: Reals
    """The moment of its newest occasion."""
    gaps: Reals
    """The mean log time between its occasions; 0 where there is one."""


class Repeats:
    """Scores the items of a history by the chance that they are taken again within `ahead`.

    Each item has a chance of being taken again at all and a log-normal time until then, both drawn towards the whole
    catalogue's where it was seen little, and towards the row's own habit where it has one. So milk comes back weekly
    and a wardrobe hardly ever (the parts of "Buy It Again", Bhagat et al. 2018, put together as a cure model).
    """

    def __init__(self, config: RepeatsConfig | None = None) -> None:
        self.config = config or RepeatsConfig()

    def fit(self, sequences: Sequences) -> Repeats:
        """Learn every item's chance, typical log gap and its spread, each of shape (catalogue,); returns itself."""
        habits, size, prior = self._habits(sequences), sequences.catalogue, self.config.prior
        items, again = habits.keys % size, habits.occasions - 1
        repeats = np.bincount(items, again, size)
        middle = np.average(habits.gaps, weights=again) if repeats.sum() else np.log(self.config.ahead)
        self.gap = (np.bincount(items, habits.gaps * again, size) + prior * middle) / (repeats + prior)
        off = np.bincount(items, again * (habits.gaps - self.gap[items]) ** 2, size)
        wide = off.sum() / repeats.sum() if repeats.sum() else 1.0
        self.spread = np.maximum(np.sqrt((off + prior * wide) / (repeats + prior)), self.config.narrowest)
        # The newest occasion speaks against a repeat only as far as one would have come by now.
        waited = self._asked_at(sequences)[habits.keys // size] - habits.newest
        open_ones = np.bincount(items, self._came_by(waited, self.gap[items], items), size)
        usual = (repeats.sum() + 1) / (repeats.sum() + open_ones.sum() + prior)
        self.chance = (repeats + prior * usual) / (repeats + open_ones + prior)
        return self

    def scores(self, histories: Sequences) -> Scored:
        """Every item that a history holds, with its chance of coming again within `ahead`."""
        habits = self._habits(histories)
        rows, items = habits.keys // histories.catalogue, habits.keys % histories.catalogue
        again, own = habits.occasions - 1, self.config.own
        chance = (again + own * self.chance[items]) / (again + own)
        gap = (again * habits.gaps + own * self.gap[items]) / (again + own)
        waited = self._asked_at(histories)[rows] - habits.newest
        before = self._came_by(waited, gap, items)
        due = chance * (self._came_by(waited + self.config.ahead, gap, items) - before) / (1 - chance * before)
        starts = np.searchsorted(rows, np.arange(len(histories) + 1))
        return Scored(items, due.astype(np.float32), starts, histories.catalogue)

    def save(self, folder: Path) -> None:
        """What was learnt, as arrays."""
        np.savez(folder / FILE, chance=self.chance, gap=self.gap, spread=self.spread)

    def load(self, folder: Path) -> Repeats:
        """Read what `save` wrote; returns itself."""
        with np.load(folder / FILE) as stored:
            self.chance, self.gap, self.spread = stored["chance"], stored["gap"], stored["spread"]
        return self

    def _came_by(self, time: Reals, gap: Reals, items: Items) -> Reals:
        """The share of repeats that come within `time`."""
        from scipy.special import ndtr

        return np.asarray(ndtr((np.log(np.maximum(time, 1e-9)) - gap) / self.spread[items]), dtype=np.float64)

    def _habits(self, sequences: Sequences) -> _Habits:
        keys = sequences.rows() * sequences.catalogue + sequences.items
        order = np.argsort(keys, kind="stable")
        keys, moments = keys[order], _moments(sequences)[order]
        since = np.diff(moments, prepend=-np.inf)
        first = np.diff(keys, prepend=-1) != 0
        apart = first | (since > self.config.same)
        pairs = np.cumsum(first) - 1
        count = int(pairs[-1]) + 1 if len(pairs) else 0
        occasions = np.bincount(pairs, apart, count).astype(np.float64)
        logs = np.log(np.where(apart & ~first, since, 1.0))
        gaps = np.bincount(pairs, logs, count) / np.maximum(occasions - 1, 1)
        newest = moments[np.append(np.flatnonzero(first)[1:], len(keys)) - 1] if count else np.empty(0)
        return _Habits(keys[first], occasions, newest, gaps)

    def _asked_at(self, histories: Sequences) -> Reals:
        return histories.lengths().astype(np.float64) if histories.days is None else histories.asked_at()


def _moments(sequences: Sequences) -> Reals:
    """Days, or each item's place in its row."""
    if sequences.days is not None:
        return sequences.days
    places = np.arange(len(sequences.items)) - np.repeat(sequences.starts[:-1], sequences.lengths())
    return np.asarray(places, dtype=np.float64)
