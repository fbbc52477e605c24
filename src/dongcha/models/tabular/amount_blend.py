"""An often-zero amount by two unlike models, averaged in logs: a hurdle and Tweedie trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dongcha.models.tabular.boosting import BoostedAmount, BoostingConfig
from dongcha.models.tabular.hurdle import Hurdle, HurdleConfig
from dongcha.models.tabular.training import Array


@dataclass(frozen=True)
class AmountBlendConfig:
    """The two parts' options."""

    hurdle: HurdleConfig = field(default_factory=HurdleConfig)
    boosting: BoostingConfig = field(default_factory=lambda: BoostingConfig(trees=200))


@dataclass(frozen=True)
class AmountBlend:
    """E(y) for y >= 0: the geometric mean of a `Hurdle` and a `BoostedAmount`.

    The hurdle's extremes are too high and the trees' too low; their mean is nearer in total than either.
    """

    hurdle: Hurdle
    boosting: BoostedAmount

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: AmountBlendConfig | None = None,
    ) -> AmountBlend:
        """Learn from y >= 0. Raises MissingDataError where nothing, or everything, is above zero."""
        config = config or AmountBlendConfig()
        return cls(
            Hurdle.fit(X, y, sample_weight=sample_weight, seed=seed, config=config.hurdle),
            BoostedAmount.fit(X, y, sample_weight=sample_weight, seed=seed, config=config.boosting),
        )

    def predict(self, X: Array) -> Array:
        """E(y), shape (rows,), in the unit of y."""
        return np.exp((self.hurdle.predict_log(X) + self.boosting.predict_log(X)) / 2)

    def quantiles(self, X: Array, levels: tuple[float, ...]) -> Array:
        """Quantiles of y, shape (rows, levels), from the hurdle."""
        return self.hurdle.quantiles(X, levels)

    def contributions(self, X: Array) -> Array:
        """Each column's push on log E(y), shape (rows, columns): exp(push) is the factor it brings."""
        return (self.hurdle.contributions(X) + self.boosting.contributions(X)) / 2

    def save(self, folder: Path) -> None:
        self.hurdle.save(folder)
        self.boosting.save(folder)

    @classmethod
    def load(cls, folder: Path) -> AmountBlend:
        return cls(Hurdle.load(folder), BoostedAmount.load(folder))
