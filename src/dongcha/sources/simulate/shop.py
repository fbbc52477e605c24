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
from dongcha.sources.simulate.scene import Scene, Trade
from dongcha.sources.simulate.stocking import stock_table
from dongcha.sources.simulate.truth import Moment, Truth
from dongcha.sources.simulate.words import Words

START: Final = date(2023, 1, 1)
FEWEST_DAYS: Final = 120
TRUTH_FOLDER: Final = "truth"
REGISTERING_SECONDS: Final = (1800, 1990)
"""How long before the first order those register who do it in the same visit: before its first step."""


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
    people = people_the_shop(dice("people"), customers, plan, words, season[:, :days])
    scene = Scene(
        plan=plan,
        words=words,
        start=start,
        days=days,
        season=season[:, :days],
        festive=festival_factors(start, days, words.festivals),
        catalogue=stock_the_shelves(dice("catalogue"), products, words),
        people=people,
        exposures=campaigns.assign(dice("campaigns"), plan.campaigns, people, days),
    )
    orders, visits = draw_times(dice("times"), scene)
    trade = _trade(dice, scene, orders)
    reviews = reviewing.feel(dice("moods"), scene, trade)
    talks = talking.converse(dice("talks"), scene, trade)
    first = _first_seconds(trade.orders, customers)
    created = _created_seconds(dice("created"), people, first)
    tables = {
        c.CUSTOMERS: customers_table(dice("customers"), people, words, start, created),
        c.PRODUCTS: products_table(scene.catalogue, words, start),
        c.EVENTS: browsing.events_table(dice("events"), scene, trade, visits),
        c.ORDERS: selling.orders_table(dice("orders"), scene, trade),
        c.REVIEWS: reviewing.reviews_table(dice("reviews"), scene, trade, reviews),
        c.MESSAGES: talking.messages_table(dice("messages"), scene, trade, talks),
        c.EXPOSURES: campaigns.exposures_table(dice("exposures"), scene.exposures, plan.campaigns, people, start),
        c.OUTCOMES: selling.outcomes_table(dice("outcomes"), scene, trade),
        c.STOCK: stock_table(dice("stock"), scene, trade),
        c.DOCUMENTS: talking.documents_table(words, start),
    }
    truth = {
        **planted.shop_frames(scene, season),
        "customers": planted.customers_frame(scene, _order_values(scene, trade), first),
        "exposures": planted.exposures_frame(scene),
        **planted.order_frames(scene, trade),
        **planted.catalogue_frames(scene),
        **planted.mishap_frames(scene, trade),
        **planted.talk_frames(scene, trade, reviews, talks),
    }
    return Simulated(tables, truth)


def _trade(dice: _Dice, scene: Scene, orders: Orders) -> Trade:
    """Fill the baskets, and let go wrong what goes wrong."""
    wanted = buying.fill_baskets(dice("baskets"), scene, orders)
    stock_outs = mishaps.empty_shelves(dice("shelves"), scene)
    lines, lost = mishaps.meet_empty_shelves(dice("lost"), scene, stock_outs, orders, wanted)
    fraud, orders, lines = mishaps.commit_fraud(dice("fraud"), scene, orders, lines)
    sales = selling.ring_up(dice("sales"), scene, orders, lines, fraud)
    returns = mishaps.send_back(dice("returns"), scene, orders, lines, fraud)
    return Trade(orders, lines, fraud, sales, returns, stock_outs, lost)


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


def _order_values(scene: Scene, trade: Trade) -> Floats:
    """Mean value of each customer's orders: the choice model's, scaled to what the group's orders really cost.

    The scale covers what has no closed form: deals in season, refills, empty shelves.
    """
    people, groups, customer = scene.people, len(scene.plan.groups), trade.orders.customer
    modelled = people.mean_lines * buying.mean_line_price(scene)
    paid = np.bincount(people.group[customer], trade.sales.total, minlength=groups)
    foreseen = np.bincount(people.group[customer], modelled[customer], minlength=groups)
    scale = np.divide(paid, foreseen, out=np.ones_like(paid), where=foreseen > 0)
    return np.asarray(modelled * scale[people.group])
