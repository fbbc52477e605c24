"""Everybody's portrait: who they are, what they did, what we concluded and why, a stretch of customers at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.point_in_time import DOES, Snapshot
from dongcha.features.sales import PURCHASED, sale_lines
from dongcha.features.sequence import catalogue, timeline
from dongcha.features.texts import texts
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.outputs import from_rows
from dongcha.warehouse.ledger import REASONS, SCORES, Ledger

if TYPE_CHECKING:
    import ibis.expr.types as ir

RECENT_ORDERS: Final = 10
RECENT_TEXTS: Final = 5
RECENT_EVENTS: Final = 200
FAVOURITES: Final = 3
SUMMARY: Final = ("orders", "spend", "average_order_value", "recency_days", "tenure_days")
NOT_TOLD: Final = (c.CUSTOMER_ID, c.HAPPENED_AT, c.KNOWN_AT, c.SOURCE)

Row = dict[str, Any]


class Portraits:
    """What is known and concluded about customers at a snapshot, by the newest answer of every insight.

    Memory grows with the customers asked for in one call, not with the shop: ask for a few thousand at a time.
    """

    def __init__(self, snapshot: Snapshot, ledger: Ledger, insights: Sequence[Insight]) -> None:
        self.snapshot, self.ledger = snapshot, ledger
        latest = ledger.latest_runs("score")
        self.runs: Mapping[Insight, Row] = {one: latest[one.name] for one in insights if one.name in latest}
        """Each insight that has answered, with the run that made its newest answer."""

    @cached_property
    def products(self) -> pl.DataFrame:
        """Every product, columns as `features.sequence.CATALOGUE`."""
        return catalogue(self.snapshot)

    def customers(self) -> list[str]:
        """The id of every customer that some table knows, in the order of their bytes."""
        return known(self.snapshot)

    def of(self, customers: Sequence[str]) -> Iterator[Row]:
        """A dict for each of these customers, neighbours in the order of `customers()`.

        `customer`: what the shop knows; `summary`: features; `favourites`: what was bought most; `orders` and `texts`:
        the latest, texts with what the insights about texts say of them; `insights`: answers, each with its reasons.
        """
        facts = self.snapshot.within(customers[0], customers[-1])
        described, summaries = _described(facts), _summaries(facts)
        orders, favourites, said = _orders(facts), self._favourites(facts), self._texts(facts)
        concluded = [self.concluded(insight, customers) for insight in self.runs if insight.entity == c.CUSTOMER_ID]
        for customer in customers:
            yield {
                c.CUSTOMER_ID: customer,
                c.AS_OF: str(self.snapshot.as_of),
                "customer": next(iter(described.get(customer, ())), {}),
                "summary": next(iter(summaries.get(customer, ())), {}),
                "favourites": {kind: bought.get(customer, []) for kind, bought in favourites.items()},
                "orders": orders.get(customer, []),
                "texts": said.get(customer, []),
                "insights": [answers[customer] for answers in concluded if customer in answers],
            }

    def timelines(self, customers: Sequence[str]) -> pl.DataFrame:
        """customer_id and one list per column of `features.sequence.TIMELINE`: the latest events, oldest first."""
        events = timeline(self.snapshot.within(customers[0], customers[-1]), self.products)
        return events.group_by(c.CUSTOMER_ID, maintain_order=True).agg(pl.all().tail(RECENT_EVENTS))

    def entities(self, insight: Insight) -> list[str]:
        """Everybody and everything that the insight's newest answer is about, in the order of bytes."""
        ids = self._rows(SCORES, insight).select(pl.col(c.ENTITY_ID).unique().sort()).collect()
        return ids[c.ENTITY_ID].to_list()

    def concluded(self, insight: Insight, entities: Sequence[str]) -> dict[str, Row]:
        """Entity → the insight's newest answer about it, with version, as_of and reasons; `entities` as neighbours."""
        between = pl.col(c.ENTITY_ID).is_between(pl.lit(entities[0]), pl.lit(entities[-1]))
        answers = from_rows(insight.yields, self._rows(SCORES, insight).filter(between).collect())
        reasons = self._rows(REASONS, insight).filter(between).sort(c.ENTITY_ID, c.RANK).collect()
        why = _grouped(reasons.select(c.ENTITY_ID, c.FEATURE, c.VALUE, c.TYPICAL, c.EFFECT), c.ENTITY_ID)
        run = self.runs[insight]
        stamp = {"insight": insight.name, "version": run[c.VERSION], c.AS_OF: str(AsOf(run[c.AS_OF]))}
        return {
            entity: {**stamp, "answer": answer, "reasons": why.get(entity, [])}
            for entity, (answer,) in _grouped(answers, c.ENTITY_ID).items()
        }

    def _rows(self, name: str, insight: Insight) -> pl.LazyFrame:
        """The rows of the insight's newest answer; naming the insight too leaves other insights' files unread."""
        run = self.runs[insight][c.RUN_ID]
        return self.ledger.read(name).filter(pl.col(c.INSIGHT) == insight.name, pl.col(c.RUN_ID) == run)

    def _favourites(self, facts: Snapshot) -> dict[str, dict[str, list[Row]]]:
        """`categories` and `products` → customer → what was bought most, each with its number of order `lines`."""
        if not facts.has(c.ORDERS):
            return {}
        lines = sale_lines(facts.table(c.ORDERS))
        bought = _fetched(facts, lines.filter(lines[PURCHASED]).select(c.CUSTOMER_ID, c.PRODUCT_ID))
        kinds = self.products.select(c.PRODUCT_ID, c.CATEGORY)
        of_kind = bought.drop_nulls(c.PRODUCT_ID).join(kinds, on=c.PRODUCT_ID, how="left")
        return {
            name: _most(of_kind, column) for name, column in (("categories", c.CATEGORY), ("products", c.PRODUCT_ID))
        }

    def _texts(self, facts: Snapshot) -> dict[str, list[Row]]:
        """Customer → their latest texts, newest first, each with what was concluded of it."""
        said = _latest(texts(facts).drop_nulls(c.CUSTOMER_ID), c.TEXT_ID, RECENT_TEXTS)
        for insight in self.runs:
            if insight.entity == c.TEXT_ID:
                among = pl.col(c.ENTITY_ID).is_in(said[c.TEXT_ID].implode())
                answer = from_rows(insight.yields, self._rows(SCORES, insight).filter(among).collect())
                said = said.join(answer, left_on=c.TEXT_ID, right_on=c.ENTITY_ID, how="left", maintain_order="left")
        return _grouped(said, c.CUSTOMER_ID)


def known(snapshot: Snapshot) -> list[str]:
    """The customers that some table of the snapshot knows, in the order of bytes."""
    there = [
        snapshot.table(name).select(c.CUSTOMER_ID).distinct() for name in (c.CUSTOMERS, *DOES) if snapshot.has(name)
    ]
    ids = [_fetched(snapshot, rows)[c.CUSTOMER_ID].cast(pl.String) for rows in there]
    return pl.concat(ids).drop_nulls().unique().sort().to_list() if ids else []


def _described(facts: Snapshot) -> dict[str, list[Row]]:
    if not facts.has(c.CUSTOMERS):
        return {}
    rows = _grouped(_fetched(facts, facts.table(c.CUSTOMERS)), c.CUSTOMER_ID)
    return {
        customer: [{k: v for k, v in row.items() if v is not None and k not in NOT_TOLD} for row in found]
        for customer, found in rows.items()
    }


def _summaries(facts: Snapshot) -> dict[str, list[Row]]:
    names = facts.available(SUMMARY)
    return _grouped(facts.features(names), c.CUSTOMER_ID) if names else {}


def _orders(facts: Snapshot) -> dict[str, list[Row]]:
    """Customer → their latest orders, newest first: id, moment, value, lines."""
    if not facts.has(c.ORDERS):
        return {}
    lines = _fetched(facts, facts.table(c.ORDERS)).sort(c.CUSTOMER_ID, c.ORDER_ID, c.LINE)
    value = pl.col(c.QUANTITY) * pl.col(c.PRICE).cast(pl.Float64) - pl.col(c.DISCOUNT).cast(pl.Float64).fill_null(0)
    orders = lines.group_by(c.CUSTOMER_ID, c.ORDER_ID).agg(
        pl.col(c.HAPPENED_AT).min(), value.sum().round(2).alias(c.VALUE), pl.len().alias("lines")
    )
    return _grouped(_latest(orders, c.ORDER_ID, RECENT_ORDERS), c.CUSTOMER_ID)


def _latest(rows: pl.DataFrame, key: str, most: int) -> pl.DataFrame:
    """Each customer's `most` latest rows, newest first."""
    newest_first = rows.sort(c.HAPPENED_AT, key, descending=True)
    return newest_first.group_by(c.CUSTOMER_ID, maintain_order=True).head(most)


def _most(bought: pl.DataFrame, column: str) -> dict[str, list[Row]]:
    """Customer → the values of a column that most of their rows have."""
    counted = bought.drop_nulls(column).group_by(c.CUSTOMER_ID, column).agg(pl.len().alias("lines"))
    most_first = counted.sort("lines", column, descending=[True, False])
    return _grouped(most_first.group_by(c.CUSTOMER_ID, maintain_order=True).head(FAVOURITES), c.CUSTOMER_ID)


def _fetched(facts: Snapshot, rows: ir.Table) -> pl.DataFrame:
    return facts.lake.engine.to_polars(rows)


def _grouped(frame: pl.DataFrame, key: str) -> dict[str, list[Row]]:
    """The frame's rows by one column, which they are then without, in their order."""
    found: dict[str, list[Row]] = {}
    rows: Iterable[Row] = frame.iter_rows(named=True)
    for row in rows:
        found.setdefault(row.pop(key), []).append(row)
    return found
