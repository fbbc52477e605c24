"""Orders as they were placed: one row an order, with what became of it as far as that is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from dongcha import columns as c
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sales import NOT_A_SALE

VALUE_UNITS: Final = 10_000
"""A value is kept in whole parts of the currency's unit, so that sums are exact."""
MOST_VALUE: Final = 10**15
"""In such parts; a line that claims to be worth more counts as this."""
SHIP_CITY: Final = "ship_city"
SHIP_COUNTRY: Final = "ship_country"
PAYMENT: Final = "payment"
TOLD_IN_EXTRAS: Final = (c.CHANNEL, PAYMENT, SHIP_CITY, SHIP_COUNTRY)
"""What an order's extras may say beyond the contract."""
ITEMS: Final = "items"
LINES: Final = "lines"
LIST_VALUE: Final = "list_value"
MOST_PIECES: Final = "most_pieces"
HIGHEST_PRICE: Final = "highest_price"
SOLD: Final = "sold"
BAD_AT: Final = "bad_at"

PLACED: Final[dict[str, pl.DataType]] = {
    c.ORDER_ID: pl.String(),
    c.CUSTOMER_ID: pl.String(),
    c.HAPPENED_AT: pl.Int64(),
    c.KNOWN_AT: pl.Int64(),
    c.VALUE: pl.Int64(),
    LIST_VALUE: pl.Int64(),
    ITEMS: pl.Float64(),
    LINES: pl.Float64(),
    MOST_PIECES: pl.Float64(),
    HIGHEST_PRICE: pl.Float64(),
    c.PRODUCT_ID: pl.String(),
    c.CATEGORY: pl.String(),
    c.CHANNEL: pl.String(),
    PAYMENT: pl.String(),
    SHIP_CITY: pl.String(),
    SHIP_COUNTRY: pl.String(),
    SOLD: pl.Boolean(),
    BAD_AT: pl.Int64(),
}
"""One row an order. Moments in microseconds since 1970, values in parts of VALUE_UNITS; `value` is after discounts,
`list_value` before. The product is that of the dearest line. `sold` is false where the status, as it stands today, says
that it never became a sale. `bad_at`: when it was first learnt that it went bad, null where that is not known."""

ACCOUNTS: Final[dict[str, pl.DataType]] = {
    c.CUSTOMER_ID: pl.String(),
    c.HAPPENED_AT: pl.Int64(),
    c.KNOWN_AT: pl.Int64(),
    c.CREATED_AT: pl.Int64(),
    c.CITY: pl.String(),
    c.COUNTRY: pl.String(),
}
"""What was noted of customers, row by row as it was told."""


def placed(facts: Snapshot, bad: Sequence[str]) -> pl.DataFrame:
    """Every order with something in it that a snapshot knows, columns as PLACED, by customer, then in time.

    An order is the lines by which it was first told; what is added to it later is a correction, and changes nothing.
    Its customer is who the row names: a link between ids that was learnt later rewrites no order. `bad`: the names of
    outcomes that make an order a bad one.
    """
    lines = facts.lake.engine.to_polars(facts.told(c.ORDERS).select(*_LINE)).select(*_LINE)
    lines = lines.with_columns(
        _micros(c.HAPPENED_AT), _known(), pl.col(c.QUANTITY, c.PRICE, c.DISCOUNT).cast(pl.Float64)
    )
    lines = lines.filter(pl.col(c.QUANTITY) > 0, pl.col(c.QUANTITY).is_finite(), pl.col(c.PRICE).is_not_null())
    lines = lines.filter(pl.col(c.KNOWN_AT) == pl.col(c.KNOWN_AT).min().over(c.ORDER_ID))
    amount, saved = _in_parts(pl.col(c.QUANTITY) * pl.col(c.PRICE)), _in_parts(pl.col(c.DISCOUNT).fill_null(0.0))
    lines = lines.with_columns(amount.alias(LIST_VALUE), (amount - saved).alias(c.VALUE), _sold().alias(SOLD))
    lines = lines.sort(c.ORDER_ID, c.LINE)
    orders = lines.group_by(c.ORDER_ID, maintain_order=True).agg(
        pl.col(c.CUSTOMER_ID).drop_nulls().first(),
        pl.col(c.HAPPENED_AT).min(),
        pl.col(c.KNOWN_AT).first(),
        pl.col(c.VALUE, LIST_VALUE).sum(),
        pl.col(c.QUANTITY).sum().alias(ITEMS),
        pl.len().cast(pl.Float64).alias(LINES),
        pl.col(c.QUANTITY).max().alias(MOST_PIECES),
        pl.col(c.PRICE).max().alias(HIGHEST_PRICE),
        pl.col(c.PRODUCT_ID).sort_by(LIST_VALUE, c.LINE, descending=[True, False]).first(),
        pl.col(c.EXTRAS).drop_nulls().first(),
        pl.col(SOLD).any(),
    )
    orders = orders.with_columns(
        pl.col(c.EXTRAS).str.json_path_match(f"$.{name}").alias(name) for name in TOLD_IN_EXTRAS
    )
    orders = _with_category(facts, orders).join(_went_bad(facts, bad), on=c.ORDER_ID, how="left", maintain_order="left")
    return orders.select(pl.col(name).cast(kind) for name, kind in PLACED.items()).sort(
        c.CUSTOMER_ID, c.HAPPENED_AT, c.ORDER_ID
    )


_LINE: Final = (
    c.ORDER_ID,
    c.LINE,
    c.CUSTOMER_ID,
    c.PRODUCT_ID,
    c.QUANTITY,
    c.PRICE,
    c.DISCOUNT,
    c.STATUS,
    c.HAPPENED_AT,
    c.KNOWN_AT,
    c.EXTRAS,
)


def _in_parts(amount: pl.Expr) -> pl.Expr:
    return (amount * VALUE_UNITS + 0.5).floor().clip(-MOST_VALUE, MOST_VALUE).cast(pl.Int64)


def _micros(name: str) -> pl.Expr:
    return pl.col(name).dt.epoch("us").alias(name)


def _known() -> pl.Expr:
    return pl.coalesce(c.KNOWN_AT, c.HAPPENED_AT).dt.epoch("us").alias(c.KNOWN_AT)


def _sold() -> pl.Expr:
    return pl.col(c.STATUS).str.to_lowercase().is_in(NOT_A_SALE).not_().fill_null(True)


def _with_category(facts: Snapshot, orders: pl.DataFrame) -> pl.DataFrame:
    """With the category that the product was listed in before the order."""
    if not facts.has(c.PRODUCTS):
        return orders.with_columns(pl.lit(None).alias(c.CATEGORY))
    listed = categories(facts)
    moments = {name: pl.col(f"{name}_listed") for name in (c.HAPPENED_AT, c.KNOWN_AT)}
    joined = orders.join(listed, on=c.PRODUCT_ID, how="left", maintain_order="left", suffix="_listed")
    then = (moments[c.HAPPENED_AT] < pl.col(c.HAPPENED_AT)) & (moments[c.KNOWN_AT] <= pl.col(c.HAPPENED_AT))
    return joined.with_columns(pl.when(then).then(c.CATEGORY).alias(c.CATEGORY))


def categories(facts: Snapshot) -> pl.DataFrame:
    """product_id, category (String), happened_at, known_at (Int64), by product; no rows where none are loaded."""
    if not facts.has(c.PRODUCTS):
        return pl.DataFrame(
            schema={
                c.PRODUCT_ID: pl.String(),
                c.CATEGORY: pl.String(),
                c.HAPPENED_AT: pl.Int64(),
                c.KNOWN_AT: pl.Int64(),
            }
        )
    rows = facts.told(c.PRODUCTS).select(c.PRODUCT_ID, c.CATEGORY, c.HAPPENED_AT, c.KNOWN_AT)
    found = facts.lake.engine.to_polars(rows).drop_nulls(c.CATEGORY)
    return found.select(pl.col(c.PRODUCT_ID, c.CATEGORY).cast(pl.String), _micros(c.HAPPENED_AT), _known()).sort(
        c.PRODUCT_ID
    )


def _went_bad(facts: Snapshot, bad: Sequence[str]) -> pl.DataFrame:
    """order_id and when it was first learnt that it went bad."""
    if not facts.has(c.OUTCOMES):
        return pl.DataFrame(schema={c.ORDER_ID: pl.String(), BAD_AT: pl.Int64()})
    rows = facts.told(c.OUTCOMES)
    rows = rows.filter(rows[c.ORDER_ID].notnull(), rows[c.NAME].isin(list(bad)))
    found = facts.lake.engine.to_polars(rows.select(c.ORDER_ID, c.HAPPENED_AT, c.KNOWN_AT)).with_columns(_known())
    learnt = pl.col(c.KNOWN_AT).min().alias(BAD_AT)
    return found.with_columns(pl.col(c.ORDER_ID).cast(pl.String)).group_by(c.ORDER_ID).agg(learnt)


def accounts(facts: Snapshot) -> pl.DataFrame:
    """What was noted of customers until the snapshot, columns as ACCOUNTS, by customer, then in time."""
    if not facts.has(c.CUSTOMERS):
        return pl.DataFrame(schema=ACCOUNTS)
    found = facts.lake.engine.to_polars(facts.told(c.CUSTOMERS).select(*ACCOUNTS))
    found = found.with_columns(_known(), _micros(c.HAPPENED_AT), _micros(c.CREATED_AT))
    return found.select(pl.col(name).cast(kind) for name, kind in ACCOUNTS.items()).sort(
        c.CUSTOMER_ID, c.HAPPENED_AT, c.KNOWN_AT
    )


def as_placed(lines: Sequence[Mapping[str, Any]], happened: int, known: int) -> dict[str, Any]:
    """One order's lines, rows of the contract, as a row of PLACED without its category, as `placed` makes it.

    Numbers may be any that Python has; of lines that hold nothing the row is an order of nothing.
    """
    lines = sorted(
        (line for line in lines if (line.get(c.QUANTITY) or 0) > 0 and line.get(c.PRICE) is not None), key=_place
    )
    worth = [_parts(float(line[c.QUANTITY]) * float(line[c.PRICE])) for line in lines]
    saved = sum(_parts(float(line.get(c.DISCOUNT) or 0)) for line in lines)
    pieces, prices = ([float(line[name]) for line in lines] for name in (c.QUANTITY, c.PRICE))
    extras = next((line[c.EXTRAS] for line in lines if line.get(c.EXTRAS)), None)
    said = orjson.loads(extras) if extras else {}
    return {
        c.ORDER_ID: next((line.get(c.ORDER_ID) for line in lines), None),
        c.CUSTOMER_ID: next((line[c.CUSTOMER_ID] for line in lines if line.get(c.CUSTOMER_ID)), None),
        c.HAPPENED_AT: happened,
        c.KNOWN_AT: known,
        c.VALUE: sum(worth) - saved,
        LIST_VALUE: sum(worth),
        ITEMS: sum(pieces),
        LINES: float(len(lines)),
        MOST_PIECES: max(pieces, default=0.0),
        HIGHEST_PRICE: max(prices, default=0.0),
        c.PRODUCT_ID: lines[worth.index(max(worth))].get(c.PRODUCT_ID) if lines else None,
        **{name: _text(said.get(name)) for name in TOLD_IN_EXTRAS},
        SOLD: True,
        BAD_AT: None,
    }


def _place(line: Mapping[str, Any]) -> int:
    return int(line.get(c.LINE) or 0)


def _parts(amount: float) -> int:
    return math.floor(min(max(amount * VALUE_UNITS + 0.5, -MOST_VALUE), MOST_VALUE))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
