"""The grains: a snapshot's tables, reshaped to the rows that features are taken from."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from dongcha import columns as c
from dongcha.features import sales
from dongcha.features.declare import grain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from dongcha.features.point_in_time import Snapshot

DAY: Final = 86_400_000_000
"""A day in microseconds: moments are counted in them, since plain arithmetic is far faster than calendar functions."""
YEAR_DAYS: Final = 365.25
EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday (Monday is 0)."""
SATURDAY: Final = 5
HOLIDAY_MONTHS: Final = (10, 11, 12)


@cache
def _counter(engine: str) -> Callable[[Any], Any]:
    """The engine's own function from a moment to microseconds since 1970.

    Ibis has seconds only, and takes them by way of a calendar on DuckDB: 30 times slower.
    """
    import ibis
    import ibis.expr.datatypes as dt

    own_name = {"duckdb": "epoch_us", "pyspark": "unix_micros", "sqlite": "likely"}[engine]
    # SQLite has no type for moments: where it is asked they are whole numbers already, and `likely` gives back what it
    # is given.

    def count(moment: Any) -> Any: ...

    signature = ((dt.Timestamp("UTC"),), dt.int64)
    function: Callable[[Any], Any] = ibis.udf.scalar.builtin(count, name=own_name, signature=signature)
    return function


def micros(moment: ir.TimestampValue, facts: Snapshot) -> ir.IntegerValue:
    """The moment in microseconds since 1970."""
    counted: ir.IntegerValue = _counter(facts.dialect)(moment)
    return counted


def cutoff(facts: Snapshot) -> Any:
    """The snapshot's moment in microseconds since 1970: a number, or an expression that stands for one."""
    return facts.moment


def age_days(micros: ir.IntegerValue, facts: Snapshot) -> ir.NumericValue:
    """How long before the cutoff something was, in days with their fractions."""
    return (cutoff(facts) - micros) / DAY


def whole_day(micros: ir.IntegerValue) -> ir.IntegerValue:
    """The UTC day of a moment, counted from 1970."""
    return micros // DAY


def month_of(day: ir.IntegerValue) -> ir.NumericValue:
    """The month, 1–12, of a day counted from 1970: plain arithmetic, which every engine has.

    Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`; for days from year 0 on.
    """
    import ibis

    since = day + 719_468
    of_era = since - since // 146_097 * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    from_march = (5 * of_year + 2) // 153
    return ibis.ifelse(from_march < 10, from_march + 3, from_march - 9)


def lines(facts: Snapshot) -> ir.Table:
    """One row per order line of a known customer: bought, brought back, or given."""
    return sales.sale_lines(facts.table(c.ORDERS))


@grain(c.ORDERS)
def baskets(facts: Snapshot) -> ir.Table:
    """One row per customer and order; its moment is that of its first line.

    `age_days`, `day`, `spend` and all else that describes a purchase is null for an order that only brought things
    back, so that minima, means and counts pass over it; `return_age_days` is null where nothing came back.
    `gap_days` is the number of days since the previous purchase day; it is null in the first order and in a second
    order of the same day, so its values are the gaps between purchase days, each once.
    """
    orders = _orders(lines(facts))
    orders = _with_neighbours(orders.mutate(moment=micros(orders.moment, facts)))
    bought, day, age = orders.lines > 0, whole_day(orders.moment), age_days(orders.moment, facts)
    return orders.select(
        c.CUSTOMER_ID,
        "gift_items",
        "returned_value",
        return_age_days=_where(orders.has_return, age),
        age_days=_where(bought, age),
        previous_age_days=_where(bought, age_days(orders.previous, facts)),
        day=_where(bought, day),
        first_day=_where(bought, whole_day(orders.first)),
        last_day=_where(bought, whole_day(orders.last)),
        gap_days=_where(bought, (day - whole_day(orders.previous)).nullif(0)),
        weekend=_where(bought, (day + EPOCH_WEEKDAY) % 7 >= SATURDAY),
        holiday=_where(bought, month_of(day).isin(HOLIDAY_MONTHS)),
        spend=_where(bought, orders.gross - orders.discount),
        gross=_where(bought, orders.gross),
        discount=_where(bought, orders.discount),
        items=_where(bought, orders["items"]),
        lines=_where(bought, orders.lines),
        last_whole_day=(cutoff(facts) - 1) // DAY,
        year_angle=_year_angle(facts),
    )


def _orders(lines: ir.Table) -> ir.Table:
    bought = lines[sales.PURCHASED]
    return lines.group_by(c.CUSTOMER_ID, c.ORDER_ID).aggregate(
        moment=lines[c.HAPPENED_AT].min(),
        lines=lines.count(where=bought),
        items=lines[c.QUANTITY].sum(where=bought),
        gross=lines[sales.GROSS].sum(where=bought),
        discount=lines[c.DISCOUNT].sum(where=bought),
        gift_items=lines[c.QUANTITY].sum(where=lines[sales.GIFT]).fill_null(0.0),
        has_return=lines[sales.RETURN].any(),
        returned_value=sales.returned_value(lines),
    )


def _with_neighbours(orders: ir.Table) -> ir.Table:
    """Add when the customer's previous, first and last purchases were; a return in between is no purchase."""
    import ibis

    # One frame over the whole line for all three, so that the engine sorts once.
    in_line = ibis.window(
        group_by=[orders[c.CUSTOMER_ID], orders.lines > 0], order_by=orders.moment, rows=(None, None)
    )
    moment = orders.moment
    return orders.mutate(
        previous=moment.lag().over(in_line), first=moment.first().over(in_line), last=moment.last().over(in_line)
    )


def _where(condition: ir.BooleanValue, value: ir.Value) -> ir.Value:
    import ibis

    return ibis.ifelse(condition, value, ibis.null())


def _year_angle(facts: Snapshot) -> float:
    return 2 * math.pi * facts.as_of.moment.timetuple().tm_yday / YEAR_DAYS


@grain(c.ORDERS)
def customer_products(facts: Snapshot) -> ir.Table:
    """One row per customer and product bought, with what everybody together paid for the product."""
    bought = _bought(facts)
    market = bought.group_by(c.PRODUCT_ID).aggregate(
        market_price=bought[sales.GROSS].sum() / bought[c.QUANTITY].sum()
    )
    own = bought.group_by(c.CUSTOMER_ID, c.PRODUCT_ID).aggregate(
        first=bought[c.HAPPENED_AT].min(),
        last=bought[c.HAPPENED_AT].max(),
        gross=bought[sales.GROSS].sum(),
        items=bought[c.QUANTITY].sum(),
    )
    first, last = micros(own.first, facts), micros(own.last, facts)
    own = own.mutate(age_days=age_days(first, facts), bought_again=whole_day(last) > whole_day(first))
    return own.join(market, c.PRODUCT_ID)


def _bought(facts: Snapshot) -> ir.Table:
    rows = lines(facts)
    return rows.filter(rows[sales.PURCHASED], rows[c.PRODUCT_ID].notnull())


@grain(c.ORDERS, c.PRODUCTS)
def customer_categories(facts: Snapshot) -> ir.Table:
    """One row per customer and product category bought."""
    return _customer_by(facts, c.CATEGORY)


@grain(c.ORDERS, c.PRODUCTS)
def customer_brands(facts: Snapshot) -> ir.Table:
    """One row per customer and brand bought."""
    return _customer_by(facts, c.BRAND)


def _customer_by(facts: Snapshot, trait: str) -> ir.Table:
    products = facts.table(c.PRODUCTS).select(c.PRODUCT_ID, trait)
    bought = _bought(facts).join(products, c.PRODUCT_ID)
    bought = bought.filter(bought[trait].notnull())
    return bought.group_by(c.CUSTOMER_ID, trait).aggregate(gross=bought[sales.GROSS].sum())


@grain(c.EVENTS)
def events(facts: Snapshot) -> ir.Table:
    """One row per thing a known customer did."""
    return _of_customers(facts, c.EVENTS)


@grain(c.EVENTS)
def sessions(facts: Snapshot) -> ir.Table:
    """One row per customer and session: when it began, whether something went into the cart and was then bought."""
    rows = _of_customers(facts, c.EVENTS)
    rows = rows.filter(rows[c.SESSION_ID].notnull())
    return rows.group_by(c.CUSTOMER_ID, c.SESSION_ID).aggregate(
        age_days=rows.age_days.max(),
        added=(rows[c.EVENT] == c.PRODUCT_ADDED).any(),
        ordered=(rows[c.EVENT] == c.ORDER_COMPLETED).any(),
    )


@grain(c.REVIEWS)
def reviews(facts: Snapshot) -> ir.Table:
    """One row per review of a known customer."""
    return _of_customers(facts, c.REVIEWS)


@grain(c.MESSAGES)
def messages(facts: Snapshot) -> ir.Table:
    """One row per line of a known customer's conversations."""
    return _of_customers(facts, c.MESSAGES)


@grain(c.EXPOSURES)
def exposures(facts: Snapshot) -> ir.Table:
    """One row per campaign contact, held-out customers included."""
    return _of_customers(facts, c.EXPOSURES)


def _of_customers(facts: Snapshot, name: str) -> ir.Table:
    rows = facts.table(name)
    return rows.filter(rows[c.CUSTOMER_ID].notnull()).mutate(
        age_days=age_days(micros(rows[c.HAPPENED_AT], facts), facts)
    )
