"""The statistics of BG/NBD are those that Fader, Hardie & Lee (2005) publish for the CDNOW sample."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import gammaln
from small_shops import told

from dongcha import columns as c
from dongcha.as_of import AsOf
from public_data import public_data

WEEK_DAYS = 7
NAMES = ("repeat_purchase_days", "last_purchase_age_days", "age_days")


def test_cdnow_gives_the_published_likelihood(tmp_path: Path) -> None:
    """At the published parameters; the sample's 8 orders that cost nothing are orders in the paper."""
    raw = pl.read_parquet(public_data("clv/cdnow.parquet")).with_row_index()
    lines = raw.select(
        pl.col("Id").alias(c.CUSTOMER_ID),
        pl.col("index").cast(pl.String).alias(c.ORDER_ID),
        pl.lit(1).alias(c.LINE),
        pl.lit(1.0).alias(c.QUANTITY),
        pl.col("Price").cast(pl.Decimal(18, 4)).alias(c.PRICE),
        pl.col("Date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(c.HAPPENED_AT),
    )
    told_at_39_weeks = told(tmp_path, {c.ORDERS: lines.to_dicts()}, *NAMES, as_of=AsOf.parse("1997-10-01"))
    x, t_x, age = (told_at_39_weeks[name].to_numpy() for name in NAMES)
    assert (len(x), x.sum()) == (2357, 2457)
    assert log_likelihood(x, t_x / WEEK_DAYS, age / WEEK_DAYS) == pytest.approx(-9582.4, abs=0.05)


def log_likelihood(x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> float:
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    dropout = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + age)
    gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    return float((common + dropout + np.logaddexp(alive, np.where(x > 0, gone, -np.inf))).sum())
