"""The contract's orders and outcomes, from what was ordered and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.buying import Lines
from dongcha.sources.simulate.catalogue import Catalogue
from dongcha.sources.simulate.clock import Floats, Ints
from dongcha.sources.simulate.frames import DAY_SECONDS, conform, ids, moment, money, pick
from dongcha.sources.simulate.mishaps import Fraud, Returns
from dongcha.sources.simulate.ordering import Orders
from dongcha.sources.simulate.people import People
from dongcha.sources.simulate.plan import MishapPlan, ShopPlan
from dongcha.sources.simulate.words import Words

PAYMENTS: Final = ("card", "wallet", "voucher", "invoice")
PAYMENT_SHARES: Final = (0.55, 0.33, 0.05, 0.07)
CHANNEL_SHARES: Final = {2: (0.62, 0.38), 3: (0.55, 0.27, 0.18)}
"""Shares of the online channels, by how many there are."""
RETURN_SECOND: Final = (30_000, 60_000)
CANCELLED_BEFORE: Final = (300, 1800)
"""Seconds between an attempt that was cancelled and the order that went through."""
COMPLETED: Final = "completed"
CANCELLED: Final = "cancelled"
RETURNED: Final = "returned"


@dataclass(frozen=True)
class Sales:
    """Orders with all that a table or another event needs of them: (orders,) unless said."""

    ids: pl.Series
    channel: Ints
    """Index into the language's channels; as many as there are of them means the store."""
    total: Floats
    """What the order cost after deals."""
    order_extras: pl.Series
    line_number: Ints
    """(lines,), from 1."""
    price: Floats
    """(lines,), per piece."""
    discount: Floats
    """(lines,), for the whole line."""


def ring_up(
    rng: np.random.Generator, plan: ShopPlan, words: Words, catalogue: Catalogue, orders: Orders, lines: Lines, fraud: Fraud
) -> Sales:
    """Number the orders in time, and price their lines."""
    n = len(orders)
    number = np.empty(n, dtype=np.int64)
    number[np.lexsort((np.arange(n), orders.second, orders.day))] = np.arange(1, n + 1)
    in_store = (rng.random(n) < plan.store_share) & ~fraud.fraudulent & ~fraud.elsewhere
    channel = rng.choice(len(words.channels), n, p=CHANNEL_SHARES[len(words.channels)])
    channel = np.where(in_store, len(words.channels), channel)
    price = catalogue.price[lines.product]
    discount = np.round(price * lines.quantity * lines.deal, 2)
    first = np.searchsorted(lines.order, np.arange(n))
    return Sales(
        ids=ids("o", number, 8),
        channel=channel,
        total=np.bincount(lines.order, price * lines.quantity - discount, minlength=n),
        order_extras=_extras(rng, words, fraud, channel),
        line_number=np.arange(len(lines)) - first[lines.order] + 1,
        price=price,
        discount=discount,
    )


def _extras(rng: np.random.Generator, words: Words, fraud: Fraud, channel: Ints) -> pl.Series:
    parts = pl.DataFrame(
        {
            "channel": pick((*words.channels, words.store), channel),
            "payment": pick(PAYMENTS, rng.choice(len(PAYMENTS), len(channel), p=PAYMENT_SHARES)),
            "ship_city": pick(words.people.cities, fraud.city),
        }
    )
    return parts.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def orders_table(
    rng: np.random.Generator, plan: MishapPlan, words: Words, people: People, catalogue: Catalogue,
    orders: Orders, lines: Lines, sales: Sales, returns: Returns, honest: np.ndarray[Any, np.dtype[np.bool_]], start: date,
) -> pl.DataFrame:  # fmt: skip
    """The contract's orders: what was bought, what came back, and the attempts that were cancelled; in time."""
    bought = _rows(words, people, catalogue, orders, lines, sales, np.arange(len(lines)))
    everything = [
        _table(bought, orders.day[lines.order], orders.second[lines.order], sales.ids.gather(lines.order), start),
        _returned(rng, bought, lines, sales, returns, start),
        _cancelled(rng, plan, bought, orders, lines, sales, honest, start),
    ]
    return pl.concat(everything).sort(c.HAPPENED_AT, c.ORDER_ID, c.LINE)


def _rows(
    words: Words, people: People, catalogue: Catalogue, orders: Orders, lines: Lines, sales: Sales, kept: Ints
) -> pl.DataFrame:
    order = lines.order[kept]
    return pl.DataFrame(
        {
            c.LINE: sales.line_number[kept],
            c.CUSTOMER_ID: people.ids.gather(orders.customer[order]),
            c.PRODUCT_ID: catalogue.ids.gather(lines.product[kept]),
            c.QUANTITY: lines.quantity[kept].astype(float),
            c.PRICE: money(sales.price[kept]),
            c.DISCOUNT: money(sales.discount[kept]),
            c.STATUS: pl.repeat(COMPLETED, len(kept), eager=True),
            c.EXTRAS: sales.order_extras.gather(order),
            c.CURRENCY: pl.repeat(words.currency, len(kept), eager=True),
        }
    )


def _table(rows: pl.DataFrame, day: Ints, second: Floats, order_ids: pl.Series, start: date) -> pl.DataFrame:
    when = {c.ORDER_ID: order_ids, c.HAPPENED_AT: moment(start, day, second)}
    return conform(c.ORDERS, {**rows.to_dict(), **when})


def _returned(
    rng: np.random.Generator, bought: pl.DataFrame, lines: Lines, sales: Sales, returns: Returns, start: date
) -> pl.DataFrame:
    """Negative lines under the return's own number, each with its line's number; the extras name the order."""
    of = sales.ids.gather(lines.order[returns.line])
    rows = bought[returns.line].with_columns(
        pl.Series(c.QUANTITY, -returns.quantity.astype(float)),
        pl.lit(RETURNED).alias(c.STATUS),
        ('{"returns":"' + of + '"}').alias(c.EXTRAS),
    )
    second = np.floor(rng.uniform(*RETURN_SECOND, len(of)))
    return _table(rows, returns.day, second, "r" + of.str.slice(1), start)


def _cancelled(
    rng: np.random.Generator, plan: MishapPlan, bought: pl.DataFrame, orders: Orders, lines: Lines, sales: Sales,
    honest: np.ndarray[Any, np.dtype[np.bool_]], start: date,
) -> pl.DataFrame:  # fmt: skip
    """Some orders went through only at the second attempt; the first stands there as cancelled."""
    tried_before = (rng.random(len(orders)) < plan.cancelled_share) & honest
    earlier = rng.uniform(*CANCELLED_BEFORE, len(orders))
    kept = np.flatnonzero(tried_before[lines.order])
    order = lines.order[kept]
    rows = bought[kept].with_columns(pl.lit(CANCELLED).alias(c.STATUS))
    second = np.maximum(orders.second - earlier, 0)[order]
    return _table(rows, orders.day[order], second, "t" + sales.ids.gather(order).str.slice(1), start)


def outcomes_table(
    rng: np.random.Generator, plan: MishapPlan, people: People, orders: Orders, sales: Sales, fraud: Fraud,
    start: date, days: int,
) -> pl.DataFrame:  # fmt: skip
    """The contract's outcomes: frauds found or charged back, learnt days to weeks later and within the window."""
    n = len(orders)
    detected = fraud.fraudulent & (rng.random(n) < plan.detected_share)
    mistaken = ~fraud.fraudulent & (rng.random(n) < plan.honest_chargebacks)
    after = np.where(detected, rng.uniform(*plan.detection_days, n), rng.uniform(*plan.chargeback_days, n))
    happened = orders.day + orders.second / DAY_SECONDS
    of = np.flatnonzero((fraud.fraudulent | mistaken) & (happened + after < days))
    of = of[np.lexsort((sales.ids.to_numpy()[of], (happened + after)[of]))]
    return conform(
        c.OUTCOMES,
        {
            c.OUTCOME_ID: ids("f", np.arange(1, len(of) + 1), 6),
            c.CUSTOMER_ID: people.ids.gather(orders.customer[of]),
            c.ORDER_ID: sales.ids.gather(of),
            c.NAME: pick(("chargeback", "fraud"), detected[of]),
            c.VALUE: pl.Series(np.round(sales.total[of], 2)),
            c.HAPPENED_AT: moment(start, orders.day[of], orders.second[of]),
            c.KNOWN_AT: moment(start, happened[of] + after[of]),
        },
    )
