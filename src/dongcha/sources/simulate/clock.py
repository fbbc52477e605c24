"""The clock of orders: seasonal intensities, their running sum, and gaps drawn in its time.

A living customer orders when the customer's own clock has run one more gap. The clock runs at the order rate of the
moment (rate × season × decay × campaign), in days; gaps are Erlang(k) with mean 1 on the clock. So every chance of
ordering is a closed form of how far the clock has run since the last order.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import factorial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.sources.simulate.plan import GroupPlan, ShopPlan
from dongcha.sources.simulate.words import Festival

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAYS_PER_YEAR: Final = 365.25
PEAK_DAY: Final = 330
"""Day of the year at which the common yearly wave is highest."""
YEAR_END: Final = (11, 12)
SPARE_DRAWS: Final = 8
"""Gaps drawn beyond six standard deviations of the expected count."""


def festival_factors(start: date, days: int, festivals: tuple[Festival, ...]) -> Floats:
    """Pull of the festival of each day, 1 where there is none: (days,)."""
    dates = [start + timedelta(days=day) for day in range(days)]
    factors = [max([f.factor for f in festivals if f.first <= (d.month, d.day) <= f.last], default=1.0) for d in dates]
    return np.array(factors)


def seasons(plan: ShopPlan, start: date, days: int, festivals: tuple[Festival, ...]) -> Floats:
    """Relative order rate of each group and day, with mean 1 over a year: (groups, days)."""
    span = max(days, round(2 * DAYS_PER_YEAR))
    dates = [start + timedelta(days=day) for day in range(span)]
    weekly = np.array([plan.weekdays[d.weekday()] for d in dates])
    angle = np.array([d.timetuple().tm_yday - PEAK_DAY for d in dates]) * 2 * np.pi / DAYS_PER_YEAR
    common = weekly * (1 + plan.yearly_swing * np.cos(angle))
    festive = festival_factors(start, span, festivals)
    year_end = np.array([d.month in YEAR_END for d in dates])
    rows = [_season(group, common, festive, year_end) for group in plan.groups]
    return np.stack(rows)[:, :days]


def _season(group: GroupPlan, common: Floats, festive: Floats, year_end: Flags) -> Floats:
    raw = common * festive**group.festival_pull * np.where(year_end, group.year_end_pull, 1.0)
    return np.asarray(raw / raw[: round(2 * DAYS_PER_YEAR)].mean())


def run_until(cumulative: Floats, moment: Floats) -> Floats:
    """What the clock of each row (customers, days + 1) shows at a moment in days: (customers,)."""
    day = np.minimum(moment.astype(np.int64), cumulative.shape[1] - 2)
    rows = np.arange(len(moment))
    before, after = cumulative[rows, day], cumulative[rows, day + 1]
    return np.asarray(before + (after - before) * (moment - day))


def when_shows(cumulative: Floats, row: Ints, shown: Floats) -> Floats:
    """The moment, in days, at which the clock of `row` shows `shown`: (orders,)."""
    days = cumulative.shape[1]
    # One search over all rows: each is lifted above the one before it.
    lift = float(cumulative[:, -1].max()) + 1.0
    lifted = (cumulative + np.arange(len(cumulative))[:, None] * lift).ravel()
    place = np.searchsorted(lifted, shown + row * lift, side="right") - 1
    day = np.clip(place - row * days, 0, days - 2)
    before, after = cumulative[row, day], cumulative[row, day + 1]
    return np.asarray(day + np.clip((shown - before) / (after - before), 0.0, 1.0 - 1e-9))


def draw_orders(
    rng: np.random.Generator, cumulative: Floats, first: Floats, last: Floats, shape: Ints
) -> tuple[Ints, Floats]:
    """Row and clock of every order from the first (at `first`, in days) until `last`: two arrays (orders,)."""
    begin, end = run_until(cumulative, first), run_until(cumulative, np.maximum(first, last))
    room = end - begin
    draws = np.ceil(room + 6 * np.sqrt(room) + SPARE_DRAWS).astype(np.int64)
    row = np.repeat(np.arange(len(first)), draws)
    gaps = rng.standard_gamma(shape[row].astype(float)) / shape[row]
    total = np.cumsum(gaps)
    starts = np.cumsum(draws) - draws
    shown = total - np.repeat(total[starts] - gaps[starts], draws)
    kept = shown < room[row]
    rows = np.concatenate([np.arange(len(first)), row[kept]])
    clocks = np.concatenate([begin, begin[row[kept]] + shown[kept]])
    order = np.lexsort((clocks, rows))
    return rows[order], clocks[order]


def survival(shape: Ints, run: Floats) -> Floats:
    """Chance that an Erlang gap of mean 1 is longer than `run`: shape (n,), run (n, m), result (n, m)."""
    scaled = run * shape[:, None]
    terms = np.zeros_like(scaled)
    for j in range(int(shape.max(initial=1))):
        terms += np.where(j < shape[:, None], scaled**j / factorial(j), 0.0)
    return np.asarray(np.exp(-scaled) * terms)


def silence(shape: Ints, hazard: Floats, since_last: Floats, ahead: Floats) -> Floats:
    """Chance of no order while the clock runs `ahead` (n, days + 1, from 0), for living customers: (n,).

    `hazard` is the chance per day of stopping for good; stopping is taken to fall evenly within its day.
    """
    so_far = survival(shape, since_last[:, None])
    # Only one who stopped long ago can have been quiet for so long that the chance of it is zero in doubles.
    quiet = survival(shape, since_last[:, None] + ahead) / np.where(so_far > 0, so_far, 1.0)
    staying = np.exp(-hazard[:, None] * np.arange(ahead.shape[1]))
    stops = staying[:, :-1] - staying[:, 1:]
    return np.asarray((stops * (quiet[:, :-1] + quiet[:, 1:]) / 2).sum(1) + staying[:, -1] * quiet[:, -1])


def expected_orders(shape: Ints, hazard: Floats, since_last: Floats, ahead: Floats) -> Floats:
    """Expected orders of each day while the clock runs `ahead` (n, days + 1, from 0): (n, days)."""
    renewals = np.empty_like(ahead)
    for k in np.unique(shape):
        of = shape == k
        renewals[of] = _renewals(int(k), since_last[of], ahead[of])
    staying = np.exp(-hazard[:, None] * (np.arange(ahead.shape[1] - 1) + 0.5))
    return np.asarray(np.diff(renewals, axis=1) * staying)


def _renewals(k: int, since_last: Floats, ahead: Floats) -> Floats:
    """Expected whole gaps of k Poisson phases each, given how long the present gap has lasted.

    floor(x / k) = (x − x mod k) / k, and the remainder's chances follow from the k-th roots of unity.
    """
    phase = np.stack([(k * since_last) ** j / factorial(j) for j in range(k)])
    phase /= phase.sum(0)
    phases = (phase * np.arange(k)[:, None]).sum(0)[:, None] + k * ahead
    remainder = np.zeros_like(ahead)
    for m in range(k):
        turn = np.exp(2j * np.pi * m / k)
        spin = np.exp(k * ahead * (turn - 1)) * (phase * turn ** np.arange(k)[:, None]).sum(0)[:, None]
        for r in range(k):
            remainder += r * (spin * turn**-r).real / k
    return np.asarray((phases - remainder) / k)


def speeds(rate: Floats, season: Floats, arrival: Floats, half_life: Floats, first_day: int) -> Floats:
    """How fast each customer's clock runs on each day from `first_day` on, before campaigns: (n, days).

    `rate` is per day; `season` is (n, days); `half_life` is in days from `arrival`, infinite where nothing fades.
    """
    days = first_day + np.arange(season.shape[1]) + 0.5
    age = np.maximum(days - arrival[:, None], 0.0)
    return np.asarray(rate[:, None] * season * np.exp2(-age / half_life[:, None]))


def run_of(speed: Floats) -> Floats:
    """Running sum of the clock at the start of each day and at the end of the last: (n, days + 1)."""
    return np.concatenate([np.zeros((len(speed), 1)), np.cumsum(speed, axis=1)], axis=1)
