"""A shop: all that can be done with a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.assemble.asking import Asking
from dongcha.errors import MissingDataError, UnknownError

if TYPE_CHECKING:
    from dongcha.insight_kit.base import Insight
    from dongcha.insight_kit.contest import Fold
    from dongcha.jobs.flush import Flushed
    from dongcha.jobs.ingest import LoadReport
    from dongcha.jobs.publish import Published
    from dongcha.jobs.run import Outcome
    from dongcha.jobs.score import Scored
    from dongcha.jobs.study import Study
    from dongcha.jobs.train import Trained


class Shop(Asking):
    """A workspace, opened: load facts, run insights, read what was concluded.

    >>> import tempfile, dongcha
    >>> shop = dongcha.open(tempfile.mkdtemp())
    >>> shop.status()["tables"]
    []
    """

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

    # -- insight out

    def run(self, *, as_of: str | AsOf | None = None) -> list[Outcome]:
        """Backtest, train, promote and score every insight whose tables are loaded; only what changed.

        Then publish, and learn to answer questions, so that nobody who asks has to wait for it.
        """
        from dongcha.jobs.run import run

        outcomes = run(self.desk, self.insights, self.as_of(as_of))
        self.publish()
        with suppress(MissingDataError):
            self.answering_desk(self.as_of())
        return outcomes

    def train(self, *names: str, as_of: str | AsOf | None = None) -> dict[str, Trained]:
        """Train these insights (all by default): insight → what came of it."""
        from dongcha.jobs.train import train

        return {insight.name: train(study) for insight, study in self._studies(names, as_of)}

    def score(self, *names: str, as_of: str | AsOf | None = None) -> dict[str, Scored]:
        """Let the champions of these insights (all by default) answer: insight → what came of it. Then publish."""
        from dongcha.jobs.score import score

        scored = {insight.name: score(study) for insight, study in self._studies(names, as_of)}
        self.publish()
        return scored

    def publish(self, *, again: bool = False) -> Published:
        """Make the serving view where facts or answers are newer than it, or `again`; see `dongcha.jobs.publish`."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.jobs.publish import publish
        from dongcha.profiles.overview import shop_in_numbers
        from dongcha.profiles.pages import told_pages
        from dongcha.profiles.portraits import Portraits

        horizon = self.desk.plan.horizon

        def portray() -> Portraits:
            return Portraits(Snapshot(self.lake, self.as_of()), self.ledger, list(self.insights))

        def tell(portraits: Portraits) -> dict[str, Any]:
            grouped = [k.name for k in portraits.runs if any(output.kind == "group" for output in k.yields)]
            groups = {name: self.groups(name).to_dicts() for name in grouped}
            numbers = shop_in_numbers(portraits.snapshot, horizon)
            pages = told_pages(portraits.snapshot, horizon, self.settings.zone) | self._told_pages(
                [k.name for k in portraits.runs], grouped
            )
            return {"overview": numbers, "groups": groups, "currency": self.currency, "pages": pages}

        settings = [horizon.days, self.settings.shop.currency, self.settings.shop.time_zone]
        return publish(self.desk, self.view, portray, tell, settings, again=again)

    def backtest(self, *names: str, as_of: str | AsOf | None = None, folds: int | None = None) -> list[dict[str, Any]]:
        """Rolling backtests of these insights (all by default): one dict per fold, as `--json` prints them."""
        from dongcha.jobs.backtest import backtest, report

        horizon = self.desk.plan.horizon.days
        studies = self._studies(names, as_of, folds)
        return [row for insight, study in studies for row in report(insight, backtest(study), horizon)]

    def folds(self, name: str, *, as_of: str | AsOf | None = None) -> list[Fold]:
        """The folds of one insight's backtest."""
        from dongcha.jobs.backtest import backtest

        return [fold for _, study in self._studies([name], as_of) for fold in backtest(study)]

    # -- the state of things

    def status(self) -> dict[str, Any]:
        """Tables with rows and freshness, quarantine, champions."""
        from dongcha.jobs.status import status

        return status(self.desk, self.insights)

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

    def promote(self, name: str, version: str, *, why: str = "") -> str:
        """Make a version answer, by hand; returns it."""
        from dongcha.jobs.promotion import promote

        return promote(self.desk, self.insights[name], version, why)

    def rollback(self, name: str, version: str | None = None, *, why: str = "") -> str:
        """Make an earlier version (by default the champion before this one) answer again; returns it."""
        from dongcha.jobs.promotion import rollback

        return rollback(self.desk, self.insights[name], version, why)

    def look_again(self) -> None:
        """Forget what was read of the facts, so that what was loaded since is seen: for a shop that stays open."""
        for name in ("said", "product_names", "_desks"):
            self.__dict__.pop(name, None)

    # -- inside

    def _told_pages(self, scored: Sequence[str], grouped: Sequence[str]) -> dict[str, Any]:
        """What the view tells of alerts, aspects and movement: as much of it as was concluded."""
        found: dict[str, Any] = {"alerts": self.alerts()} if "brand" in scored else {}
        if "sentiment" in scored:
            found["aspects"] = self.aspects().to_dict(as_series=False)
        moves = {name: self.movement(name) for name in grouped if self.insights[name].entity == c.CUSTOMER_ID}
        return found | {f"movement/{k}": v.to_dict(as_series=False) for k, v in moves.items() if v is not None}

    def _studies(
        self, names: Sequence[str], as_of: str | AsOf | None, folds: int | None = None
    ) -> list[tuple[Insight, Study]]:
        from dongcha.jobs.text_study import study_of

        desk = self.desk if folds is None else replace(self.desk, plan=replace(self.desk.plan, folds=folds))
        cutoff = self.as_of(as_of)
        return [(insight, study_of(desk, insight, cutoff)) for insight in self.insights.pick(names)]
