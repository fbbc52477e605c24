"""Two guesses are steadier than one: a ridge logistic and small trees, averaged in logits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dongcha.models.tabular.boosting import BoostedProbability, BoostingConfig
from dongcha.models.tabular.logistic import Logistic, LogisticConfig
from dongcha.models.tabular.training import Array


@dataclass(frozen=True)
class BlendConfig:
    """The two parts' options."""

    logistic: LogisticConfig = field(default_factory=LogisticConfig)
    boosting: BoostingConfig = field(default_factory=BoostingConfig)


@dataclass(frozen=True)
class Blend:
    """P(y = 1): the mean of both logits. X (rows, columns) float64 with NaN for missing."""

    logistic: Logistic
    boosting: BoostedProbability

    @classmethod
    def fit(
        cls, X: Array, y: Array, *, sample_weight: Array | None = None, seed: int = 0, config: BlendConfig | None = None
    ) -> Blend:
        """Learn from y in {0, 1}. Raises MissingDataError where only one class is seen."""
        config = config or BlendConfig()
        return cls(
            Logistic.fit(X, y, sample_weight=sample_weight, seed=seed, config=config.logistic),
            BoostedProbability.fit(X, y, sample_weight=sample_weight, seed=seed, config=config.boosting),
        )

    def predict_logit(self, X: Array) -> Array:
        return (self.logistic.predict_logit(X) + self.boosting.predict_logit(X)) / 2

    def predict(self, X: Array) -> Array:
        """The probability, shape (rows,)."""
        from scipy.special import expit

        return np.asarray(expit(self.predict_logit(X)), dtype=np.float64)

    def contributions(self, X: Array) -> Array:
        """Each column's push on the logit, shape (rows, columns); they sum to the logit less a constant."""
        return (self.logistic.contributions(X) + self.boosting.contributions(X)) / 2

    def save(self, folder: Path) -> None:
        self.logistic.save(folder)
        self.boosting.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Blend:
        return cls(Logistic.load(folder), BoostedProbability.load(folder))
