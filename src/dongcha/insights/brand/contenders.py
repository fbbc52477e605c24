"""Who may say whether a mood is turning: a filter over turns, and the simple ways that it must beat."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.moods import Moods
from dongcha.insight_kit.vocabulary import DAY_MICROSECONDS
from dongcha.insights.brand.days import by_day, moods_of
from dongcha.insights.brand.series import series
from dongcha.models.change.spread import Days, Spread
from dongcha.models.change.three_sigma import SIGMAS, normal_chance, three_sigma
from dongcha.models.change.turns import Observed, Told, Turns

LEVEL: Final = "brand_mood"
CHANGE: Final = "mood_change"
TURNED: Final = "mood_turned"
ALERT: Final = "mood_alert"
SINCE: Final = "mood_since_days"
FALLING, RISING, STEADY = "falling", "rising", "steady"
RECENT_DAYS: Final = 90
"""A turn longer ago is no news: the level is what it is."""
FILE: Final = "spread.json"
TURNS_FILE: Final = "turns.json"


@dataclass(frozen=True)
class Found:
    """One subject now: what was told of its days, and the chance of a turn that raises an alarm."""

    told: Told
    alarm_at: float


class Watch(Contender):
    """What all share: moods by day, what they spread by (of subjects of one kind together), and how it is told."""

    def __init__(self, best_rating: float, alert_at: float) -> None:
        self.best_rating, self.alert_at = best_rating, alert_at

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        said = said_of(now)
        self.moods = moods_of(said, self.best_rating, seed=seed)
        seen = by_day(self.moods.of(said))
        kinds: dict[str, list[Days]] = {}
        for subject in sorted(seen.keys() & set(now.entities)):
            kinds.setdefault(kind_of(subject), []).append(seen[subject])
        self.spreads = {kind: Spread.fit(things) for kind, things in sorted(kinds.items())}
        self.learn({kind: [self.spreads[kind].worth(each) for each in things] for kind, things in kinds.items()})

    def learn(self, things: dict[str, list[Observed]]) -> None:
        """More, from the subjects of each kind."""

    @abstractmethod
    def watch(self, kind: str, days: Days, until: float) -> Found:
        """One subject's days, up to the day `until`; moods are in [0, 1]."""

    def watched(self, facts: Facts) -> list[tuple[Days, Spread, Found] | None]:
        """Row by row with the facts; None for one of which nothing is known."""
        seen = by_day(self.moods.of(said_of(facts)))
        until = facts.as_of.moment.timestamp() * 1e6 / DAY_MICROSECONDS - 1
        found: list[tuple[Days, Spread, Found] | None] = []
        for subject in facts.entities:
            days, kind = seen.get(subject), self.known_kind(subject)
            found.append(None if days is None else (days, self.spreads[kind], self.watch(kind, days, until)))
        return found

    def known_kind(self, subject: str) -> str:
        """The subject's kind, or where nothing was learnt of it, another."""
        kind = kind_of(subject)
        return kind if kind in self.spreads else next(iter(self.spreads))

    def predict(self, facts: Facts) -> pl.DataFrame:
        today = facts.as_of.moment.timestamp() * 1e6 / DAY_MICROSECONDS
        rows: list[tuple[float, float, float, str, float | None]] = []
        for subject, each in zip(facts.entities, self.watched(facts), strict=True):
            unknown = 2 * self.spreads[self.known_kind(subject)].mean - 1
            rows.append((unknown, 0.0, 0.0, STEADY, None) if each is None else row(each[0], each[2], today))
        kinds = {LEVEL: pl.Float64, CHANGE: pl.Float64, TURNED: pl.Float64, ALERT: pl.String, SINCE: pl.Float64}
        told = pl.DataFrame(rows, schema=kinds, orient="row")
        return pl.concat([facts.features.select(c.ENTITY_ID), told], how="horizontal")

    def beside(self, facts: Facts) -> pl.DataFrame:
        """The moods and the number of reviews over time."""
        return series(said_of(facts), [each and (each[0], each[1], each[2].told) for each in self.watched(facts)])

    def save(self, folder: Path) -> None:
        kept = {kind: asdict(spread) for kind, spread in self.spreads.items()}
        (folder / FILE).write_text(json.dumps(kept, indent=1), "utf-8")
        self.moods.save(folder)

    def load(self, folder: Path) -> None:
        kept = json.loads((folder / FILE).read_text("utf-8"))
        self.spreads = {kind: Spread(**spread) for kind, spread in kept.items()}
        self.moods = Moods.load(folder)


class TurningLevel(Watch):
    """Levels that hold and then turn, each review an observation: see `models.change.turns`."""

    name = "turning_level"

    def learn(self, things: dict[str, list[Observed]]) -> None:
        spreads = self.spreads
        self.turns = {
            kind: Turns.fit(seen, spreads[kind].mean, spreads[kind].strength, window_days=RECENT_DAYS)
            for kind, seen in things.items()
        }

    def watch(self, kind: str, days: Days, until: float) -> Found:
        return Found(self.turns[kind].follow(self.spreads[kind].worth(days), until), self.alert_at)

    def save(self, folder: Path) -> None:
        super().save(folder)
        kept = {kind: asdict(turns) for kind, turns in self.turns.items()}
        (folder / TURNS_FILE).write_text(json.dumps(kept, indent=1), "utf-8")

    def load(self, folder: Path) -> None:
        super().load(folder)
        kept = json.loads((folder / TURNS_FILE).read_text("utf-8"))
        self.turns = {kind: Turns(**turns) for kind, turns in kept.items()}


class ThreeSigma(Watch):
    """The control chart: an alarm where a week's mean leaves three standard deviations of the weeks before."""

    name = "three_sigma"
    role = Role.BASELINE

    def watch(self, kind: str, days: Days, until: float) -> Found:
        told = three_sigma(Observed(days.day, days.number, days.total), window_days=RECENT_DAYS)
        sure = normal_chance(SIGMAS)
        if max(told.down[-1], told.up[-1]) < sure or days.day[told.began[-1]] <= until - RECENT_DAYS:
            return Found(steady(days, long_run(days, self.spreads[kind])), 1.0)
        return Found(told, sure)


class LongRunMean(Watch):
    """The mean of all that was said, shrunk towards that of its kind where little was; it never raises an alarm."""

    name = "long_run_mean"
    role = Role.BASELINE

    def watch(self, kind: str, days: Days, until: float) -> Found:
        return Found(steady(days, long_run(days, self.spreads[kind])), 1.0)


class RecentMean(Watch):
    """The mean of the last 90 days, shrunk towards the long run's; it never raises an alarm."""

    name = "recent_mean"
    role = Role.BASELINE

    def watch(self, kind: str, days: Days, until: float) -> Found:
        spread = self.spreads[kind]
        level, late = long_run(days, spread), days.day > until - RECENT_DAYS
        worth = spread.worth(days)
        mean = (worth.total[late].sum() + spread.strength * level) / (worth.number[late].sum() + spread.strength)
        return Found(steady(days, float(mean)), 1.0)


def said_of(facts: Facts) -> pl.DataFrame:
    """All reviews, once for each thing that they speak of."""
    assert facts.texts is not None, "these entities are not what reviews speak of"
    return facts.texts


def kind_of(subject: str) -> str:
    """What a subject is: shop, brand, category or product."""
    return subject.split("/", maxsplit=1)[0]


def long_run(days: Days, spread: Spread) -> float:
    """The mean of all, shrunk."""
    worth = spread.worth(days)
    return float((worth.total.sum() + spread.strength * spread.mean) / (worth.number.sum() + spread.strength))


def steady(days: Days, level: float) -> Told:
    """One level, without a turn."""
    flat, zero = np.full(len(days.day), level), np.zeros(len(days.day))
    return Told(zero, zero, flat, zero, flat, np.zeros(len(flat), np.int64), flat)


def row(days: Days, found: Found, today: float) -> tuple[float, float, float, str, float | None]:
    """A subject's answer, as moods from -1 to 1."""
    told = found.told
    down, up = float(told.down[-1]), float(told.up[-1])
    sure = min(max(down, up), 1.0)
    alert = STEADY if sure < found.alarm_at else (FALLING if down >= up else RISING)
    since = None if alert == STEADY else today - float(days.day[told.began[-1]])
    change = 0.0 if alert == STEADY else 2 * float(told.level[-1] - told.before[-1])
    return 2 * float(told.level[-1]) - 1, change, sure, alert, since
