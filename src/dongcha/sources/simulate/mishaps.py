"""What goes wrong: empty shelves, fraud, goods sent back, attempts cancelled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dongcha.sources.simulate.buying import Lines
from dongcha.sources.simulate.clock import Flags, Floats, Ints
from dongcha.sources.simulate.frames import DAY_SECONDS
from dongcha.sources.simulate.ordering import Orders
from dongcha.sources.simulate.scene import Scene

WEEK: Final = 7
NIGHT_HOURS: Final = (1, 5)
"""Local hours in which fraud likes to order."""
HONEST: Final = "honest"
KINDS: Final = (HONEST, "impostor", "takeover")


@dataclass(frozen=True)
class StockOuts:
    """Products without stock: from `first` until before `end`, in days: (stock-outs,)."""

    product: Ints
    first: Ints
    end: Ints

    def covers(self, products: int, days: int) -> Flags:
        """Whether a product is out on a day: (products, days)."""
        out = np.zeros((products, days), dtype=bool)
        for product, first, end in zip(self.product, self.first, self.end, strict=True):
            out[product, first:end] = True
        return out


@dataclass(frozen=True)
class LostDemand:
    """Lines for a product that was out; `instead` is the product taken instead, −1 where the line was lost."""

    order: Ints
    product: Ints
    instead: Ints


def empty_shelves(rng: np.random.Generator, scene: Scene) -> StockOuts:
    """Draw stock-outs, never two at once in a category, so that a substitute is always there."""
    plan, weeks = scene.plan.mishaps, scene.days // WEEK
    shortest, longest = (max(1, d // WEEK) for d in plan.stock_out_days)
    found = []
    for members in scene.catalogue.members:
        of = rng.permutation(members[members >= 0])
        of = of[: min(round(plan.stock_out_share * len(of)), len(of) - 1)]
        # Each product has its own slot of the window.
        slot = weeks / max(len(of), 1)
        for place, product in enumerate(of):
            length = min(int(rng.integers(shortest, longest + 1)), int(slot) - 1)
            first = int(place * slot + rng.integers(0, max(int(slot) - length, 1)))
            if length > 0:
                found.append((int(product), first * WEEK, (first + length) * WEEK))
    rows = np.array(found, dtype=np.int64).reshape(-1, 3)
    return StockOuts(rows[:, 0], rows[:, 1], rows[:, 2])


def meet_empty_shelves(
    rng: np.random.Generator, scene: Scene, stock_outs: StockOuts, orders: Orders, lines: Lines
) -> tuple[Lines, LostDemand]:
    """Lose or substitute the lines whose product is out; no order loses its only line."""
    catalogue, out = scene.catalogue, stock_outs.covers(len(scene.catalogue), scene.days)
    missing = out[lines.product, orders.day[lines.order]]
    lines_left = np.bincount(lines.order[~missing], minlength=len(orders))
    needed = lines_left[lines.order] == 0
    swapped = missing & (needed | (rng.random(len(lines)) < scene.plan.mishaps.substituted_share))
    instead = catalogue.substitutes[lines.product, 0]
    lost = LostDemand(lines.order[missing], lines.product[missing], np.where(swapped, instead, -1)[missing])
    product = np.where(swapped, instead, lines.product)
    kept = replace(lines, product=product, follows=lines.follows & ~swapped, refill=lines.refill & ~swapped)
    kept = kept.only(~missing | swapped)
    _, first = np.unique(kept.order * len(catalogue) + kept.product, return_index=True)
    return kept.only(np.sort(first)), lost


@dataclass(frozen=True)
class Fraud:
    """What is wrong with each order: (orders,)."""

    kind: Ints
    """Index into KINDS."""
    elsewhere: Flags
    """Whether the order goes to another city than the customer's."""
    city: Ints

    @property
    def fraudulent(self) -> Flags:
        return self.kind > 0


def commit_fraud(rng: np.random.Generator, scene: Scene, orders: Orders, lines: Lines) -> tuple[Fraud, Orders, Lines]:
    """Mark the fraudulent orders and give them their pattern: at night, to another city, several of a dear thing."""
    plan, people = scene.plan.mishaps, scene.people
    age = orders.day - people.arrival[orders.customer]
    impostor = people.impostor[orders.customer]
    takeover = ~impostor & (age > plan.takeover_after_days) & (rng.random(len(orders)) < plan.takeover_share)
    fraud = impostor | takeover
    elsewhere = rng.random(len(orders)) < np.where(fraud, plan.fraud_mismatch_share, people.gift_share[orders.customer])
    own = people.city[orders.customer]
    other = (own + rng.integers(1, int(people.city.max()) + 1, len(orders))) % (int(people.city.max()) + 1)
    at_night = fraud & (rng.random(len(orders)) < plan.fraud_night_share)
    night = (rng.uniform(*NIGHT_HOURS, len(orders)) - scene.words.utc_offset_hours) % 24 * DAY_SECONDS / 24
    second = _sorted_within_days(orders, np.where(at_night, night, orders.second), fraud)
    several = fraud[lines.order] & (rng.random(len(lines)) < 0.5)
    quantity = np.where(several, plan.fraud_quantity, lines.quantity)
    deal = np.where(fraud[lines.order], 0.0, lines.deal)
    kind = np.where(takeover, 2, np.where(impostor, 1, 0))
    return (
        Fraud(kind, elsewhere, np.where(elsewhere, other, own)),
        replace(orders, second=second),
        replace(lines, quantity=quantity, deal=deal),
    )


def _sorted_within_days(orders: Orders, second: Floats, changed: Flags) -> Floats:
    """Keep clock and calendar in one order where a customer ordered twice on a day that changed."""
    earliest = np.maximum(second, orders.second.min())
    resorted = earliest[np.lexsort((earliest, orders.day, orders.customer))]
    return resorted if changed.any() else second


@dataclass(frozen=True)
class Returns:
    """Lines sent back: index into the lines, the day they came back, how many: (returns,)."""

    line: Ints
    day: Ints
    quantity: Ints


def send_back(rng: np.random.Generator, scene: Scene, orders: Orders, lines: Lines, fraud: Fraud) -> Returns:
    """Draw the returns that fall within the window."""
    plan = scene.plan.mishaps
    line = np.flatnonzero((rng.random(len(lines)) < plan.return_share) & ~fraud.fraudulent[lines.order])
    day = (orders.day[lines.order[line]] + np.ceil(rng.uniform(*plan.return_days, len(line)))).astype(np.int64)
    within = day < scene.days
    return Returns(line[within], day[within], lines.quantity[line[within]])
