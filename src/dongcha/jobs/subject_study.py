"""What a job works from where the entities are what reviews speak of: brands, categories, products, the whole shop."""

from __future__ import annotations

from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.opinions import opinions
from dongcha.features.point_in_time import Snapshot
from dongcha.features.texts import reviews
from dongcha.insight_kit.facts import Example, Facts
from dongcha.jobs.study import Study

TEXTS: Final = "texts"
FEWEST_TEXTS: Final = 10
"""Of what is spoken of less, nothing is told."""
MOST_TEXTS: Final = 500_000
"""Older ones are passed over."""


class SubjectStudy(Study):
    """One insight's subjects as seen from `as_of`; its labeller is `features.labels.reviewed`, which finds reviews.

    The facts at a cutoff are all reviews before it, each with its rating; what was said in the horizon after it is
    only judged by. Brands and categories are those of the products as described at the cutoff, on both sides of it.
    """

    def facts(self, as_of: AsOf) -> Facts:
        """Every subject of FEWEST_TEXTS reviews or more before the cutoff, and all that was said of it."""
        snapshot = Snapshot(self.desk.lake, as_of, self.versions)
        newest = reviews(snapshot).sort(c.HAPPENED_AT, c.TEXT_ID, descending=True).head(MOST_TEXTS)
        said = opinions(snapshot, newest)
        counted = said.group_by(c.SUBJECT_ID).agg(pl.len().cast(pl.Float64).alias(TEXTS))
        spoken_of = counted.filter(pl.col(TEXTS) >= FEWEST_TEXTS).sort(c.SUBJECT_ID)
        features = spoken_of.rename({c.SUBJECT_ID: c.ENTITY_ID})
        return Facts(as_of, self.desk.plan.horizon, features, texts=said)

    def example(self, as_of: AsOf, known_by: AsOf, horizon: Horizon | None = None) -> Example:
        """The subjects at a past cutoff, and what was said of them in the horizon after it."""
        facts, ahead = self.facts(as_of), horizon or self.desk.plan.horizon
        after = self._happened(Window.after(as_of, ahead), known_by)
        return Example(
            facts, self.insight.label(facts, opinions(Snapshot(self.desk.lake, as_of, self.versions), after))
        )

    def past(self, now: AsOf) -> list[Example]:
        """None: all that was said before `now` is in the facts of now."""
        return []
