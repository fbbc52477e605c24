"""The randomised campaigns: who is treated, who is held out, and what it does to the order rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.clock import Flags, Floats, Ints
from dongcha.sources.simulate.frames import DAY_SECONDS, conform, ids, moment, pick
from dongcha.sources.simulate.people import People
from dongcha.sources.simulate.plan import CampaignPlan

SENT_HOURS: Final = (7, 10)
CHANNELS: Final = ("email", "sms", "push")
OFFER: Final = "offer"


@dataclass(frozen=True)
class Exposures:
    """Who was in which campaign: (exposures,)."""

    customer: Ints
    campaign: Ints
    day: Ints
    treated: Flags


def campaign_names(plan: CampaignPlan) -> tuple[str, ...]:
    """`campaign_1`, `campaign_2`, … in the order they go out."""
    return tuple(f"campaign_{number}" for number in range(1, len(plan.starts) + 1))


def assign(rng: np.random.Generator, plan: CampaignPlan, people: People, days: int) -> Exposures:
    """Toss a coin for every customer who may be mailed and had ordered before the campaign."""
    parts = []
    for campaign, start in enumerate(plan.starts):
        day = int(start * days)
        reached = np.flatnonzero(people.consent & (people.arrival < day) & ~people.impostor)
        treated = rng.random(len(reached)) < plan.treated_share
        parts.append((reached, np.full(len(reached), campaign), np.full(len(reached), day), treated))
    customer, campaign_of, day_of, treated_of = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Exposures(customer, campaign_of, day_of, treated_of)


def lift_speeds(speed: Floats, rows: Ints, lift: Floats, first_day: int, effect_days: int) -> None:
    """Change the speeds (n, days) of `rows` in place by their `lift` (n,) on the `effect_days` from `first_day` on."""
    speed[rows, max(first_day, 0) : max(first_day + effect_days, 0)] *= 1 + lift[rows, None]


def exposures_table(
    rng: np.random.Generator, exposures: Exposures, plan: CampaignPlan, people: People, start: date
) -> pl.DataFrame:
    """The contract's exposures: one row per customer and campaign, in time."""
    n = len(exposures.customer)
    second = rng.uniform(SENT_HOURS[0], SENT_HOURS[1], n) * DAY_SECONDS / 24
    cost = pl.Series(np.where(exposures.treated, plan.cost, 0.0))
    return conform(
        c.EXPOSURES,
        {
            c.EXPOSURE_ID: ids("x", np.arange(1, n + 1), 7),
            c.CUSTOMER_ID: people.ids.gather(exposures.customer),
            c.CAMPAIGN: pick(campaign_names(plan), exposures.campaign),
            c.VARIANT: pick((c.CONTROL, OFFER), exposures.treated),
            c.CHANNEL: pick(CHANNELS, exposures.campaign % len(CHANNELS)),
            c.COST: cost,
            c.HAPPENED_AT: moment(start, exposures.day, second),
        },
    )
