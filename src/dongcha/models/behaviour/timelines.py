"""Many customers' events, each a row of whole numbers in time order: what the behaviour model reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.paces import PACES, TIMES, paces
from dongcha.models.ranking.sequences import Sequences

Codes = NDArray[np.int64]
Days = NDArray[np.float64]

PRODUCT: Final = "product"
KIND: Final = "kind"
GAP: Final = "gap"
"""These three are read and foretold; the others, and fields of any other name, are only read."""
CATEGORY: Final = "category"
BRAND: Final = "brand"
PRICE: Final = "price"
RATING: Final = "rating"
CHANNEL: Final = "channel"
BOUGHT: Final = "bought"
"""0 where the event is a purchase. Neither read nor foretold: paces are counted by it, and what follows a question."""
DAYS_AHEAD: Final = {"days_ahead_7": 7.0, "days_ahead_30": 30.0, "days_ahead_90": 90.0}
"""On how many days one buys within so many days after a question: foretold there, never read."""
MOST_AHEAD: Final = 4
LATER: Final = tuple(f"later_{k}" for k in range(4))
"""Products bought within the longest of these windows, drawn at random: foretold at a question, never read."""
UNREAD: Final = (BOUGHT, *DAYS_AHEAD, *LATER)
GAP_EDGES: Final = np.array([0.01, 0.1, 0.5, 1.5, 3, 5, 8, 12, 18, 25, 35, 50, 70, 100, 150, 250], dtype=np.float64)
"""Days; a gap's code is the number of edges at or below it."""
GAPS: Final = len(GAP_EDGES) + 1


@dataclass(frozen=True)
class Timelines:
    """Row k is events `starts[k]` to `starts[k + 1]`, oldest first.

    `fields`: name → int64 code of every event, 0 to `sizes[name]` - 1, and `sizes[name]` where the event has none.
    `days`: float64, the moment of every event in days since any one origin, or None where moments are not known.
    """

    starts: Codes
    fields: Mapping[str, Codes]
    sizes: Mapping[str, int]
    days: Days | None = None

    @classmethod
    def of(cls, sequences: Sequences) -> Timelines:
        """Timelines of products alone."""
        return cls(sequences.starts, {PRODUCT: sequences.items}, {PRODUCT: sequences.catalogue})

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> Codes:
        """How many events each row has, shape (rows,)."""
        return np.diff(self.starts)

    def products(self) -> Sequences:
        """The products alone, events without one left out."""
        has = self.fields[PRODUCT] < self.sizes[PRODUCT]
        rows = np.repeat(np.arange(len(self)), self.lengths())[has]
        counts = np.bincount(rows, minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(counts)])
        return Sequences(self.fields[PRODUCT][has], starts, self.sizes[PRODUCT])

    def where(self, keep: NDArray[np.bool_]) -> Timelines:
        """Only these events, of the same rows; `keep` has one entry an event."""
        starts = np.concatenate([[0], np.cumsum(keep, dtype=np.int64)])[self.starts]
        fields = {name: codes[keep] for name, codes in self.fields.items()}
        return Timelines(starts, fields, self.sizes, None if self.days is None else self.days[keep])

    def gaps(self) -> Codes:
        """The code of the time since the event before, for every event; GAPS for each row's first."""
        if self.days is None:
            raise ValueError("these timelines have no moments")
        since = np.diff(self.days, prepend=0.0)
        codes = np.searchsorted(GAP_EDGES, since, side="right")
        codes[self.starts[:-1][self.lengths() > 0]] = GAPS
        return np.asarray(codes, dtype=np.int64)

    def coded(self) -> Timelines:
        """With the gaps as one more field, where moments are known."""
        if self.days is None or GAP in self.fields:
            return self
        return Timelines(self.starts, {**self.fields, GAP: self.gaps()}, {**self.sizes, GAP: GAPS}, self.days)

    def paced(self) -> Timelines:
        """Coded, and with the paces where it is known what was bought: as the behaviour model reads it."""
        coded = self.coded()
        if coded.days is None or BOUGHT not in coded.fields or TIMES in coded.fields:
            return coded
        found = paces(coded.starts, coded.days, coded.fields[BOUGHT] == 0)
        return Timelines(
            coded.starts, {**coded.fields, **found}, {**coded.sizes, **dict.fromkeys(found, PACES)}, coded.days
        )

    def newest(self, rows: Codes, length: int) -> dict[str, Codes]:
        """Each field of these rows' newest `length` events, left-aligned in shape (rows, longest of them).

        Where a row has fewer events the field's "none" code stands.
        """
        ends = self.starts[rows + 1]
        counts = np.minimum(ends - self.starts[rows], length)
        width = max(int(counts.max(initial=0)), 1)
        steps = np.arange(width)
        there = steps < counts[:, None]
        places = np.where(there, (ends - counts)[:, None] + steps, 0)
        if not there.any():
            return {name: np.full(there.shape, size, dtype=np.int64) for name, size in self.sizes.items()}
        return {name: np.where(there, codes[places], self.sizes[name]) for name, codes in self.fields.items()}
