"""Who comes back: cohorts by month, how long customers last, and how far they get."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.labels import DAY_MICROSECONDS
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sales import PURCHASED, sale_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

NORMAL_95: Final = 1.959964
STEPS: Final = ("viewed", "added", "ordered")


def cohorts(orders: pl.DataFrame, as_of: AsOf, zone: tzinfo) -> pl.DataFrame:
    """Of the customers who first bought in a month, the share who bought `after` months later, by cohort and `after`.

    cohort (Date, its first day), after (Int64, from 0), size (Int64), customers (Int64), share (Float64). A month that
    the cutoff cuts is left out, since it would look like a fall. `orders`: columns as `profiles.orders.ORDERS`.
    """
    month = pl.col(c.HAPPENED_AT).dt.convert_time_zone(str(zone)).dt.date().dt.truncate("1mo").alias("month")
    bought = orders.select(c.CUSTOMER_ID, month).unique()
    whole = pl.col("month").dt.offset_by("1mo") <= as_of.moment.astimezone(zone).date()
    bought = bought.filter(whole).with_columns(pl.col("month").min().over(c.CUSTOMER_ID).alias("cohort"))
    after = (_months("month") - _months("cohort")).alias("after")
    counted = bought.group_by("cohort", after).agg(pl.len().cast(pl.Int64).alias("customers"))
    sizes = counted.filter(pl.col("after") == 0).select("cohort", pl.col("customers").alias("size"))
    if counted.is_empty():
        return counted.with_columns(size=pl.lit(0, pl.Int64), share=pl.lit(0.0)).select(
            "cohort", "after", "size", "customers", "share"
        )
    last = bought.select(_months("month").max()).item()
    every = sizes.with_columns(pl.int_ranges(0, last - _months("cohort") + 1).alias("after")).explode("after")
    found = every.join(counted, on=["cohort", "after"], how="left").with_columns(pl.col("customers").fill_null(0))
    share = (pl.col("customers") / pl.col("size")).alias("share")
    return found.with_columns(share).sort("cohort", "after").select("cohort", "after", "size", "customers", "share")


def _months(name: str) -> pl.Expr:
    return pl.col(name).dt.year().cast(pl.Int64) * 12 + pl.col(name).dt.month().cast(pl.Int64)


def lifetimes(orders: pl.DataFrame, as_of: AsOf, silence: Horizon) -> pl.DataFrame:
    """How long each customer has been buying: customer_id, days (Float64), ended (Boolean), sorted by customer.

    A customer's life ends with the last order once `silence` has passed without another; until then it is only known to
    last up to now. `orders`: columns as `profiles.orders.ORDERS`.
    """
    when = pl.col(c.HAPPENED_AT)
    spans = orders.group_by(c.CUSTOMER_ID).agg(when.min().alias("first"), when.max().alias("last"))
    ended = pl.col("last") < (as_of - silence).moment
    until = pl.when(ended).then("last").otherwise(pl.lit(as_of.moment)).dt.convert_time_zone("UTC")
    days = (until - pl.col("first")).dt.total_microseconds() / DAY_MICROSECONDS
    return spans.select(c.CUSTOMER_ID, days.alias("days"), ended.alias("ended")).sort(c.CUSTOMER_ID)


def survival(days: NDArray[np.float64], ended: NDArray[np.bool_]) -> pl.DataFrame:
    """The share still there after so many days, where some lives are not over: Kaplan and Meier's estimate.

    days (Float64, rising, the moments at which lives ended, from 0), at_risk and ended (Int64), share, low and high
    (Float64): a 95 % band from Greenwood's variance on the log(-log) scale (Kalbfleisch and Prentice, The Statistical
    Analysis of Failure Time Data, 2002, §1.4), the share itself where that has none.

    Both arrays have shape (customers,). Kaplan and Meier, Journal of the American Statistical Association 53 (1958).

    >>> survival(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))["share"].round(2).to_list()
    [1.0, 0.67, 0.0]
    """
    moments, deaths = np.unique(days[ended], return_counts=True)
    at_risk = len(days) - np.searchsorted(np.sort(days), moments, "left")
    share = np.cumprod(1 - deaths / np.maximum(at_risk, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        spread = np.exp(NORMAL_95 * np.sqrt(variance) / np.log(share))
        low, high = share ** (1 / spread), share**spread
    known = np.isfinite(low) & np.isfinite(high) & (share < 1)
    found = {
        "days": moments,
        "at_risk": at_risk,
        "ended": deaths,
        "share": share,
        "low": np.where(known, low, share),
        "high": np.where(known, high, share),
    }
    start = {"days": [0.0], "at_risk": [len(days)], "ended": [0], "share": [1.0], "low": [1.0], "high": [1.0]}
    numbers = (pl.col("days").cast(pl.Float64), pl.col("at_risk", "ended").cast(pl.Int64))
    whole = pl.concat([pl.DataFrame(part).with_columns(numbers) for part in (start, found)])
    return whole.unique("days", keep="last", maintain_order=True)


def repeats(orders: pl.DataFrame, most: int = 6) -> pl.DataFrame:
    """How many customers placed at least so many orders: orders (Int64, 1 to `most`), customers, share of the first."""
    counts = orders.group_by(c.CUSTOMER_ID).len()["len"].to_numpy()
    reached = [int((counts >= n).sum()) for n in range(1, most + 1)]
    shares = [n / max(reached[0], 1) for n in reached]
    return pl.DataFrame({"orders": range(1, most + 1), "customers": reached, "share": shares}).cast(
        {"orders": pl.Int64, "customers": pl.Int64}
    )


def shopping_funnel(snapshot: Snapshot, horizon: Horizon) -> pl.DataFrame:
    """Of the customers who viewed a product in the horizon before the cutoff, who put one in the cart, who ordered.

    step (STEPS), customers (Int64), share of the first step; each step counts those who took all before it. No rows
    where no event of viewing is loaded.
    """
    window = Window(snapshot.as_of - horizon, snapshot.as_of)
    did = [_did(snapshot, window, event) for event in (c.PRODUCT_VIEWED, c.PRODUCT_ADDED)]
    return funnel(STEPS, [*did, _bought(snapshot, window)])


def funnel(steps: tuple[str, ...], did: list[set[str]]) -> pl.DataFrame:
    """The same from the customers who did each step.

    >>> funnel(("viewed", "ordered"), [{"a", "b"}, {"b", "c"}])["customers"].to_list()
    [2, 1]
    """
    reached: list[int] = []
    still = did[0]
    for customers in did:
        still = still & customers
        reached.append(len(still))
    shares = [n / max(reached[0], 1) for n in reached]
    found = pl.DataFrame({"step": steps, "customers": reached, "share": shares}).cast({"customers": pl.Int64})
    return found if reached[0] else found.clear()


def _did(snapshot: Snapshot, window: Window, event: str) -> set[str]:
    if not snapshot.has(c.EVENTS):
        return set()
    rows = snapshot.table(c.EVENTS)
    rows = rows.filter(
        rows[c.EVENT] == event, rows[c.HAPPENED_AT] >= window.start.moment, rows[c.CUSTOMER_ID].notnull()
    )
    return set(snapshot.lake.engine.to_polars(rows.select(c.CUSTOMER_ID).distinct())[c.CUSTOMER_ID])


def _bought(snapshot: Snapshot, window: Window) -> set[str]:
    if not snapshot.has(c.ORDERS):
        return set()
    lines = sale_lines(snapshot.table(c.ORDERS))
    lines = lines.filter(lines[PURCHASED], lines[c.HAPPENED_AT] >= window.start.moment)
    return set(snapshot.lake.engine.to_polars(lines.select(c.CUSTOMER_ID).distinct())[c.CUSTOMER_ID])
