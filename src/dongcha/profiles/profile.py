"""One customer: who they are, what they did, what we concluded and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import UnknownError
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sales import PURCHASED, sale_lines
from dongcha.features.sequence import catalogue
from dongcha.features.texts import texts
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.outputs import from_rows
from dongcha.insight_kit.telling import Reader
from dongcha.profiles.story import story
from dongcha.warehouse.ledger import REASONS, SCORES, Ledger

if TYPE_CHECKING:
    import ibis.expr.types as ir

RECENT_ORDERS: Final = 10
RECENT_TEXTS: Final = 5
FAVOURITES: Final = 3
SUMMARY: Final = ("orders", "spend", "average_order_value", "recency_days", "tenure_days")


def profile(
    snapshot: Snapshot, ledger: Ledger, insights: Sequence[Insight], customer_id: str, reader: Reader
) -> dict[str, Any]:
    """`customer`: what the shop knows; `summary`: features; `orders` and `texts`: the latest; `insights`: answers.

    Each answer has its reasons, and each text what the insights about texts say of it. `favourites`: what was bought
    most; `story`: all of it as one would tell it, see `profiles.story`.

    Raises UnknownError where no table knows the customer.
    """
    orders = _recent_orders(snapshot, customer_id)
    customer = _customer(snapshot, customer_id)
    if not orders and not customer:
        raise UnknownError(
            f"No table knows a customer '{customer_id}' before {snapshot.as_of}.", "Look for one: dongcha show churn."
        )
    found = {
        c.CUSTOMER_ID: customer_id,
        c.AS_OF: str(snapshot.as_of),
        "customer": customer,
        "summary": _summary(snapshot, customer_id),
        "favourites": _favourites(snapshot, customer_id),
        "orders": orders,
        "texts": _texts(snapshot, ledger, [k for k in insights if k.entity == c.TEXT_ID], customer_id),
        "insights": [
            found
            for insight in insights
            if insight.entity == c.CUSTOMER_ID and (found := _concluded(ledger, insight, customer_id))
        ],
    }
    return found | {"story": story(found, insights, reader)}


def _customer(snapshot: Snapshot, customer_id: str) -> dict[str, Any]:
    if not snapshot.has(c.CUSTOMERS):
        return {}
    rows = _of(snapshot, c.CUSTOMERS, customer_id)
    hidden = (c.CUSTOMER_ID, c.HAPPENED_AT, c.KNOWN_AT, c.SOURCE)
    return {k: v for k, v in rows.row(0, named=True).items() if v is not None and k not in hidden} if len(rows) else {}


def _recent_orders(snapshot: Snapshot, customer_id: str) -> list[dict[str, Any]]:
    lines = _of(snapshot, c.ORDERS, customer_id)
    value = pl.col(c.QUANTITY) * pl.col(c.PRICE).cast(pl.Float64) - pl.col(c.DISCOUNT).cast(pl.Float64).fill_null(0)
    orders = lines.group_by(c.ORDER_ID).agg(
        pl.col(c.HAPPENED_AT).min(), value.sum().round(2).alias(c.VALUE), pl.len().alias("lines")
    )
    return orders.sort(c.HAPPENED_AT, c.ORDER_ID, descending=True).head(RECENT_ORDERS).to_dicts()


def _favourites(snapshot: Snapshot, customer_id: str) -> dict[str, list[dict[str, Any]]]:
    """`categories` and `products`: what was bought most, each with its number of order `lines`."""
    if not snapshot.has(c.ORDERS):
        return {}
    lines = sale_lines(_rows(snapshot, c.ORDERS, customer_id))
    bought = snapshot.lake.engine.to_polars(lines.filter(lines[PURCHASED]).select(c.PRODUCT_ID)).drop_nulls()
    kinds = catalogue(snapshot).select(c.PRODUCT_ID, c.CATEGORY)
    known = bought.join(kinds, on=c.PRODUCT_ID, how="left")
    return {
        name: known.drop_nulls(column)
        .group_by(column)
        .agg(pl.len().alias("lines"))
        .sort("lines", column, descending=[True, False])
        .head(FAVOURITES)
        .to_dicts()
        for name, column in (("categories", c.CATEGORY), ("products", c.PRODUCT_ID))
    }


def _texts(snapshot: Snapshot, ledger: Ledger, insights: Sequence[Insight], customer_id: str) -> list[dict[str, Any]]:
    """The customer's latest texts, newest first, each with what was concluded of it."""
    mine = texts(snapshot).filter(pl.col(c.CUSTOMER_ID) == customer_id)
    mine = mine.sort(c.HAPPENED_AT, c.TEXT_ID, descending=True).head(RECENT_TEXTS)
    for insight in insights:
        run = ledger.latest_run("score", insight.name)
        if run is not None:
            of_run = (pl.col(c.RUN_ID) == run[c.RUN_ID]) & pl.col(c.ENTITY_ID).is_in(mine[c.TEXT_ID].implode())
            answer = from_rows(insight.yields, ledger.read(SCORES).filter(of_run).collect())
            mine = mine.join(answer, left_on=c.TEXT_ID, right_on=c.ENTITY_ID, how="left", maintain_order="left")
    return mine.drop(c.CUSTOMER_ID).to_dicts()


def _of(snapshot: Snapshot, table: str, customer_id: str) -> pl.DataFrame:
    return snapshot.lake.engine.to_polars(_rows(snapshot, table, customer_id))


def _rows(snapshot: Snapshot, table: str, customer_id: str) -> ir.Table:
    rows = snapshot.table(table)
    return rows.filter(rows[c.CUSTOMER_ID] == customer_id)


def _summary(snapshot: Snapshot, customer_id: str) -> dict[str, Any]:
    features = snapshot.features(snapshot.available(SUMMARY))
    rows = features.filter(pl.col(c.CUSTOMER_ID) == customer_id).drop(c.CUSTOMER_ID)
    return rows.row(0, named=True) if len(rows) else {}


def _concluded(ledger: Ledger, insight: Insight, customer_id: str) -> dict[str, Any] | None:
    run = ledger.latest_run("score", insight.name)
    if run is None:
        return None
    mine = (pl.col(c.RUN_ID) == run[c.RUN_ID]) & (pl.col(c.ENTITY_ID) == customer_id)
    rows = ledger.read(SCORES).filter(mine).collect()
    if rows.is_empty():
        return None
    reasons = ledger.read(REASONS).filter(mine).sort(c.RANK).collect()
    return {
        "insight": insight.name,
        "version": run[c.VERSION],
        c.AS_OF: str(AsOf(run[c.AS_OF])),
        "answer": from_rows(insight.yields, rows).drop(c.ENTITY_ID).row(0, named=True),
        "reasons": reasons.select(c.FEATURE, c.VALUE, c.TYPICAL, c.EFFECT).to_dicts(),
    }
