"""Orders as whole orders: who, when, for how much; what every curve over time is drawn from."""

from __future__ import annotations

from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sales import PURCHASED, purchase_value, sale_lines

SPEND: Final = "spend"
ORDERS: Final = {
    c.CUSTOMER_ID: pl.String(),
    c.ORDER_ID: pl.String(),
    c.HAPPENED_AT: pl.Datetime("us", "UTC"),
    SPEND: pl.Float64(),
}


def orders_of(snapshot: Snapshot) -> pl.DataFrame:
    """Every purchase of known customers before the cutoff, one row an order, oldest first: columns as ORDERS.

    What came back later is not taken off. Raises MissingDataError where no orders are loaded.
    """
    lines = sale_lines(snapshot.table(c.ORDERS))
    lines = lines.filter(lines[PURCHASED])
    grouped = lines.group_by(c.CUSTOMER_ID, c.ORDER_ID).aggregate(
        **{c.HAPPENED_AT: lines[c.HAPPENED_AT].min(), SPEND: purchase_value(lines)}
    )
    found = snapshot.lake.engine.to_polars(grouped)
    whole = found.select(pl.col(name).cast(kind) for name, kind in ORDERS.items())
    return whole.sort(c.HAPPENED_AT, c.CUSTOMER_ID, c.ORDER_ID)
