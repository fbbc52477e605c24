"""Who may say how likely an order goes bad: trees, a logistic, both; and the one rule that tells most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha.evaluation import metrics
from dongcha.evaluation.reasons import typical_of
from dongcha.features.declare import about_orders
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.learned import Learned
from dongcha.insight_kit.orders import WENT_BAD
from dongcha.models.tabular.blend import Blend, BlendConfig
from dongcha.models.tabular.boosting import BoostedProbability, BoostingConfig
from dongcha.models.tabular.logistic import Logistic, LogisticConfig
from dongcha.models.tabular.training import Array

PROBABILITY: Final = "risk_probability"
FEATURES: Final = about_orders()
TYPICAL_FILE: Final = "typical.json"
SURE: Final = 1e-6
"""No probability is nearer to 0 or 1 than this."""
TREES: Final = BoostingConfig(trees=300, leaves=6, rows_in_a_leaf=10, ridge=1.0)
"""Bad orders are few, so that one leaf may hold ten: what draws other questions' leaves to zero would leave the
likeliest orders at half their risk. Chosen on six simulated shops and an earlier month of the handbook's transactions.
"""
LINE: Final = LogisticConfig(ridge=1e-4)
"""Where one order in two hundred is bad, the ridge that suits even classes would say nothing."""


class _Trees(BoostedProbability):
    """Trees with the settings for few bad orders."""

    @classmethod
    def fit(cls, X: Array, y: Array, **options: Any) -> _Trees:
        return super().fit(X, y, **{"config": TREES, **options})


class _Line(Logistic):
    """A logistic with the settings for few bad orders."""

    @classmethod
    def fit(cls, X: Array, y: Array, **options: Any) -> Logistic:
        return Logistic.fit(X, y, **{"config": LINE, **options})


class _Both(Blend):
    """Trees and a logistic with these settings."""

    @classmethod
    def fit(cls, X: Array, y: Array, **options: Any) -> Blend:
        return Blend.fit(X, y, **{"config": BlendConfig(LINE, TREES), **options})


class Danger(Contender):
    """P(the order goes bad) by an algorithm over an order's features; subclasses name it."""

    algorithm: ClassVar[type[Any]]

    def __init__(self) -> None:
        self.learned = Learned(self.algorithm, FEATURES, WENT_BAD)
        self.middle: dict[str, float | None] = {}

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.learned.fit(past, now, seed=seed)
        names = self.learned.names
        middle = typical_of(np.concatenate([example.facts.matrix(names) for example in past]))
        self.middle = {n: None if np.isnan(m) else float(m) for n, m in zip(names, middle, strict=True)}

    def typical_values(self, names: Sequence[str], values: np.ndarray) -> np.ndarray:
        """Of the orders learnt from, so that an order that comes alone has something to stand beside."""
        return np.array([self.middle[name] for name in names], dtype=np.float64)

    def predict(self, facts: Facts) -> pl.DataFrame:
        probability = np.clip(self.learned.predict(facts), SURE, 1 - SURE)
        return pl.DataFrame([facts.entities, pl.Series(PROBABILITY, probability, pl.Float64)])

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        return self.learned.contributions(facts)

    def save(self, folder: Path) -> None:
        self.learned.save(folder)
        (folder / TYPICAL_FILE).write_text(json.dumps(self.middle), "utf-8")

    def load(self, folder: Path) -> None:
        self.learned.load(folder)
        self.middle = json.loads((folder / TYPICAL_FILE).read_text("utf-8"))


class Blended(Danger):
    """Trees and a logistic over every feature, averaged in logits."""

    name = "blend"
    algorithm = _Both


class Boosting(Danger):
    """Gradient-boosted trees over every feature."""

    name = "boosting"
    algorithm = _Trees


class LogisticOrder(Danger):
    """Logistic regression on every feature."""

    name = "logistic"
    role = Role.BASELINE
    algorithm = _Line


class BestRule(Danger):
    """The one feature by which past bad orders are told best, made a probability by a logistic."""

    name = "best_rule"
    role = Role.BASELINE
    algorithm = _Line

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.learned.wanted = (best_rule(past, tuple(n for n in FEATURES if n in now.features.columns)),)
        super().fit(past, now, seed=seed)


def best_rule(past: Sequence[Example], names: Sequence[str]) -> str:
    """The feature with the best average precision over past orders, whichever way it points."""
    X = np.concatenate([example.facts.matrix(names) for example in past])
    bad = np.concatenate([example.label(WENT_BAD) for example in past])
    middle = typical_of(X)
    found = {}
    for name, column, typical in zip(names, X.T, middle, strict=True):
        full = np.where(np.isnan(column), 0.0 if np.isnan(typical) else typical, column)
        found[name] = max(metrics.average_precision(bad, way * full) for way in (1, -1))
    return max(found, key=lambda name: found[name])
