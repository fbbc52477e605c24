"""Will this customer fall silent?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import expected_calibration_error, reliability_table
from dongcha.evaluation.fairness import by_group
from dongcha.features.declare import about_customers
from dongcha.features.labels import purchases
from dongcha.insight_kit.base import Insight, Metric, Needs, as_rows
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.learned import Learned
from dongcha.insight_kit.outputs import Value
from dongcha.insight_kit.telling import Reader, Told
from dongcha.models.tabular.bg_nbd import BgNbd
from dongcha.models.tabular.blend import Blend
from dongcha.models.tabular.boosting import BoostedProbability
from dongcha.models.tabular.logistic import Logistic
from dongcha.models.tabular.neural_net import NeuralNet

CHURNED: Final = "churned"
PROBABILITY: Final = "churn_probability"
HISTORY: Final = ("repeat_purchase_days", "last_purchase_age_days", "age_days")
"""BG/NBD's frequency, recency and age, in days."""
FEATURES: Final = about_customers()
SHIFT_FILE: Final = "shift.json"
LIKELY: Final = 0.5
SURE: Final = 1e-4
"""No probability is nearer to 0 or 1 than this."""


class Probability(Contender):
    """P(no purchase in the horizon) by an algorithm over features; subclasses name both."""

    algorithm: ClassVar[type[Any]]
    wanted: ClassVar[tuple[str, ...]] = FEATURES
    stops_early: ClassVar[bool] = False

    def __init__(self) -> None:
        self.learned = Learned(self.algorithm, self.wanted, CHURNED, self.stops_early)
        self.shift = 0.0

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.learned.fit(past, now, seed=seed)
        self.shift = further_ahead(now, past[-1].facts.horizon.days)

    def predict(self, facts: Facts) -> pl.DataFrame:
        from scipy.special import expit, logit

        raw = np.clip(self.learned.predict(facts), SURE, 1 - SURE)
        probability = np.clip(expit(logit(raw) + self.shift), SURE, 1 - SURE)
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(PROBABILITY, probability))

    def reads(self) -> tuple[str, ...]:
        return self.learned.names

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        return self.learned.contributions(facts)

    def save(self, folder: Path) -> None:
        self.learned.save(folder)
        (folder / SHIFT_FILE).write_text(json.dumps(self.shift), "utf-8")

    def load(self, folder: Path) -> None:
        self.learned.load(folder)
        self.shift = json.loads((folder / SHIFT_FILE).read_text("utf-8"))


def further_ahead(now: Facts, learnt_days: int) -> float:
    """By how much the logit of silence falls when looking `now.horizon` ahead instead of `learnt_days`.

    0 where both are the same; else what BG/NBD, fitted on the histories as of now, says on average.
    """
    from scipy.special import logit

    if learnt_days == now.horizon.days:
        return 0.0
    x, t_x, age = now.matrix(HISTORY).T
    model = BgNbd.fit(x, t_x, age)
    ahead, learnt = (model.probability_of_no_purchase(t, x, t_x, age) for t in (now.horizon.days, learnt_days))
    return float(logit(np.nanmean(ahead)) - logit(np.nanmean(learnt)))


class Boosting(Probability):
    """Small gradient-boosted trees over every feature."""

    name = "boosting"
    algorithm = BoostedProbability


class SmallNet(Probability):
    """A small neural net over every feature."""

    name = "neural_net"
    algorithm = NeuralNet
    stops_early = True


class Blended(Probability):
    """Trees and a ridge logistic over every feature, averaged in logits."""

    name = "blend"
    algorithm = Blend


class LogisticRfm(Probability):
    """Logistic regression on recency, frequency and money."""

    name = "logistic_rfm"
    role = Role.BASELINE
    algorithm = Logistic
    wanted = ("recency_days", "orders", "spend")


class RecencyRule(Probability):
    """The longer ago the last order, the likelier: one number, made a probability by a logistic."""

    name = "recency_rule"
    role = Role.BASELINE
    algorithm = Logistic
    wanted = ("recency_days",)


class Churn(Insight):
    """P(no purchase within the horizon) for every buyer, calibrated on past cutoffs.

    On Online Retail (4 cutoffs, 90 days) see docs/insights/churn.md. Not promised: that a customer who is told from the
    rest will stay if spoken to; that is the question of uplift.
    """

    name = "churn"
    live = True
    question: ClassVar[dict[str, str]] = {"en": "Who will fall silent?", "zh": "谁会流失？"}
    needs = Needs((c.ORDERS,), FEATURES, purchases)
    yields = (Value(PROBABILITY, "probability", 0, 1, "may leave", "流失概率"),)
    judged_by = (
        Metric("average_precision"),
        Metric("auc"),
        Metric("brier", more_is_better=False),
    )
    fair_by = c.COUNTRY
    limits: ClassVar[dict[str, str]] = {
        "en": "Says who may fall silent, not whom a campaign would keep; not for decisions on credit or price.",
        "zh": "只说明谁可能流失，不说明营销能留住谁；不得用于信贷或定价决策。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Blended(), Boosting(), SmallNet(), LogisticRfm(), RecencyRule())

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """Likelier gone than not is worth a letter."""
        chance, days = answer[PROBABILITY], reader.days
        leaves = reader.pick(
            f"{reader.share(chance)} likely not to order in the next {days} days",
            f"未来 {days} 天不再下单的可能性为 {reader.share(chance)}",
        )
        if chance < LIKELY:
            return Told(leaves)
        return Told(leaves, reader.pick("Write to them before they are gone", "趁还没流失，主动联系"))

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        silent = ~facts.entities.is_in(happened[c.CUSTOMER_ID].implode())
        return pl.DataFrame({CHURNED: silent.cast(pl.Float64)})

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        return measured(example.label(CHURNED), answer[PROBABILITY].to_numpy())

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        truth, guess = example.label(CHURNED), answer[PROBABILITY].to_numpy()
        found: dict[str, Any] = {
            "calibration": reliability_table(truth, guess),
            "calibration_error": expected_calibration_error(truth, guess),
        }
        if groups is not None:
            found["fairness"] = as_rows(by_group(truth, guess, groups, measured))
        return found


def measured(truth: np.ndarray, guess: np.ndarray) -> dict[str, float]:
    """What a probability of silence is judged by; `bias` is the mean forecast less the share that fell silent."""
    return {
        "average_precision": metrics.average_precision(truth, guess),
        "auc": metrics.auc(truth, guess),
        "brier": metrics.brier(truth, guess),
        "bias": float(np.mean(guess) - np.mean(truth)),
    }
