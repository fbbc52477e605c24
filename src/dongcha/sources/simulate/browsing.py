"""The contract's events: visits with and without an order, before and after logging in, and mail opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.buying import choose
from dongcha.sources.simulate.campaigns import SENT_HOURS
from dongcha.sources.simulate.clock import Flags, Floats, Ints
from dongcha.sources.simulate.frames import DAY_SECONDS, conform, ids, moment, pick
from dongcha.sources.simulate.ordering import Visits
from dongcha.sources.simulate.scene import Scene, Trade
from dongcha.sources.simulate.selling import CHANNEL_SHARES

CART_VIEWED: Final = "Cart Viewed"
CHECKOUT_STARTED: Final = "Checkout Started"
EVENTS: Final = (
    c.PRODUCT_VIEWED, c.PRODUCT_ADDED, CART_VIEWED, CHECKOUT_STARTED, c.ORDER_COMPLETED, c.PRODUCTS_SEARCHED,
    c.WISHLIST_ADDED, c.EMAIL_OPENED, c.EMAIL_CLICKED,
)  # fmt: skip
CODE: Final = {name: code for code, name in enumerate(EVENTS)}
BEFORE_ORDER: Final = ((CART_VIEWED, 200.0), (CHECKOUT_STARTED, 100.0), (c.ORDER_COMPLETED, 0.0))
"""Seconds before the order at which the last steps of a visit happen."""
VIEW_SECONDS: Final = (400, 1700)
"""Seconds before the order at which its products are looked at."""
MEAN_VIEWS: Final = 2.2
SEARCHES: Final = 0.3
ADDS: Final = 0.15
WISHES: Final = 0.04
STRANGERS: Final = 0.3
"""Visits of people who never become customers, per visit of a customer."""
MAIL_DELAY_SECONDS: Final = 9000.0
NOBODY: Final = -1
EMAIL: Final = "email"
SCRAMBLE: Final = 7919
SCRAMBLE_PRIME: Final = 999_999_937
"""A device's number is the visitor's, scrambled one to one, so that it does not give the customer away."""


@dataclass(frozen=True)
class Steps:
    """Events as arrays: (events,); −1 where there is no customer, product or session."""

    event: Ints
    customer: Ints
    visitor: Ints
    """Whose device it was: the customer, or a stranger numbered after the customers."""
    product: Ints
    session: Ints
    channel: Ints
    day: Ints
    second: Floats
    order: Ints


def events_table(rng: np.random.Generator, scene: Scene, trade: Trade, visits: Visits) -> pl.DataFrame:
    """All events, numbered in time."""
    online = trade.sales.channel < len(scene.words.channels)
    parts = [
        *_of_orders(rng, trade, online),
        *_of_visits(rng, scene, visits, int(online.sum())),
        *_of_mail(rng, scene),
    ]
    steps = Steps(*(np.concatenate([getattr(p, name) for p in parts]) for name in Steps.__dataclass_fields__))
    return _table(steps, scene, trade)


def _of_orders(rng: np.random.Generator, trade: Trade, online: Flags) -> list[Steps]:
    """Products looked at and added, cart, checkout, order."""
    orders, lines, sales = trade.orders, trade.lines, trade.sales
    session = np.where(online, np.cumsum(online) - 1, NOBODY)
    kept = np.flatnonzero(online[lines.order])
    looked = rng.uniform(*VIEW_SECONDS, len(kept))
    bought, order = lines.product[kept], lines.order[kept]

    def steps(event: str, of: Ints, product: Ints, before: Floats | float) -> Steps:
        return Steps(
            np.full(len(of), CODE[event]), orders.customer[of], orders.customer[of], product, session[of],
            sales.channel[of], orders.day[of], np.maximum(orders.second[of] - before, 0.0),
            of if event == c.ORDER_COMPLETED else np.full(len(of), NOBODY),
        )  # fmt: skip

    placed = np.flatnonzero(online)
    nothing = np.full(len(placed), NOBODY)
    return [
        steps(c.PRODUCT_VIEWED, order, bought, looked),
        steps(c.PRODUCT_ADDED, order, bought, looked - rng.uniform(5, 90, len(kept))),
        *(steps(event, placed, nothing, before) for event, before in BEFORE_ORDER),
    ]


def _of_visits(rng: np.random.Generator, scene: Scene, visits: Visits, first_session: int) -> list[Steps]:
    """Visits without an order: searches, products looked at, some added or wished for; and visits of strangers."""
    channels, known = len(scene.words.channels), len(visits.customer)
    like = rng.integers(0, max(known, 1), int(known * STRANGERS))
    who = np.concatenate([visits.customer, visits.customer[like]])
    day = np.concatenate([visits.day, visits.day[like]])
    second = np.concatenate([visits.second, visits.second[rng.permutation(like)]])
    stranger = np.arange(len(who)) >= known
    anonymous = stranger | (rng.random(len(who)) < scene.plan.anonymous_share)
    # Nobody is logged in before the day of the first order is over, so that no event precedes its registration.
    anonymous |= day == scene.people.arrival[who].astype(np.int64)
    visitor = np.where(stranger, len(scene.people) + np.arange(len(who)) - known, who)
    channel = rng.choice(channels, len(who), p=CHANNEL_SHARES[channels])
    views = 1 + rng.poisson(MEAN_VIEWS - 1, len(who))
    visit = np.repeat(np.arange(len(who)), views)
    seen = choose(rng, scene, who[visit])
    turn = np.arange(len(visit)) - np.repeat(np.cumsum(views) - views, views)

    def steps(event: str, of: Ints, product: Ints, after: Floats | float) -> Steps:
        return Steps(
            np.full(len(of), CODE[event]), np.where(anonymous, NOBODY, who)[of], visitor[of], product,
            first_session + of, channel[of], day[of], np.minimum(second[of] + after, DAY_SECONDS - 1.0),
            np.full(len(of), NOBODY),
        )  # fmt: skip

    searched = np.flatnonzero(rng.random(len(who)) < SEARCHES)
    parts = [
        steps(c.PRODUCTS_SEARCHED, searched, np.full(len(searched), NOBODY), 0.0),
        steps(c.PRODUCT_VIEWED, visit, seen, np.asarray(20.0 + 45.0 * turn)),
    ]
    for event, share, delay in ((c.PRODUCT_ADDED, ADDS, 35.0), (c.WISHLIST_ADDED, WISHES, 40.0)):
        kept = np.flatnonzero(rng.random(len(visit)) < share / MEAN_VIEWS)
        parts.append(steps(event, visit[kept], seen[kept], np.asarray(delay + 45.0 * turn[kept])))
    return parts


def _of_mail(rng: np.random.Generator, scene: Scene) -> list[Steps]:
    """Treated customers open some campaign mails, and click in some of those."""
    exposures, plan = scene.exposures, scene.plan.campaigns
    opened = exposures.treated & (rng.random(len(exposures.treated)) < plan.open_share)
    clicked = opened & (rng.random(len(opened)) < plan.click_share)
    sent = exposures.day + SENT_HOURS[1] / 24
    delay = rng.exponential(MAIL_DELAY_SECONDS, len(opened)) / DAY_SECONDS
    when = np.minimum(sent + delay, scene.days - 0.01)
    parts = []
    for event, kept, later in ((c.EMAIL_OPENED, opened, 0.0), (c.EMAIL_CLICKED, clicked, 40.0)):
        of = np.flatnonzero(kept)
        day = when[of].astype(np.int64)
        who, none = exposures.customer[of], np.full(len(of), NOBODY)
        second = np.asarray((when[of] - day) * DAY_SECONDS + later)
        parts.append(Steps(np.full(len(of), CODE[event]), who, none, none, none, none, day, second, none))
    return parts


def _table(steps: Steps, scene: Scene, trade: Trade) -> pl.DataFrame:
    channels, sales = (*scene.words.channels, EMAIL), trade.sales
    order = np.lexsort((np.arange(len(steps.event)), steps.event, steps.second, steps.day))
    s = Steps(*(getattr(steps, name)[order] for name in Steps.__dataclass_fields__))
    sessions = ids("s", np.maximum(s.session, 0), 8)
    devices = ids("a", (s.visitor + 1) * SCRAMBLE % SCRAMBLE_PRIME, 9)
    return conform(
        c.EVENTS,
        {
            c.MESSAGE_ID: ids("e", np.arange(1, len(order) + 1), 9),
            c.CUSTOMER_ID: _known(scene.people.ids, s.customer),
            c.ANONYMOUS_ID: pl.select(pl.when(pl.Series(s.visitor >= 0)).then(devices)).to_series(),
            c.EVENT: pick(EVENTS, s.event),
            c.PRODUCT_ID: _known(scene.catalogue.ids, s.product),
            c.SESSION_ID: pl.select(pl.when(pl.Series(s.session >= 0)).then(sessions)).to_series(),
            c.CHANNEL: pick(channels, np.where(s.channel < 0, len(channels) - 1, s.channel)),
            c.VALUE: pl.Series(np.round(sales.total, 2)).gather(_places(s.order)),
            c.EXTRAS: '{"order_id":"' + _known(sales.ids, s.order) + '"}',
            c.HAPPENED_AT: moment(scene.start, s.day, s.second),
        },
    )


def _places(index: Ints) -> pl.Series:
    places = pl.Series(index)
    return places.set(places < 0, None)


def _known(values: pl.Series, index: Ints) -> pl.Series:
    return values.gather(_places(index))
