"""How the shop changed: month by month, and which customers made the difference between two stretches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.profiles.orders import SPEND


def by_month(orders: pl.DataFrame, as_of: AsOf, zone: tzinfo) -> pl.DataFrame:
    """Each month up to the cutoff, also those without an order, oldest first.

    month (Date, its first day, of the zone's calendar), orders (Int64), revenue (Float64), customers who bought and new
    customers (Int64), whole (Boolean, False for a month that the cutoff cuts).

    `orders`: columns as `profiles.orders.ORDERS`.
    """
    local = pl.col(c.HAPPENED_AT).dt.convert_time_zone(str(zone)).dt.date()
    placed = orders.with_columns(local.dt.truncate("1mo").alias("month"))
    first = placed.group_by(c.CUSTOMER_ID).agg(pl.col("month").min()).group_by("month").agg(_count("new"))
    found = placed.group_by("month").agg(
        pl.len().cast(pl.Int64).alias("orders"),
        pl.col(SPEND).sum().alias("revenue"),
        pl.col(c.CUSTOMER_ID).n_unique().cast(pl.Int64).alias("customers"),
    )
    if found.is_empty():
        return found.with_columns(new=pl.lit(0, pl.Int64), whole=pl.lit(True))
    months = found.select(pl.date_range(pl.col("month").min(), pl.col("month").max(), "1mo"))
    whole = months.join(found, on="month", how="left").join(first, on="month", how="left").fill_null(0)
    ends = pl.col("month").dt.offset_by("1mo") <= as_of.moment.astimezone(zone).date()
    return whole.with_columns(ends.alias("whole")).sort("month")


def _count(name: str) -> pl.Expr:
    return pl.len().cast(pl.Int64).alias(name)


@dataclass(frozen=True)
class Change:
    """Where the revenue of a stretch differs from that of the one before; the parts add up to the difference.

    `new`: what customers brought in who never bought before; `back`: who had bought, but not in the stretch before;
    `lost`: what those who bought then and not now brought in then (negative); of those who bought in both, `frequency`:
    what more or fewer orders made, and `basket`: what larger or smaller ones did. All in the shop's currency.
    """

    before: float
    now: float
    new: float
    back: float
    lost: float
    frequency: float
    basket: float
    new_customers: int
    back_customers: int
    lost_customers: int
    kept_customers: int


def what_changed(orders: pl.DataFrame, as_of: AsOf, horizon: Horizon) -> Change:
    """The `horizon` before the cutoff held against the one before that. `orders`: columns as `profiles.orders.ORDERS`.

    The customers who bought in both are taken together: their number of orders is valued at the mean of an order
    before, so that frequency + basket is all that they changed.
    """
    start, earlier = (as_of - horizon).moment, (as_of - horizon - horizon).moment
    when = pl.col(c.HAPPENED_AT)
    now = _by_customer(orders.filter(when >= start, when < as_of.moment))
    before = _by_customer(orders.filter(when >= earlier, when < start))
    known = orders.filter(when < start)[c.CUSTOMER_ID].unique()
    was, is_ = before[c.CUSTOMER_ID], now[c.CUSTOMER_ID]
    came = now.filter(~is_.is_in(was.implode()))
    new = came.filter(~came[c.CUSTOMER_ID].is_in(known.implode()))
    lost = before.filter(~was.is_in(is_.implode()))
    kept, kept_before = now.filter(is_.is_in(was.implode())), before.filter(was.is_in(is_.implode()))
    basket_before = _total(kept_before) / max(int(kept_before["orders"].sum()), 1)
    frequency = basket_before * (int(kept["orders"].sum()) - int(kept_before["orders"].sum()))
    return Change(
        before=_total(before),
        now=_total(now),
        new=_total(new),
        back=_total(came) - _total(new),
        lost=-_total(lost),
        frequency=frequency,
        basket=_total(kept) - _total(kept_before) - frequency,
        new_customers=len(new),
        back_customers=len(came) - len(new),
        lost_customers=len(lost),
        kept_customers=len(kept),
    )


def _by_customer(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.group_by(c.CUSTOMER_ID).agg(pl.len().cast(pl.Int64).alias("orders"), pl.col(SPEND).sum())


def _total(customers: pl.DataFrame) -> float:
    return float(customers[SPEND].sum())
