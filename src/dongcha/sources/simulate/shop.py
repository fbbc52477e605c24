"""The entry: one seed, one shop, its ten tables and its truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import UsageError
from dongcha.sources.simulate import browsing, buying, campaigns, mishaps, planted, reviewing, selling, talking
from dongcha.sources.simulate.catalogue import products_table, stock_the_shelves
from dongcha.sources.simulate.clock import Floats, festival_factors, seasons
from dongcha.sources.simulate.frames import DAY_SECONDS
from dongcha.sources.simulate.ordering import Orders, draw_times
from dongcha.sources.simulate.people import People, customers_table, people_the_shop
from dongcha.sources.simulate.plan import ShopPlan
from dongcha.sources.simulate.stocking import stock_table
from dongcha.sources.simulate.truth import Moment, Truth
from dongcha.sources.simulate.words import Words

START: Final = date(2023, 1, 1)
FEWEST_DAYS: Final = 120
TRUTH_FOLDER: Final = "truth"
REGISTERING_SECONDS: Final = (60, 900)
"""How long before the first order those register who do it while ordering."""


@dataclass(frozen=True)
class Simulated:
    """A simulated shop: what everybody may see, and what only tests and benchmarks may."""

    tables: dict[str, pl.DataFrame]
    """The ten contract tables, by name."""
    truth: dict[str, pl.DataFrame] = field(repr=False)
    """Planted traits by name; no model may see them."""

    @cached_property
    def secrets(self) -> Truth:
        """The truth, able to answer: chances, expectations, effects."""
        return Truth(self.truth)

    def churn_probability(self, as_of: Moment, horizon_days: int) -> pl.DataFrame:
        """Planted chance of no order in `[as_of, as_of + horizon_days)`; see `Truth.churn_probability`."""
        return self.secrets.churn_probability(as_of, horizon_days)

    def expected_spend(self, as_of: Moment, horizon_days: int) -> pl.DataFrame:
        """Planted expected spend in `[as_of, as_of + horizon_days)`; see `Truth.expected_spend`."""
        return self.secrets.expected_spend(as_of, horizon_days)


class _Dice:
    """One independent stream of chance per stage, so that a change in one stage leaves the others as they were."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, stage: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stage.encode()])


def simulate(
    customers: int = 2000,
    *,
    language: Literal["en", "zh"] = "en",
    start: date = START,
    days: int = 730,
    products: int = 240,
    seed: int = 7,
    plan: ShopPlan | None = None,
) -> Simulated:
    """Simulate a shop with known truth, from `start` for `days` days; the same arguments make the same shop.

    >>> shop = simulate(50, days=200, products=36)
    >>> shop.tables["customers"].height, sorted(shop.tables) == sorted(("customers", "products", "events", "orders",
    ...     "reviews", "messages", "exposures", "outcomes", "stock", "documents"))
    (50, True)
    """
    _check(customers, days, products)
    plan, words, dice = plan or ShopPlan(), _words(language), _Dice(seed)
    season = seasons(plan, start, days + planted.BEYOND_DAYS, words.festivals)
    catalogue = stock_the_shelves(dice("catalogue"), products, words)
    people = people_the_shop(dice("people"), customers, plan, words, season[:, :days], days)
    exposures = campaigns.assign(dice("campaigns"), plan.campaigns, people, days)
    orders, visits = draw_times(dice("times"), plan, people, exposures, season[:, :days], words.utc_offset_hours)
    festive = festival_factors(start, days, words.festivals)
    wanted = buying.fill_baskets(dice("baskets"), plan, people, catalogue, orders, festive)
    stock_outs = mishaps.empty_shelves(dice("shelves"), plan.mishaps, catalogue, days)
    out = stock_outs.covers(products, days)
    lines, lost = mishaps.meet_empty_shelves(dice("lost"), plan.mishaps, catalogue, out, orders, wanted)
    fraud, orders, lines = mishaps.commit_fraud(
        dice("fraud"), plan.mishaps, people, orders, lines, words.utc_offset_hours
    )
    honest = ~fraud.fraudulent
    sales = selling.ring_up(dice("sales"), plan, words, catalogue, orders, lines, fraud)
    returns = mishaps.send_back(dice("returns"), plan.mishaps, orders, lines, honest, days)
    reviews = reviewing.feel(
        dice("moods"), plan.talk, people, catalogue, orders, lines, honest, days, words.utc_offset_hours
    )
    talks = talking.converse(dice("talks"), plan.talk, words, orders, lines, honest, days)
    first = _first_seconds(orders, customers)
    created = _created_seconds(dice("created"), people, first)
    tables = {
        c.CUSTOMERS: customers_table(dice("customers"), people, words, start, created),
        c.PRODUCTS: products_table(catalogue, words, start),
        c.EVENTS: browsing.events_table(
            dice("events"), plan, words, people, catalogue, orders, lines, sales, visits, exposures, start, days
        ),
        c.ORDERS: selling.orders_table(
            dice("orders"), plan.mishaps, words, people, catalogue, orders, lines, sales, returns, honest, start
        ),
        c.REVIEWS: reviewing.reviews_table(dice("reviews"), words, people, catalogue, orders, lines, reviews, start),
        c.MESSAGES: talking.messages_table(
            dice("messages"), plan.talk, words, people, catalogue, orders, lines, sales, talks, start
        ),
        c.EXPOSURES: campaigns.exposures_table(dice("exposures"), exposures, plan.campaigns, people, start),
        c.OUTCOMES: selling.outcomes_table(dice("outcomes"), plan.mishaps, people, orders, sales, fraud, start, days),
        c.STOCK: stock_table(dice("stock"), catalogue, orders, lines, out, start),
        c.DOCUMENTS: talking.documents_table(words, start),
    }
    value = _order_values(plan, people, buying.mean_line_price(plan, people, catalogue), orders, sales)
    truth = {
        **planted.shop_frames(plan, words, season, start, days),
        "customers": planted.customers_frame(plan, people, value, first, start, days),
        **planted.order_frames(plan, people, catalogue, orders, lines, sales, fraud),
        **planted.catalogue_frames(plan, words, catalogue),
        **planted.mishap_frames(catalogue, sales, stock_outs, lost, start),
        "exposures": planted.exposures_frame(plan, people, exposures),
        **planted.talk_frames(plan, words, catalogue, lines, reviews, talks, start, days),
    }
    return Simulated(tables, truth)


def write(simulated: Simulated, folder: Path) -> None:
    """One Parquet file per table in `folder`, which `dongcha load` reads, and the truth in `folder/truth`."""
    hidden = folder / TRUTH_FOLDER
    hidden.mkdir(parents=True, exist_ok=True)
    for name, frame in simulated.tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    for name, frame in simulated.truth.items():
        frame.write_parquet(hidden / f"{name}.parquet")


def _check(customers: int, days: int, products: int) -> None:
    if customers < 1:
        raise UsageError(f"A shop of {customers} customers is no shop.", "Use at least 1.")
    if days < FEWEST_DAYS:
        raise UsageError(f"{days} days show no season.", f"Simulate at least {FEWEST_DAYS} days.")
    fewest = 2 * len(_words("en").categories)
    if products < fewest:
        raise UsageError(f"{products} products do not fill the shelves.", f"Use at least {fewest}.")


def _words(language: str) -> Words:
    from dongcha.sources.simulate import chinese, english

    spoken = {"en": english.WORDS, "zh": chinese.WORDS}
    if language not in spoken:
        raise UsageError(f"The simulated shop does not speak '{language}'.", f"It speaks: {', '.join(spoken)}.")
    return spoken[language]


def _first_seconds(orders: Orders, customers: int) -> Floats:
    """Second of each customer's first order, from the start of the window; everybody has one."""
    first = np.full(customers, np.inf)
    np.minimum.at(first, orders.customer, orders.day * float(DAY_SECONDS) + orders.second)
    return first


def _created_seconds(rng: np.random.Generator, people: People, first: Floats) -> Floats:
    """When each customer registered, from the start of the window: some days or some minutes before the first order."""
    while_ordering = first - rng.uniform(*REGISTERING_SECONDS, len(first))
    earlier = first - (people.arrival - people.created) * DAY_SECONDS
    return np.maximum(np.minimum(while_ordering, earlier), 0.0)


def _order_values(plan: ShopPlan, people: People, line_price: Floats, orders: Orders, sales: selling.Sales) -> Floats:
    """Mean value of each customer's orders: the choice model's, scaled to what the group's orders really cost.

    The scale covers what has no closed form: deals in season, refills, empty shelves.
    """
    modelled = people.mean_lines * line_price
    group = people.group[orders.customer]
    paid = np.bincount(group, sales.total, minlength=len(plan.groups))
    foreseen = np.bincount(group, modelled[orders.customer], minlength=len(plan.groups))
    scale = np.divide(paid, foreseen, out=np.ones_like(paid), where=foreseen > 0)
    return np.asarray(modelled * scale[people.group])
