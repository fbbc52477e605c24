"""What no model may see: planted traits as frames, and the exact chances that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import MissingDataError, UsageError
from dongcha.sources.simulate.campaigns import lift_speeds
from dongcha.sources.simulate.clock import (
    Flags,
    Floats,
    Ints,
    expected_orders,
    run_of,
    silence,
    speeds,
    survival,
    when_shows,
)

CHUNK: Final = 4000
Moment = AsOf | date | str


@dataclass(frozen=True)
class _State:
    """Some customers as they stand at a midnight: hidden traits, what the clock showed, and how it may run on."""

    rows: Ints
    alive: Flags
    observed_alive: Floats
    hazard: Floats
    regularity: Ints
    since_last: Floats
    """What the clock has run since the last order."""
    arms: list[tuple[Floats, Floats]]
    """For each way the coming campaigns may toss: its chance (n,), and the running clock ahead (n, days + 1)."""

    def mean(self, of: Callable[[Ints, Floats, Floats, Floats], Floats]) -> Floats:
        """Mean of a function of the clock ahead over the coming coin tosses, for living customers."""
        parts = [chance * of(self.regularity, self.hazard, self.since_last, ahead) for chance, ahead in self.arms]
        return np.asarray(np.sum(parts, axis=0))


@dataclass(frozen=True)
class Truth:
    """The truth of a simulated shop, from `Simulated.truth` or a folder that `write` filled.

    Every answer is about the customers whose first order was before `as_of`, which is a midnight (UTC).
    """

    frames: Mapping[str, pl.DataFrame]

    @classmethod
    def read(cls, folder: Path) -> Truth:
        """Read the `truth/` folder written beside the tables."""
        files = sorted(folder.glob("*.parquet"))
        if not files:
            raise MissingDataError(f"There is no planted truth in {folder}.", "Give the folder that write() made.")
        return cls({file.stem: pl.read_parquet(file) for file in files})

    def churn_probability(self, as_of: Moment, horizon_days: int) -> pl.DataFrame:
        """Exact chance of no order in `[as_of, as_of + horizon_days)`, one row per customer.

        `probability` knows all hidden traits and whether the customer is `alive`: nothing can do better.
        `observed_probability` knows the customer's traits and past orders but must infer whether the customer is
        alive: the best that can be done from order times alone. Coin tosses of coming campaigns are averaged over.
        """
        day = self._day(as_of, horizon_days)
        found = []
        for state in self._states(day, horizon_days):
            quiet = state.mean(silence)
            found.append(
                self._frame(state).with_columns(
                    probability=np.where(state.alive, quiet, 1.0),
                    observed_probability=1 - state.observed_alive * (1 - quiet),
                )
            )
        return pl.concat(found)

    def expected_spend(self, as_of: Moment, horizon_days: int) -> pl.DataFrame:
        """Expected orders and spend (after deals, before returns) in `[as_of, as_of + horizon_days)`.

        `observed_spend` must infer whether the customer is alive, as in `churn_probability`. Orders are exact; the
        value of an order is the choice model's mean for the customer, scaled to what the customer's group paid.
        """
        day = self._day(as_of, horizon_days)
        value = self.frames["customers"]["order_value"].to_numpy()
        found = []
        for state in self._states(day, horizon_days):
            orders = state.mean(lambda *clock: expected_orders(*clock).sum(1))
            found.append(
                self._frame(state).with_columns(
                    expected_orders=np.where(state.alive, orders, 0.0),
                    expected_spend=np.where(state.alive, orders, 0.0) * value[state.rows],
                    observed_spend=state.observed_alive * orders * value[state.rows],
                )
            )
        return pl.concat(found)

    def campaign_effect(self, campaign: str) -> pl.DataFrame:
        """What the campaign does to each customer it reached, treated or held out, while it works.

        Expected orders and chance of any order in the days from the exposure's to the last day of the effect, if
        treated and if held out; `effect_orders` and `effect_probability` are the differences.
        """
        plan = self.frames["campaigns"].filter(pl.col(c.CAMPAIGN) == campaign)
        if plan.is_empty():
            names = ", ".join(self.frames["campaigns"][c.CAMPAIGN])
            raise UsageError(f"There was no campaign '{campaign}'.", f"There were: {names}.")
        day, effect_days = plan["day"][0], plan["effect_days"][0]
        treated, held_out = (self._forced(day, effect_days + 1, arm) for arm in (True, False))
        both = treated.join(held_out, on=c.CUSTOMER_ID, suffix="_if_control", maintain_order="left")
        reached = self.frames["exposures"].filter(pl.col(c.CAMPAIGN) == campaign).select(c.CUSTOMER_ID, "treated")
        return (
            both.select(
                c.CUSTOMER_ID,
                orders_if_treated="orders",
                orders_if_control="orders_if_control",
                effect_orders=pl.col("orders") - pl.col("orders_if_control"),
                effect_probability=pl.col("probability") - pl.col("probability_if_control"),
            )
            .join(reached, on=c.CUSTOMER_ID, how="inner", maintain_order="left")
            .join(self.frames["customers"].select(c.CUSTOMER_ID, "response"), on=c.CUSTOMER_ID, maintain_order="left")
        )

    # -- inside

    @cached_property
    def _traits(self) -> dict[str, np.ndarray]:
        frame = self.frames["customers"]
        names = ("group_number", "arrival_day", "stopped_day", "rate_per_day", "dropout_per_day", "regularity")
        return {name: frame[name].to_numpy() for name in (*names, "half_life_days", "lift", "may_be_mailed")}

    @cached_property
    def _season(self) -> Floats:
        """(groups, days), some way beyond the window."""
        frame = self.frames["seasons"]
        return frame["factor"].to_numpy().reshape(frame["group_number"].n_unique(), -1)

    @property
    def start(self) -> date:
        """The first day of the window."""
        first: date = self.frames["shop"]["start"][0]
        return first

    def _day(self, as_of: Moment, horizon_days: int) -> int:
        moment = _midnight(as_of)
        day = (moment.date() - self.start).days
        days = int(self.frames["shop"]["days"][0])
        if not 0 < day <= days:
            raise UsageError(f"{as_of} is outside the shop's window.", f"It is {days} days long from {self.start}.")
        if horizon_days < 1 or day + horizon_days > self._season.shape[1]:
            most = self._season.shape[1] - day
            raise UsageError(f"A horizon of {horizon_days} days cannot be told.", f"Use 1 to {most} days.")
        return day

    def _states(self, day: int, horizon_days: int, forced: bool | None = None) -> Iterator[_State]:
        last = self._last_clock(day)
        rows = np.flatnonzero(self._traits["arrival_day"].astype(np.int64) < day)
        for first in range(0, len(rows), CHUNK):
            part = rows[first : first + CHUNK]
            yield self._state(part, last[part], day, horizon_days, forced)

    def _state(self, rows: Ints, last: Floats, day: int, horizon_days: int, forced: bool | None) -> _State:
        traits = {name: values[rows] for name, values in self._traits.items()}
        season = self._season[traits["group_number"], : day + horizon_days]
        arrival = traits["arrival_day"]
        speed = speeds(traits["rate_per_day"], season, arrival, traits["half_life_days"], 0)
        self._lift_past(speed, rows, traits["lift"], day)
        run = run_of(speed[:, :day])
        return _State(
            rows=rows,
            alive=traits["stopped_day"] > day,
            observed_alive=_chance_alive(run, last, traits["dropout_per_day"], traits["regularity"]),
            hazard=traits["dropout_per_day"],
            regularity=traits["regularity"],
            since_last=run[:, -1] - last,
            arms=self._arms(speed[:, day:], traits["lift"] * traits["may_be_mailed"], day, horizon_days, forced),
        )

    def _lift_past(self, speed: Floats, rows: Ints, lift: Floats, day: int) -> None:
        exposures = self.frames["exposures"].filter(pl.col("treated") & (pl.col("day") < day))
        for (sent,), group in exposures.group_by("day", maintain_order=True):
            _, lifted, _ = np.intersect1d(rows, group["customer_number"].to_numpy(), return_indices=True)
            lift_speeds(speed, lifted, lift, int(str(sent)) + 1, self._effect_days)

    def _arms(
        self, ahead: Floats, lift: Floats, day: int, horizon_days: int, forced: bool | None
    ) -> list[tuple[Floats, Floats]]:
        """Every way the campaigns within the horizon may toss, or the one way the first of them is forced to."""
        plan = self.frames["campaigns"]
        coming = plan.filter(pl.col("day").is_between(day, day + horizon_days - 2))
        tosses = product((True, False), repeat=len(coming)) if forced is None else [(forced,)]
        arms = []
        for toss in tosses:
            speed, chance = ahead.copy(), 1.0
            for treated, sent, share in zip(toss, coming["day"], coming["treated_share"], strict=False):
                chance *= 1.0 if forced is not None else share if treated else 1 - share
                if treated:
                    lift_speeds(speed, np.arange(len(lift)), lift, sent + 1 - day, self._effect_days)
            arms.append((np.full(len(lift), chance), run_of(speed)))
        return arms

    @cached_property
    def _effect_days(self) -> int:
        return int(self.frames["campaigns"]["effect_days"].to_numpy().max(initial=0))

    def _last_clock(self, day: int) -> Floats:
        """What each customer's clock showed at the last order before `day`."""
        orders = self.frames["orders"].filter(pl.col("day") < day)
        last = np.full(len(self.frames["customers"]), -np.inf)
        np.maximum.at(last, orders["customer_number"].to_numpy(), orders["clock"].to_numpy())
        return last

    def _forced(self, day: int, horizon_days: int, treated: bool) -> pl.DataFrame:
        found = []
        for state in self._states(day, horizon_days, treated):
            orders = state.mean(lambda *clock: expected_orders(*clock).sum(1))
            quiet = state.mean(silence)
            found.append(
                self._frame(state).select(
                    c.CUSTOMER_ID,
                    orders=np.where(state.alive, orders, 0.0),
                    probability=np.where(state.alive, 1 - quiet, 0.0),
                )
            )
        return pl.concat(found)

    def _frame(self, state: _State) -> pl.DataFrame:
        ids = self.frames["customers"][c.CUSTOMER_ID].gather(state.rows)
        return pl.DataFrame({c.CUSTOMER_ID: ids, "alive": state.alive})


def _chance_alive(run: Floats, last: Floats, hazard: Floats, regularity: Ints) -> Floats:
    """Chance that a customer with these traits is alive, given the orders so far and the silence since the last."""
    rows = np.arange(len(last))
    since = when_shows(run, rows, last)
    waited = np.maximum(np.arange(run.shape[1]) - since[:, None], 0.0)
    quiet = survival(regularity, np.maximum(run - last[:, None], 0.0))
    staying = np.exp(-hazard[:, None] * waited)
    gone = ((staying[:, :-1] - staying[:, 1:]) * (quiet[:, :-1] + quiet[:, 1:]) / 2).sum(1)
    here = staying[:, -1] * quiet[:, -1]
    return np.asarray(here / (here + gone))


def _midnight(as_of: Moment) -> datetime:
    if isinstance(as_of, str):
        as_of = AsOf.parse(as_of)
    if isinstance(as_of, AsOf):
        moment = as_of.moment
    elif isinstance(as_of, datetime):
        moment = as_of.astimezone(UTC)
    else:
        moment = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    if moment.time() != datetime.min.time():
        raise UsageError(f"{as_of} is not a midnight (UTC).", "The planted truth is told at whole days.")
    return moment
