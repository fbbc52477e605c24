"""What a job works from where the entities are orders: each as of its own moment, with what became of it."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window, micros
from dongcha.evaluation.splits import rolling_cutoffs
from dongcha.features.orders_as_of import Asked, Orders, Past, People
from dongcha.features.placed import BAD_AT, SOLD, accounts, categories, placed
from dongcha.features.placing import told
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.live_orders import OrderBook
from dongcha.insight_kit.orders import WENT_BAD, OrdersConfig
from dongcha.jobs.study import Study

MOST_ORDERS: Final = 100_000
"""A model learns from at most so many orders, the newest: fraud changes its ways."""


class OrderStudy(Study):
    """One insight's orders as seen from `as_of`; its labeller is `features.labels.went_bad`.

    An order's facts are those of the moment it was placed, whatever the cutoff; so they are computed once, for all.
    At a cutoff it answers for the orders that may still turn out bad, those of the last `mature_days`. A model learns
    from older ones, with what was known of them at the cutoff: a younger order without an outcome is not a good one
    yet, and the younger bad ones alone would make bad orders look more frequent than they are. It is examined on the
    orders of the horizon after the cutoff, once they too are old enough.
    """

    def facts(self, as_of: AsOf) -> Facts:
        """The orders of the last `mature_days` before the cutoff that were known by then."""
        return self._facts(as_of, Window(as_of - self._wait, as_of), as_of, self.desk.plan.horizon)

    def example(self, as_of: AsOf, known_by: AsOf, horizon: Horizon | None = None) -> Example:
        """The orders of the horizon after the cutoff, and which of them were known by `known_by` to have gone bad."""
        ahead = horizon or self.desk.plan.horizon
        return self._example(as_of, Window.after(as_of, ahead), known_by, ahead)

    def past(self, now: AsOf) -> list[Example]:
        """One example: the newest MOST_ORDERS of those that were old enough by `now`."""
        example = self._example(now, Window(self._first, now - self._wait), now, self.desk.plan.horizon)
        return [example] if len(example.facts.features) else []

    def fold_cutoffs(self) -> list[AsOf]:
        """Of the rolling cutoffs those before and after which some orders went bad and some did not."""
        end, wait = self._complete, self._wait
        whole = min(self.as_of, end) - wait
        moments = rolling_cutoffs(
            self._first, whole, self.desk.plan.horizon, self.desk.plan.step_days, self.desk.plan.folds
        )
        return [m for m in moments if self._telling(self.past(m)) and self._telling([self.example(m, self.as_of)])]

    def _example(self, as_of: AsOf, window: Window, known_by: AsOf, horizon: Horizon) -> Example:
        facts = self._facts(as_of, window, known_by, horizon, MOST_ORDERS)
        return Example(facts, self.insight.label(facts, self._happened(window, known_by)))

    def _telling(self, examples: list[Example]) -> bool:
        return bool(examples) and examples[0].truth[WENT_BAD].n_unique() == 2

    def _facts(self, as_of: AsOf, window: Window, known_by: AsOf, horizon: Horizon, most: int | None = None) -> Facts:
        """The window's orders known by a moment; cancelled ones were never at risk, unless they are known as bad."""
        known, start, end = (micros(at.moment) for at in (known_by, window.start, window.end))
        at_risk = pl.col(SOLD) | (pl.col(BAD_AT) <= known).fill_null(False)
        there = self.told.filter(pl.col(c.HAPPENED_AT).is_between(start, end, closed="left"), at_risk)
        there = there.filter(pl.col(c.KNOWN_AT) <= known)
        if most is not None:
            there = there.sort(c.HAPPENED_AT, c.ENTITY_ID, descending=True).head(most)
        return Facts(as_of, horizon, there.sort(c.ENTITY_ID).select(c.ENTITY_ID, *self._names))

    @cached_property
    def book(self) -> OrderBook:
        """Every order until the study's cutoff, and what was noted of customers and products."""
        facts = Snapshot(self.desk.lake, self.as_of, self.versions)
        return OrderBook(placed(facts, self._config.bad), accounts(facts), categories(facts), self.desk.plan.horizon)

    @cached_property
    def told(self) -> pl.DataFrame:
        """entity_id, one Float64 column a feature, and what decides whether an order is looked at."""
        past = Past(Orders.of(self.book.orders))
        features = told(Asked(past.orders, past, past, People(self.book.accounts)), self._names)
        columns = [pl.Series(name, values).fill_nan(None) for name, values in features.items()]
        kept = self.book.orders.select(pl.col(c.ORDER_ID).alias(c.ENTITY_ID), c.HAPPENED_AT, c.KNOWN_AT, SOLD, BAD_AT)
        return kept.with_columns(columns)

    @property
    def _names(self) -> tuple[str, ...]:
        return self.insight.needs.features

    @property
    def _config(self) -> OrdersConfig:
        assert isinstance(self.insight.config, OrdersConfig), "an insight about orders says which outcomes are bad"
        return self.insight.config

    @property
    def _wait(self) -> Horizon:
        return Horizon(self._config.mature_days)
