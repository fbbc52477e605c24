"""How often, how lately, since when: what a window of newest events no longer shows, told beside every event."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Days = NDArray[np.float64]

TIMES: Final = "times"
"""Field: days with a purchase so far. `LATELY` counts the same within so many days before."""
LATELY: Final = {"times_30": 30, "times_90": 90}
SINCE: Final = "since"
"""Field: days since the latest purchase; since the first event where there is none."""
AGE: Final = "age"
"""Field: days since the first event."""
STEP: Final = 1.5
"""Counts and ages are told in steps of this factor."""
PACES: Final = 18
_ROW: Final = 1e7
"""Days that set one row apart from the next, so that one search serves all rows."""


def paces(starts: Codes, days: Days, bought: NDArray[np.bool_]) -> dict[str, Codes]:
    """Field → the code of every event, 0 to PACES - 1; what happened at the event itself counts.

    `starts` and `days` as in `Timelines`, `bought`: whether the event is a purchase.
    """
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    origin = np.floor(days.min()) if len(days) else 0.0
    day = np.floor(days) - origin
    moments = rows * _ROW + days - origin
    purchase_days = np.unique((rows * _ROW + day)[bought])
    until = np.searchsorted(purchase_days, rows * _ROW + day, side="right")
    before_row = np.searchsorted(purchase_days, rows * _ROW)
    found = {TIMES: _steps(until - before_row)}
    for name, within in LATELY.items():
        since = np.searchsorted(purchase_days, rows * _ROW + day - within, side="right")
        found[name] = _steps(until - np.maximum(since, before_row))
    first = moments[starts[:-1][rows]] if len(days) else days
    bought_at = np.append(first[:1], moments[bought])
    latest = np.maximum(bought_at[np.searchsorted(bought_at[1:], moments, side="right")], first) if len(days) else days
    return {**found, SINCE: _steps(moments - latest), AGE: _steps(moments - first)}


def _steps(count: Days | Codes) -> Codes:
    steps = np.floor(np.log1p(np.maximum(count, 0)) / np.log(STEP) + 1e-9)
    return np.asarray(np.minimum(steps, PACES - 1), dtype=np.int64)
