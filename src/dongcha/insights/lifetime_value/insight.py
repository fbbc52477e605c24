"""The question, its answer in words, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import interval_table, reliability_table
from dongcha.evaluation.fairness import by_group
from dongcha.features.labels import SPEND, purchases
from dongcha.insight_kit.base import Insight, Metric, Needs, as_rows
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Value
from dongcha.insight_kit.telling import Reader, Told
from dongcha.insights.lifetime_value.contenders import (
    FEATURES,
    Blended,
    Boosting,
    PastMean,
    Probabilistic,
    ZeroInflated,
)
from dongcha.insights.lifetime_value.names import COVERAGE, HIGH, LOW, SPENT, VALUE

TOTAL_OFF_BY: Final = 0.15
"""A forecast whose total is further off than this, on average over the folds, is not acceptable."""


class LifetimeValue(Insight):
    """What every buyer will spend within the horizon, with an interval that should hold 8 times in 10.

    Figures are in docs/insights/lifetime_value.md. Not promised: a single customer's spend; the forecast is of a mean,
    and single customers scatter widely around it, as the interval says.
    """

    name = "lifetime_value"
    question: ClassVar[dict[str, str]] = {"en": "What will they spend?", "zh": "他们会花多少？"}
    needs = Needs((c.ORDERS,), FEATURES, purchases)
    yields = (
        Value(VALUE, "money", 0, english="will spend", chinese="预计消费"),
        Value(LOW, "money", 0, english="at least", chinese="至少"),
        Value(HIGH, "money", 0, english="at most", chinese="至多"),
    )
    judged_by = (
        Metric("gini"),
        Metric("spearman"),
        Metric("mae", more_is_better=False),
        Metric("total_ratio", target=1.0),
        Metric("coverage", target=COVERAGE),
    )
    fair_by = c.COUNTRY
    limits: ClassVar[dict[str, str]] = {
        "en": "A forecast of what will be spent if nothing changes; not what a campaign would add.",
        "zh": "预测在一切不变时的消费，而非营销带来的增量。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Blended(), Boosting(), ZeroInflated(), Probabilistic(), PastMean())

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """The mean and the interval; the interval first where the mean lies above it, as a few make up the mean."""
        about, low, high = (reader.money(answer[name]) for name in (VALUE, LOW, HIGH))
        ahead = reader.pick(f"in the next {reader.days} days", f"未来 {reader.days} 天")
        if answer[VALUE] > answer[HIGH]:
            typical = reader.pick(f"; customers like this spend {about} on average", f"；同类客户平均 {about}")
            if answer[HIGH] == 0:
                return Told(reader.pick(f"Will most likely spend nothing {ahead}", f"{ahead}很可能没有消费") + typical)
            at_most = reader.pick(
                f"8 times in 10 will spend at most {high} {ahead}", f"{ahead}八成把握消费不超过 {high}"
            )
            return Told(at_most + typical)
        within = reader.pick(f"8 times in 10 between {low} and {high}", f"八成把握在 {low} 至 {high} 之间")
        if answer[LOW] == 0:
            within = reader.pick(f"8 times in 10 at most {high}", f"八成把握不超过 {high}")
        return Told(reader.pick(f"Will spend about {about} {ahead}; {within}", f"{ahead}约消费 {about}，{within}"))

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(SPEND).fill_null(0.0).clip(0).alias(SPENT))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        spent, forecast, low, high = _columns(example, answer)
        return {**measured(spent, forecast), "coverage": metrics.coverage(spent, low, high)}

    def unacceptable(self, metrics: Mapping[str, float]) -> str:
        if abs(metrics["total_ratio"] - 1) > TOTAL_OFF_BY:
            return f"its total is {metrics['total_ratio']:.2f} of what was spent"
        return ""

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        spent, forecast, low, high = _columns(example, answer)
        found: dict[str, Any] = {
            "calibration": reliability_table(spent, forecast),
            "intervals": interval_table(spent, forecast, low, high),
        }
        if groups is not None:
            found["fairness"] = as_rows(by_group(spent, forecast, groups, measured))
        return found


def _columns(example: Example, answer: pl.DataFrame) -> tuple[np.ndarray, ...]:
    """What was spent, the forecast, and the interval's ends, shape (entities,) each."""
    return example.label(SPENT), *(answer[name].to_numpy() for name in (VALUE, LOW, HIGH))


def measured(spent: np.ndarray, forecast: np.ndarray) -> dict[str, float]:
    """What a forecast of spend is judged by; `total_ratio` is the total forecast over the total spent."""
    return {
        "gini": metrics.normalised_gini(spent, forecast),
        "spearman": metrics.spearman(spent, forecast),
        "mae": metrics.mae(spent, forecast),
        "total_ratio": metrics.total_ratio(spent, forecast),
    }
