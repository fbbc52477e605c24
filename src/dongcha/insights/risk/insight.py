"""The question, its label, its figures, and how an answer is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import expected_calibration_error, reliability_table
from dongcha.features.labels import went_bad
from dongcha.insight_kit.base import Insight, InsightConfig, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.orders import WENT_BAD, OrdersConfig
from dongcha.insight_kit.outputs import Value
from dongcha.insight_kit.telling import Reader, Told
from dongcha.insights.risk.contenders import (
    FEATURES,
    PROBABILITY,
    BestRule,
    Blended,
    Boosting,
    LogisticOrder,
)

ALERTS: Final = 0.01
"""The share of orders that somebody has time to look at."""
LIKELY: Final = 0.5
WORTH_A_LOOK: Final = 0.1


class Risk(Insight):
    """P(fraud, charge-back or default) of every order that may still turn out bad, as of the moment it was placed.

    On the simulated shop and on the Fraud Detection Handbook's transactions see docs/insights/risk.md. Not promised:
    that an order like none before is told; and orders that were refused are never learnt from, since nothing is heard
    of them.
    """

    name = "risk"
    live = True
    entity = c.ORDER_ID
    question: ClassVar[dict[str, str]] = {"en": "Which orders are dangerous?", "zh": "哪些订单有风险？"}
    needs = Needs((c.ORDERS, c.OUTCOMES), FEATURES, went_bad)
    yields = (Value(PROBABILITY, "probability", 0, 1, "may go bad", "订单风险概率"),)
    judged_by = (
        Metric("average_precision"),
        Metric("recall_at_1pct"),
        Metric("ks"),
        Metric("auc"),
        Metric("brier", more_is_better=False),
    )
    limits: ClassVar[dict[str, str]] = {
        "en": "Says which orders deserve a look, not who is a fraud: a person decides, and hears the customer. Learnt "
        "from what was reported; orders that were refused teach it nothing.",
        "zh": "只说明哪些订单值得人工核查，不认定任何人欺诈：须由人决定并听取客户意见。"
        "只从已上报的结果学习，被拒订单不在其中。",
    }
    Config: ClassVar[type[InsightConfig]] = OrdersConfig

    def contenders(self) -> tuple[Contender, ...]:
        return (Boosting(), Blended(), LogisticOrder(), BestRule())

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """One in ten is worth a look, and more likely bad than not is worth holding."""
        chance = answer[PROBABILITY]
        told = reader.pick(
            f"{reader.share(chance)} likely to go bad (fraud, charge-back or default)",
            f"出问题（欺诈、拒付或违约）的可能性为 {reader.share(chance)}",
        )
        if chance >= LIKELY:
            return Told(told, reader.pick("Hold it until somebody has looked", "先暂缓发货，人工核查"))
        if chance >= WORTH_A_LOOK:
            return Told(told, reader.pick("Have a look before it is sent", "发货前核查"))
        return Told(told)

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        assert isinstance(self.config, OrdersConfig)
        named = happened.filter(pl.col(c.NAME).is_in(self.config.bad))
        bad = facts.entities.is_in(named[c.ORDER_ID].implode())
        return pl.DataFrame({WENT_BAD: bad.cast(pl.Float64)})

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        return measured(example.label(WENT_BAD), answer[PROBABILITY].to_numpy())

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        truth, guess = example.label(WENT_BAD), answer[PROBABILITY].to_numpy()
        return {
            "calibration": reliability_table(truth, guess),
            "calibration_error": expected_calibration_error(truth, guess),
        }


def measured(truth: np.ndarray, guess: np.ndarray) -> dict[str, float]:
    """What a probability of going bad is judged by; `bias` is the mean forecast less the share that went bad."""
    return {
        "average_precision": metrics.average_precision(truth, guess),
        "recall_at_1pct": metrics.recall_at(truth, guess, ALERTS),
        "ks": metrics.kolmogorov_smirnov(truth, guess),
        "auc": metrics.auc(truth, guess),
        "brier": metrics.brier(truth, guess),
        "bias": float(np.mean(guess) - np.mean(truth)),
    }
