"""How odd each part of a customer is: what it costs to tell, beside what it usually costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import Codes

Array = NDArray[np.float64]

DOUBT: Final = 5.0
"""Events of usual cost that every row is thought to have besides its own: one odd event is little evidence."""
LEAST_SPREAD: Final = 0.1


@dataclass(frozen=True)
class Surprise:
    """How much more each part of a row costs to tell than it usually does, in standard deviations of what is usual.

    `fields`: name → (rows,), over the row's events. `columns`: (rows, columns of the table and, last, the number of
    events). `place`: (rows,), how far from the crowd its place is. Below 0 is plainer than usual.
    """

    fields: Mapping[str, Array]
    columns: Array
    place: Array

    @property
    def total(self) -> Array:
        """How odd a row is, shape (rows,): the root of the squares of what is odd about its events, numbers and place.

        What is plain does not make up for what is odd. A row's fields tell of the same events, and its numbers often of
        the same thing, so each of the three counts once, as the mean of its parts.
        """
        rows = len(self.place)
        sides = (np.column_stack([np.zeros((rows, 0)), *self.fields.values()]), self.columns, self.place[:, None])
        odd = [(np.maximum(side, 0.0) ** 2).sum(axis=1) / max(side.shape[1], 1) for side in sides]
        return np.asarray(np.sqrt(np.sum(odd, axis=0)), dtype=np.float64)


@dataclass(frozen=True)
class Costs:
    """What rows cost to tell from their mean place, in nats."""

    fields: Mapping[str, Array]
    """Field → of all of a row's events, (rows,)."""
    columns: Array
    """(rows, columns), the number of events last."""
    place: Array
    """What goes through the latent, (rows,)."""
    counts: Codes
    """How many events that are, (rows,)."""


@dataclass(frozen=True)
class Usual:
    """What an event of each field, each number and the place cost on average where learnt, and their spread."""

    fields: Mapping[str, tuple[float, float]]
    columns: Array
    """Means and spreads, shape (2, columns and, last, the place)."""

    @classmethod
    def fit(cls, costs: Costs) -> Usual:
        """Of the rows that were learnt from."""
        found = {}
        for name, nats in costs.fields.items():
            mean = float(nats.sum() / max(costs.counts.sum(), 1))
            found[name] = (mean, max(float(_off(nats, costs.counts, mean).std()), LEAST_SPREAD))
        numbers = np.column_stack([costs.columns, costs.place])
        return cls(found, np.vstack([numbers.mean(axis=0), np.maximum(numbers.std(axis=0), LEAST_SPREAD)]))

    def surprise(self, costs: Costs) -> Surprise:
        """What other rows cost, beside this."""
        told = {name: _off(costs.fields[name], costs.counts, mean) for name, (mean, _) in self.fields.items()}
        off = (np.column_stack([costs.columns, costs.place]) - self.columns[0]) / self.columns[1]
        return Surprise({k: odd / self.fields[k][1] for k, odd in told.items()}, off[:, :-1], off[:, -1])

    def to_json(self) -> dict[str, Any]:
        return {"fields": dict(self.fields), "columns": self.columns.tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Usual:
        fields = {name: (mean, spread) for name, (mean, spread) in stored["fields"].items()}
        return cls(fields, np.array(stored["columns"], dtype=np.float64))


def _off(nats: Array, counts: Codes, mean: float) -> Array:
    """A row's nats less the usual, per root of its events: of like spread in short and long rows."""
    return np.asarray((nats - counts * mean) / np.sqrt(counts + DOUBT), dtype=np.float64)
