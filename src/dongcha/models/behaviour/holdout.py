"""What training is not shown, to stop by: what came after a moment, or some rows' newest products."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.timelines import PRODUCT, Codes, Timelines

MOST_ROWS: Final = 5_000
"""More rows than this would tell hardly more and cost time in every epoch."""
MOST_EVENTS: Final = 0.15
"""The newest share of all events that may be held back, at most, before falling back on rows' newest products."""


def held_out(timelines: Timelines, seed: int, share: float) -> tuple[Timelines, Codes]:
    """What is shown, and the product that each row is then asked for, shape (rows,): -1 asks for none.

    Where moments are known the line is a moment, the same for all: nothing after it is shown, and `share` of the rows
    have events on both sides of it. Else `share` of the rows hide their newest product. Raises MissingDataError where
    nobody has three events.
    """
    moment = None if timelines.days is None else _moment(timelines, share)
    return _newest_hidden(timelines, seed, share) if moment is None else until(timelines, moment)


def until(timelines: Timelines, moment: float) -> tuple[Timelines, Codes]:
    """The events up to a moment, and each row's first product after it; -1 where a row has nothing on either side."""
    assert timelines.days is not None
    shown = timelines.days <= moment
    rows = np.repeat(np.arange(len(timelines)), timelines.lengths())
    after = np.flatnonzero(~shown & _with_product(timelines))
    wanted = np.full(len(timelines), -1, dtype=np.int64)
    asked, first = np.unique(rows[after], return_index=True)
    wanted[asked] = timelines.fields[PRODUCT][after[first]]
    wanted[np.bincount(rows[shown], minlength=len(timelines)) == 0] = -1
    return timelines.where(shown), wanted


def _moment(timelines: Timelines, share: float) -> float | None:
    """The latest moment that enough rows have an event up to and a product after; None where there is none."""
    assert timelines.days is not None
    days, products = timelines.days, timelines.where(_with_product(timelines))
    rows = np.flatnonzero((timelines.lengths() > 2) & (products.lengths() > 0))
    if not len(rows) or products.days is None:
        return None
    first, last = days[timelines.starts[rows]], products.days[products.starts[rows + 1] - 1]
    moments = np.unique(days[days >= np.quantile(days, 1 - MOST_EVENTS)])
    across = np.searchsorted(np.sort(first), moments, "right") - np.searchsorted(np.sort(last), moments, "right")
    enough = np.flatnonzero(across >= max(min(share * len(rows), MOST_ROWS), 1))
    return float(moments[enough[-1]]) if len(enough) else None


def _newest_hidden(timelines: Timelines, seed: int, share: float) -> tuple[Timelines, Codes]:
    lengths = timelines.lengths()
    newest = timelines.fields[PRODUCT][timelines.starts[1:] - 1]
    may = np.flatnonzero((lengths > 2) & (newest < timelines.sizes[PRODUCT]))
    if not len(may):
        raise MissingDataError("No customer has three events with products.", "Load a longer history.")
    count = min(max(round(share * len(may)), 1), MOST_ROWS)
    wanted = np.full(len(lengths), -1, dtype=np.int64)
    chosen = np.random.default_rng(seed).choice(may, count, replace=False)
    wanted[chosen] = newest[chosen]
    keep = np.ones(int(timelines.starts[-1]), dtype=bool)
    keep[timelines.starts[1:][chosen] - 1] = False
    return timelines.where(keep), wanted


def _with_product(timelines: Timelines) -> NDArray[np.bool_]:
    return np.asarray(timelines.fields[PRODUCT] < timelines.sizes[PRODUCT])
