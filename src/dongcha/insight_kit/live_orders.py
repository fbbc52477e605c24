"""What is kept of a shop's orders to answer for one that is being placed: everybody's, and what was noted of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, micros
from dongcha.features.orders_as_of import Asked, Orders, Past, People
from dongcha.features.placed import ACCOUNTS, as_placed
from dongcha.features.placing import told
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.live import read_frame, replaced, write_frame

ORDERS_FILE: Final = "orders.arrow"
ACCOUNTS_FILE: Final = "customers.arrow"
CATEGORIES_FILE: Final = "categories.arrow"
ABOUT_FILE: Final = "about.json"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class OrderBook:
    """Frames as `features.placed` makes them: orders by customer then in time, accounts, categories."""

    orders: pl.DataFrame
    accounts: pl.DataFrame
    categories: pl.DataFrame
    horizon: Horizon

    def write(self, folder: Path, stamp: Mapping[str, Any]) -> None:
        """Put it in place of what is there, swapped whole. The files hold personal data, as the lake does."""
        frames = {ORDERS_FILE: self.orders, ACCOUNTS_FILE: self.accounts, CATEGORIES_FILE: self.categories}
        with replaced(folder, stamp) as draft:
            for name, frame in frames.items():
                write_frame(frame, draft / name)
            (draft / ABOUT_FILE).write_text(json.dumps({"horizon_days": self.horizon.days}), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> OrderBook:
        """What `write` wrote; OSError, ValueError or KeyError where something is missing or damaged."""
        orders, accounts, categories = (read_frame(folder / k) for k in (ORDERS_FILE, ACCOUNTS_FILE, CATEGORIES_FILE))
        about = json.loads((folder / ABOUT_FILE).read_text("utf-8"))
        return cls(orders, accounts, categories, Horizon(about["horizon_days"]))

    def without(self, customers: Sequence[str], orders: Sequence[str]) -> OrderBook:
        """The book as if these customers had never been there, nor these orders."""
        theirs = pl.col(c.CUSTOMER_ID).is_in(customers).fill_null(False)
        others = self.orders.filter(~theirs, ~pl.col(c.ORDER_ID).is_in(orders))
        return replace(self, orders=_packed(others), accounts=_packed(self.accounts.filter(~theirs)))


@dataclass(frozen=True)
class PlacingFacts(Facts):
    """Facts whose features stay arrays, (orders,) each: for so few orders frames would take most of the time."""

    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """As of any facts."""
        found = np.empty((len(self.features), len(names)))
        for place, name in enumerate(names):
            found[:, place] = self.numbers[name]
        return found


class LiveOrders:
    """An order book, opened: everybody's orders counted once, each customer's own found at once. Any thread may ask."""

    def __init__(self, book: OrderBook) -> None:
        self.horizon = book.horizon
        self.orders = Orders.of(book.orders)
        self.crowd, self.people = Past(self.orders), People(book.accounts)
        self._accounts = book.accounts
        self._categories = dict(book.categories.select(c.PRODUCT_ID, c.CATEGORY).iter_rows())
        self._places = _places(book.orders)
        # Counts are made when first asked for: now, rather than under the first request.
        self._told(self.orders.between(0, 1), self.orders.between(0, 1), self.people)

    @classmethod
    def open(cls, folder: Path) -> LiveOrders:
        """From what `OrderBook.write` wrote; errors as `OrderBook.read`."""
        return cls(OrderBook.read(folder))

    def facts(
        self, orders: Mapping[str, Sequence[Row]], fresh: Sequence[Row], noted: Sequence[Row], as_of: AsOf
    ) -> Facts:
        """The facts of orders that are being placed, in their order: id → its lines, rows of the contract.

        `fresh`: rows of the contract, each with its `table`, that were received of the orders' customers lately; those
        whose order is stored or asked about are passed over. `noted`: rows of customers that the shop may not hold.
        Orders asked about together know of each other.
        """
        asked = [self._row(lines) for lines in orders.values()]
        placed = Orders.of_rows(asked)
        customers = {one for one in placed.customer_id if one is not None}
        stored = self._of(customers)
        came = _by_order(row for row in fresh if row.get(c.TABLE) == c.ORDERS)
        new = [self._row(lines) for one, lines in came.items() if one not in orders and one not in stored.order_id]
        own = stored.but(orders, Orders.of_rows([*asked, *new]))
        features = self._told(placed, own, self._people(noted))
        entities = pl.DataFrame({c.ENTITY_ID: list(orders)}, schema={c.ENTITY_ID: pl.String()})
        return PlacingFacts(as_of, self.horizon, entities, numbers=features)

    def _told(self, asked: Orders, own: Orders, people: People) -> dict[str, Any]:
        return told(Asked(asked, Past(own), self.crowd, people))

    def _row(self, lines: Sequence[Row]) -> dict[str, Any]:
        """One order's lines, as they were first told, as a row of `features.placed.PLACED`."""
        first = min(_known(line) for line in lines)
        lines = [line for line in lines if _known(line) == first]
        row = as_placed(lines, min(micros(line[c.HAPPENED_AT]) for line in lines), first)
        return {**row, c.CATEGORY: self._categories.get(row[c.PRODUCT_ID])}

    def _of(self, customers: set[str]) -> Orders:
        parts = [self.orders.between(*self._places[one]) for one in sorted(customers) if one in self._places]
        found = self.orders.between(0, 0)
        for part in parts:
            found = found.but((), part)
        return found

    def _people(self, noted: Sequence[Row]) -> People:
        """Everybody; where something is noted of those who are asked about, they alone, with that."""
        if not noted:
            return self.people
        names = [row[c.CUSTOMER_ID] for row in noted]
        told = [{name: _plain(row.get(name)) for name in ACCOUNTS} | {c.KNOWN_AT: _known(row)} for row in noted]
        mine = self._accounts.filter(pl.col(c.CUSTOMER_ID).is_in(names))
        return People(pl.concat([mine, pl.DataFrame(told, schema=ACCOUNTS)]))


def _packed(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with texts of its own: those that were filtered out would still be among the bytes that are written."""
    return pl.DataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), schema=frame.schema)


def _places(orders: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Customer → where their orders begin and end, in a frame by customer."""
    counted = orders.lazy().group_by(c.CUSTOMER_ID, maintain_order=True).len().collect()
    ends = counted["len"].cum_sum()
    found = zip(counted[c.CUSTOMER_ID].to_list(), (ends - counted["len"]).to_list(), ends.to_list(), strict=True)
    return {name: (start, end) for name, start, end in found if name is not None}


def _by_order(rows: Any) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if (row.get(c.QUANTITY) or 0) > 0 and row.get(c.PRICE) is not None:
            found.setdefault(row[c.ORDER_ID], []).append(row)
    return found


def _known(row: Row) -> int:
    return micros(row.get(c.KNOWN_AT) or row[c.HAPPENED_AT])


def _plain(value: Any) -> Any:
    return micros(value) if hasattr(value, "tzinfo") else value
