"""Orders as of the moment each was placed: the machine that counts what was known of its like by then.

One implementation answers for all orders of a lake and for one that is being placed: NumPy on arrays, exact in whole
numbers. Whatever happened at the order's moment or later, or was learnt after it, says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dongcha import columns as c
from dongcha.features.placed import PAYMENT, SHIP_CITY, SHIP_COUNTRY, VALUE_UNITS
from dongcha.features.tallies import NOBODY, Ints, Latest, Tally

Floats = NDArray[np.float64]
Texts = Sequence[str | None]

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
NEVER: Final = np.iinfo(np.int64).max // 2

CUSTOMER: Final = c.CUSTOMER_ID
CUSTOMERS_PRODUCT: Final = "customer and product"
CUSTOMERS_PLACE: Final = "customer and place"
PRODUCT: Final = c.PRODUCT_ID
CATEGORY: Final = c.CATEGORY
CHANNEL: Final = c.CHANNEL
MEANS: Final = PAYMENT
HOUR_OF_DAY: Final = "hour of the day"
"""What orders may have in common."""


@dataclass(frozen=True)
class Orders:
    """Orders as arrays of shape (orders,) and lists as long: columns of `features.placed.PLACED`.

    `bad_at` is NEVER where it is not known that an order went bad.
    """

    order_id: Texts
    customer_id: Texts
    happened_at: Ints
    known_at: Ints
    value: Ints
    list_value: Ints
    items: Floats
    lines: Floats
    most_pieces: Floats
    highest_price: Floats
    product_id: Texts
    category: Texts
    channel: Texts
    payment: Texts
    ship_city: Texts
    ship_country: Texts
    bad_at: Ints

    def __len__(self) -> int:
        return len(self.happened_at)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Orders:
        """From columns as PLACED."""
        told = frame.with_columns(pl.col("bad_at").fill_null(NEVER))
        columns: dict[str, Any] = {name: told[name] for name in NAMES}
        return cls(**{k: v.to_list() if v.dtype == pl.String else v.to_numpy() for k, v in columns.items()})

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Orders:
        """From rows as PLACED, any columns absent."""
        return cls(**{name: _column(name, [row.get(name) for row in rows]) for name in NAMES})

    def between(self, start: int, end: int) -> Orders:
        """Those from one place to before another."""
        return Orders(**{name: getattr(self, name)[start:end] for name in NAMES})

    def but(self, order_ids: Iterable[str], more: Orders) -> Orders:
        """These without some, and more behind them."""
        without = set(order_ids)
        kept = [k for k, one in enumerate(self.order_id) if one not in without]
        return Orders(**{name: _joined(getattr(self, name), kept, getattr(more, name)) for name in NAMES})


NAMES: Final = tuple(field.name for field in fields(Orders))
WHOLE: Final = ("happened_at", "known_at", "value", "list_value", "bad_at")
REAL: Final = ("items", "lines", "most_pieces", "highest_price")


def _column(name: str, values: list[Any]) -> Any:
    if name in WHOLE:
        return np.array([NEVER if value is None else value for value in values], dtype=np.int64)
    return np.array(values, dtype=np.float64) if name in REAL else values


def _joined(mine: Any, kept: list[int], more: Any) -> Any:
    if isinstance(mine, np.ndarray):
        return np.concatenate([mine[kept], more])
    return [*(mine[k] for k in kept), *more]


class Past:
    """Orders to be counted by what they have in common, as of any moment. Counts are made when first asked for."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self._groups: dict[str, dict[Any, int]] = {}
        self._codes: dict[str, Ints] = {}
        self._tallies: dict[tuple[str, int, bool], Tally] = {}

    def group(self, by: str, orders: Orders) -> Ints:
        """Which group each of some orders falls in, NOBODY where it names none or one that was never seen."""
        self._code(by)
        known = self._groups[by]
        return np.array([known.get(value, NOBODY) for value in _by(by, orders)], dtype=np.int64)

    def tally(self, by: str, after: int, bad: bool) -> Tally:
        """Orders by group, each counting from `after` microseconds past its moment on.

        `bad`: from when it was known to be bad, so that those which never are do not count.
        """
        key = (by, after, bad)
        if key not in self._tallies:
            codes, mine = self._code(by), self.orders
            counts = np.maximum(mine.happened_at + after + 1, mine.known_at)
            kept = np.flatnonzero(mine.bad_at < NEVER) if bad else slice(None)
            counts = np.maximum(counts, mine.bad_at) if bad else counts
            self._tallies[key] = Tally.of(codes[kept], counts[kept], mine.value[kept], len(self._groups[by]))
        return self._tallies[key]

    @cached_property
    def latest(self) -> Latest:
        """Each customer's last order."""
        codes = self._code(CUSTOMER)
        return Latest.of(codes, self.orders.happened_at, self.orders.known_at, len(self._groups[CUSTOMER]))

    def _code(self, by: str) -> Ints:
        if by not in self._codes:
            known: dict[Any, int] = {}
            values = _by(by, self.orders)
            codes = [NOBODY if value is None else known.setdefault(value, len(known)) for value in values]
            self._groups[by], self._codes[by] = known, np.array(codes, dtype=np.int64)
        return self._codes[by]


def _by(by: str, orders: Orders) -> Sequence[Any]:
    """What groups orders, None where an order says nothing of it."""
    if by == CUSTOMERS_PRODUCT:
        return _pairs(orders.customer_id, orders.product_id)
    if by == CUSTOMERS_PLACE:
        return _pairs(orders.customer_id, _place(orders))
    if by == HOUR_OF_DAY:
        hours: list[int] = hour_of(orders.happened_at).tolist()
        return hours
    named: Texts = getattr(orders, by)
    return named


def _pairs(one: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any] | None]:
    return [None if a is None or b is None else (a, b) for a, b in zip(one, other, strict=True)]


def _place(orders: Orders) -> list[tuple[str | None, str | None] | None]:
    both = zip(orders.ship_country, orders.ship_city, strict=True)
    return [None if country is None and city is None else (country, city) for country, city in both]


def hour_of(moment: Ints) -> Ints:
    """The hour of the day, UTC, 0 to 23."""
    return moment // HOUR % 24


class People:
    """What was noted of customers, as of any moment: where they live, and since when they have an account."""

    def __init__(self, accounts: pl.DataFrame) -> None:
        """`accounts`: columns as `features.placed.ACCOUNTS`."""
        names = accounts[c.CUSTOMER_ID].to_list()
        self.index: dict[str, int] = {}
        self.codes = np.array([self.index.setdefault(name, len(self.index)) for name in names], dtype=np.int64)
        self.happened, self.known = (accounts[name].to_numpy() for name in (c.HAPPENED_AT, c.KNOWN_AT))
        self.values = {name: accounts[name].to_list() for name in (c.CREATED_AT, c.CITY, c.COUNTRY)}

    def of(self, name: str, orders: Orders) -> list[Any]:
        """The newest value of a column that was known of each order's customer then, None where there is none."""
        who = np.array([self.index.get(one, NOBODY) for one in orders.customer_id], dtype=np.int64)  # type: ignore[arg-type]
        values, found = self.values[name], self._latest(name).by(who, orders.happened_at)
        return [None if place < 0 else values[place] for place in found.tolist()]

    def _latest(self, name: str) -> Latest:
        if name not in self.__dict__:
            told = np.array([value is not None for value in self.values[name]], dtype=bool)
            codes = np.where(told, self.codes, NOBODY) if len(told) else self.codes
            self.__dict__[name] = Latest.of(codes, self.happened, self.known, len(self.index))
        latest: Latest = self.__dict__[name]
        return latest


class Like:
    """The orders before each order that have something in common with it; NaN where it names nothing."""

    def __init__(self, past: Past, by: str, asked: Orders, named: NDArray[np.bool_]) -> None:
        self.past, self.by, self.asked = past, by, asked
        self.code, self.named = past.group(by, asked), named
        self._found: dict[tuple[int | None, int, bool], tuple[Floats, Floats]] = {}

    def orders(self, window: int | None = None, delay: int = 0) -> Floats:
        """How many in `[moment − delay − window, moment − delay)`, or ever before; both in microseconds."""
        return self._counted(window, delay, bad=False)[0]

    def value(self, window: int | None = None) -> Floats:
        """What they came to, in the currency's unit."""
        return self._counted(window, 0, bad=False)[1] / VALUE_UNITS

    def bad(self, window: int | None = None, delay: int = 0) -> Floats:
        """How many of them were known to have gone bad."""
        return self._counted(window, delay, bad=True)[0]

    def share_bad(self, window: int | None = None, delay: int = 0) -> Floats:
        """The share of them that was known to have gone bad, NaN where there were none."""
        return over(self.bad(window, delay), self.orders(window, delay))

    def _counted(self, window: int | None, delay: int, *, bad: bool) -> tuple[Floats, Floats]:
        key = (window, delay, bad)
        if key not in self._found:
            self._found[key] = self._count(window, delay, bad)
        return self._found[key]

    def _count(self, window: int | None, delay: int, bad: bool) -> tuple[Floats, Floats]:
        moment = self.asked.happened_at
        count, value = self.past.tally(self.by, delay, bad).by(self.code, moment)
        if window is not None:
            # Each leaves the window so much later than it came in: what is left is what is in it.
            gone, lost = self.past.tally(self.by, delay + window, bad).by(self.code, moment)
            count, value = count - gone, value - lost
        return np.where(self.named, count, np.nan), np.where(self.named, value, np.nan)


class Asked:
    """What the declared features are told from: the orders asked about, and all that was known at each one's moment."""

    def __init__(self, orders: Orders, own: Past, crowd: Past, people: People) -> None:
        """`own` holds the orders of the customers asked about, `crowd` everybody's; they may be the same."""
        self.orders, self.own, self.crowd, self.people = orders, own, crowd, people
        self._like: dict[str, Like] = {}

    def like(self, by: str) -> Like:
        """The earlier orders that this has in common with each."""
        if by not in self._like:
            past = self.own if by in (CUSTOMER, CUSTOMERS_PRODUCT, CUSTOMERS_PLACE) else self.crowd
            named = np.array([value is not None for value in _by(by, self.orders)], dtype=bool)
            self._like[by] = Like(past, by, self.orders, named)
        return self._like[by]

    @property
    def value(self) -> Floats:
        """In the currency's unit, after discounts."""
        return self.orders.value / VALUE_UNITS

    @property
    def list_value(self) -> Floats:
        """In the currency's unit, before discounts."""
        return self.orders.list_value / VALUE_UNITS

    def since_last(self) -> Floats:
        """Days since the customer's order before, NaN where there is none."""
        place = self.own.latest.by(self.like(CUSTOMER).code, self.orders.happened_at)
        if not len(self.own.orders):
            return np.full(len(self.orders), np.nan)
        return np.where(place < 0, np.nan, (self.orders.happened_at - self.own.orders.happened_at[place]) / DAY)

    def account_days(self) -> Floats:
        """Days since the customer's account was opened; NaN where that is not known, or was not so by then."""
        opened = np.array([np.nan if at is None else float(at) for at in self.people.of(c.CREATED_AT, self.orders)])
        days = (self.orders.happened_at - opened) / DAY
        return np.where(days >= 0, days, np.nan)

    def elsewhere(self) -> Floats:
        """1 where the goods go to another country or city than the customer's, 0 where not, NaN where not known."""
        return np.fmax(self._differs(SHIP_COUNTRY, c.COUNTRY), self._differs(SHIP_CITY, c.CITY))

    def _differs(self, shipped: str, lives: str) -> Floats:
        both = zip(getattr(self.orders, shipped), self.people.of(lives, self.orders), strict=True)
        return np.array([_unlike(to, home) for to, home in both], dtype=np.float64)


def _unlike(one: str | None, other: str | None) -> float:
    return np.nan if one is None or other is None else float(one.strip().lower() != other.strip().lower())


def over(part: Floats, whole: Floats) -> Floats:
    """The ratio, NaN where there is nothing to divide by."""
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
