"""What the service does by itself: write down the requests it counted, and refresh when `dongcha.toml` says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from anyio.to_thread import run_sync
from fastapi import FastAPI

from dongcha.assemble import Shop
from dongcha.errors import ConflictError, DongchaError, MissingDataError
from dongcha.jobs.background import Kind

log = logging.getLogger("dongcha.upkeep")

FLUSH_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 20.0
SCHEDULE: Final = "the schedule"
"""Who starts a refresh."""


@contextlib.asynccontextmanager
async def upkeep(app: FastAPI) -> AsyncIterator[None]:
    """While the application serves; at its end what was counted is written."""
    shop: Shop = app.state.shop
    tasks = [
        asyncio.create_task(_every(FLUSH_SECONDS, shop.access.flush)),
        asyncio.create_task(_every(FLUSH_SECONDS, lambda: _look(app))),
    ]
    if shop.settings.serve.refresh:
        tasks.append(asyncio.create_task(_refresh(shop)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(DongchaError):
            shop.access.flush()


def _look(app: FastAPI) -> None:
    """Let live answers see what is new though nobody asks: what an erasure took out must not be answered once more."""
    if hasattr(app.state, "live"):
        with contextlib.suppress(MissingDataError):
            app.state.live.world()


async def _every(seconds: float, do: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await run_sync(do)
        except Exception:  # it is tried again; the service goes on
            log.exception("upkeep failed")


async def _refresh(shop: Shop) -> None:
    """Start a run whenever one is due. Looks again every 20 seconds, so that a clock that is set is heeded."""
    started = shop.clock()
    while True:
        due = due_at(shop.settings.serve.refresh, started, shop.settings.zone)
        log.info("refresh due", extra={"fields": {"at": due.isoformat()}})
        while (now := shop.clock()) < due:
            await asyncio.sleep(min(LOOK_SECONDS, (due - now).total_seconds()))
        started = now
        try:
            job = await run_sync(shop.background.start, Kind.RUN, SCHEDULE)
            log.info("refresh started", extra={"fields": {"job": job.job_id}})
        except ConflictError:
            log.warning("refresh left out: a job is running")
        except Exception:  # the next one may succeed; the service goes on
            log.exception("refresh failed to start")


def due_at(rule: str, last: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after `last` that the rule names: "daily at HH:MM" in that zone, or "every N minutes|hours".

    >>> due_at("daily at 03:00", datetime.fromisoformat("2026-03-01T04:00+08:00"), ZoneInfo("Asia/Shanghai"))
    datetime.datetime(2026, 3, 2, 3, 0, tzinfo=zoneinfo.ZoneInfo(key='Asia/Shanghai'))
    """
    words = rule.split()
    if words[0] == "every":
        return last + timedelta(**{words[2]: int(words[1])})
    at = time.fromisoformat(words[2])
    today = last.astimezone(zone).date()
    for days in range(3):
        due = datetime.combine(today + timedelta(days=days), at, zone)
        if due.timestamp() > last.timestamp():
            return due
    raise AssertionError("a day has no such time")
