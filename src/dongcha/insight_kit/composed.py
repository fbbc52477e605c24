"""A vector of every customer, composed of parts: what insights that yield vectors share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.insight_kit.base import Insight, Metric
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.parts import Part
from dongcha.insight_kit.probing import Asked, measured
from dongcha.models.vectors.network import Learned
from dongcha.models.vectors.weighted import Weighted

FUSION: Final = "fusion"
Fusion = Weighted | Learned


class Composed(Contender):
    """Parts fused into one vector, all learnt as of the newest past example, then read off at any later cutoff.

    Not as of now: what reads the vector learns at a past cutoff, and there it may only hold what was known.
    """

    column: ClassVar[str]
    size: ClassVar[int]
    kinds: ClassVar[tuple[type[Part], ...]]
    fused_by: ClassVar[type[Weighted] | type[Learned]] = Weighted
    asks: ClassVar[bool] = False
    """Whether the fusion learns from what then happened; else the parts weigh alike."""

    def __init__(self) -> None:
        self.parts = tuple(kind() for kind in self.kinds)
        self.example: Example | None = None
        """What the vectors' worth is told by; a loaded contender has none."""

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        if not past:
            raise MissingDataError("No past cutoff has a complete label.", "Load a longer history.")
        self.example = past[-1]
        for part in self.parts:
            part.learn(self.example.facts, seed)
        known = self.example.facts
        answers = list(Asked.of(known).answers(self.example).values()) if self.asks else []
        self.fusion: Fusion = self.fused_by.fit(self._numbers(known), self.size, answers=answers, seed=seed)

    def vectors(self, facts: Facts) -> np.ndarray:
        """Shape (entities, size), float64."""
        return self.fusion.transform(self._numbers(facts))

    def _numbers(self, facts: Facts) -> list[np.ndarray]:
        return [part.numbers(facts) for part in self.parts]

    def predict(self, facts: Facts) -> pl.DataFrame:
        vectors = pl.Series(self.column, self.vectors(facts), pl.Array(pl.Float64, self.size))
        return facts.features.select(c.ENTITY_ID).with_columns(vectors)

    def save(self, folder: Path) -> None:
        for name, saved in {FUSION: self.fusion, **{part.name: part for part in self.parts}}.items():
            (folder / name).mkdir()
            saved.save(folder / name)

    def load(self, folder: Path) -> None:
        for part in self.parts:
            part.load(folder / part.name)
        self.fusion = self.fused_by.load(folder / FUSION)


class VectorInsight(Insight):
    """An insight whose contenders are `Composed`: judged by what lines learnt from its vectors foretell."""

    judged_by = (Metric("probe_auc"), Metric("next_event_ndcg"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Numbers for machines: no single coordinate means anything, and two versions cannot be compared.",
        "zh": "供程序使用的数值：单个坐标没有含义，不同版本之间不可比较。",
    }

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        """The products that each customer then bought."""
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(PRODUCTS_BOUGHT).fill_null([]))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """`probe_auc` is the mean over the families of questions; `next_event_ndcg` ranks the products bought next."""
        if not isinstance(contender, Composed) or contender.example is None:
            raise MissingDataError(f"{contender.name} was not fitted here: its probes have nothing to learn from.")
        earlier = contender.example
        return measured(earlier, contender.vectors(earlier.facts), example, answer[contender.column].to_numpy())
