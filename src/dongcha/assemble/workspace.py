"""A workspace and its parts: settings → engine → lake → ledger → registry, wired."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dongcha import __version__
from dongcha.as_of import Horizon
from dongcha.errors import UsageError
from dongcha.settings import FILE, TEMPLATE, Settings, read_settings

if TYPE_CHECKING:
    from dongcha.access.access import Access
    from dongcha.insight_kit.registry import Registry
    from dongcha.jobs.background import Background
    from dongcha.jobs.study import Desk, Progress
    from dongcha.warehouse.engine import Engine
    from dongcha.warehouse.inbox import Inbox
    from dongcha.warehouse.lake import Lake
    from dongcha.warehouse.ledger import Ledger
    from dongcha.warehouse.view import View


def utc_now() -> datetime:
    """The clock: the only place that asks what time it is."""
    return datetime.now(UTC)


def new_workspace(folder: Path, **options: str | int) -> Path:
    """Make a workspace: a folder with a commented `dongcha.toml`, which is returned.

    Raises UsageError where there is one already, or where none can lie.
    """
    _refuse_pattern(folder)
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


class Workspace:
    """A folder's parts, each made when first asked for, so that a question costs only what it needs."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = utc_now, progress: Progress | None = None
    ) -> None:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", f"Make a workspace: dongcha new {folder}.")
        _refuse_pattern(folder)
        self.folder = folder
        self.clock = clock
        self._progress = progress

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


def _refuse_pattern(folder: Path) -> None:
    """DuckDB and Polars would take such a path for many files, delta-rs for an encoded one."""
    odd = sorted(set("%[]*?") & set(str(folder.absolute())))
    if odd:
        raise UsageError(f"A workspace cannot lie in {folder.absolute()}: {' '.join(odd)}.", "Give it another name.")


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
