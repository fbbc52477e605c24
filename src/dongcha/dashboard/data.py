"""The one place where the dashboard reads the workspace: each answer made once per version of lake and ledger."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import DongchaError, StoreError
from dongcha.features.declare import Feature, catalogue
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.telling import Reader
from dongcha.profiles import retention
from dongcha.profiles.change import Change, by_month, what_changed
from dongcha.profiles.orders import orders_of
from dongcha.profiles.overview import Overview, overview
from dongcha.profiles.story import story

if TYPE_CHECKING:
    from dongcha.answers.answering import Answer
    from dongcha.assemble import Shop

T = TypeVar("T")
LOOK_AGAIN_SECONDS: Final = 2.0
KEPT: Final = 500
SUMMARY: Final = ("orders", "spend", "recency_days")
SHOWN: Final = (c.NAME, c.EMAIL, c.CITY, c.COUNTRY)
NUMBERS: Final = ("churn", "lifetime_value", "satisfaction", "segmentation")
"""The insights whose numbers and groups stand beside each customer in the list."""


class Data:
    """Everything the pages show, read from one shop.

    Safe to call from several threads: one reads at a time, since they share the engine's connection. What was made for
    an older version is dropped as soon as a newer one is seen.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._lock = threading.RLock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._versions: tuple[Hashable, ...] = ()
        self._looked_at = float("-inf")

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, kept under `key` until lake or ledger change."""
        with self._lock:
            self._look()
            if key in self._kept:
                return cast("T", self._kept[key])
            versions = self._versions
            try:
                made = make()
            except (StoreError, OSError):
                # An erasure deletes the files of older versions: what was being read may be gone.
                self._looked_at = float("-inf")
                self._look()
                if self._versions == versions:
                    raise
                versions, made = self._versions, make()
            # What was begun on an older version may hold what is no longer there.
            if self._versions == versions:
                self._kept[key] = made
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return made

    def forget(self) -> None:
        """Look at the workspace afresh: after something was changed from here."""
        with self._lock:
            self._looked_at = float("-inf")

    def _look(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return
        self._looked_at = time.monotonic()
        published = _or_none(lambda: self.shop.view.run)
        versions = (published, *self.shop.lake.versions().items(), *self.shop.ledger.table_versions().items())
        if versions != self._versions:
            self._versions = versions
            self._kept.clear()
            self.shop.look_again()

    # -- the shop

    def tables(self) -> dict[str, int]:
        """Loaded table → rows."""
        return self.once("tables", lambda: {name: self.shop.lake.rows(name) for name in self.shop.lake.tables()})

    def name(self) -> str:
        return self.shop.settings.shop.name

    def currency(self) -> str:
        return self.once("currency", lambda: self.shop.currency)

    @property
    def days(self) -> int:
        """The horizon."""
        return self.shop.desk.plan.horizon.days

    def as_of(self) -> AsOf:
        """The midnight after the last order; MissingDataError where no orders are loaded."""
        return self.once("as_of", self.shop.as_of)

    def snapshot(self) -> Snapshot:
        return self.once("snapshot", lambda: Snapshot(self.shop.lake, self.as_of()))

    def features(self) -> dict[str, Feature]:
        return catalogue()

    def product_names(self) -> dict[str, str]:
        return self.once("product_names", lambda: self.shop.product_names)

    def reader(self, language: str) -> Reader:
        return Reader(language, self.currency(), self.days, self.product_names())

    # -- what was concluded

    def insight(self, name: str) -> Insight:
        return self.shop.insights[name]

    def insights(self) -> list[Insight]:
        return list(self.shop.insights)

    def scores(self, name: str) -> pl.DataFrame | None:
        """The newest answer, None where the insight is not there or was never scored."""
        return self.once(("scores", name), lambda: _or_none(lambda: self.shop.scores(name)))

    def need(self, name: str) -> pl.DataFrame:
        """The newest answer; MissingDataError, which says what to do, where there is none."""
        return self.once(("need", name), lambda: self.shop.scores(name))

    def scored_as_of(self, name: str) -> str:
        run = self.once(("run", name), lambda: _or_none(lambda: self.shop.last_score(name)))
        return str(AsOf(run[c.AS_OF])) if run else ""

    def reasons(self, name: str) -> dict[str, list[dict[str, Any]]]:
        return self.once(("reasons", name), lambda: self.shop.reasons_by_entity(name))

    def groups(self, name: str) -> pl.DataFrame:
        return self.once(("groups", name), lambda: self.shop.groups(name))

    def movement(self, name: str) -> pl.DataFrame | None:
        return self.once(("movement", name), lambda: self.shop.movement(name))

    def aspects(self) -> pl.DataFrame:
        return self.once("aspects", self.shop.aspects)

    def alerts(self) -> list[dict[str, Any]]:
        return self.once("alerts", lambda: _or_none(self.shop.alerts) or [])

    def opinions(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        return self.once("opinions", lambda: self.shop.opinions(self.as_of()))

    def said(self) -> pl.DataFrame:
        return self.once("said", lambda: self.shop.said)

    # -- numbers over all customers

    def overview(self) -> Overview:
        return self.once("overview", lambda: overview(self.shop.lake, self.as_of(), self.shop.desk.plan.horizon))

    def orders(self) -> pl.DataFrame:
        return self.once("orders", lambda: orders_of(self.snapshot()))

    def names(self) -> list[str]:
        """What the customers are called: what is masked wherever it stands."""

        def made() -> list[str]:
            if c.CUSTOMERS not in self.shop.lake.tables():
                return []
            rows = self.snapshot().table(c.CUSTOMERS)
            return self.shop.lake.engine.to_polars(rows.select(c.NAME).distinct())[c.NAME].drop_nulls().to_list()

        return self.once("names", made)

    def months(self) -> pl.DataFrame:
        return self.once("months", lambda: by_month(self.orders(), self.as_of(), self.shop.settings.zone))

    def change(self) -> Change:
        return self.once("change", lambda: what_changed(self.orders(), self.as_of(), self.shop.desk.plan.horizon))

    def cohorts(self) -> pl.DataFrame:
        return self.once("cohorts", lambda: retention.cohorts(self.orders(), self.as_of(), self.shop.settings.zone))

    def survival(self) -> pl.DataFrame:
        def made() -> pl.DataFrame:
            lives = retention.lifetimes(self.orders(), self.as_of(), self.shop.desk.plan.horizon)
            return retention.survival(lives["days"].to_numpy(), lives["ended"].to_numpy())

        return self.once("survival", made)

    def repeats(self) -> pl.DataFrame:
        return self.once("repeats", lambda: retention.repeats(self.orders()))

    def shopping_funnel(self) -> pl.DataFrame:
        horizon = self.shop.desk.plan.horizon
        return self.once("funnel", lambda: retention.shopping_funnel(self.snapshot(), horizon))

    def people(self) -> pl.DataFrame:
        """Every customer of the list, those worth most first: entity_id, who they are, what they did, what we think."""
        return self.once("people", self._people)

    def _people(self) -> pl.DataFrame:
        snapshot = self.snapshot()
        did = snapshot.features(snapshot.available(SUMMARY)).rename({c.CUSTOMER_ID: c.ENTITY_ID})
        answers = [answer for name in NUMBERS if (answer := self.scores(name)) is not None]
        shown = [answer.select(c.ENTITY_ID, *_flat(answer)) for answer in answers]
        found = reduce(lambda left, right: left.join(right, on=c.ENTITY_ID, how="full", coalesce=True), shown, did)
        if snapshot.has(c.CUSTOMERS):
            rows = snapshot.table(c.CUSTOMERS).select(c.CUSTOMER_ID, *SHOWN)
            known = self.shop.lake.engine.to_polars(rows).rename({c.CUSTOMER_ID: c.ENTITY_ID})
            found = found.join(known.unique(c.ENTITY_ID), on=c.ENTITY_ID, how="left")
        else:
            found = found.with_columns(pl.lit(None, pl.String).alias(k) for k in SHOWN)
        first = "lifetime_value" if "lifetime_value" in found.columns else "spend"
        return found.sort(first, c.ENTITY_ID, descending=[True, False], nulls_last=True)

    def audience(self, rule: str) -> pl.DataFrame:
        """Whom a rule matches; UsageError where it cannot be read."""
        return self.once(("audience", rule), lambda: self.shop.audience(rule))

    def audience_names(self) -> list[str]:
        """What a rule may ask for: the numbers and groups of every insight about customers that was scored."""
        mine = [k for k in self.insights() if k.entity == c.CUSTOMER_ID and self.scores(k.name) is not None]
        return [o.name for k in mine for o in k.yields if o.kind in {"value", "group"}]

    def profile(self, customer_id: str, language: str) -> dict[str, Any]:
        """One customer, from the serving view where it is published; UsageError where no table knows them."""

        def made() -> dict[str, Any]:
            found = _or_none(lambda: self.shop.view.get(customer_id))
            if found is None:
                return self.shop.profile(customer_id, language=language)
            return found | {"story": story(found, self.insights(), self.reader(language))}

        return self.once(("profile", customer_id, language), made)

    # -- models and the machine room

    def models(self) -> list[dict[str, Any]]:
        return self.once("models", self.shop.models)

    def card(self, name: str) -> dict[str, Any] | None:
        return self.once(("card", name), lambda: _or_none(lambda: self.shop.card(name)))

    def status(self) -> dict[str, Any]:
        return self.once("status", self.shop.status)

    def quarantined(self) -> pl.DataFrame:
        return self.once("quarantined", self.shop.lake.quarantined)

    def audit(self) -> list[dict[str, Any]]:
        return self.once("audit", lambda: self.shop.ledger.audit().reverse().to_dicts())

    def ask(self, question: str, customer: str | None = None) -> Answer:
        with self._lock:
            return self.shop.ask(question, customer)

    def promote(self, name: str, version: str, why: str) -> None:
        with self._lock:
            self.shop.promote(name, version, why=why)
        self.forget()


def _flat(answer: pl.DataFrame) -> list[str]:
    return [name for name, kind in answer.schema.items() if kind in {pl.Float64, pl.String} and name != c.ENTITY_ID]


def _or_none(make: Callable[[], T]) -> T | None:
    """What it gives, None where data is missing or nothing of that name is there."""
    try:
        return make()
    except DongchaError:
        return None
