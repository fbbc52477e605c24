"""What a manager asks first: how many customers, how active, what they bring in, and how that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.labels import SPEND, purchases
from dongcha.features.point_in_time import Snapshot
from dongcha.warehouse.lake import Lake

BUYERS_SEEN_BY: Final = "tenure_days"


@dataclass(frozen=True)
class Overview:
    """The shop at a cutoff, over the `days` before it and the `days` before those. Money in the shop's currency."""

    as_of: AsOf
    days: int
    buyers: int
    new: int
    """Whose first order lies in the last `days`."""
    active: int
    active_before: int
    revenue: float
    revenue_before: float


def overview(lake: Lake, as_of: AsOf, horizon: Horizon) -> Overview:
    """The overview at a cutoff; MissingDataError where no orders are loaded."""
    now = purchases(lake, Window(as_of - horizon, as_of), known_by=as_of)
    before = purchases(lake, Window.after(as_of - horizon - horizon, horizon), known_by=as_of)
    tenure = Snapshot(lake, as_of).features([BUYERS_SEEN_BY])[BUYERS_SEEN_BY]
    return Overview(
        as_of=as_of,
        days=horizon.days,
        buyers=len(tenure),
        new=int((tenure <= horizon.days).sum()),
        active=len(now),
        active_before=len(before),
        revenue=_total(now),
        revenue_before=_total(before),
    )


def _total(frame: pl.DataFrame) -> float:
    return float(frame[SPEND].sum())


def concentration(values: pl.DataFrame, name: str, share: float = 0.1) -> float:
    """What part of the total the top `share` of entities hold, between 0 and 1; 0 where the total is 0."""
    ordered = values[name].drop_nulls().sort(descending=True)
    total = float(ordered.sum())
    return float(ordered.head(max(1, round(share * len(ordered)))).sum()) / total if total > 0 else 0.0
