"""Who may tell the groups: k-means on the axes, on the latent, and the textbook's on RFM."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import polars as pl
from pydantic import Field

from dongcha import columns as c
from dongcha.insight_kit.base import Contender, Example, Facts, InsightConfig, Role
from dongcha.insights.segmentation.atlas import Atlas
from dongcha.insights.segmentation.axes import FEATURES, RFM, name_groups, varies
from dongcha.insights.segmentation.cells import RfmCells
from dongcha.models.generative.groups import LatentGroups
from dongcha.models.grouping.k_means import KMeans, KMeansConfig, Scale

SEGMENT: Final = "segment"
RFM_CELL: Final = "rfm_cell"
STORED: Final = "groups.json"


class SegmentationConfig(InsightConfig):
    """How many groups may be told apart; the number itself is chosen by the data."""

    fewest_groups: Annotated[int, Field(ge=2, le=20)] = 5
    most_groups: Annotated[int, Field(ge=2, le=20)] = 8


class Grouping(Contender):
    """What all share: names by the axes, RFM cells, the map. The number of groups is chosen by what they tell and how
    surely they come again.
    """

    def __init__(self, config: SegmentationConfig) -> None:
        self.config = config
        self.names: list[str] = []
        self.features: tuple[str, ...] = ()

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.cells, self.atlas = RfmCells.fit(now), Atlas.fit(now, seed)
        groups = tuple(range(self.config.fewest_groups, self.config.most_groups + 1))
        self.group(now, seed, KMeansConfig(groups))
        self.names = name_groups(self.centres, self.features)

    def predict(self, facts: Facts) -> pl.DataFrame:
        told: dict[str, Any] = {SEGMENT: [self.names[k] for k in self.groups(facts)], RFM_CELL: self.cells.of(facts)}
        told |= self.atlas.told(facts)
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, v) for k, v in told.items())

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """How far from the mean an entity stands on each axis, weighed by how much its group is about that axis."""
        about = np.abs(self.centres)[self.groups(facts)]
        return self.features, self.scale.transform(facts.matrix(self.features)) * about

    def save(self, folder: Path) -> None:
        self.model.save(folder)
        self.atlas.save(folder)
        stored = {"names": self.names, "features": self.features, "cells": self.cells.edges.tolist()}
        (folder / STORED).write_text(json.dumps(stored | {"centres": self.centres.tolist()}), "utf-8")

    def load(self, folder: Path) -> None:
        self.atlas = Atlas.load(folder)
        stored = json.loads((folder / STORED).read_text("utf-8"))
        self.names, self.features = stored["names"], tuple(stored["features"])
        self.cells, self.centres = RfmCells(np.array(stored["cells"])), np.array(stored["centres"])

    @property
    def stability(self) -> float:
        """How surely the groups come again on other samples: the adjusted Rand index, on average."""
        return self.model.stability

    model: KMeans | LatentGroups
    centres: np.ndarray
    """Each group's mean along the axes in standard deviations, shape (groups, features)."""

    @property
    @abstractmethod
    def scale(self) -> Scale:
        """Of the axes, in the order of `features`."""

    @abstractmethod
    def group(self, now: Facts, seed: int, config: KMeansConfig) -> None:
        """Set `model`, `features` and `centres`."""

    @abstractmethod
    def groups(self, facts: Facts) -> np.ndarray:
        """Each entity's group, shape (entities,), int64."""


class AxesGroups(Grouping):
    """k-means along the axes."""

    name = "k_means"
    along: ClassVar[tuple[str, ...]] = FEATURES
    model: KMeans

    @property
    def scale(self) -> Scale:
        return self.model.scale

    def group(self, now: Facts, seed: int, config: KMeansConfig) -> None:
        self.features = tuple(name for name in self.along if varies(now, name))
        self.model = KMeans.fit(now.matrix(self.features), seed=seed, config=config)
        self.centres = self.model.centres

    def groups(self, facts: Facts) -> np.ndarray:
        return self.model.predict(facts.matrix(self.features))

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.model = KMeans.load(folder)


class RfmGroups(AxesGroups):
    """The textbook: k-means on recency, frequency and money alone."""

    name = "rfm_k_means"
    role = Role.BASELINE
    along: ClassVar[tuple[str, ...]] = RFM


class LatentPlaces(Grouping):
    """k-means on places in the latent: alike is of whom the same events and axes are foretold.

    Its stability is that of the groups in one latent; that another training gives another latent is not counted.
    """

    name = "latent"
    model: LatentGroups

    @property
    def scale(self) -> Scale:
        return self.atlas.scale

    def group(self, now: Facts, seed: int, config: KMeansConfig) -> None:
        self.features = self.atlas.features
        self.model = LatentGroups.fit(self.atlas.places(now), seed=seed, config=config)
        within = np.eye(len(self.model.centres))[self.groups(now)]
        scaled = self.scale.transform(now.matrix(self.features))
        self.centres = within.T @ scaled / np.maximum(within.sum(axis=0), 1)[:, None]

    def groups(self, facts: Facts) -> np.ndarray:
        return self.model.predict(self.atlas.places(facts))

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.model = LatentGroups.load(folder)
