"""The one file that wires settings → engine → lake → ledger → registry; it alone knows everybody."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dongcha import __version__
from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.errors import MissingDataError, UnknownError, UsageError
from dongcha.settings import FILE, TEMPLATE, Settings, read_settings

if TYPE_CHECKING:
    import polars as pl

    from dongcha.access.access import Access
    from dongcha.answers import answering
    from dongcha.answers.answering import Answer
    from dongcha.answers.escalation import Mood
    from dongcha.answers.index import Index
    from dongcha.insight_kit.base import Insight
    from dongcha.insight_kit.contest import Fold
    from dongcha.insight_kit.registry import Registry
    from dongcha.insight_kit.telling import Reader
    from dongcha.jobs.background import Background
    from dongcha.jobs.erase import Erasure
    from dongcha.jobs.flush import Flushed
    from dongcha.jobs.ingest import LoadReport
    from dongcha.jobs.publish import Published
    from dongcha.jobs.run import Outcome
    from dongcha.jobs.score import Scored
    from dongcha.jobs.study import Desk, Progress, Study
    from dongcha.jobs.train import Trained
    from dongcha.models.text.encoders import Encoder
    from dongcha.warehouse.engine import Engine
    from dongcha.warehouse.inbox import Inbox
    from dongcha.warehouse.lake import Lake
    from dongcha.warehouse.ledger import Ledger
    from dongcha.warehouse.view import View

T = TypeVar("T")


def utc_now() -> datetime:
    """The clock: the only place that asks what time it is."""
    return datetime.now(UTC)


def new_workspace(folder: Path, **options: str | int) -> Path:
    """Make a workspace: a folder with a commented `dongcha.toml`, which is returned.

    Raises UsageError where there is one already.
    """
    file = folder / FILE
    if file.exists():
        raise UsageError(f"{file} is there already.", "Choose another folder, or edit it.")
    folder.mkdir(parents=True, exist_ok=True)
    text = TEMPLATE
    for name, value in options.items():
        default = next(line for line in TEMPLATE.splitlines() if line.startswith(f"{name} = "))
        text = text.replace(default, f"{name} = {json.dumps(value, ensure_ascii=False)}")
    file.write_text(text, "utf-8")
    return file


class Shop:
    """A workspace, opened: load facts, run insights, read what was concluded.

    >>> import tempfile, dongcha
    >>> shop = dongcha.open(tempfile.mkdtemp())
    >>> shop.status()["tables"]
    []
    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = utc_now, progress: Progress | None = None
    ) -> None:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", f"Make a workspace: dongcha new {folder}.")
        self.folder = folder
        self.clock = clock
        self._progress = progress

    # -- the parts, made when first asked for, so that a question costs only what it needs

    @cached_property
    def settings(self) -> Settings:
        return read_settings(self.folder)

    @cached_property
    def engine(self) -> Engine:
        from dongcha.warehouse.engine import SCRATCH, Engine

        return Engine(self.folder / SCRATCH, threads=self.settings.threads)

    @cached_property
    def lake(self) -> Lake:
        from dongcha.warehouse.lake import Lake

        return Lake(self.folder / "lake", self.engine)

    @cached_property
    def ledger(self) -> Ledger:
        from dongcha.warehouse.ledger import Ledger

        return Ledger(self.folder / "ledger")

    @cached_property
    def inbox(self) -> Inbox:
        """Where events wait for the lake; see `dongcha.warehouse.inbox`."""
        from dongcha.sources.segment import deeds_of
        from dongcha.warehouse.inbox import open_inbox

        settings = self.settings.inbox
        return open_inbox(self.folder, settings.url, most_waiting=settings.most_waiting, read=deeds_of)

    @cached_property
    def insights(self) -> Registry:
        from dongcha.insight_kit.registry import Registry

        return Registry(self.settings.insights)

    @cached_property
    def desk(self) -> Desk:
        from dongcha.insight_kit.versions import Versions
        from dongcha.jobs.study import Desk, Plan, silent

        time = self.settings.time
        return Desk(
            lake=self.lake,
            ledger=self.ledger,
            models=Versions(self.folder / "models"),
            plan=Plan(Horizon(time.horizon_days), time.step_days, time.folds, self.settings.seed),
            clock=self.clock,
            actor=_actor(),
            dongcha_version=__version__,
            progress=self._progress or silent,
        )

    @cached_property
    def view(self) -> View:
        """The serving view, in which other parts look customers up in milliseconds; `publish` makes it."""
        from dongcha.warehouse.view import FILE, View

        return View(self.folder / FILE)

    @cached_property
    def access(self) -> Access:
        from dongcha.access.access import Access

        return Access(self.folder, self.clock)

    @cached_property
    def background(self) -> Background:
        from dongcha.jobs.background import Background

        return Background(self.folder, self.clock)

    # -- facts in

    def load(
        self,
        file: str | Path,
        table: str,
        *,
        map: Mapping[str, str] | None = None,
        set: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> LoadReport:
        """Load a file into a table; see `dongcha.jobs.ingest.load_file`."""
        from dongcha.jobs.ingest import load_file

        return load_file(
            self.lake,
            Path(file),
            table,
            map=map or {},
            set=set or {},
            time_zone=self.settings.shop.time_zone,
            dry_run=dry_run,
            progress=self.desk.progress,
            loaded_at=self.clock(),
        )

    def load_layout(self, layout: str, path: str | Path, *, dry_run: bool = False) -> list[LoadReport]:
        """Load a known public layout; see `dongcha.jobs.ingest.load_layout`."""
        from dongcha.jobs.ingest import load_layout

        return load_layout(
            self.lake, layout, Path(path), dry_run=dry_run, progress=self.desk.progress, loaded_at=self.clock()
        )

    def flush(self) -> Flushed:
        """Move what waits in the inbox into the lake, all of it; see `dongcha.jobs.flush`."""
        from dongcha.jobs.flush import flush_all

        return flush_all(self.lake, self.inbox, self.clock(), self.settings.inbox.remember_days)

    def erase(self, customer_id: str) -> Erasure:
        """Let everything about one customer leave the workspace; see `dongcha.jobs.erase`."""
        from dongcha.jobs.erase import Place, erase

        entities = {insight.name: insight.entity for insight in self.insights}
        place = Place(self.folder, self.desk, self.inbox, entities, lambda: self.publish(again=True))
        return erase(place, customer_id)

    # -- insight out

    def as_of(self, moment: str | AsOf | None = None) -> AsOf:
        """The cutoff asked for; by default the midnight after the last order."""
        if moment is None:
            return self.desk.end()
        return moment if isinstance(moment, AsOf) else AsOf.parse(moment)

    def run(self, *, as_of: str | AsOf | None = None) -> list[Outcome]:
        """Backtest, train, promote and score every insight whose tables are loaded; only what changed. Then publish."""
        from dongcha.jobs.run import run

        outcomes = run(self.desk, self.insights, self.as_of(as_of))
        self.publish()
        return outcomes

    def train(self, *names: str, as_of: str | AsOf | None = None) -> dict[str, Trained]:
        """Train these insights (all by default): insight → what came of it."""
        from dongcha.jobs.train import train

        return {insight.name: done for insight, done in self._each(train, names, as_of)}

    def score(self, *names: str, as_of: str | AsOf | None = None) -> dict[str, Scored]:
        """Let the champions of these insights (all by default) answer: insight → what came of it. Then publish."""
        from dongcha.jobs.score import score

        scored = {insight.name: done for insight, done in self._each(score, names, as_of)}
        self.publish()
        return scored

    def publish(self, *, again: bool = False) -> Published:
        """Make the serving view where facts or answers are newer than it, or `again`; see `dongcha.jobs.publish`."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.jobs.publish import publish
        from dongcha.profiles.overview import shop_in_numbers
        from dongcha.profiles.portraits import Portraits

        horizon = self.desk.plan.horizon

        def portray() -> Portraits:
            return Portraits(Snapshot(self.lake, self.as_of()), self.ledger, list(self.insights))

        def tell(portraits: Portraits) -> dict[str, Any]:
            grouped = [k.name for k in portraits.runs if any(output.kind == "group" for output in k.yields)]
            groups = {name: self.groups(name).to_dicts() for name in grouped}
            numbers = shop_in_numbers(portraits.snapshot, horizon)
            return {"overview": numbers, "groups": groups, "currency": self.currency}

        settings = [horizon.days, self.settings.shop.currency]
        return publish(self.desk, self.view, portray, tell, settings, again=again)

    def backtest(self, *names: str, as_of: str | AsOf | None = None, folds: int | None = None) -> list[dict[str, Any]]:
        """Rolling backtests of these insights (all by default): one dict per fold, as `--json` prints them."""
        from dongcha.jobs.backtest import backtest, report

        horizon = self.desk.plan.horizon.days
        done = self._each(backtest, names, as_of, folds)
        return [row for insight, tested in done for row in report(insight, tested, horizon)]

    def folds(self, name: str, *, as_of: str | AsOf | None = None) -> list[Fold]:
        """The folds of one insight's backtest."""
        from dongcha.jobs.backtest import backtest

        return [fold for _, tested in self._each(backtest, [name], as_of) for fold in tested]

    def scores(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """The newest answer of an insight (at a cutoff): entity_id + one column per output.

        Raises MissingDataError where it was never scored.
        """
        from dongcha.insight_kit.outputs import from_rows
        from dongcha.warehouse.ledger import SCORES

        return from_rows(self.insights[name].yields, self.ledger.of_run(SCORES, self.last_score(name, as_of)[c.RUN_ID]))

    def reasons(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """The reasons behind the newest answer of an insight (at a cutoff)."""
        from dongcha.warehouse.ledger import REASONS

        return self.ledger.of_run(REASONS, self.last_score(name, as_of)[c.RUN_ID]).sort(c.ENTITY_ID, c.RANK)

    def reasons_by_entity(self, name: str, *, as_of: str | AsOf | None = None) -> dict[str, list[dict[str, Any]]]:
        """Entity → its reasons, strongest first: feature, value, typical, effect."""
        by_entity: dict[str, list[dict[str, Any]]] = {}
        for row in self.reasons(name, as_of=as_of).iter_rows(named=True):
            kept = {k: row[k] for k in (c.FEATURE, c.VALUE, c.TYPICAL, c.EFFECT)}
            by_entity.setdefault(row[c.ENTITY_ID], []).append(kept)
        return by_entity

    def groups(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """The groups of an insight, largest first: size, share, mean of every other insight's numbers, movement.

        `came` and `left` count moves since one horizon before, where that date was scored too (`run` does). Groups of
        texts have their mean `rating` instead, and `trend`, the share of the last horizon over that of all time.
        """
        from dongcha.profiles.groups import net_movement, rated_since, summarise, with_trend

        column = next(output.name for output in self.insights[name].yields if output.kind == "group")
        now = self.scores(name, as_of=as_of)
        entity = self.insights[name].entity
        others = [self.scores(k.name) for k in self._scored_of(entity) if k.name != name]
        if entity == c.TEXT_ID:
            since = AsOf(self.last_score(name, as_of)[c.AS_OF]) - self.desk.plan.horizon
            return with_trend(summarise(now, column, [*others, rated_since(self.said, since)]))
        found = summarise(now, column, others)
        moves = self.movement(name, as_of=as_of)
        if moves is None:
            return found
        return found.join(net_movement(moves), left_on=column, right_on="group", how="left", maintain_order="left")

    def aspects(self, name: str = "sentiment", *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """What is praised and what is blamed, what most texts name first; see `profiles.aspects.summarise_aspects`."""
        from dongcha.insight_kit.outputs import FELT
        from dongcha.profiles.aspects import summarise_aspects

        column = next(output.name for output in self.insights[name].yields if output.unit == FELT)
        return summarise_aspects(self.scores(name, as_of=as_of), column, self.said)

    def movement(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame | None:
        """Who went from which group to which over the last horizon: from, to, customers; None if not scored then."""
        from dongcha.profiles.groups import movement

        column = next(output.name for output in self.insights[name].yields if output.kind == "group")
        cutoff = AsOf(self.last_score(name, as_of)[c.AS_OF])
        try:
            before = self.scores(name, as_of=cutoff - self.desk.plan.horizon)
        except MissingDataError:
            return None
        return movement(before, self.scores(name, as_of=cutoff), column)

    def alerts(self, *, as_of: str | AsOf | None = None) -> list[dict[str, Any]]:
        """Whose mood is turning, the surest first, and why; see `dongcha.profiles.alerts`."""
        from dongcha.profiles.alerts import alerts

        cutoff = AsOf(self.last_score("brand", as_of)[c.AS_OF])
        said, topics = self.opinions(cutoff)
        reasons = self.reasons_by_entity("brand", as_of=as_of)
        return alerts(self.scores("brand", as_of=as_of), said, topics, reasons, cutoff)

    def opinions(self, as_of: AsOf) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What reviews say of each subject before a cutoff, with its `mood`; and the topic of each text.

        A review's mood is its rating's; without one, what `sentiment` says of it. Topics are those of the newest answer
        of `topics`, no rows where there is none.
        """
        import polars as pl

        from dongcha.features.opinions import opinions, rated_mood
        from dongcha.features.point_in_time import Snapshot
        from dongcha.features.texts import reviews

        snapshot = Snapshot(self.lake, as_of)
        best = getattr(self.insights["brand"].config, "best_rating", 5.0)
        said = opinions(snapshot, reviews(snapshot)).with_columns(rated_mood(best).alias("mood"))
        scored = {insight.name for insight in self._scored_of(c.TEXT_ID)}
        if "sentiment" in scored:
            felt = self.scores("sentiment").select(c.ENTITY_ID, "sentiment")
            said = said.join(felt, left_on=c.TEXT_ID, right_on=c.ENTITY_ID, how="left", maintain_order="left")
            said = said.with_columns(pl.coalesce("mood", "sentiment").alias("mood")).drop("sentiment")
        none = pl.DataFrame(schema={c.ENTITY_ID: pl.String, "topic": pl.String})
        return said, self.scores("topics").select(c.ENTITY_ID, "topic") if "topics" in scored else none

    def last_score(self, name: str, as_of: str | AsOf | None = None) -> dict[str, Any]:
        """The run that made the newest answer of an insight (at a cutoff)."""
        from dongcha.jobs.score import JOB

        cutoff = None if as_of is None else self.as_of(as_of)
        run = self.ledger.latest_run(JOB, self.insights[name].name, cutoff)
        if run is None:
            when = "" if cutoff is None else f" as of {cutoff}"
            raise MissingDataError(f"{name} was never scored{when}.", "Run it first: dongcha run.")
        return run

    def profile(self, customer_id: str, *, language: str | None = None) -> dict[str, Any]:
        """Everything known and concluded about one customer, and their story; see `dongcha.profiles.profile`."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.profiles.profile import profile

        snapshot = Snapshot(self.lake, self.as_of())
        return profile(snapshot, self.ledger, list(self.insights), customer_id, self.reader(language))

    def reader(self, language: str | None = None) -> Reader:
        """To whom things are told: in the language, by default the shop's own."""
        from dongcha.insight_kit.telling import Reader

        days = self.desk.plan.horizon.days
        return Reader(language or self.settings.shop.language, self.currency, days, self.product_names)

    def audience(self, rule: str) -> pl.DataFrame:
        """The customers who match a rule over the catalogue's outputs; see `dongcha.profiles.audience`."""
        from dongcha.profiles.audience import audience

        return audience(rule, [self.scores(k.name) for k in self._scored_of(c.CUSTOMER_ID)])

    def ask(
        self, question: str, customer: str | None = None, *, staff: bool = True, as_of: str | AsOf | None = None
    ) -> Answer:
        """A question answered from what the asker may see; see `dongcha.answers`.

        With `customer` that customer asks, whose identity is for the caller to have checked, and their own orders are
        read; without, staff asks, or anybody (`staff=False`), and nobody's are. Raises UsageError where nothing is
        asked or no table knows the customer, MissingDataError where nothing to answer from is loaded.
        """
        from dongcha.answers.answering import answer
        from dongcha.answers.asker import Asker

        asker = Asker.customer(customer) if customer else Asker.staff() if staff else Asker.anybody()
        return answer(self._answering(self.as_of(as_of)), question, asker)

    # -- the state of things

    def status(self) -> dict[str, Any]:
        """Tables with rows and freshness, quarantine, champions."""
        from dongcha.jobs.status import status

        return status(self.desk, self.insights)

    @cached_property
    def said(self) -> pl.DataFrame:
        """Everything that customers said: columns as `features.texts.TEXTS`, by text_id."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.features.texts import texts

        return texts(Snapshot(self.lake, self.as_of()))

    @cached_property
    def product_names(self) -> dict[str, str]:
        """Product id → name, of those products that have one."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.features.sequence import catalogue

        named = catalogue(Snapshot(self.lake, self.as_of())).drop_nulls(c.NAME)
        return dict(zip(named[c.PRODUCT_ID], named[c.NAME], strict=True))

    @property
    def currency(self) -> str:
        """The code money is shown in: the setting, else the one that most orders name, else an empty text."""
        from dongcha.jobs.status import currencies

        return self.settings.shop.currency or next(iter(currencies(self.desk)), "")

    def doctor(self) -> list[dict[str, Any]]:
        """Checks of the machine, the workspace and the insights: check, ok, found."""
        from dongcha.jobs.doctor import doctor

        return doctor(self.desk, self.insights, self.folder, self.insights.broken)

    def models(self) -> list[dict[str, Any]]:
        """Every version of every insight: insight, version, champion, contender, as_of, why."""
        cards, audit = self.ledger.cards(), self.ledger.audit()
        champions = dict(zip(audit[c.INSIGHT], audit[c.VERSION], strict=True))
        told = ("insight", "version", "contender", "as_of", "made_at", "why")
        return [
            {k: card[k] for k in told} | {"champion": champions.get(insight.name) == card["version"]}
            for insight in self.insights
            for card in cards
            if card["insight"] == insight.name
        ]

    def card(self, name: str, version: str | None = None) -> dict[str, Any]:
        """The model card of a version, by default the champion's; UnknownError where there is none."""
        wanted = version or self.ledger.champion(self.insights[name].name)
        card = self.ledger.card(name, wanted) if wanted else None
        if card is None:
            there = ", ".join(self.ledger.versions(name)) or "none yet"
            raise UnknownError(f"{name} has no version '{wanted or 'champion'}'.", f"It has: {there}.")
        return card

    def rollback(self, name: str, version: str | None = None, *, why: str = "") -> str:
        """Make an earlier version (by default the champion before this one) answer again; returns it."""
        from dongcha.jobs.promotion import rollback

        return rollback(self.desk, self.insights[name], version, why)

    def promote(self, name: str, version: str, *, why: str = "") -> str:
        """Make a version answer, by hand; returns it."""
        from dongcha.jobs.promotion import promote

        return promote(self.desk, self.insights[name], version, why)

    def look_again(self) -> None:
        """Forget what was read of the facts, so that what was loaded since is seen: for a shop that stays open."""
        for name in ("said", "product_names"):
            self.__dict__.pop(name, None)

    # -- inside

    def _answering(self, as_of: AsOf) -> answering.Desk:
        """What answers questions as of a cutoff; learnt once for the same facts and settings, then read back."""
        from dongcha.answers import answering
        from dongcha.answers.index import Index, kept, name_of
        from dongcha.features.point_in_time import Snapshot
        from dongcha.jobs.study import CODE_VERSION

        facts, settings = Snapshot(self.lake, as_of), self.settings.answers
        made_by = f"{__version__} {CODE_VERSION} {settings.encoder} {settings.encoder_url} {self.settings.seed}"
        name = name_of(facts, made_by)
        key = (name, self.ledger.champion("sentiment"))
        if key not in self._learnt:
            # What was learnt from older facts goes: it may hold what was erased since.
            self._learnt.clear()
            encoder = self._encoder()
            self.desk.progress("Learning to answer", 0, 1)
            index = kept(
                self.folder / "answers", name, encoder, lambda: Index.build(facts, encoder, self.settings.seed)
            )
            self.desk.progress("Learning to answer", 1, 1)
            self._learnt[key] = (index, self._feeling(as_of))
        index, feeling = self._learnt[key]
        return answering.Desk(facts, index, settings, feeling)

    @cached_property
    def _learnt(self) -> dict[tuple[str, str | None], tuple[Index, Callable[[str], Mood]]]:
        return {}

    def _encoder(self) -> Encoder | None:
        from dongcha.models.text.encoders import EndpointEncoder, SentenceEncoder

        settings = self.settings.answers
        if not settings.encoder:
            return None
        if settings.encoder_url:
            return EndpointEncoder(settings.encoder_url, settings.encoder, settings.key_variable)
        return SentenceEncoder(settings.encoder)

    def _feeling(self, as_of: AsOf) -> Callable[[str], Mood]:
        """How texts feel, by the promoted model of moods."""
        from dongcha.answers.feeling import feeling, no_feeling

        insight = next((k for k in self.insights if k.name == "sentiment"), None)
        version = insight and self.ledger.champion(insight.name)
        if not insight or not version:
            return no_feeling
        return feeling(insight, self.desk.models.load(insight, version), as_of, self.desk.plan.horizon)

    def _scored_of(self, entity: str) -> list[Insight]:
        """The insights that have answered, of those that answer for this kind of entity."""
        from dongcha.jobs.score import JOB

        return [k for k in self.insights if k.entity == entity and self.ledger.latest_run(JOB, k.name) is not None]

    def _each(
        self, job: Callable[[Study], T], names: Sequence[str], as_of: str | AsOf | None, folds: int | None = None
    ) -> list[tuple[Insight, T]]:
        """What a job makes of each insight's study; while it is at one, nobody else concludes anything or erases."""
        from dataclasses import replace

        from dongcha.jobs.text_study import study_of

        desk = self.desk if folds is None else replace(self.desk, plan=replace(self.desk.plan, folds=folds))
        cutoff = self.as_of(as_of)
        done = []
        for insight in self.insights.pick(names):
            with desk.working():
                done.append((insight, job(study_of(desk, insight, cutoff))))
        return done


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
