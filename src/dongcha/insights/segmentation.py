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
from dongcha.evaluation import metrics
from dongcha.features.labels import SPEND, purchases
from dongcha.insight_kit.base import Contender, Example, Facts, Insight, InsightConfig, Metric, Needs, Role
from dongcha.insight_kit.outputs import Group
from dongcha.models.grouping.k_means import KMeans, KMeansConfig

SEGMENT: Final = "segment"
RFM_CELL: Final = "rfm_cell"
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
BOOTSTRAPS: Final = 8
NAMED_FROM: Final = 0.15
"""A centre this far from the middle rank (0.5) is worth a word in the group's name."""
MOST_WORDS: Final = 3
ORDINARY: Final = ("ordinary", "普通")
WORDS: Final = {en: zh for axis in AXES for en, zh in (axis.high, axis.low)} | {ORDINARY[0]: ORDINARY[1]}


class SegmentationConfig(InsightConfig):
    """How many groups may be told apart; the number itself is chosen by the data."""

    fewest_groups: Annotated[int, Field(ge=2, le=20)] = 3
    most_groups: Annotated[int, Field(ge=2, le=20)] = 8


class RfmCells(Contender):
    """Quintiles of recency, frequency and money: R5F5M5 bought last, oftenest and most (Hughes, 1994)."""

    name = "rfm_cells"
    role = Role.BASELINE

    def __init__(self) -> None:
        self.edges = np.empty((len(QUINTILES), len(RFM)))
        self.stability = float("nan")

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        values = _rfm(now)
        self.edges = np.quantile(values, QUINTILES, axis=0)
        random = np.random.default_rng(seed)
        samples = [values[random.integers(0, len(values), len(values))] for _ in range(BOOTSTRAPS)]
        again = [_cells(values, np.quantile(sample, QUINTILES, axis=0)) for sample in samples]
        self.stability = float(np.mean([metrics.adjusted_rand(self._codes(now), other) for other in again]))

    def _codes(self, facts: Facts) -> np.ndarray:
        return _cells(_rfm(facts), self.edges)

    def cells(self, facts: Facts) -> list[str]:
        """Each entity's cell, as R5F4M3."""
        return [f"R{code // 100}F{code // 10 % 10}M{code % 10}" for code in self._codes(facts)]

    def predict(self, facts: Facts) -> pl.DataFrame:
        cells = self.cells(facts)
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, cells) for k in (SEGMENT, RFM_CELL))

    def save(self, folder: Path) -> None:
        stored = {"edges": self.edges.tolist(), "stability": self.stability}
        (folder / "rfm.json").write_text(json.dumps(stored), "utf-8")

    def load(self, folder: Path) -> None:
        stored = json.loads((folder / "rfm.json").read_text("utf-8"))
        self.edges, self.stability = np.array(stored["edges"]), stored["stability"]


def _rfm(facts: Facts) -> np.ndarray:
    """Recency turned round, so that more is better in all three columns; unknown counts as worst."""
    recency, orders, spend = facts.matrix(RFM).T
    return np.column_stack([np.nan_to_num(-recency, nan=-1e9), np.nan_to_num(orders), np.nan_to_num(spend)])


def _cells(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Codes of three digits, each 1 (worst) to 5 (best)."""
    digits = [np.searchsorted(edges[:, k], values[:, k], side="left") + 1 for k in range(values.shape[1])]
    return np.asarray(100 * digits[0] + 10 * digits[1] + digits[2], dtype=np.int64)


class Groups(Contender):
    """k-means on ranks along the axes, the number of groups chosen by silhouette and bootstrap stability."""

    name = "k_means"

    def __init__(self, config: SegmentationConfig) -> None:
        self.config = config
        self.rfm = RfmCells()
        self.names: list[str] = []
        self.features: tuple[str, ...] = ()

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.rfm.fit(past, now, seed=seed)
        self.features = tuple(axis.feature for axis in AXES if _varies(now, axis.feature))
        groups = tuple(range(self.config.fewest_groups, self.config.most_groups + 1))
        self.model = KMeans.fit(now.matrix(self.features), seed=seed, config=KMeansConfig(groups))
        self.names = name_groups(self.model.centres, self.features)

    @property
    def stability(self) -> float:
        return self.model.stability

    def predict(self, facts: Facts) -> pl.DataFrame:
        group = self.model.predict(facts.matrix(self.features))
        columns = {SEGMENT: [self.names[k] for k in group], RFM_CELL: self.rfm.cells(facts)}
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, v) for k, v in columns.items())

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """How far from the middle an entity stands on each axis, weighed by how much its group is about that axis."""
        X = facts.matrix(self.features)
        about = np.abs(self.model.centres - 0.5)[self.model.predict(X)]
        return self.features, (self.model.ranks(X) - 0.5) * about

    def save(self, folder: Path) -> None:
        self.rfm.save(folder)
        self.model.save(folder)
        (folder / "groups.json").write_text(json.dumps({"names": self.names, "features": self.features}), "utf-8")

    def load(self, folder: Path) -> None:
        self.rfm.load(folder)
        self.model = KMeans.load(folder)
        stored = json.loads((folder / "groups.json").read_text("utf-8"))
        self.names, self.features = stored["names"], tuple(stored["features"])


def _varies(facts: Facts, feature: str) -> bool:
    """Whether a feature tells anyone apart: a shop without discounts has no bargain hunters."""
    known = facts.features[feature].drop_nulls() if feature in facts.features.columns else pl.Series([])
    return known.n_unique() > 1


def name_groups(centres: np.ndarray, features: Sequence[str]) -> list[str]:
    """Each group's name, by what sets it apart most, in English; no two alike.

    `centres`: shape (groups, features), mean ranks from 0 to 1.

    >>> name_groups(np.array([[0.9, 0.2], [0.2, 0.9], [0.5, 0.5]]), ["spend", "recency_days"])
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
    far = np.argsort(-np.abs(centre - 0.5), kind="stable")
    telling = [k for k in far if abs(centre[k] - 0.5) >= NAMED_FROM]
    return [(axes[k].high if centre[k] > 0.5 else axes[k].low)[0] for k in telling]


class Segmentation(Insight):
    """Groups of buyers alike in what they buy, how often, how lately; and each one's RFM cell.

    Not promised: that the groups are the shop's only true ones. They are a stable way to talk about the customers;
    how stable, and how much of later spend they explain, is on the card.
    """

    name = "segmentation"
    question: ClassVar[dict[str, str]] = {"en": "Who is alike?", "zh": "哪些客户相似？"}
    needs = Needs((c.ORDERS,), FEATURES, purchases)
    yields = (
        Group(SEGMENT, english="group", chinese="客群"),
        Group(RFM_CELL, english="RFM cell", chinese="RFM 分格"),
    )
    judged_by = (Metric("stability"), Metric("spend_explained"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Groups describe; they do not decide. Nobody should be treated worse for a group's name.",
        "zh": "分群只是描述，不是决定；任何人都不应因群名而受到差别对待。",
    }
    Config = SegmentationConfig
    config: SegmentationConfig

    def contenders(self) -> tuple[Contender, ...]:
        return (Groups(self.config), RfmCells())

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        spent = happened.select(pl.col(c.CUSTOMER_ID).alias(c.ENTITY_ID), pl.col(SPEND).alias(LOG_SPENT))
        joined = facts.features.select(c.ENTITY_ID).join(spent, on=c.ENTITY_ID, how="left", maintain_order="left")
        return joined.select(pl.col(LOG_SPENT).fill_null(0.0).clip(0).log1p())

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        groups = answer[SEGMENT]
        return {
            "stability": float(getattr(contender, "stability", float("nan"))),
            "spend_explained": explained(groups, example.label(LOG_SPENT)),
            "groups": float(groups.n_unique()),
        }

    def say(self, text: str | None, language: str) -> str:
        if text is None or language != "zh":
            return text or "–"
        return "、".join(WORDS.get(word, word) for word in text.split(", "))

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        sizes = answer.group_by(SEGMENT).len("customers").sort("customers", SEGMENT, descending=[True, False])
        return {"sizes": sizes.to_dicts()}


def explained(groups: pl.Series, outcome: np.ndarray) -> float:
    """The share of the outcome's variance that the groups explain, less what random groups would (ω², Hays 1963)."""
    frame = pl.DataFrame({"group": groups, "y": outcome})
    within = float(frame.select((pl.col("y") - pl.col("y").mean().over("group")).pow(2).sum()).item())
    total = float(((outcome - outcome.mean()) ** 2).sum())
    k, n = groups.n_unique(), len(outcome)
    if n <= k or total == 0:
        return 0.0
    noise = within / (n - k)
    return (total - within - (k - 1) * noise) / (total + noise)
