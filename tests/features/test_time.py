"""What happened at or after the cutoff, or was learnt after it, changes no feature."""

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_shops import AS_OF, Shop, line, order_lines, shops, told

from dongcha import columns as c
from dongcha.features.declare import catalogue
from dongcha.features.grains import baskets, customer_products

CUSTOMERS = {name: f for name, f in catalogue().items() if f.entity == c.CUSTOMER_ID}
ORDERS_ONLY = [name for name, f in CUSTOMERS.items() if f.tables == {c.ORDERS}]
QUICKLY = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
Folders = pytest.TempPathFactory


def equal(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Equal but for what adding in another order changes in the last decimal."""
    if one.columns != other.columns or not one[c.CUSTOMER_ID].equals(other[c.CUSTOMER_ID]):
        return False
    numbers = [name for name in one.columns if name != c.CUSTOMER_ID]
    far = (one[name].is_null() != other[name].is_null() for name in numbers)
    apart = ((one[name] - other[name]).abs() > 2e-6 + 1e-9 * one[name].abs() for name in numbers)
    return not any(k.any() for k in (*far, *apart))


@given(shop=shops(), shift_days=st.integers(0, 400))
@QUICKLY
def test_rows_that_come_after_the_cutoff_change_nothing(shop: Shop, shift_days: int, tmp_path_factory: Folders) -> None:
    before = told(tmp_path_factory.mktemp("before"), shop)
    later = {name: rows + [_after(row, name, shift_days) for row in rows] for name, rows in shop.items()}
    assert equal(before, told(tmp_path_factory.mktemp("after"), later))


def _after(row: dict[str, object], table: str, shift_days: int) -> dict[str, object]:
    moment = AS_OF.moment + timedelta(days=shift_days)
    keys = {c.ORDERS: c.LINE, c.PRODUCTS: c.PRODUCT_ID, c.REVIEWS: c.REVIEW_ID, c.EXPOSURES: c.EXPOSURE_ID}
    key = keys.get(table, c.MESSAGE_ID)
    new = 1000 + int(str(row[key])) if key == c.LINE else f"new {row[key]}"
    return {**row, key: new, c.HAPPENED_AT: moment, c.KNOWN_AT: moment}


@given(lines=order_lines(highest_day=-1), shift_us=st.integers(1, 10**13))
@QUICKLY
def test_rows_that_were_learnt_after_the_cutoff_change_nothing(
    lines: list[dict[str, object]], shift_us: int, tmp_path_factory: Folders
) -> None:
    learnt = AS_OF.moment + timedelta(microseconds=shift_us)
    late = [{**row, c.LINE: 1000 + i, c.KNOWN_AT: learnt, c.CUSTOMER_ID: "late"} for i, row in enumerate(lines)]
    before = told(tmp_path_factory.mktemp("before"), {c.ORDERS: lines})
    assert equal(before, told(tmp_path_factory.mktemp("after"), {c.ORDERS: lines + late}))


@given(lines=order_lines(), seed=st.integers(0, 99))
@QUICKLY
def test_row_order_has_no_effect(lines: list[dict[str, object]], seed: int, tmp_path_factory: Folders) -> None:
    shuffled = random.Random(seed).sample(lines, len(lines))
    before = told(tmp_path_factory.mktemp("before"), {c.ORDERS: lines})
    assert equal(before, told(tmp_path_factory.mktemp("after"), {c.ORDERS: shuffled}))


@given(lines=order_lines())
@QUICKLY
def test_a_customer_is_described_by_own_rows_only(lines: list[dict[str, object]], tmp_path_factory: Folders) -> None:
    own = [name for name in ORDERS_ONLY if not catalogue()[name].relative]
    everyone = told(tmp_path_factory.mktemp("all"), {c.ORDERS: lines}, *own)
    alone = told(tmp_path_factory.mktemp("one"), {c.ORDERS: [k for k in lines if k[c.CUSTOMER_ID] == "a"]}, *own)
    assert equal(everyone.filter(pl.col(c.CUSTOMER_ID) == "a"), alone)


def test_only_what_is_declared_relative_depends_on_others(tmp_path_factory: Folders) -> None:
    mine = [line("a", "2023-01-05"), line("a", "2023-02-05", price=12)]
    others = [line("b", "2023-01-05", price=40), line("b", "2023-03-05", price=50)]
    alone = told(tmp_path_factory.mktemp("one"), {c.ORDERS: mine}, *ORDERS_ONLY)
    among = told(tmp_path_factory.mktemp("all"), {c.ORDERS: mine + others}, *ORDERS_ONLY).head(1)
    changed = {name for name in ORDERS_ONLY if alone[name][0] != among[name][0]}
    assert changed == {name for name in ORDERS_ONLY if catalogue()[name].relative}
    assert {f.grain for f in CUSTOMERS.values() if f.relative} <= {customer_products, baskets}
