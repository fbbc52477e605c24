"""The one place that may look ahead: what customers did in a window, and how far the facts reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Window
from dongcha.errors import MissingDataError
from dongcha.features import sales
from dongcha.features.identities import resolved
from dongcha.features.next_events import actions
from dongcha.features.point_in_time import Snapshot, whole_table
from dongcha.features.sequence import timeline
from dongcha.features.texts import reviews, texts
from dongcha.warehouse.lake import Lake

if TYPE_CHECKING:
    import ibis.expr.types as ir

ORDERS_COUNT: Final = "orders"
SPEND: Final = "spend"
NET_SPEND: Final = "net_spend"
PRODUCTS_BOUGHT: Final = "products"
DAYS_UNTIL: Final = "days_until"
DAY_MICROSECONDS: Final = 86_400_000_000
RATED_COLUMNS: Final = {c.CUSTOMER_ID: pl.String(), c.PRODUCT_ID: pl.String(), c.RATING: pl.Float64()}


def purchases(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """Who bought in `[start, end)`: customer_id, orders (Int64), spend and net_spend (Float64), sorted by customer.

    `spend` is what the purchases brought in; `net_spend` is that less what came back within the window. `known_by`
    leaves out rows learnt later, as a model trained at that moment must.
    """
    import ibis

    lines = sales.sale_lines(_within(lake, c.ORDERS, versions, window, known_by))
    spend = sales.purchase_value(lines)
    found = lines.group_by(c.CUSTOMER_ID).aggregate(
        **{
            ORDERS_COUNT: lines[c.ORDER_ID].nunique(where=lines[sales.PURCHASED]),
            SPEND: spend,
            NET_SPEND: spend - sales.returned_value(lines),
        }
    )
    found = lake.engine.to_polars(found.filter(found[ORDERS_COUNT] > 0).order_by(ibis.asc(c.CUSTOMER_ID)))
    return found.select(
        pl.col(c.CUSTOMER_ID).cast(pl.String),
        pl.col(ORDERS_COUNT).cast(pl.Int64),
        pl.col(SPEND, NET_SPEND).cast(pl.Float64).round(4),
    )


def products_bought(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """Who bought which products in `[start, end)`: customer_id, products (List(String), each once, sorted).

    Sorted by customer; customers who bought nothing that has a product id are left out. `known_by` as in `purchases`.
    """
    lines = sales.sale_lines(_within(lake, c.ORDERS, versions, window, known_by))
    bought = lines.filter(lines[sales.PURCHASED], lines[c.PRODUCT_ID].notnull())
    pairs = lake.engine.to_polars(bought.select(c.CUSTOMER_ID, c.PRODUCT_ID).distinct())
    pairs = pairs.select(pl.col(c.CUSTOMER_ID, c.PRODUCT_ID).cast(pl.String)).sort(c.CUSTOMER_ID, c.PRODUCT_ID)
    return pairs.group_by(c.CUSTOMER_ID, maintain_order=True).agg(pl.col(c.PRODUCT_ID).alias(PRODUCTS_BOUGHT))


def first_actions(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """Who did what first in `[start, end)`: customer_id, event, products (List(String)), days_until (Float64).

    `products` has one entry per line of that moment that names one, so that most lines decide what it was about;
    `days_until` counts from the window's start. Sorted by customer. `known_by` as in `purchases`.
    """
    happened = actions(timeline(_Happened(lake, window, versions, known_by)))
    first = happened.filter(pl.col(c.HAPPENED_AT) == pl.col(c.HAPPENED_AT).min().over(c.CUSTOMER_ID))
    return first.group_by(c.CUSTOMER_ID, maintain_order=True).agg(
        pl.col(c.EVENT).first(),
        pl.col(c.PRODUCT_ID).drop_nulls().alias(PRODUCTS_BOUGHT),
        ((pl.col(c.HAPPENED_AT).first() - window.start.moment).dt.total_microseconds() / DAY_MICROSECONDS).alias(
            DAYS_UNTIL
        ),
    )


def written(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """The texts of `[start, end)`: columns as `features.texts.TEXTS`, by text_id. `known_by` as in `purchases`."""
    return texts(_Happened(lake, window, versions, known_by))


def ratings_given(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """Who rated what in `[start, end)`: customer_id, product_id (String, null where none is named), rating (Float64).

    One row per customer and product, the newest rating; by customer, then in time. `known_by` as in `purchases`.
    """
    rows = _within(lake, c.REVIEWS, versions, window, known_by)
    rows = rows.filter(rows[c.CUSTOMER_ID].notnull(), rows[c.RATING].notnull())
    said = lake.engine.to_polars(rows.select(*RATED_COLUMNS, c.HAPPENED_AT, c.REVIEW_ID))
    said = said.sort(c.CUSTOMER_ID, c.HAPPENED_AT, c.REVIEW_ID)
    newest = said.unique((c.CUSTOMER_ID, c.PRODUCT_ID), keep="last", maintain_order=True)
    return newest.select(pl.col(name).cast(kind) for name, kind in RATED_COLUMNS.items())


def reviewed(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """The reviews of `[start, end)`: columns as `features.texts.TEXTS`, by text_id. `known_by` as in `purchases`."""
    return reviews(_Happened(lake, window, versions, known_by))


def went_bad(
    lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
) -> pl.DataFrame:
    """What befell the orders placed in `[start, end)`: order_id, name (String), each once, sorted.

    An outcome counts by the order that it names, whenever it happened or was dated. `known_by` as in `purchases`.
    """
    outcomes = _all(lake, c.OUTCOMES, versions)
    if known_by is not None:
        outcomes = outcomes.filter(outcomes[c.KNOWN_AT].isnull() | (outcomes[c.KNOWN_AT] <= known_by.moment))
    rows = _all(lake, c.ORDERS, versions)
    when = [rows[c.HAPPENED_AT] >= window.start.moment, rows[c.HAPPENED_AT] < window.end.moment]
    found = outcomes.semi_join(rows.filter(*when), c.ORDER_ID).select(c.ORDER_ID, c.NAME).distinct()
    return lake.engine.to_polars(found).select(pl.col(c.ORDER_ID, c.NAME).cast(pl.String)).sort(c.ORDER_ID, c.NAME)


class _Happened(Snapshot):
    """The rows of a window, to be read as a snapshot is read."""

    def __init__(self, lake: Lake, window: Window, versions: Mapping[str, int] | None, known_by: AsOf | None) -> None:
        super().__init__(lake, window.end, versions)
        self.window, self.known_by = window, known_by

    def table(self, name: str) -> ir.Table:
        return _within(self.lake, name, self.versions, self.window, self.known_by)


def _within(
    lake: Lake, name: str, versions: Mapping[str, int] | None, window: Window, known_by: AsOf | None
) -> ir.Table:
    """The table's rows of the window, each under the customer who was known at its start to be behind its id."""
    rows = _all(lake, name, versions)
    happened = [rows[c.HAPPENED_AT] >= window.start.moment, rows[c.HAPPENED_AT] < window.end.moment]
    if known_by is not None:
        happened.append(rows[c.KNOWN_AT].isnull() | (rows[c.KNOWN_AT] <= known_by.moment))
    links = Snapshot(lake, window.start, versions).links
    return rows.filter(*happened) if links is None else resolved(rows.filter(*happened), links)


def span(lake: Lake, table: str = c.ORDERS, versions: Mapping[str, int] | None = None) -> tuple[datetime, datetime]:
    """The first and the last `happened_at` of a whole table (UTC), for planning cutoffs.

    Raises MissingDataError where the table is not loaded or empty.
    """
    rows = _all(lake, table, versions)
    moments = rows.aggregate(first=rows[c.HAPPENED_AT].min(), last=rows[c.HAPPENED_AT].max())
    first, last = lake.engine.to_polars(moments).row(0)
    if first is None:
        raise MissingDataError(f"The table '{table}' is empty.", f"Load rows with: dongcha load FILE --as {table}.")
    return first.astimezone(UTC), last.astimezone(UTC)


def _all(lake: Lake, name: str, versions: Mapping[str, int] | None) -> ir.Table:
    return whole_table(lake, name, None if versions is None else versions.get(name))
