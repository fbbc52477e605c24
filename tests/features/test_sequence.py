"""Timelines: orders, events and reviews merged in order of time, and nothing of the future in them."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.small_shop import START, order_lines, put

from dongcha.as_of import AsOf
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sequence import CATALOGUE, TIMELINE, catalogue, timeline
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import table


def rows_of(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = table(name).schema
    frame = pl.DataFrame(rows).with_columns(known_at="happened_at")
    missing = [pl.lit(None).alias(k) for k in schema if k not in frame.columns]
    return frame.with_columns(missing).select(pl.col(k).cast(t) for k, t in schema.items())


def day(number: float) -> object:
    return START + timedelta(days=number)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake", Engine())
    bought = [
        {"order_id": "o1", "customer_id": "a", "line": 10, "product_id": "cup", "price": 4.0, "happened_at": day(1)},
        {"order_id": "o1", "customer_id": "a", "line": 9, "product_id": "pot", "price": 9.0, "happened_at": day(1)},
        {"order_id": "o2", "customer_id": "a", "product_id": "cup", "quantity": -1.0, "happened_at": day(5)},
        {"order_id": "o3", "customer_id": "b", "product_id": "new", "price": 7.0, "happened_at": day(9)},
        {"order_id": "o4", "customer_id": None, "product_id": "cup", "price": 6.0, "happened_at": day(2)},
    ]
    put(lake, order_lines(bought))
    seen = [
        {"message_id": "m1", "customer_id": "a", "event": "Product Viewed", "product_id": "pot", "channel": "app"},
        {"message_id": "m2", "customer_id": "a", "event": "Order Completed", "product_id": None, "channel": "app"},
    ]
    put(lake, rows_of("events", [{**row, "happened_at": day(0.5)} for row in seen]), "events")
    said = [{"review_id": "r1", "customer_id": "a", "product_id": "cup", "rating": 2.0, "happened_at": day(4)}]
    put(lake, rows_of("reviews", said), "reviews")
    goods = [{"product_id": "cup", "category": "china", "price": 5.0}, {"product_id": "jug", "category": "china"}]
    put(lake, rows_of("products", [{**row, "happened_at": day(0)} for row in goods]), "products")
    return lake


def at(lake: Lake, number: float) -> Snapshot:
    return Snapshot(lake, AsOf(START + timedelta(days=number)))


def test_orders_events_and_reviews_stand_in_one_line_of_time(lake: Lake) -> None:
    found = timeline(at(lake, 8))
    assert dict(found.schema) == TIMELINE
    told = (
        found.filter(pl.col("customer_id") == "a").select("event", "product_id", "price", "rating", "category").rows()
    )
    assert told == [
        ("Product Viewed", "pot", 9.0, None, None),
        ("Order Completed", "pot", 9.0, None, None),
        ("Order Completed", "cup", 4.0, None, "china"),
        ("Product Reviewed", "cup", 5.0, 2.0, "china"),
        ("Order Refunded", "cup", 10.0, None, "china"),
    ]


def test_what_comes_later_is_in_no_timeline_and_no_catalogue(lake: Lake) -> None:
    before = timeline(at(lake, 8)), catalogue(at(lake, 8))
    later = [{"order_id": "o9", "customer_id": "a", "product_id": "odd", "price": 1.0, "happened_at": day(20)}]
    put(lake, order_lines(later))
    assert timeline(at(lake, 8)).equals(before[0])
    assert catalogue(at(lake, 8)).equals(before[1])
    assert set(timeline(at(lake, 30))["product_id"].drop_nulls()) >= {"odd", "new"}


def test_the_catalogue_holds_what_is_described_or_sold_each_once(lake: Lake) -> None:
    found = catalogue(at(lake, 8))
    assert dict(found.schema) == CATALOGUE
    # The cup is listed at 5; the pot is in no list and went for 9; the jug was never sold.
    assert found.select("product_id", "price").rows() == [("cup", 5.0), ("jug", None), ("pot", 9.0)]
