"""The contract's orders and outcomes, from what was ordered and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.buying import Lines
from dongcha.sources.simulate.clock import Floats, Ints
from dongcha.sources.simulate.frames import DAY_SECONDS, conform, ids, moment, money, pick
from dongcha.sources.simulate.mishaps import Fraud
from dongcha.sources.simulate.ordering import Orders
from dongcha.sources.simulate.scene import Scene, Trade
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


def ring_up(rng: np.random.Generator, scene: Scene, orders: Orders, lines: Lines, fraud: Fraud) -> Sales:
    """Number the orders in time, and price their lines."""
    n, words = len(orders), scene.words
    number = np.empty(n, dtype=np.int64)
    number[np.lexsort((np.arange(n), orders.second, orders.day))] = np.arange(1, n + 1)
    in_store = (rng.random(n) < scene.plan.store_share) & ~fraud.fraudulent & ~fraud.elsewhere
    channel = rng.choice(len(words.channels), n, p=CHANNEL_SHARES[len(words.channels)])
    channel = np.where(in_store, len(words.channels), channel)
    price = scene.catalogue.price[lines.product]
    discount = np.round(price * lines.quantity * lines.deal, 2)
    first = np.searchsorted(lines.order, np.arange(n))
    return Sales(
        ids=ids("o", number, 8),
        channel=channel,
        total=np.asarray(np.bincount(lines.order, price * lines.quantity - discount, minlength=n), dtype=float),
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


def orders_table(rng: np.random.Generator, scene: Scene, trade: Trade) -> pl.DataFrame:
    """The contract's orders: what was bought, what came back, and the attempts that were cancelled; in time."""
    bought, order, orders = _rows(scene, trade), trade.lines.order, trade.orders
    ids_of = trade.sales.ids.gather(order)
    everything = [
        _table(bought, orders.day[order], orders.second[order], ids_of, scene.start),
        _returned(rng, scene, trade, bought),
        _cancelled(rng, scene, trade, bought),
    ]
    return pl.concat(everything).sort(c.HAPPENED_AT, c.ORDER_ID, c.LINE)


def _rows(scene: Scene, trade: Trade) -> pl.DataFrame:
    lines, sales, n = trade.lines, trade.sales, len(trade.lines)
    return pl.DataFrame(
        {
            c.LINE: sales.line_number,
            c.CUSTOMER_ID: scene.people.ids.gather(trade.orders.customer[lines.order]),
            c.PRODUCT_ID: scene.catalogue.ids.gather(lines.product),
            c.QUANTITY: lines.quantity.astype(float),
            c.PRICE: money(sales.price),
            c.DISCOUNT: money(sales.discount),
            c.STATUS: pl.repeat(COMPLETED, n, eager=True),
            c.EXTRAS: sales.order_extras.gather(lines.order),
            c.CURRENCY: pl.repeat(scene.words.currency, n, eager=True),
        }
    )


def _table(rows: pl.DataFrame, day: Ints, second: Floats, order_ids: pl.Series, start: date) -> pl.DataFrame:
    when = {c.ORDER_ID: order_ids, c.HAPPENED_AT: moment(start, day, second)}
    return conform(c.ORDERS, {**rows.to_dict(), **when})


def _returned(rng: np.random.Generator, scene: Scene, trade: Trade, bought: pl.DataFrame) -> pl.DataFrame:
    """Negative lines under the return's own number, each with its line's number; the extras name the order."""
    returns = trade.returns
    of = trade.sales.ids.gather(trade.lines.order[returns.line])
    rows = bought[returns.line].with_columns(
        pl.Series(c.QUANTITY, -returns.quantity.astype(float)),
        pl.lit(RETURNED).alias(c.STATUS),
        ('{"returns":"' + of + '"}').alias(c.EXTRAS),
    )
    second = np.floor(rng.uniform(*RETURN_SECOND, len(of)))
    return _table(rows, returns.day, second, "r" + of.str.slice(1), scene.start)


def _cancelled(rng: np.random.Generator, scene: Scene, trade: Trade, bought: pl.DataFrame) -> pl.DataFrame:
    """Some orders went through only at the second attempt; the first stands there as cancelled."""
    orders = trade.orders
    tried_before = (rng.random(len(orders)) < scene.plan.mishaps.cancelled_share) & trade.honest
    earlier = rng.uniform(*CANCELLED_BEFORE, len(orders))
    kept = np.flatnonzero(tried_before[trade.lines.order])
    order = trade.lines.order[kept]
    rows = bought[kept].with_columns(pl.lit(CANCELLED).alias(c.STATUS))
    second = np.maximum(orders.second - earlier, 0)[order]
    return _table(rows, orders.day[order], second, "t" + trade.sales.ids.gather(order).str.slice(1), scene.start)


def outcomes_table(rng: np.random.Generator, scene: Scene, trade: Trade) -> pl.DataFrame:
    """The contract's outcomes: frauds found or charged back, learnt days to weeks later and within the window."""
    plan, orders, fraud, start = scene.plan.mishaps, trade.orders, trade.fraud, scene.start
    n = len(orders)
    detected = fraud.fraudulent & (rng.random(n) < plan.detected_share)
    mistaken = ~fraud.fraudulent & (rng.random(n) < plan.honest_chargebacks)
    after = np.where(detected, rng.uniform(*plan.detection_days, n), rng.uniform(*plan.chargeback_days, n))
    happened = orders.day + orders.second / DAY_SECONDS
    of = np.flatnonzero((fraud.fraudulent | mistaken) & (happened + after < scene.days))
    of = of[np.lexsort((trade.sales.ids.to_numpy()[of], (happened + after)[of]))]
    return conform(
        c.OUTCOMES,
        {
            c.OUTCOME_ID: ids("f", np.arange(1, len(of) + 1), 6),
            c.CUSTOMER_ID: scene.people.ids.gather(orders.customer[of]),
            c.ORDER_ID: trade.sales.ids.gather(of),
            c.NAME: pick(("chargeback", "fraud"), detected[of]),
            c.VALUE: pl.Series(np.round(trade.sales.total[of], 2)),
            c.HAPPENED_AT: moment(start, orders.day[of], orders.second[of]),
            c.KNOWN_AT: moment(start, happened[of] + after[of]),
        },
    )
