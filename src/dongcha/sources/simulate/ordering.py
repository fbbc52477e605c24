"""When: every order and every visit of every customer, drawn from the customers' clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from dongcha.sources.simulate.campaigns import lift_speeds
from dongcha.sources.simulate.clock import Floats, Ints, draw_orders, run_of, run_until, speeds, when_shows
from dongcha.sources.simulate.frames import DAY_SECONDS
from dongcha.sources.simulate.scene import Scene

CHUNK: Final = 5000
"""Customers whose daily clocks are held in memory at once."""
HOURS: Final = np.array(
    [1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2, 3, 4, 4.5, 4.5, 5, 4.5, 4, 4, 4, 4.5, 5.5, 7, 8, 7.5, 5, 2.5]
)  # fmt: skip
"""Weight of each local hour of the day."""
EARLIEST_SECOND: Final = 2000
"""Orders leave room for the visit before them on the same (UTC) day."""


@dataclass(frozen=True)
class Orders:
    """Every order, sorted by customer, then clock: (orders,)."""

    customer: Ints
    clock: Floats
    """What the customer's clock showed: operational days since the window's start."""
    day: Ints
    second: Floats
    """Second of the day, UTC."""

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True)
class Visits:
    """Visits without an order: (visits,)."""

    customer: Ints
    day: Ints
    second: Floats


def draw_times(rng: np.random.Generator, scene: Scene) -> tuple[Orders, Visits]:
    """Draw the orders and visits of the whole window."""
    orders, visits = [], []
    for rows in _chunks(len(scene.people)):
        clock = _clocks(scene, rows)
        orders.append(_orders(rng, scene, clock, rows))
        visits.append(_visits(rng, scene, clock, rows))
    customer, shown, when = (np.concatenate(column) for column in zip(*orders, strict=True))
    visitor, visited = (np.concatenate(column) for column in zip(*visits, strict=True))
    day = when.astype(np.int64)
    offset = scene.words.utc_offset_hours
    second = _in_order(customer, day, seconds(rng, len(day), offset))
    return (
        Orders(customer, shown, day, second),
        Visits(visitor, visited.astype(np.int64), seconds(rng, len(visited), offset)),
    )


def seconds(rng: np.random.Generator, count: int, utc_offset_hours: int) -> Floats:
    """Seconds of the UTC day, drawn from the local hours of business."""
    share = np.roll(HOURS, -utc_offset_hours) / HOURS.sum()
    second = (rng.choice(len(HOURS), count, p=share) + rng.random(count)) * DAY_SECONDS / len(HOURS)
    return np.clip(second, EARLIEST_SECOND, DAY_SECONDS - 1)


def _chunks(count: int) -> Iterator[Ints]:
    for first in range(0, count, CHUNK):
        yield np.arange(first, min(first + CHUNK, count))


def _clocks(scene: Scene, rows: Ints) -> Floats:
    """Running clocks of the customers in `rows` over the window, campaigns included: (rows, days + 1)."""
    people, exposures = scene.people, scene.exposures
    speed = speeds(people.rate[rows], scene.season[people.group[rows]], people.arrival[rows], people.half_life[rows], 0)
    treated = exposures.treated & (exposures.customer >= rows[0]) & (exposures.customer <= rows[-1])
    for day in np.unique(exposures.day):
        lifted = exposures.customer[treated & (exposures.day == day)] - rows[0]
        lift_speeds(speed, lifted, people.lift[rows], int(day) + 1, scene.plan.campaigns.effect_days)
    return run_of(speed)


def _orders(rng: np.random.Generator, scene: Scene, clock: Floats, rows: Ints) -> tuple[Ints, Floats, Floats]:
    people = scene.people
    last = np.minimum(people.stopped[rows], scene.days)
    row, shown = draw_orders(rng, clock, people.arrival[rows], last, people.regularity[rows])
    return row + rows[0], shown, when_shows(clock, row, shown)


def _visits(rng: np.random.Generator, scene: Scene, clock: Floats, rows: Ints) -> tuple[Ints, Floats]:
    """Visits fall evenly on the clock: many while the customer lives, few afterwards."""
    plan, people = scene.plan, scene.people
    begin, stop = (run_until(clock, np.minimum(t[rows], scene.days)) for t in (people.arrival, people.stopped))
    end = clock[:, -1]
    keen = plan.browse_per_order * ~people.impostor[rows]
    parts = []
    for first, last, share in ((begin, stop, keen), (stop, end, keen * plan.browse_after_stopping)):
        count = rng.poisson(share * (last - first))
        row = np.repeat(np.arange(len(rows)), count)
        shown = first[row] + rng.random(len(row)) * (last - first)[row]
        parts.append((row + rows[0], when_shows(clock, row, shown)))
    visitor, visited = (np.concatenate(column) for column in zip(*parts, strict=True))
    return visitor, visited


def _in_order(customer: Ints, day: Ints, second: Floats) -> Floats:
    """The same seconds, put in order within each customer's day, so that the clock and the calendar agree."""
    return second[np.lexsort((second, day, customer))]
