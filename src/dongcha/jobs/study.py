"""What a job works from: facts at cutoffs, examples with complete labels, and the plan of cutoffs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Final

import orjson
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.errors import MissingDataError
from dongcha.evaluation.splits import rolling_cutoffs, training_cutoffs
from dongcha.features.labels import span
from dongcha.features.point_in_time import DOES, Crowd, Snapshot
from dongcha.features.sequence import catalogue, timeline
from dongcha.features.texts import texts
from dongcha.features.traits import traits
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.history import History
from dongcha.insight_kit.versions import Versions
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.ledger import Ledger

Progress = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)."""

CODE_VERSION: Final = 8
"""Raise when a change of code changes answers, so that unchanged data is worked on again."""


SCRATCH: Final = ".trainings"
"""Where trainings of the behaviour model are kept, beside the versions; made again where it is deleted."""
MOST_HISTORIES: Final = 12
MOST_PAST: Final = 12
"""A model learns from at most this many cutoffs, the newest: with steps of a month, from a year of them."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Plan:
    """How the past is cut: horizon, days between cutoffs, number of folds, seed."""

    horizon: Horizon
    step_days: int
    folds: int
    seed: int


class Shelf:
    """Facts and labels that were computed once in this process, for whichever insight asks next."""

    def __init__(self) -> None:
        self._features: dict[object, pl.DataFrame] = {}
        self._labels: dict[object, pl.DataFrame] = {}
        self._histories: dict[object, History] = {}

    def features(self, snapshot: Snapshot, names: Sequence[str], crowd: Crowd) -> pl.DataFrame:
        """The snapshot's features by name, those not yet there computed in one go."""
        key = (snapshot.as_of, tuple(sorted(snapshot.versions.items())), crowd)
        there = self._features.get(key)
        missing = [name for name in names if there is None or name not in there.columns]
        if missing or there is None:
            found = snapshot.features(missing, crowd)
            there = found if there is None else pl.concat([there, found.drop(c.CUSTOMER_ID)], how="horizontal")
            self._features[key] = there
        return there.select(c.CUSTOMER_ID, *names)

    def history(self, snapshot: Snapshot, make: Callable[[], History]) -> History:
        """The history of a snapshot, one object for all who ask; the newest few are kept."""
        key = (snapshot.as_of, tuple(sorted(snapshot.versions.items())))
        if key not in self._histories:
            self._histories[key] = make()
        while len(self._histories) > MOST_HISTORIES:
            self._histories.pop(next(iter(self._histories)))
        return self._histories[key]

    def label(self, key: object, find: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What `find` finds, once per key."""
        if key not in self._labels:
            self._labels[key] = find()
        return self._labels[key]


@dataclass(frozen=True)
class Desk:
    """What every job is handed: where facts are, where conclusions go, and who asks when."""

    lake: Lake
    ledger: Ledger
    models: Versions
    plan: Plan
    clock: Callable[[], datetime]
    actor: str
    dongcha_version: str
    progress: Progress = field(default=silent)
    shelf: Shelf = field(default_factory=Shelf)

    def end(self) -> AsOf:
        """The midnight after the last order: the default cutoff, when everything in the lake has happened.

        Without orders, after the last thing that a customer did. Raises MissingDataError where nothing is loaded.
        """
        loaded = [name for name in DOES if name in self.lake.versions()]
        happened = [c.ORDERS] if c.ORDERS in loaded or not loaded else loaded
        last = max(span(self.lake, name)[1] for name in happened)
        return AsOf(_midnight(last)) + Horizon(1)


class Study:
    """One insight's facts and examples as seen from `as_of`, each computed once."""

    def __init__(self, desk: Desk, insight: Insight, as_of: AsOf) -> None:
        self.desk, self.insight, self.as_of = desk, insight, as_of
        self.versions = desk.lake.versions()
        self._fitted: dict[str, tuple[AsOf, Contender]] = {}
        self._lesson: tuple[AsOf, list[Example], Facts] | None = None

    def lesson(self, cutoff: AsOf) -> tuple[list[Example], Facts]:
        """What every contender learns from at a cutoff, the past and the facts then; that of the newest is kept."""
        if self._lesson is None or self._lesson[0] != cutoff:
            self._lesson = (cutoff, self.past(cutoff), self.facts(cutoff))
        return self._lesson[1:]

    def fitted(self, name: str, cutoff: AsOf, follow: Contender | None = None) -> Contender:
        """The contender fitted on all that was known at a cutoff; each one's newest is kept.

        `follow`: the champion whose names it goes on with, where it is of the same kind.
        """
        if self._fitted.get(name, (None,))[0] != cutoff:
            contender = self.insight.contender(name)
            if type(follow) is type(contender):
                contender.follow(follow)
            past, now = self.lesson(cutoff)
            contender.fit(past, now, seed=self.desk.plan.seed)
            self._fitted[name] = (cutoff, contender)
        return self._fitted[name][1]

    def missing_tables(self) -> list[str]:
        """The tables the insight needs that are not loaded."""
        return [name for name in self.insight.needs.tables if name not in self.versions]

    def require(self) -> None:
        """Raise MissingDataError where a needed table is not loaded."""
        if missing := self.missing_tables():
            raise MissingDataError(
                f"{self.insight.name} needs the table {' and '.join(missing)}, which is not loaded.",
                f"Load it with: dongcha load FILE --as {missing[0]}.",
            )

    def facts(self, as_of: AsOf) -> Facts:
        """The insight's features at a cutoff."""
        snapshot = Snapshot(self.desk.lake, as_of, self.versions)
        names = snapshot.available(self.insight.needs.features)
        features = self.desk.shelf.features(snapshot, names, self.insight.needs.crowd)
        features = features.rename({self.insight.entity: c.ENTITY_ID})
        history = self._history(snapshot) if self.insight.needs.history else None
        return Facts(as_of, self.desk.plan.horizon, features, history)

    def _history(self, snapshot: Snapshot) -> History:
        scratch, progress = self.desk.models.folder / SCRATCH, self.desk.progress

        made = History(
            partial(timeline, snapshot),
            partial(catalogue, snapshot),
            partial(traits, snapshot),
            partial(texts, snapshot),
            scratch,
            progress,
        )
        return self.desk.shelf.history(snapshot, lambda: made)

    def example(self, as_of: AsOf, known_by: AsOf, horizon: Horizon | None = None) -> Example:
        """Facts at a past cutoff with what happened in the horizon after it, as far as it was known by `known_by`."""
        ahead = horizon or self.desk.plan.horizon
        facts = replace(self.facts(as_of), horizon=ahead)
        return Example(facts, self.insight.label(facts, self._happened(Window.after(as_of, ahead), known_by)))

    def _happened(self, window: Window, known_by: AsOf) -> pl.DataFrame:
        """What the insight's labeller finds in a window."""
        find, versions = self.insight.needs.label, self.versions
        key = (find, window, known_by, tuple(sorted(versions.items())))
        return self.desk.shelf.label(key, lambda: find(self.desk.lake, window, versions, known_by=known_by))

    def groups(self, facts: Facts) -> pl.Series | None:
        """Each entity's group by the insight's `fair_by` column, where customers are loaded."""
        if self.insight.fair_by is None or c.CUSTOMERS not in self.versions:
            return None
        customers = Snapshot(self.desk.lake, facts.as_of, self.versions).table(c.CUSTOMERS)
        known = self.desk.lake.engine.to_polars(customers.select(c.CUSTOMER_ID, self.insight.fair_by))
        return facts.matched(known, c.CUSTOMER_ID)[self.insight.fair_by]

    def past(self, now: AsOf) -> list[Example]:
        """The training examples for a model that answers at `now`, oldest first: every label was complete by then.

        Where the history holds no whole horizon, the examples look half the history ahead and say so in
        `facts.horizon`; what a model then says of the whole horizon is its own extrapolation.
        """
        horizon = self.desk.plan.horizon
        moments = self._past_moments(now, horizon)
        if not moments:
            horizon = Horizon(max(1, (now.moment - self._first.moment).days // 2))
            moments = self._past_moments(now, horizon)
        examples = [self.example(moment, now, horizon) for moment in moments]
        return [example for example in examples if len(example.facts.features)]

    def fold_cutoffs(self) -> list[AsOf]:
        """The rolling backtest's cutoffs, oldest first: each has a complete horizon before `as_of` and a past."""
        plan = self.desk.plan
        moments = rolling_cutoffs(
            self._first, min(self.as_of, self._complete), plan.horizon, plan.step_days, plan.folds
        )
        whole = [moment for moment in moments if self._past_moments(moment, plan.horizon)]
        return whole or moments[-1:]

    def _past_moments(self, now: AsOf, horizon: Horizon) -> list[AsOf]:
        # Anchored where the facts are whole, so that the final training asks at the same moments as the folds.
        anchor = min(now, self._complete)
        return training_cutoffs(self._first, anchor, horizon, self.desk.plan.step_days)[-MOST_PAST:]

    def fingerprint(self, job: str, *more: str) -> str:
        """The same for the same work on the same facts."""
        return hashlib.sha256(orjson.dumps([job, self.recipe(), *more], option=orjson.OPT_SORT_KEYS)).hexdigest()

    def recipe(self) -> dict[str, Any]:
        """Everything that decides the outcome: data versions, settings, code."""
        plan = self.desk.plan
        return {
            "insight": self.insight.name,
            "config": self.insight.config.model_dump(mode="json"),
            "features": list(self.insight.needs.features),
            "as_of": str(self.as_of),
            "horizon_days": plan.horizon.days,
            "step_days": plan.step_days,
            "folds": plan.folds,
            "seed": plan.seed,
            "table_versions": self.versions,
            "dongcha": self.desk.dongcha_version,
            "code": CODE_VERSION,
        }

    @cached_property
    def _span(self) -> tuple[datetime, datetime]:
        """The first and the last row of the table that the insight needs first: how far the facts reach."""
        return span(self.desk.lake, self.insight.needs.tables[0])

    @property
    def _first(self) -> AsOf:
        return AsOf(self._span[0])

    @property
    def _complete(self) -> AsOf:
        """The midnight up to which the facts are whole: the last day is half a day, unless times are mere dates."""
        midnight = _midnight(self._span[1])
        return AsOf(midnight) + Horizon(1) if midnight == self._span[1] else AsOf(midnight)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def stamped(frame: pl.DataFrame, stamp: Mapping[str, Any]) -> pl.DataFrame:
    """The frame with a run's stamp (run_id, insight, version, as_of, made_at) on every row."""
    return frame.with_columns(pl.lit(value).alias(name) for name, value in stamp.items())
