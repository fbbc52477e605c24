"""Who may tell the groups: k-means on the axes, and the textbook's on RFM."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import polars as pl
from pydantic import Field

from dongcha import columns as c
from dongcha.insight_kit.base import InsightConfig
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insights.segmentation.atlas import Atlas
from dongcha.insights.segmentation.axes import FEATURES, RFM, name_groups, varies
from dongcha.insights.segmentation.cells import RfmCells
from dongcha.models.grouping.k_means import KMeans, KMeansConfig

SEGMENT: Final = "segment"
RFM_CELL: Final = "rfm_cell"
STORED: Final = "groups.json"


class SegmentationConfig(InsightConfig):
    """How many groups may be told apart; the number itself is chosen by the data."""

    fewest_groups: Annotated[int, Field(ge=2, le=20)] = 5
    most_groups: Annotated[int, Field(ge=2, le=20)] = 8


class AxesGroups(Contender):
    """k-means along the axes; the number of groups is chosen by what they tell and how surely they come again."""

    name = "k_means"
    along: ClassVar[tuple[str, ...]] = FEATURES

    def __init__(self, config: SegmentationConfig) -> None:
        self.config = config
        self.names: list[str] = []
        self.features: tuple[str, ...] = ()

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.cells, self.atlas = RfmCells.fit(now), Atlas(now, seed)
        groups = tuple(range(self.config.fewest_groups, self.config.most_groups + 1))
        self.features = tuple(name for name in self.along if varies(now, name))
        self.model = KMeans.fit(now.matrix(self.features), seed=seed, config=KMeansConfig(groups))
        self.names = name_groups(self.model.centres, self.features)

    def predict(self, facts: Facts) -> pl.DataFrame:
        told: dict[str, Any] = {SEGMENT: [self.names[k] for k in self._groups(facts)], RFM_CELL: self.cells.of(facts)}
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, v) for k, v in told.items())

    def beside(self, facts: Facts) -> pl.DataFrame:
        return self.atlas.told(facts)

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """How far from the mean an entity stands on each axis, weighed by how much its group is about that axis."""
        about = np.abs(self.model.centres)[self._groups(facts)]
        return self.features, self.model.scale.transform(facts.matrix(self.features)) * about

    def save(self, folder: Path) -> None:
        self.model.save(folder)
        self.atlas.save(folder)
        stored = {"names": self.names, "features": self.features, "cells": self.cells.edges.tolist()}
        (folder / STORED).write_text(json.dumps(stored), "utf-8")

    def load(self, folder: Path) -> None:
        self.model, self.atlas = KMeans.load(folder), Atlas.load(folder)
        stored = json.loads((folder / STORED).read_text("utf-8"))
        self.names, self.features = stored["names"], tuple(stored["features"])
        self.cells = RfmCells(np.array(stored["cells"]))

    def _groups(self, facts: Facts) -> np.ndarray:
        return self.model.predict(facts.matrix(self.features))


class RfmGroups(AxesGroups):
    """The textbook: k-means on recency, frequency and money alone."""

    name = "rfm_k_means"
    role = Role.BASELINE
    along: ClassVar[tuple[str, ...]] = RFM
