"""Answers at request time: what is wanted, what comes next, who may leave, with what a customer did a second ago."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import orjson
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.assemble import Shop
from dongcha.errors import DongchaError, MissingDataError
from dongcha.features.one_customer import Row
from dongcha.features.point_in_time import BUYER, Crowd
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.live import STAMP, LiveShop, live_folder
from dongcha.insight_kit.live_orders import LiveOrders
from dongcha.jobs.hand_over import ORDERS, SHOP
from dongcha.warehouse.ledger import AUDIT, RUNS

log = logging.getLogger("dongcha.live")

RETRY_SECONDS: Final = 5.0
"""So long what could not be opened is left alone, unless something new is written before."""


@dataclass(frozen=True)
class Opened:
    """One insight's champion, ready to answer."""

    insight: Insight
    version: str
    stamp: bytes
    """What its exported files say of themselves: others mean that they were written anew."""
    answer: Callable[[Facts], pl.DataFrame]
    contender: Contender
    """Who answers, opened: to be asked for reasons."""
    features: Sequence[str] | None
    """What it is asked with, None for all there are."""

    @property
    def as_of(self) -> str:
        """When what it holds of the whole crowd was so."""
        return str(orjson.loads(self.stamp)[c.AS_OF])


@dataclass(frozen=True)
class World:
    """All that one request reads; a swap makes another world, and requests that have this one end in it."""

    shop: LiveShop
    stamp: bytes
    opened: Mapping[str, Opened]
    orders: tuple[LiveOrders, bytes] | None = None
    """Everybody's orders and their stamp, where an insight about orders was trained."""


@dataclass
class Live:
    """The champions of the live insights over one workspace.

    `promote`, `rollback` and `score`, whoever runs them, are seen by the next request. It answers as before, while the
    new version is opened beside the old one in another thread; then they change places. Where files are missing or
    damaged the old one goes on, and `trouble` says so.
    """

    shop: Shop
    trouble: str = ""
    _world: World | None = None
    _renewing: threading.Lock = field(default_factory=threading.Lock)
    _again_at: float = 0.0
    _stale: bool = False
    _told: str = ""

    def __post_init__(self) -> None:
        self._folder = live_folder(self.shop.desk.models.folder)
        self._watched = [self.shop.ledger.commits(name) for name in (AUDIT, RUNS)]

    def answer(
        self, name: str, customer_id: str, fresh: Sequence[Row] = (), about: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What the insight's champion says of a customer now; `fresh` rows and `about` as `LiveShop` takes them.

        `basis` says what the answer rests on: their `history`, the `context` that traits give, or what is `popular`;
        `answer` is null of whom the insight does not answer for. Raises MissingDataError where nothing was published.
        """
        world = self.world()
        opened = world.opened.get(name)
        if opened is None:
            raise MissingDataError(
                f"{name} has no version that answers live.", f"Make one: dongcha run; {self.trouble}"
            )
        now = AsOf(self.shop.clock())
        rows = world.shop.rows(customer_id, fresh)
        facts = world.shop.facts(customer_id, rows, now, about, opened.features)
        told = {
            c.CUSTOMER_ID: customer_id,
            "insight": name,
            "version": opened.version,
            c.AS_OF: str(now),
            "crowd_as_of": opened.as_of,
            "fresh_events": len(fresh),
        }
        if opened.insight.needs.crowd is Crowd.BUYERS and not _bought(facts):
            return {**told, "basis": "none", "answer": None}
        answer = opened.answer(facts).row(0, named=True)
        del answer[c.ENTITY_ID]
        return {**told, "basis": _basis(facts), "answer": answer}

    def judge(
        self, name: str, orders: Mapping[str, Sequence[Row]], fresh: Sequence[Row] = (), noted: Sequence[Row] = ()
    ) -> dict[str, Any]:
        """What the insight's champion says of orders that are being placed, and why; rows as `LiveOrders` takes them.

        Raises MissingDataError where nothing about orders was published.
        """
        world = self.world()
        opened = world.opened.get(name)
        if opened is None or world.orders is None:
            raise MissingDataError(f"{name} has no version that answers live.", "Load outcomes, then: dongcha run.")
        facts = world.orders[0].facts(orders, fresh, noted, AsOf(self.shop.clock()))
        answer, why = opened.answer(facts), opened.insight.reasons(opened.contender, facts)
        reasons: dict[str, list[dict[str, Any]]] = {one: [] for one in orders}
        for row in why.iter_rows(named=True):
            reasons[row[c.ENTITY_ID]].append({k: row[k] for k in (c.FEATURE, c.VALUE, c.TYPICAL, c.EFFECT)})
        told = [
            {c.ORDER_ID: (one := row.pop(c.ENTITY_ID)), **row, "reasons": reasons[one]}
            for row in answer.iter_rows(named=True)
        ]
        return {"orders": told, c.VERSION: opened.version, c.AS_OF: str(facts.as_of), "crowd_as_of": opened.as_of}

    def world(self) -> World:
        """What answers now. The very first call waits until it is opened; any other at most starts the opening."""
        world = self._world
        if world is None:
            with self._renewing:
                if self._world is None:
                    self._world = self._opened(None)
                return self._world
        # What comes while another opening is under way is remembered for the next.
        if self._anything_new():
            self._stale = True
        if self._stale and self._renewing.acquire(blocking=False):
            self._stale = False
            threading.Thread(target=self._renew, daemon=True).start()
        return world

    def standing(self) -> str:
        """Whether answers are as of what was published last, in words for anybody: no path and no name.

        Does not wait: what is not open yet is then opened by another thread.
        """
        try:
            published_at(self.shop)
        except OSError:
            return "nothing is published yet"
        if self._world is None:
            if not self._renewing.locked():
                threading.Thread(target=self._open_first, daemon=True).start()
            return "being opened" if not self.trouble else "cannot be opened"
        return "ready" if readiness(self)[0] else "answers by an older version: the newest cannot be opened"

    def _open_first(self) -> None:
        with contextlib.suppress(DongchaError):
            self.world()

    def _anything_new(self) -> bool:
        # Every watch is asked, so that one write is not seen twice.
        new = [watch.any_new() for watch in self._watched]
        return any(new) or (bool(self.trouble) and monotonic() >= self._again_at)

    def _renew(self) -> None:
        try:
            self._world = self._opened(self._world)
        finally:
            self._renewing.release()

    def _tell(self, trouble: str) -> None:
        # Tried every few seconds: it is told once.
        if trouble != self._told:
            log.warning("live answers", extra={"fields": {"trouble": trouble}})
        self.trouble = self._told = trouble

    def _opened(self, old: World | None) -> World:
        """The world as it is on disk, of whose parts those that are still right are taken over from the old one."""
        self.trouble, self._again_at = "", monotonic() + RETRY_SECONDS
        shop, stamp = self._opened_shop(old)
        opened: dict[str, Opened] = {}
        for insight in self.shop.insights:
            if insight.live:
                before = old.opened.get(insight.name) if old else None
                found = self._opened_insight(insight, before)
                if found is not None:
                    opened[insight.name] = found
        about_orders = any(one.insight.entity == c.ORDER_ID for one in opened.values())
        return World(shop, stamp, opened, self._opened_orders(old) if about_orders else None)

    def _opened_shop(self, old: World | None) -> tuple[LiveShop, bytes]:
        folder = self._folder / SHOP
        try:
            stamp = (folder / STAMP).read_bytes()
            return (old.shop, stamp) if old and old.stamp == stamp else (LiveShop.open(folder), stamp)
        except BROKEN as error:
            self._tell(f"The customers' rows in {folder} cannot be read: {error}.")
            if old is None:
                raise MissingDataError(
                    "Nothing is published for live answers yet.", "Run it first: dongcha run."
                ) from error
            return old.shop, old.stamp

    def _opened_orders(self, old: World | None) -> tuple[LiveOrders, bytes] | None:
        folder, before = self._folder / ORDERS, old.orders if old else None
        try:
            stamp = (folder / STAMP).read_bytes()
            return before if before and before[1] == stamp else (LiveOrders.open(folder), stamp)
        except BROKEN as error:
            self._tell(f"The orders in {folder} cannot be read: {error}.")
            return before

    def _opened_insight(self, insight: Insight, before: Opened | None) -> Opened | None:
        version = self.shop.ledger.champion(insight.name)
        if version is None:
            return before
        try:
            exported = self._folder / insight.name / version
            stamp = (exported / STAMP).read_bytes()
            if before and (before.version, before.stamp) == (version, stamp):
                return before
            contender = self.shop.desk.models.unread(insight, version)
            folder = self.shop.desk.models.folder / insight.name / version
            answer, features = contender.opened(folder, exported), contender.reads()
            if features is not None and insight.needs.crowd is Crowd.BUYERS:
                features = (BUYER, *features)
            return Opened(insight, version, stamp, answer, contender, features)
        except (*BROKEN, DongchaError) as error:
            self._tell(f"{insight.name} {version} cannot be opened: {error}.")
            return before


BROKEN: Final = (OSError, ValueError, KeyError, RuntimeError, pl.exceptions.PolarsError)
"""What a missing or damaged file comes to, whichever library reads it."""


def _bought(facts: Facts) -> bool:
    return bool((facts.features[BUYER][0] or 0) > 0) if BUYER in facts.features.columns else False


def _basis(facts: Facts) -> str:
    assert facts.history is not None
    if len(facts.history.timeline):
        return "history"
    return "context" if facts.history.traits.width > 1 else "popular"


def published_at(shop: Shop) -> float:
    """When the customers' rows were published last, in seconds since 1970; OSError where they never were."""
    return (live_folder(shop.desk.models.folder) / SHOP / STAMP).stat().st_mtime


def readiness(live: Live) -> tuple[bool, str]:
    """Whether live answers can be given, and what is wrong where they cannot or are older than they should be."""
    try:
        live.world()
    except DongchaError as error:
        return False, str(error)
    return not live.trouble, live.trouble
