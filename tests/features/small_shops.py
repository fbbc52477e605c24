"""Small shops for the tests of features: a lake that is only files, and strategies for rows of every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import polars as pl
from hypothesis import strategies as st

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.declare import catalogue
from dongcha.features.point_in_time import Snapshot
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import CONTRACT

AS_OF = AsOf.parse("2023-05-17T10:30:00.000250")
Row = dict[str, Any]
Shop = dict[str, list[Row]]
ENGINE = Engine()


class FilesLake:
    """What features need of a lake, over one Parquet file a table: quick enough for hundreds of shops."""

    def __init__(self, folder: Path, shop: Mapping[str, Sequence[Row]]) -> None:
        self.engine = ENGINE
        self.folder = folder
        for name, rows in shop.items():
            frame(name, rows).write_parquet(folder / f"{name}.parquet")

    def versions(self) -> dict[str, int]:
        return {path.stem: 0 for path in self.folder.glob("*.parquet")}

    def read(self, name: str, version: int | None = None) -> Any:
        return self.engine.read([str(self.folder / f"{name}.parquet")])


def frame(name: str, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows of a table in the contract's columns, `known_at` as the loader fills it."""
    filled = [{**row, c.KNOWN_AT: row.get(c.KNOWN_AT) or row[c.HAPPENED_AT]} for row in rows]
    schema = CONTRACT[name].schema
    return pl.DataFrame([{k: row.get(k) for k in schema} for row in filled], schema=schema)


def a_lake(folder: Path, shop: Mapping[str, Sequence[Row]]) -> Lake:
    folder.mkdir(parents=True, exist_ok=True)
    return cast(Lake, FilesLake(folder, shop))


def told(folder: Path, shop: Mapping[str, Sequence[Row]], *names: str, as_of: AsOf = AS_OF) -> pl.DataFrame:
    """The named features (default: all that can be told) of a shop."""
    snapshot = Snapshot(a_lake(folder, shop), as_of)
    return snapshot.features(list(names) or snapshot.available(catalogue()))


def line(customer: str | None, day: str, *, order: str = "", product: str | None = "p1", **more: Any) -> Row:
    """An order line of a day or moment (UTC if it names no zone): one item at 10.00 if nothing else is said."""
    moment = AsOf.parse(day).moment
    who = {c.CUSTOMER_ID: customer, c.ORDER_ID: order or f"{customer} {day}", c.PRODUCT_ID: product}
    return {**who, c.HAPPENED_AT: moment, c.QUANTITY: 1.0, c.PRICE: Decimal(10), c.LINE: 1, **more}


# -- strategies

CUSTOMERS = ("a", "b", "c", "d", "e")
PRODUCTS = ("p1", "p2", "p3", "p4", "p5")
_DAY = timedelta(days=1)


def _moments(lowest_day: int, highest_day: int) -> st.SearchStrategy[datetime]:
    day = 86_400_000_000
    anywhere = st.integers(lowest_day * day, highest_day * day).map(lambda us: timedelta(microseconds=us))
    edges = st.sampled_from([-730, -365, -275, -180, -90, -60, -30, -1, 0, 7]).map(lambda days: days * _DAY)
    hairs = st.sampled_from([timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1)])
    chosen = st.one_of(anywhere, st.builds(lambda edge, hair: edge + hair, edges, hairs))
    low, high = lowest_day * _DAY, highest_day * _DAY
    return chosen.map(lambda d: AS_OF.moment + min(max(d, low), high)).map(lambda moment: moment.astimezone(UTC))


def _row(moments: st.SearchStrategy[datetime], **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries({c.HAPPENED_AT: moments, **columns}).flatmap(_learnt)


def _learnt(row: Row) -> st.SearchStrategy[Row]:
    happened = row[c.HAPPENED_AT]
    later = st.sampled_from([timedelta(0)] * 6 + [timedelta(hours=5), timedelta(days=40)])
    return later.map(lambda delay: {**row, c.KNOWN_AT: happened + delay})


def _numbered(rows: st.SearchStrategy[Row], key: str, most: int) -> st.SearchStrategy[list[Row]]:
    """Rows with a unique key; the number is an integer where the key is a line."""

    def number(listed: list[Row]) -> list[Row]:
        return [{**row, key: i if key == c.LINE else f"k{i}"} for i, row in enumerate(listed)]

    return st.lists(rows, max_size=most).map(number)


# Quarters and halves are exact in binary, so that sums that cancel out do so in every order of adding.
_MONEY = st.integers(0, 400).map(lambda quarters: Decimal(quarters) / 4)
_BUYERS = st.sampled_from([*CUSTOMERS, None])


def order_lines(most: int = 40, lowest_day: int = -900, highest_day: int = 40) -> st.SearchStrategy[list[Row]]:
    row = _row(
        _moments(lowest_day, highest_day),
        **{
            c.CUSTOMER_ID: _BUYERS,
            c.ORDER_ID: st.integers(1, 15).map(lambda n: f"o{n}"),
            c.PRODUCT_ID: st.sampled_from([*PRODUCTS, None]),
            c.QUANTITY: st.sampled_from([1.0, 1.0, 2.0, 3.0, 12.0, 0.5, 0.0, -1.0, -2.0]),
            c.PRICE: st.one_of(_MONEY, st.sampled_from([Decimal(0), Decimal(5)])),
            c.DISCOUNT: st.one_of(st.none(), st.sampled_from([Decimal(0), Decimal(1), Decimal("2.5")])),
            c.STATUS: st.sampled_from([None, None, None, "completed", "Cancelled", "FRAUD", "Returned"]),
        },
    )
    return _numbered(row, c.LINE, most)


def _events() -> st.SearchStrategy[list[Row]]:
    names = [c.PRODUCT_VIEWED, c.PRODUCT_ADDED, c.ORDER_COMPLETED, c.PRODUCTS_SEARCHED, c.WISHLIST_ADDED]
    row = _row(
        _moments(-200, 10),
        **{
            c.CUSTOMER_ID: _BUYERS,
            c.EVENT: st.sampled_from([*names, c.EMAIL_OPENED, c.EMAIL_CLICKED, "Something Else"]),
            c.SESSION_ID: st.sampled_from(["s1", "s2", "s3", None]),
            c.CHANNEL: st.sampled_from(["web", "app", None]),
        },
    )
    return _numbered(row, c.MESSAGE_ID, 30)


def _products() -> st.SearchStrategy[list[Row]]:
    traits = {c.CATEGORY: st.sampled_from(["tea", "cups", None]), c.BRAND: st.sampled_from(["x", "y", None])}
    rows = [_row(_moments(-900, 5), **{c.PRODUCT_ID: st.just(name), **traits}) for name in PRODUCTS[:4]]
    return st.tuples(*rows).map(list)


def _reviews() -> st.SearchStrategy[list[Row]]:
    rating = st.one_of(st.none(), st.integers(2, 10).map(lambda halves: halves / 2))
    return _numbered(_row(_moments(-300, 10), **{c.CUSTOMER_ID: _BUYERS, c.RATING: rating}), c.REVIEW_ID, 15)


def _messages() -> st.SearchStrategy[list[Row]]:
    row = _row(
        _moments(-150, 10),
        **{
            c.CUSTOMER_ID: _BUYERS,
            c.CONVERSATION_ID: st.sampled_from(["t1", "t2"]),
            c.SENDER: st.just("customer"),
            c.TEXT: st.just("?"),
        },
    )
    return _numbered(row, c.MESSAGE_ID, 15)


def _exposures() -> st.SearchStrategy[list[Row]]:
    row = _row(
        _moments(-150, 10),
        **{
            c.CUSTOMER_ID: st.sampled_from(CUSTOMERS),
            c.CAMPAIGN: st.just("spring"),
            c.VARIANT: st.sampled_from(["mail", c.CONTROL]),
        },
    )
    return _numbered(row, c.EXPOSURE_ID, 15)


def shops() -> st.SearchStrategy[Shop]:
    """Shops with every table that features read, some rows of each after the cutoff or learnt after it."""
    return st.fixed_dictionaries(
        {
            c.ORDERS: order_lines(),
            c.PRODUCTS: _products(),
            c.EVENTS: _events(),
            c.REVIEWS: _reviews(),
            c.MESSAGES: _messages(),
            c.EXPOSURES: _exposures(),
        }
    )
