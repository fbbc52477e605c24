"""Every feature equals a slow loop over rows, on shops of every kind and on real orders."""

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from slow_oracle import oracle
from small_shops import AS_OF, Shop, a_lake, shops, told

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.declare import catalogue
from dongcha.features.point_in_time import Snapshot
from public_data import public_data

QUICKLY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def differences(table: pl.DataFrame, expected: dict[str, dict[str, float | None]]) -> list[str]:
    """What differs between the features and the loop, by customer and feature."""
    assert table[c.CUSTOMER_ID].to_list() == sorted(expected)
    rows = {row[c.CUSTOMER_ID]: row for row in table.iter_rows(named=True)}
    names = [name for name in table.columns if name != c.CUSTOMER_ID]
    pairs = ((who, name, rows[who][name], expected[who][name]) for who in expected for name in names)
    return [f"{who} {name}: {got} instead of {want}" for who, name, got, want in pairs if not same(got, want)]


def same(got: float | None, want: float | None) -> bool:
    if got is None or want is None:
        return got is want
    return math.isclose(got, want, rel_tol=1e-7, abs_tol=2e-6)


@given(shop=shops())
@QUICKLY
def test_every_feature_is_what_a_slow_loop_says(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    table = told(tmp_path_factory.mktemp("shop"), shop)
    assert set(table.columns) - {c.CUSTOMER_ID} == {f.name for f in catalogue().values() if f.entity == c.CUSTOMER_ID}
    assert differences(table, oracle(shop, AS_OF.moment)) == []


def test_every_feature_of_real_customers_is_what_a_slow_loop_says(tmp_path: Path) -> None:
    raw = pl.read_parquet(public_data("online_retail_uci/online_retail.parquet")).with_row_index(c.LINE)
    some = raw.filter(pl.col("CustomerID") % 40 == 7, pl.col("UnitPrice") >= 0)
    lines = some.select(
        pl.col("InvoiceNo").alias(c.ORDER_ID),
        c.LINE,
        pl.col("CustomerID").cast(pl.String).alias(c.CUSTOMER_ID),
        pl.col("StockCode").alias(c.PRODUCT_ID),
        pl.col("Quantity").cast(pl.Float64).alias(c.QUANTITY),
        pl.col("UnitPrice").cast(pl.Decimal(18, 4)).alias(c.PRICE),
        pl.col("InvoiceDate").dt.replace_time_zone("UTC").alias(c.HAPPENED_AT),
    )
    shop = {c.ORDERS: lines.to_dicts()}
    as_of = AsOf.parse("2011-09-10")
    snapshot = Snapshot(a_lake(tmp_path, shop), as_of)
    table = snapshot.features(snapshot.available(catalogue()))
    assert len(table) > 70
    assert differences(table, oracle(shop, as_of.moment)) == []
