"""What a job works from where the entities are texts: those written before a cutoff, and those that came after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.point_in_time import Snapshot
from dongcha.features.texts import texts
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.facts import Example, Facts
from dongcha.jobs.order_study import OrderStudy
from dongcha.jobs.study import Desk, Study
from dongcha.jobs.subject_study import SubjectStudy

CHARACTERS: Final = "characters"
MOST_TEXTS: Final = 200_000
"""Older ones are passed over."""


def study_of(desk: Desk, insight: Insight, as_of: AsOf) -> Study:
    """The study that fits the insight's entity."""
    kinds: dict[str, type[Study]] = {c.TEXT_ID: TextStudy, c.SUBJECT_ID: SubjectStudy, c.ORDER_ID: OrderStudy}
    return kinds.get(insight.entity, Study)(desk, insight, as_of)


class TextStudy(Study):
    """One insight's texts as seen from `as_of`; its labeller is `features.labels.written`, which finds texts too.

    A model learns from all texts before a cutoff that came with an answer (a rating), and is examined on those of the
    horizon after it. What it is told of a text is the text alone: never its rating.
    """

    def facts(self, as_of: AsOf) -> Facts:
        """Every text before the cutoff, the newest MOST_TEXTS of them."""
        known = texts(Snapshot(self.desk.lake, as_of, self.versions))
        return self._facts(as_of, known, self.desk.plan.horizon)

    def example(self, as_of: AsOf, known_by: AsOf, horizon: Horizon | None = None) -> Example:
        """The texts that were written in the horizon after the cutoff, and what the label says of them."""
        ahead = horizon or self.desk.plan.horizon
        return self._example(as_of, Window.after(as_of, ahead), known_by, ahead)

    def past(self, now: AsOf) -> list[Example]:
        """One example: all texts that were written before `now`, the newest MOST_TEXTS of them."""
        first = AsOf(self._first.moment - timedelta(days=1))
        example = self._example(now, Window(first, now), now, self.desk.plan.horizon)
        return [example] if len(example.facts.features) else []

    def _example(self, as_of: AsOf, window: Window, known_by: AsOf, horizon: Horizon) -> Example:
        there = self._happened(window, known_by)
        facts = self._facts(as_of, there, horizon)
        return Example(facts, self.insight.label(facts, there))

    def _facts(self, as_of: AsOf, there: pl.DataFrame, horizon: Horizon) -> Facts:
        """Of the newest MOST_TEXTS of these texts."""
        newest = there.sort(c.HAPPENED_AT, c.TEXT_ID, descending=True).head(MOST_TEXTS)
        ordered = newest.sort(c.TEXT_ID)
        length = pl.col(c.TEXT).str.len_chars().cast(pl.Float64).alias(CHARACTERS)
        features = ordered.select(pl.col(c.TEXT_ID).alias(c.ENTITY_ID), length)
        return Facts(as_of, horizon, features, texts=ordered.drop(c.RATING))
