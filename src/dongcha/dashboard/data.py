"""The one place where the dashboard reads the workspace: customers and the shop from the serving view, the rest once.

Answers of insights, their reasons and cards are read from the ledger once a version. The lake itself is read where
facts are what is asked for: what is loaded, what was refused, what texts say, questions.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import polars as pl

from dongcha import columns as c
from dongcha.dashboard.people import Called, People
from dongcha.errors import DongchaError, MissingDataError, StoreError, UnknownError
from dongcha.features.declare import Feature, catalogue
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.telling import Reader
from dongcha.profiles.pages import read_page
from dongcha.profiles.story import story

if TYPE_CHECKING:
    from dongcha.answers.answering import Answer
    from dongcha.assemble import Shop

T = TypeVar("T")
LOOK_AGAIN_SECONDS: Final = 2.0
KEPT: Final = 500


class Data:
    """Everything the pages show, read from one shop.

    Safe to call from several threads: one reads at a time, since they share the engine's connection. What was made for
    an older view or ledger is dropped as soon as a newer one is seen. Where no view can be read, it is made.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._lock = threading.RLock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._versions: tuple[Hashable, ...] = ()
        self._facts: tuple[tuple[str, int], ...] = ()
        self._looked_at = float("-inf")
        self._people: tuple[str, People] | None = None

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, kept under `key` until view or ledger change."""
        with self._lock:
            self._look()
            if key not in self._kept:
                self._kept[key] = make()
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return cast("T", self._kept[key])

    def of_facts(self, key: str, make: Callable[[], T]) -> T:
        """The same, kept until a table of the lake changes too."""
        with self._lock:
            self._look()
            return self.once((key, self._facts), make)

    def forget(self) -> None:
        """Look at the workspace afresh: after something was changed from here."""
        with self._lock:
            self._looked_at = float("-inf")

    def look(self) -> None:
        """See to it that what is shown is of the newest view; the first time this may take as long as making it."""
        with self._lock:
            self._look()

    def _look(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return
        facts = tuple(self.shop.lake.versions().items())
        if facts != self._facts:
            self._facts = facts
            self.shop.look_again()
        versions = (self._published(), *self.shop.ledger.table_versions().items())
        if versions != self._versions:
            self._versions = versions
            self._kept.clear()
        self._looked_at = time.monotonic()

    def _published(self) -> str | None:
        """The view's run; None where there is nothing to publish yet."""
        try:
            return self.shop.view.run
        except (MissingDataError, StoreError) as none:
            logging.getLogger(__name__).info("The serving view is made: %s", none)
        return _or_none(lambda: self.shop.publish().run)

    # -- the shop

    def tables(self) -> dict[str, int]:
        """Loaded table → rows."""
        return self.of_facts("tables", lambda: {name: self.shop.lake.rows(name) for name in self.shop.lake.tables()})

    def name(self) -> str:
        return self.shop.settings.shop.name

    def currency(self) -> str:
        return str(self.about().get("currency", self.shop.settings.shop.currency))

    @property
    def days(self) -> int:
        """The horizon."""
        return self.shop.settings.time.horizon_days

    def about(self) -> Mapping[str, Any]:
        """What the view says of itself; nothing where there is none. It waits for nobody."""
        return _or_none(lambda: self.shop.view.about) or {}

    def newer(self) -> bool:
        """Whether facts came since the view was made."""
        told = self.about().get("table_versions", {})
        return bool(told) and any(told.get(name) != version for name, version in self._facts)

    def features(self) -> dict[str, Feature]:
        return catalogue()

    def product_names(self) -> Mapping[str, str]:
        """Product id → name, each read when asked for; none where there is no view."""
        return Called(self.shop.view.products) if self.about() else {}

    def reader(self, language: str) -> Reader:
        return Reader(language, self.currency(), self.days, self.product_names())

    # -- what was concluded

    def insight(self, name: str) -> Insight:
        return self.shop.insights[name]

    def insights(self) -> list[Insight]:
        return list(self.shop.insights)

    def scores(self, name: str) -> pl.DataFrame | None:
        """The newest answer, None where the insight is not there or was never scored."""
        return self.once(("scores", name), lambda: _or_none(lambda: self.need(name)))

    def need(self, name: str) -> pl.DataFrame:
        """The newest answer; MissingDataError, which says what to do, where there is none."""
        return self.once(("need", name), lambda: self.shop.scores(name))

    def scored_as_of(self, name: str) -> str:
        return str(self.about().get("runs", {}).get(name, {}).get(c.AS_OF, ""))

    def reasons(self, name: str) -> pl.DataFrame:
        """Every reason of the newest answer, strongest first: entity_id, feature, value, typical, effect."""
        return self.once(("reasons", name), lambda: self.shop.reasons(name))

    def reasons_of(self, name: str, entities: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Entity → its reasons, strongest first."""
        mine = self.reasons(name).filter(pl.col(c.ENTITY_ID).is_in(list(entities)))
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in mine.iter_rows(named=True):
            rows.setdefault(row[c.ENTITY_ID], []).append(row)
        return rows

    def groups(self, name: str) -> pl.DataFrame:
        """The groups of an insight as the view tells them; MissingDataError where it was not scored."""
        found = self.about().get("groups", {}).get(name)
        return self.once(("groups", name), lambda: self.shop.groups(name) if found is None else pl.DataFrame(found))

    # -- the shop over time, as it was told when the view was made

    def overview(self) -> dict[str, Any]:
        """The shop in numbers, as `profiles.overview.shop_in_numbers`; MissingDataError where no orders are loaded."""
        found: dict[str, Any] = self.about().get("overview", {})
        if "buyers" not in found:
            raise self._unserved()
        return found

    def _unserved(self) -> DongchaError:
        """Why there is no view, or nothing in it."""
        try:
            self.shop.as_of()
        except DongchaError as missing:
            return missing
        return MissingDataError("There is no serving view yet.", "Make it: dongcha publish.")

    def page(self, name: str) -> pl.DataFrame:
        """One of `profiles.pages.FRAMES`, `aspects` or `movement/<insight>`; no rows where it was not told."""

        def made() -> pl.DataFrame:
            return read_page(self.shop.view.page(name) or {}) if self.about() else pl.DataFrame()

        return self.once(("page", name), made)

    def alerts(self) -> list[dict[str, Any]]:
        """Whose mood is turning, the surest first; moments as text."""
        return self.once("alerts", lambda: self.shop.view.page("alerts") or [] if self.about() else [])

    # -- customers

    def people(self) -> People:
        """The customers of the newest view; MissingDataError where there is none. It waits for nobody."""
        if not self.about():
            raise self._unserved()
        run, known = self.shop.view.run, self._people
        if known is None or known[0] != run:
            known = self._people = run, People(self.shop.view)
        return known[1]

    def profile(self, customer_id: str, language: str) -> dict[str, Any]:
        """One customer and their story; UnknownError where no table knows them."""
        found = self.shop.view.get(customer_id) if self.about() else None
        if found is None:
            raise UnknownError(f"No table knows a customer '{customer_id}'.")
        return found | {"story": story(found, self.insights(), self.reader(language))}

    def said(self) -> pl.DataFrame:
        return self.of_facts("said", lambda: self.shop.said)

    # -- models and the machine room

    def models(self) -> list[dict[str, Any]]:
        return self.once("models", self.shop.models)

    def card(self, name: str) -> dict[str, Any] | None:
        return self.once(("card", name), lambda: _or_none(lambda: self.shop.card(name)))

    def status(self) -> dict[str, Any]:
        return self.of_facts("status", self.shop.status)

    def quarantined(self) -> pl.DataFrame:
        return self.of_facts("quarantined", self.shop.lake.quarantined)

    def audit(self) -> list[dict[str, Any]]:
        return self.once("audit", lambda: self.shop.ledger.audit().reverse().to_dicts())

    def ask(self, question: str, customer: str | None = None) -> Answer:
        with self._lock:
            return self.shop.ask(question, customer)

    def promote(self, name: str, version: str, why: str) -> None:
        with self._lock:
            self.shop.promote(name, version, why=why)
        self.forget()


def _or_none(make: Callable[[], T]) -> T | None:
    """What it gives, None where data is missing or nothing of that name is there."""
    try:
        return make()
    except DongchaError:
        return None
