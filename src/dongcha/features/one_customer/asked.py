"""The recipe asked: one customer's features and timeline, from their rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.one_customer.desk import Desk
from dongcha.features.one_customer.recipe import TOLD, Question, Recipe
from dongcha.features.one_customer.rows import OwnRows, fresh_values, known_before, micros, stored_values
from dongcha.features.point_in_time import DECIMALS
from dongcha.features.sales import NOT_A_SALE
from dongcha.features.sequence import own_schema

MARKET: Final = "\x00everybody else"
"""The customer in whose name all others' purchases of a product stand, where a feature compares prices."""

Line = tuple[Any, ...]
"""One of a timeline: columns as `features.sequence.own_schema`, the moment in microseconds since 1970."""


class OneCustomer:
    """A recipe made ready: asked with one customer's rows and a moment. Any thread may ask."""

    def __init__(self, recipe: Recipe, market: Callable[[str], tuple[float, float] | None]) -> None:
        """`market`: what everybody paid for a product and how many were bought, as `market_of` found it, or None.

        It counts this customer's rows but the fresh ones.
        """
        self.recipe, self.market = recipe, market
        self._own = threading.local()

    def features(
        self, rows: OwnRows, customer_id: str, as_of: AsOf, names: Iterable[str] | None = None
    ) -> dict[str, float | None]:
        """These features of the recipe, by default all, as of a moment; null where one does not apply.

        Rows at or after the moment, or known only after it, say nothing; only the grains that are needed are asked.
        """
        names = [name for name in (self.recipe.features if names is None else names) if name in self.recipe.features]
        grains = [self.recipe.grains[k] for k in sorted({k for name in names for k in self.recipe.features[name]})]
        if not grains:
            return {}
        desk = self._desk(as_of)
        self._fill(desk, grains, lambda table: self._values(rows, table, as_of))
        told = dict[str, Any]()
        for grain in grains:
            columns, found = desk(grain.sql)
            place = columns.index(c.CUSTOMER_ID)
            for row in found:
                if row[place] == customer_id:
                    told.update(zip(columns, row, strict=True))
        desk.fill(TOLD, [tuple(told.get(part) for part in self.recipe.parts)])
        columns, (row,) = desk(self.recipe.final)
        final = dict(zip(columns, row, strict=True))
        return {name: _finite(final[name]) for name in names}

    def timeline(self, rows: OwnRows, as_of: AsOf, *, fresh_alone: bool = False) -> list[Line]:
        """What they did, in no order. `fresh_alone`: only by the rows that came in since."""
        desk = self._desk(as_of)

        def values(table: str) -> list[Line]:
            stored = [] if fresh_alone else self._stored(rows, table, as_of)
            return [*stored, *self._fresh(rows, table, as_of)]

        self._fill(desk, self.recipe.timeline, values)
        lines = []
        for question in self.recipe.timeline:
            columns, found = desk(question.sql)
            order = [columns.index(name) for name in own_schema()]
            lines += [tuple(row[place] for place in order) for row in found]
        return lines

    def _desk(self, as_of: AsOf) -> Desk:
        if not hasattr(self._own, "desk"):
            self._own.desk = Desk({**self.recipe.tables, TOLD: self.recipe.parts})
        desk: Desk = self._own.desk
        desk.now = micros(as_of.moment)
        return desk

    def _fill(self, desk: Desk, questions: Sequence[Question], values: Callable[[str], Sequence[Line]]) -> None:
        for table in {name for question in questions for name in question.tables}:
            desk.fill(table, values(table))

    def _values(self, rows: OwnRows, table: str, as_of: AsOf) -> Sequence[Line]:
        columns = self.recipe.tables[table]
        if table == c.PRODUCTS:
            return rows.products(columns)
        stored, fresh = self._stored(rows, table, as_of), self._fresh(rows, table, as_of)
        return [*stored, *fresh, *(self._others(stored, fresh, columns) if table == c.ORDERS else ())]

    def _stored(self, rows: OwnRows, table: str, as_of: AsOf) -> Sequence[Line]:
        columns = self.recipe.tables[table]
        return known_before(stored_values(rows.stored(table), columns), columns, as_of)

    def _fresh(self, rows: OwnRows, table: str, as_of: AsOf) -> Sequence[Line]:
        columns = self.recipe.tables[table]
        return known_before(fresh_values(rows.fresh.get(table, ()), columns), columns, as_of)

    def _others(self, stored: Sequence[Line], fresh: Sequence[Line], columns: Sequence[str]) -> list[Line]:
        """One order line for each product that was bought: what all others paid for it, and how many they bought."""
        product, quantity, price, status = (columns.index(k) for k in (c.PRODUCT_ID, c.QUANTITY, c.PRICE, c.STATUS))
        others: dict[str, tuple[float, float]] = {}
        for row in (*stored, *fresh):
            name = row[product]
            if name not in others and (market := self.market(name)) is not None:
                others[name] = market
        for row in stored:
            if row[product] in others and _sold(row[quantity], row[status]):
                (paid, items), own = others[row[product]], row[quantity]
                others[row[product]] = paid - own * (row[price] or 0.0), items - own
        line = {c.CUSTOMER_ID: MARKET, c.ORDER_ID: MARKET, c.HAPPENED_AT: 0}
        known = [
            {**line, c.PRODUCT_ID: name, c.QUANTITY: items, c.PRICE: paid / items}
            for name, (paid, items) in others.items()
            if items > 0
        ]
        return fresh_values(known, columns)


def _sold(quantity: float | None, status: str | None) -> bool:
    """As `features.sales.sale_lines` has it."""
    return (quantity or 0) > 0 and (status or "").lower() not in NOT_A_SALE


def _finite(value: Any) -> float | None:
    if value is None or not np.isfinite(number := float(value)):
        return None
    return round(number, DECIMALS)
