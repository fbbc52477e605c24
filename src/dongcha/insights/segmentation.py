"""Who is alike, and what sets each group apart?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import polars as pl
from pydantic import Field

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.labels import SPEND, purchases
from dongcha.insight_kit.base import Contender, Example, Facts, Insight, InsightConfig, Metric, Needs, Role
from dongcha.insight_kit.latent import FEATURES_FILE, Latent, latent
from dongcha.insight_kit.outputs import Group, Value
from dongcha.models.grouping.k_means import KMeans, KMeansConfig, Scale, explained

SEGMENT: Final = "segment"
RFM_CELL: Final = "rfm_cell"
MAP_X: Final = "map_x"
MAP_Y: Final = "map_y"
ANOMALY: Final = "anomaly"
ATLAS: Final = "atlas.json"
LOG_SPENT: Final = "log_spent"


@dataclass(frozen=True)
class Axis:
    """One way in which groups differ: a feature, and how each of its ends is called in English and Chinese."""

    feature: str
    high: tuple[str, str]
    low: tuple[str, str]


AXES: Final = (
    Axis("spend", ("high value", "高价值"), ("low value", "低价值")),
    Axis("recency_days", ("slipping", "渐行渐远"), ("active", "活跃")),
    Axis("orders", ("frequent", "高频"), ("rare", "低频")),
    Axis("tenure_days", ("long-standing", "老客"), ("new", "新客")),
    Axis("average_order_value", ("big baskets", "大单"), ("small baskets", "小单")),
    Axis("discount_share", ("bargain hunters", "爱优惠"), ("full price", "正价")),
    Axis("holiday_spend_share", ("holiday buyers", "节日型"), ("all year", "全年型")),
)
FEATURES: Final = tuple(axis.feature for axis in AXES)
RFM: Final = ("recency_days", "orders", "spend")
QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)
NAMED_FROM: Final = 0.5
"""A centre this many standard deviations from the mean is worth a word in the group's name."""
MOST_WORDS: Final = 3
ORDINARY: Final = ("ordinary", "普通")
WORDS: Final = {en: zh for axis in AXES for en, zh in (axis.high, axis.low)} | {ORDINARY[0]: ORDINARY[1]}


class SegmentationConfig(InsightConfig):
    """How many groups may be told apart; the number itself is chosen by the data."""

    fewest_groups: Annotated[int, Field(ge=2, le=20)] = 5
    most_groups: Annotated[int, Field(ge=2, le=20)] = 8


@dataclass(frozen=True)
class RfmCells:
    """Quintiles of recency, frequency and money: R5F5M5 bought last, oftenest and most (Hughes, 1994)."""

    edges: np.ndarray
    """Shape (4, 3)."""

    @classmethod
    def fit(cls, facts: Facts) -> RfmCells:
        return cls(np.quantile(_better_is_more(facts), QUINTILES, axis=0))

    def of(self, facts: Facts) -> list[str]:
        """Each entity's cell, as R5F4M3; 1 is the worst fifth."""
        values = _better_is_more(facts)
        digits = [np.searchsorted(self.edges[:, k], values[:, k], side="left") + 1 for k in range(len(RFM))]
        return [f"R{r}F{f}M{m}" for r, f, m in zip(*digits, strict=True)]


def _better_is_more(facts: Facts) -> np.ndarray:
    """Recency turned round, so that more is better in all three columns; unknown counts as worst."""
    recency, orders, spend = facts.matrix(RFM).T
    return np.column_stack([np.nan_to_num(-recency, nan=-1e9), np.nan_to_num(orders), np.nan_to_num(spend)])


class Atlas:
    """Where everyone stands on the map and how unusual each is: by the latent, else along the axes themselves.

    Without products, or with too few customers, there is no latent: then the map is the two directions in which the
    axes differ most (principal components), and unusual is who stands far from the middle.
    """

    def __init__(self, latent: Latent | None, scale: Scale, turned: np.ndarray, features: tuple[str, ...]) -> None:
        """`turned`: shape (features, 2)."""
        self.latent, self.scale, self.turned, self.features = latent, scale, turned, features

    @classmethod
    def fit(cls, now: Facts, seed: int) -> Atlas:
        features = tuple(name for name in FEATURES if name in now.features.columns)
        scale = Scale.fit(now.matrix(features))
        scaled = scale.transform(now.matrix(features))
        turned = np.linalg.svd(scaled.T @ scaled, hermitian=True)[0][:, :2]
        turned = turned * np.sign(turned[np.abs(turned).argmax(axis=0), [0, 1]])
        try:
            return cls(latent(now, features, seed=seed), scale, turned, features)
        except MissingDataError:
            return cls(None, scale, turned, features)

    def told(self, facts: Facts) -> dict[str, np.ndarray]:
        """The columns of the map and of what is unusual, each of shape (entities,)."""
        if self.latent is not None:
            places, unusual = self.latent.map(facts), self.latent.anomaly(facts)
        else:
            scaled = self.scale.transform(facts.matrix(self.features))
            places, unusual = scaled @ self.turned, np.sqrt((scaled**2).mean(axis=1))
        numbers = {MAP_X: places[:, 0], MAP_Y: places[:, 1], ANOMALY: np.maximum(unusual, 0.0)}
        return {name: column.astype(np.float64) for name, column in numbers.items()}

    def save(self, folder: Path) -> None:
        numbers = (self.scale.usual, self.scale.median, self.scale.mean, self.scale.deviation)
        stored = {"features": self.features, "turned": self.turned.tolist(), "scale": [k.tolist() for k in numbers]}
        (folder / ATLAS).write_text(json.dumps(stored), "utf-8")
        if self.latent is not None:
            self.latent.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Atlas:
        stored = json.loads((folder / ATLAS).read_text("utf-8"))
        scale = Scale(*(np.array(numbers) for numbers in stored["scale"]))
        found = Latent.load(folder) if (folder / FEATURES_FILE).exists() else None
        return cls(found, scale, np.array(stored["turned"]), tuple(stored["features"]))


class Groups(Contender):
    """k-means along the axes, the number of groups chosen by what they tell and how surely they come again."""

    name = "k_means"
    along: ClassVar[tuple[str, ...]] = FEATURES

    def __init__(self, config: SegmentationConfig) -> None:
        self.config = config
        self.names: list[str] = []
        self.features: tuple[str, ...] = ()

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.cells = RfmCells.fit(now)
        self.atlas = Atlas.fit(now, seed)
        self.features = tuple(name for name in self.along if _varies(now, name))
        groups = tuple(range(self.config.fewest_groups, self.config.most_groups + 1))
        self.model = KMeans.fit(now.matrix(self.features), seed=seed, config=KMeansConfig(groups))
        self.names = name_groups(self.model.centres, self.features)

    def predict(self, facts: Facts) -> pl.DataFrame:
        group = self.model.predict(facts.matrix(self.features))
        columns: dict[str, Any] = {SEGMENT: [self.names[k] for k in group], RFM_CELL: self.cells.of(facts)}
        columns |= self.atlas.told(facts)
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, v) for k, v in columns.items())

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """How far from the mean an entity stands on each axis, weighed by how much its group is about that axis."""
        X = facts.matrix(self.features)
        about = np.abs(self.model.centres)[self.model.predict(X)]
        return self.features, self.model.scale.transform(X) * about

    def save(self, folder: Path) -> None:
        self.model.save(folder)
        self.atlas.save(folder)
        stored = {"names": self.names, "features": self.features, "cells": self.cells.edges.tolist()}
        (folder / "groups.json").write_text(json.dumps(stored), "utf-8")

    def load(self, folder: Path) -> None:
        self.model, self.atlas = KMeans.load(folder), Atlas.load(folder)
        stored = json.loads((folder / "groups.json").read_text("utf-8"))
        self.names, self.features = stored["names"], tuple(stored["features"])
        self.cells = RfmCells(np.array(stored["cells"]))


class RfmGroups(Groups):
    """The textbook: k-means on recency, frequency and money alone."""

    name = "rfm_k_means"
    role = Role.BASELINE
    along: ClassVar[tuple[str, ...]] = RFM


def _varies(facts: Facts, feature: str) -> bool:
    """Whether a feature tells anyone apart: a shop without discounts has no bargain hunters."""
    known = facts.features[feature].drop_nulls() if feature in facts.features.columns else pl.Series([])
    return known.n_unique() > 1


def name_groups(centres: np.ndarray, features: Sequence[str]) -> list[str]:
    """Each group's name, by what sets it apart most, in English; no two alike.

    `centres`: shape (groups, features), in standard deviations from the mean.

    >>> name_groups(np.array([[1.5, -0.9], [-0.8, 1.2], [0.1, 0.0]]), ["spend", "recency_days"])
    ['high value, active', 'slipping, low value', 'ordinary']
    """
    axes = {axis.feature: axis for axis in AXES}
    words = [_words(centre, [axes[name] for name in features]) for centre in centres]
    for length in range(1, MOST_WORDS + 1):
        names = [", ".join(own[: max(length, 2)]) or ORDINARY[0] for own in words]
        if len(set(names)) == len(names):
            return names
    return [name if names.count(name) == 1 else f"{name} {k}" for k, name in enumerate(names, start=1)]


def _words(centre: np.ndarray, axes: Sequence[Axis]) -> list[str]:
    """What is said of a centre, the most telling first."""
    far = np.argsort(-np.abs(centre), kind="stable")
    telling = [k for k in far if abs(centre[k]) >= NAMED_FROM]
    return [(axes[k].high if centre[k] > 0 else axes[k].low)[0] for k in telling]


class Segmentation(Insight):
    """Groups of buyers alike in what they buy, how often, how lately; and each one's RFM cell.

    Not promised: that the groups are the shop's only true ones. They are a stable way to talk about the customers;
    how stable, and how much of later spend they explain, is on the card.
    """

    name = "segmentation"
    question: ClassVar[dict[str, str]] = {"en": "Who is alike?", "zh": "哪些客户相似？"}
    needs = Needs((c.ORDERS,), FEATURES, purchases, history=True)
    yields = (
        Group(SEGMENT, english="group", chinese="客群"),
        Group(RFM_CELL, english="RFM cell", chinese="RFM 分格"),
        Value(MAP_X, english="map across", chinese="地图横坐标"),
        Value(MAP_Y, english="map up", chinese="地图纵坐标"),
        Value(ANOMALY, lowest=0, english="how unusual", chinese="异常程度"),
    )
    judged_by = (Metric("stably_explained"), Metric("stability"), Metric("explained"), Metric("spend_explained"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Groups describe; they do not decide. Nobody should be treated worse for a group's name.",
        "zh": "分群只是描述，不是决定；任何人都不应因群名而受到差别对待。",
    }
    Config = SegmentationConfig
    config: SegmentationConfig

    def contenders(self) -> tuple[Contender, ...]:
        return (Groups(self.config), RfmGroups(self.config))

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        spent = happened.select(pl.col(c.CUSTOMER_ID).alias(c.ENTITY_ID), pl.col(SPEND).alias(LOG_SPENT))
        joined = facts.features.select(c.ENTITY_ID).join(spent, on=c.ENTITY_ID, how="left", maintain_order="left")
        return joined.select(pl.col(LOG_SPENT).fill_null(0.0).clip(0).log1p())

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        groups = answer[SEGMENT].to_numpy()
        ways = example.facts.matrix(tuple(name for name in FEATURES if _varies(example.facts, name)))
        told = explained(groups, Scale.fit(ways).transform(ways))
        stability = contender.model.stability if isinstance(contender, Groups) else float("nan")
        return {
            "stably_explained": stability * told,
            "stability": stability,
            "explained": told,
            "spend_explained": explained(groups, example.label(LOG_SPENT)[:, None]),
            "groups": float(answer[SEGMENT].n_unique()),
        }

    def say(self, text: str | None, language: str) -> str:
        if text is None or language != "zh":
            return text or "–"
        return "、".join(WORDS.get(word, word) for word in text.split(", "))

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        sizes = answer.group_by(SEGMENT).len("customers").sort("customers", SEGMENT, descending=[True, False])
        return {"sizes": sizes.to_dicts()}
