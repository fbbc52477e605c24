"""Each customer's merged timeline, and the catalogue, as they could be known before a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.features import sales
from dongcha.features.point_in_time import Snapshot

if TYPE_CHECKING:
    import ibis.expr.types as ir

TIMELINE: Final[dict[str, pl.DataType]] = {
    c.CUSTOMER_ID: pl.String(),
    c.HAPPENED_AT: pl.Datetime("us", "UTC"),
    c.EVENT: pl.String(),
    c.PRODUCT_ID: pl.String(),
    c.PRICE: pl.Float64(),
    c.RATING: pl.Float64(),
    c.CHANNEL: pl.String(),
    c.CATEGORY: pl.String(),
    c.BRAND: pl.String(),
}
CATALOGUE: Final[dict[str, pl.DataType]] = {
    c.PRODUCT_ID: pl.String(),
    c.NAME: pl.String(),
    c.CATEGORY: pl.String(),
    c.BRAND: pl.String(),
    c.PRICE: pl.Float64(),
    c.ON_HAND: pl.Float64(),
}
ORDERED_BY: Final = "ordered_by"
"""What tells events of one moment apart: the order and its line, or the event's own id."""
LINES: Final = {**TIMELINE, ORDERED_BY: pl.String()}
IN_ORDER: Final = (c.CUSTOMER_ID, c.HAPPENED_AT, c.EVENT, ORDERED_BY, c.PRODUCT_ID)
"""What lines are sorted by."""
LINE_DIGITS: Final = 9


def timeline(facts: Snapshot, products: pl.DataFrame | None = None) -> pl.DataFrame:
    """Everything known customers did, one row an event, columns as TIMELINE, by customer and then oldest first.

    A bought order line is an Order Completed, one that came back an Order Refunded, a review a Product Reviewed, which
    alone has a `rating`; what the events table says of completed orders is left out where orders are loaded. `price` is
    the unit price paid, else the product's. Times are UTC. `products`: the catalogue, where it was read already.
    """
    return lines(facts, products).drop(ORDERED_BY)


def lines(facts: Snapshot, products: pl.DataFrame | None = None) -> pl.DataFrame:
    """The timeline, and beside it what tells events of one moment apart: columns as TIMELINE, and ORDERED_BY."""
    found = parts(facts)
    if not found:
        return pl.DataFrame(schema=LINES)
    fetched = [told(facts.lake.engine.to_polars(part)) for part in found]
    return merged(pl.concat(fetched), catalogue(facts) if products is None else products)


def parts(facts: Snapshot) -> list[ir.Table]:
    """What each loaded table adds to timelines: columns as `own_schema` says."""
    return [read(facts) for table, read in _PARTS.items() if facts.has(table)]


def told(rows: pl.DataFrame) -> pl.DataFrame:
    """A fetched part in its exact types."""
    return rows.select(pl.col(name).cast(kind) for name, kind in own_schema().items())


def merged(told: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """The parts one under the other, in order, columns as LINES; `catalogue` as CATALOGUE."""
    products = catalogue.select(c.PRODUCT_ID, c.CATEGORY, c.BRAND, pl.col(c.PRICE).alias("listed"))
    merged = told.join(products, on=c.PRODUCT_ID, how="left")
    merged = merged.with_columns(pl.coalesce(c.PRICE, "listed").alias(c.PRICE)).sort(IN_ORDER)
    return merged.select(pl.col(name).cast(kind) for name, kind in LINES.items())


def own_schema() -> dict[str, pl.DataType]:
    """The columns of a part, and their types."""
    return {name: kind for name, kind in LINES.items() if name not in {c.CATEGORY, c.BRAND}}


def _order_lines(facts: Snapshot) -> ir.Table:
    import ibis

    orders = facts.table(c.ORDERS)
    lines = sales.sale_lines(orders, keep=(c.LINE, c.PRICE))
    event = ibis.ifelse(lines[sales.PURCHASED], c.ORDER_COMPLETED, c.ORDER_REFUNDED)
    place = lines[c.ORDER_ID] + "/" + lines[c.LINE].cast("string").lpad(LINE_DIGITS, "0")
    return _shaped(lines, event=event, price=lines[c.PRICE].cast("float64"), ordered_by=place)


def _events(facts: Snapshot) -> ir.Table:
    rows = facts.table(c.EVENTS)
    if facts.has(c.ORDERS):
        rows = rows.filter(rows[c.EVENT] != c.ORDER_COMPLETED)
    return _shaped(rows, event=rows[c.EVENT], channel=rows[c.CHANNEL], ordered_by=rows[c.MESSAGE_ID])


def _reviews(facts: Snapshot) -> ir.Table:
    import ibis

    rows = facts.table(c.REVIEWS)
    rating = rows[c.RATING].cast("float64")
    return _shaped(rows, event=ibis.literal(c.PRODUCT_REVIEWED), rating=rating, ordered_by=rows[c.REVIEW_ID])


_PARTS: Final = {c.ORDERS: _order_lines, c.EVENTS: _events, c.REVIEWS: _reviews}


def _shaped(rows: ir.Table, **columns: Any) -> ir.Table:
    import ibis

    absent = {c.PRICE: ibis.null("float64"), c.RATING: ibis.null("float64"), c.CHANNEL: ibis.null("string")}
    known = rows.filter(rows[c.CUSTOMER_ID].notnull())
    made = {**absent, **columns}
    shaped = known.select(c.CUSTOMER_ID, c.HAPPENED_AT, c.PRODUCT_ID, **made)
    return shaped.select(*own_schema())


def catalogue(facts: Snapshot) -> pl.DataFrame:
    """Every product described or sold so far, one row each, columns as CATALOGUE, by product.

    `price` is the listed one, else the median that was paid; `on_hand` the newest count in stock, null where unknown.
    """
    sold = _sold(facts)
    described = _described(facts)
    found = described.join(sold, on=c.PRODUCT_ID, how="full", coalesce=True).join(
        _in_stock(facts), on=c.PRODUCT_ID, how="left"
    )
    found = found.with_columns(pl.coalesce(c.PRICE, "paid").alias(c.PRICE)).sort(c.PRODUCT_ID)
    return found.select(pl.col(name).cast(kind) for name, kind in CATALOGUE.items())


def _described(facts: Snapshot) -> pl.DataFrame:
    columns = (c.PRODUCT_ID, c.NAME, c.CATEGORY, c.BRAND, c.PRICE)
    if not facts.has(c.PRODUCTS):
        return pl.DataFrame(schema={name: CATALOGUE[name] for name in columns})
    rows = facts.lake.engine.to_polars(facts.table(c.PRODUCTS).select(*columns))
    return rows.with_columns(pl.col(name).cast(CATALOGUE[name]) for name in columns)


def _sold(facts: Snapshot) -> pl.DataFrame:
    if not facts.has(c.ORDERS):
        return pl.DataFrame(schema={c.PRODUCT_ID: pl.String(), "paid": pl.Float64()})
    rows = facts.table(c.ORDERS)
    rows = rows.filter(rows[c.PRODUCT_ID].notnull(), rows[c.QUANTITY] > 0)
    paid = rows.group_by(c.PRODUCT_ID).aggregate(paid=rows[c.PRICE].cast("float64").median())
    return facts.lake.engine.to_polars(paid).select(pl.col(c.PRODUCT_ID).cast(pl.String), pl.col("paid").round(4))


def _in_stock(facts: Snapshot) -> pl.DataFrame:
    if not facts.has(c.STOCK):
        return pl.DataFrame(schema={c.PRODUCT_ID: pl.String(), c.ON_HAND: pl.Float64()})
    rows = facts.table(c.STOCK)
    newest = rows.group_by(c.PRODUCT_ID).aggregate(**{c.ON_HAND: rows[c.ON_HAND].argmax(rows[c.HAPPENED_AT])})
    return facts.lake.engine.to_polars(newest).select(pl.col(c.PRODUCT_ID).cast(pl.String), c.ON_HAND)
