"""What a manager asks first: how many customers, how active, what they bring in, and how that changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.errors import MissingDataError
from dongcha.features.labels import SPEND, purchases, span
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sales import PURCHASED, purchase_value, sale_lines
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import ALWAYS

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


def shop_in_numbers(snapshot: Snapshot, horizon: Horizon) -> dict[str, Any]:
    """What every page needs: the `Overview` (nothing of it without orders), `revenue_by_month`, `freshness`.

    Months are UTC's, oldest first, each with revenue, orders and buyers. `freshness`: table, rows, and the first and
    last moment at which something happened, null in a table whose rows are not dated.
    """
    try:
        figures = asdict(overview(snapshot.lake, snapshot.as_of, horizon)) | {c.AS_OF: str(snapshot.as_of)}
    except MissingDataError:
        figures = {c.AS_OF: str(snapshot.as_of), "days": horizon.days}
    return {**figures, "revenue_by_month": _by_month(snapshot), "freshness": _freshness(snapshot)}


def _by_month(snapshot: Snapshot) -> list[dict[str, Any]]:
    if not snapshot.has(c.ORDERS):
        return []
    lines = sale_lines(snapshot.table(c.ORDERS))
    lines = lines.mutate(month=lines[c.HAPPENED_AT].strftime("%Y-%m"))
    months = lines.group_by("month").aggregate(
        revenue=purchase_value(lines).round(2),
        orders=lines[c.ORDER_ID].nunique(where=lines[PURCHASED]),
        buyers=lines[c.CUSTOMER_ID].nunique(where=lines[PURCHASED]),
    )
    return snapshot.lake.engine.to_polars(months).sort("month").to_dicts()


def _freshness(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [{"table": name, "rows": snapshot.lake.rows(name), **_reach(snapshot, name)} for name in snapshot.versions]


def _reach(snapshot: Snapshot, name: str) -> dict[str, Any]:
    try:
        first, last = span(snapshot.lake, name, snapshot.versions)
    except MissingDataError:
        return {"first": None, "last": None}
    return {"first": first if first > ALWAYS else None, "last": last if last > ALWAYS else None}


def concentration(values: pl.DataFrame, name: str, share: float = 0.1) -> float:
    """What part of the total the top `share` of entities hold, between 0 and 1; 0 where the total is 0."""
    ordered = values[name].drop_nulls().sort(descending=True)
    total = float(ordered.sum())
    return float(ordered.head(max(1, round(share * len(ordered)))).sum()) / total if total > 0 else 0.0
