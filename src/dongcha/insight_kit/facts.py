"""What a model may see at a cutoff, and what then happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.insight_kit.history import History


@dataclass(frozen=True)
class Facts:
    """Everything a model may see at one cutoff.

    `features`: entity_id (String, sorted) + one Float64 column per feature, null where it does not apply;
    one row per entity. `history`: of all customers, where the insight needs it. `texts`: columns as
    `features.texts.TEXTS`, where the entities are texts; it may hold more than the entities, and no rating. Where the
    entities are what reviews speak of, they are columns as `features.opinions.OPINIONS`: each review with its rating,
    once for each thing that it speaks of.
    """

    as_of: AsOf
    horizon: Horizon
    features: pl.DataFrame
    history: History | None = None
    texts: pl.DataFrame | None = None

    @property
    def entities(self) -> pl.Series:
        return self.features[c.ENTITY_ID]

    @property
    def said(self) -> list[str]:
        """What each entity says, "" for one that is not among the texts."""
        assert self.texts is not None, "these entities are not texts"
        return self.matched(self.texts, c.TEXT_ID)[c.TEXT].fill_null("").to_list()

    def matched(self, frame: pl.DataFrame, key: str) -> pl.DataFrame:
        """The frame's columns row by row with the entities, which its column `key` names; null where it lacks one."""
        mine = self.features.select(c.ENTITY_ID)
        return mine.join(frame, left_on=c.ENTITY_ID, right_on=key, how="left", maintain_order="left")

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """Shape (entities, names), float64, NaN for null."""
        # Column by column: a frame of many would hand its work to other threads, to wait for which takes longer.
        found = np.empty((len(self.features), len(names)))
        for place, name in enumerate(names):
            found[:, place] = self.features[name].to_numpy()
        return found

    def column(self, name: str) -> np.ndarray:
        """One feature, shape (entities,), float64, NaN for null."""
        return self.matrix([name])[:, 0]


@dataclass(frozen=True)
class Example:
    """Facts at a past cutoff and what then happened: `truth` has the label columns, row by row with `facts`."""

    facts: Facts
    truth: pl.DataFrame

    def label(self, name: str) -> np.ndarray:
        return self.truth[name].to_numpy().astype(np.float64)
