"""A run, started and watched from a page: how far it is, how it ended, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nicegui import ui

from dongcha.access.scopes import Role
from dongcha.api.logs import clean
from dongcha.dashboard import parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError
from dongcha.jobs.background import Job, Kind, State

LOOK_SECONDS: Final = 2.0
LINES: Final = 6


class RunCard:
    """The newest run of the workspace, whoever started it; admins may start one and stop it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.state: State | None = None

    async def draw(self) -> None:
        """The card, which looks again every 2 seconds."""
        with ui.element("section").classes("card w7"):
            self.told = ui.html("", sanitize=False).props('aria-live="polite"')
            self.bar = ui.linear_progress(value=0, show_value=False).props('rounded size="6px"').style("margin: 10px 0")
            self.output = ui.label("").classes("code").style("white-space: pre-wrap; margin: 8px 0")
            with ui.element("div").classes("fields").style("margin-top: 10px"):
                self.start = parts.button(self.view.say("job_start"), self.begin, kind="main")
                self.stop = parts.button(self.view.say("job_cancel"), self.end)
        await self.look()
        ui.timer(LOOK_SECONDS, self.look)

    async def look(self) -> None:
        """Show how the newest run stands; once it has ended, everything is read afresh."""
        job = await self.view.fetch(lambda d: next(iter(d.shop.background.jobs()), None))
        running, admin = job is not None and job.state is State.RUNNING, self.view.may(Role.ADMIN)
        title, sub = self._say(job)
        self.told.content = f'<h2>{parts.markup(title)}</h2><p class="sub">{parts.markup(sub)}</p>'
        self.bar.set_visibility(running)
        self.bar.value = job.progress.done / max(job.progress.of, 1) if job and job.progress else 0
        self.start.set_visibility(admin and not running)
        self.stop.set_visibility(admin and running)
        failed = clean(job.output).strip().splitlines()[-LINES:] if job and job.state is State.FAILED else []
        self.output.text = "\n".join(failed)
        self.output.set_visibility(bool(failed))
        if self.state is State.RUNNING and not running:
            self.view.data.forget()
        self.state = job.state if job else None

    def _say(self, job: Job | None) -> tuple[str, str]:
        view = self.view
        if job is None:
            return view.say("job_title"), view.say("job_sub")
        who = view.say("job_by", who=job.started_by)
        if job.state is State.RUNNING:
            what = job.progress.what if job.progress else view.say("job_starting")
            return view.say("job_running", at=f"{job.started_at:%H:%M} UTC", what=what), who
        return view.say(f"job_{job.state}", at=f"{job.ended_at or job.started_at:%Y-%m-%d %H:%M} UTC"), who

    # -- for admins

    async def begin(self) -> None:
        """Start a run."""
        who = self.view.person.name or "dashboard"

        def started(data: Data) -> None:
            job = data.shop.background.start(Kind.RUN, who)
            data.shop.access.note(who, "start", f"job {job.job_id}", kind=job.kind)

        await self._change(started)

    async def end(self) -> None:
        """Stop the run; what it had finished stays."""
        who = self.view.person.name or "dashboard"

        def stopped(data: Data) -> None:
            for job in data.shop.background.jobs()[:1]:
                data.shop.background.cancel(job.job_id, who)
                data.shop.access.note(who, "cancel", f"job {job.job_id}", kind=job.kind)

        await self._change(stopped)

    async def _change(self, change: Callable[[Data], None]) -> None:
        try:
            await self.view.change(change)
        except DongchaError as refused:
            ui.notify(str(refused), type="negative")
        await self.look()
