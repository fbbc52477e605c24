"""How odd each part of a customer is: what it costs to tell, beside what it usually costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import Codes

Array = NDArray[np.float64]

EVENTS: Final = "events"
"""The number of events, which is told beside the table's columns."""
DOUBT: Final = 5.0
"""Events of usual cost that every row is thought to have besides its own: one odd event is little evidence."""
LEAST_SPREAD: Final = 0.1


@dataclass(frozen=True)
class Surprise:
    """How much more each part of a row costs to tell than it usually does, in standard deviations of what is usual.

    `fields`: name → (rows,), over the row's events; EVENTS is the number of events. `columns`: (rows, columns of the
    table). Below 0 is plainer than usual.
    """

    fields: Mapping[str, Array]
    columns: Array

    @property
    def total(self) -> Array:
        """What is odd added up, shape (rows,); what is plain does not make up for it."""
        parts = np.column_stack([*self.fields.values(), self.columns])
        return np.asarray(np.maximum(parts, 0.0).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Usual:
    """What an event of each field and each number cost on average over the rows learnt from, and their spread."""

    fields: Mapping[str, tuple[float, float]]
    columns: Array
    """Means and spreads, shape (2, columns); the number of events is the last."""

    @classmethod
    def fit(cls, fields: Mapping[str, Array], columns: Array, counts: Codes) -> Usual:
        """`fields`: name → nats of all of a row's events, (rows,); `columns`: (rows, columns); `counts`: (rows,)."""
        found = {}
        for name, nats in fields.items():
            mean = float(nats.sum() / max(counts.sum(), 1))
            found[name] = (mean, max(float(_off(nats, counts, mean).std()), LEAST_SPREAD))
        spread = np.maximum(columns.std(axis=0), LEAST_SPREAD)
        return cls(found, np.vstack([columns.mean(axis=0), spread]))

    def surprise(self, fields: Mapping[str, Array], columns: Array, counts: Codes) -> Surprise:
        """The same costs of other rows, beside these."""
        odd = {name: _off(nats, counts, self.fields[name][0]) / self.fields[name][1] for name, nats in fields.items()}
        off = (columns - self.columns[0]) / self.columns[1]
        return Surprise({**odd, EVENTS: off[:, -1]}, off[:, :-1])

    def to_json(self) -> dict[str, Any]:
        return {"fields": dict(self.fields), "columns": self.columns.tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Usual:
        fields = {name: (mean, spread) for name, (mean, spread) in stored["fields"].items()}
        return cls(fields, np.array(stored["columns"], dtype=np.float64))


def _off(nats: Array, counts: Codes, mean: float) -> Array:
    """A row's nats less the usual, per root of its events: of like spread in short and long rows."""
    return np.asarray((nats - counts * mean) / np.sqrt(counts + DOUBT), dtype=np.float64)
