"""What: the lines of each order, chosen by taste, dearness, companions, refills and deals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dongcha.sources.simulate.clock import Flags, Floats, Ints
from dongcha.sources.simulate.ordering import Orders
from dongcha.sources.simulate.scene import Scene

CHUNK: Final = 100_000
MOST_LINES: Final = 12
LONGEST_CHAIN: Final = 12
"""Companion steps followed in a row; longer runs stay at the last product."""
REFILL_ROUNDS: Final = 40
SECOND_ITEM_SHARE: Final = 0.18
DEPTHS: Final = (0.10, 0.40)
"""Deal depth: the least, and what full price sensitivity adds up to."""


@dataclass(frozen=True)
class Lines:
    """Order lines, sorted by order: (lines,)."""

    order: Ints
    product: Ints
    quantity: Ints
    deal: Floats
    """Share of the price taken off."""
    follows: Flags
    """Whether the line is the companion of the customer's previous line."""
    refill: Flags

    def __len__(self) -> int:
        return len(self.order)

    def only(self, kept: Flags | Ints) -> Lines:
        """The lines that are kept, in the order given."""
        return Lines(
            self.order[kept],
            self.product[kept],
            self.quantity[kept],
            self.deal[kept],
            self.follows[kept],
            self.refill[kept],
        )


def fill_baskets(rng: np.random.Generator, scene: Scene, orders: Orders) -> Lines:
    """Draw what is in every order."""
    people = scene.people
    per_order = np.minimum(1 + rng.poisson(people.mean_lines[orders.customer] - 1), MOST_LINES)
    order = np.repeat(np.arange(len(orders)), per_order)
    fresh = choose(rng, scene, orders.customer[order])
    product, follows = _follow(rng, scene, orders.customer[order], fresh)
    lines = _plain(order, product, follows)
    lines = _with_refills(rng, scene, orders, lines)
    customer, day = orders.customer[lines.order], orders.day[lines.order]
    return replace(
        lines,
        quantity=1 + (rng.random(len(lines)) < SECOND_ITEM_SHARE * (people.tier[customer] < 2)).astype(np.int64),
        deal=_deals(rng, scene, customer, scene.festive[day]),
    )


def choose(rng: np.random.Generator, scene: Scene, customer: Ints) -> Ints:
    """A product for each entry of `customer`, by category taste, popularity, latent taste and dearness."""
    product = np.empty(len(customer), dtype=np.int64)
    reach = np.cumsum(scene.people.taste, axis=1)
    for first in range(0, len(customer), CHUNK):
        who = customer[first : first + CHUNK]
        category = (rng.random(len(who))[:, None] > reach[who, :-1]).sum(1)
        chance = _chances(scene, who, category)
        place = (rng.random(len(who))[:, None] > np.cumsum(chance, axis=1)[:, :-1]).sum(1)
        product[first : first + CHUNK] = scene.catalogue.members[category, place]
    return product


def _chances(scene: Scene, customer: Ints, category: Ints) -> Floats:
    """Chance of each product of the category: (entries, largest category); absent products have none."""
    people, catalogue = scene.people, scene.catalogue
    members = catalogue.members
    there = np.maximum(members, 0)
    score = catalogue.popularity[there][category] + people.tier[customer, None] * catalogue.dearness[there][category]
    for factor in range(catalogue.latent.shape[1]):
        score += (
            scene.plan.taste_pull * people.latent[customer, factor, None] * catalogue.latent[there, factor][category]
        )
    score[members[category] < 0] = -np.inf
    chance = np.exp(score - score.max(1, keepdims=True))
    return np.asarray(chance / chance.sum(1, keepdims=True))


def mean_line_price(scene: Scene) -> Floats:
    """Expected list price of a line of each customer under the choice model, companions included: (customers,)."""
    people, catalogue, follow_share = scene.people, scene.catalogue, scene.plan.follow_share
    price, step = np.zeros(len(catalogue)), np.arange(len(catalogue))
    for run in range(LONGEST_CHAIN):
        price += (1 - follow_share) * follow_share**run * catalogue.price[step]
        step = catalogue.companion[step]
    mean = np.zeros(len(people))
    who = np.arange(len(people))
    for category, members in enumerate(catalogue.members):
        for first in range(0, len(who), CHUNK):
            part = who[first : first + CHUNK]
            chance = _chances(scene, part, np.full(len(part), category))
            mean[part] += people.taste[part, category] * (chance @ price[np.maximum(members, 0)])
    return mean


def _follow(rng: np.random.Generator, scene: Scene, customer: Ints, fresh: Ints) -> tuple[Ints, Flags]:
    """Let some lines be the companion of the same customer's line before."""
    follows = rng.random(len(fresh)) < scene.plan.follow_share
    follows[0] = False
    follows[1:] &= customer[1:] == customer[:-1]
    place = np.arange(len(fresh))
    root = np.maximum.accumulate(np.where(follows, 0, place))
    steps = np.minimum(place - root, LONGEST_CHAIN)
    product, ahead = fresh[root], np.arange(len(scene.catalogue))
    for step in range(1, LONGEST_CHAIN + 1):
        ahead = scene.catalogue.companion[ahead]
        product = np.where(steps == step, ahead[fresh[root]], product)
    return product, follows


def _plain(order: Ints, product: Ints, follows: Flags) -> Lines:
    n = len(order)
    return Lines(order, product, np.ones(n, dtype=np.int64), np.zeros(n), follows, np.zeros(n, dtype=bool))


def _with_refills(rng: np.random.Generator, scene: Scene, orders: Orders, lines: Lines) -> Lines:
    """Consumables run out: the first order after that holds the product again, for those who stay with it."""
    plan, catalogue = scene.plan, scene.catalogue
    span = float(orders.day.max()) + 2
    timeline = orders.customer * span + orders.day  # orders are sorted by it
    sought = lines.only(catalogue.refill_days[lines.product] > 0)
    found = []
    for _ in range(REFILL_ROUNDS):
        sought = sought.only(rng.random(len(sought)) < plan.replenish_share)
        if not len(sought):
            break
        empty = orders.day[sought.order] + catalogue.refill_days[sought.product] * rng.uniform(0.85, 1.15, len(sought))
        customer = orders.customer[sought.order]
        again = np.searchsorted(timeline, customer * span + np.minimum(empty, span - 1))
        held = (again < len(orders)) & (orders.customer[np.minimum(again, len(orders) - 1)] == customer)
        sought = replace(sought.only(held), order=again[held], refill=np.ones(held.sum(), dtype=bool))
        found.append(replace(sought, follows=np.zeros(len(sought), dtype=bool)))
    return _once_each(_stack([lines, *found]), len(catalogue))


def _stack(parts: list[Lines]) -> Lines:
    names = ("order", "product", "quantity", "deal", "follows", "refill")
    return Lines(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _once_each(lines: Lines, products: int) -> Lines:
    """A product stands on one line of an order, the first that names it; lines sorted by order."""
    _, first = np.unique(lines.order * products + lines.product, return_index=True)
    kept = lines.only(np.sort(first))
    return kept.only(np.argsort(kept.order, kind="stable"))


def _deals(rng: np.random.Generator, scene: Scene, customer: Ints, festive: Floats) -> Floats:
    """Share of the price taken off each line, in steps of 5 %."""
    plan, people = scene.plan, scene.people
    sensitivity = people.sensitivity[customer]
    chance = people.deal_share[customer] + plan.festival_deal_share * sensitivity * (festive > 1)
    depth = DEPTHS[0] + (DEPTHS[1] - DEPTHS[0]) * sensitivity * rng.random(len(customer))
    return np.where(rng.random(len(customer)) < chance, np.round(depth * 20) / 20, 0.0)
