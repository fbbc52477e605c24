"""An amount that is often zero, in two parts: will there be any, and if so how much."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from dongcha.models.tabular.blend import Blend, BlendConfig
from dongcha.models.tabular.log_scaling import LogScaler
from dongcha.models.tabular.training import Array, balanced_weight, positive_target

FILE: Final = "hurdle.json"
RESIDUAL_LEVELS: Final = np.linspace(0.0, 1.0, 201)
FLAT: Final = 1e-9


@dataclass(frozen=True)
class HurdleConfig:
    """`ridge` is the penalty per row on the amount's weights; `blend` the options of the first part."""

    ridge: float = 0.04
    blend: BlendConfig = field(default_factory=BlendConfig)


@dataclass(frozen=True)
class Hurdle:
    """E(y) = P(y > 0) · E(y | y > 0): a `Blend` for the first, a ridge on log y for the second.

    X (rows, columns) float64 with NaN for missing; y >= 0 in any unit. The log residuals of the fit, not a normal
    curve, turn a log into a mean (Duan's smearing, 1983) and into quantiles.
    """

    any: Blend
    scaler: LogScaler
    weights: Array
    intercept: float
    log_smearing: float
    residuals: Array
    """Quantiles of the log residuals at RESIDUAL_LEVELS."""

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: HurdleConfig | None = None,
    ) -> Hurdle:
        """Learn from y >= 0. Raises MissingDataError where nothing, or everything, is above zero."""
        config, y, weight = config or HurdleConfig(), positive_target(y), balanced_weight(sample_weight, len(y))
        some = y > 0
        any_ = Blend.fit(X, some.astype(np.float64), sample_weight=weight, seed=seed, config=config.blend)
        return cls(any_, *_fit_log_amount(X[some], np.log(y[some]), weight[some], config.ridge))

    def probability(self, X: Array) -> Array:
        """P(y > 0), shape (rows,)."""
        return self.any.predict(X)

    def predict_log(self, X: Array) -> Array:
        """The logarithm of `predict`."""
        from scipy.special import log_expit

        return np.asarray(log_expit(self.any.predict_logit(X)) + self._log_amount(X) + self.log_smearing)

    def predict(self, X: Array) -> Array:
        """E(y), shape (rows,), in the unit of y."""
        return np.exp(self.predict_log(X))

    def quantiles(self, X: Array, levels: tuple[float, ...]) -> Array:
        """Quantiles of y, shape (rows, levels): 0 up to the chance of nothing, then the amount's own."""
        nothing = 1 - self.probability(X)[:, None]
        within = np.clip((np.asarray(levels)[None, :] - nothing) / (1 - nothing), 0, 1)
        amount = np.exp(self._log_amount(X)[:, None] + np.interp(within, RESIDUAL_LEVELS, self.residuals))
        return np.where(within > 0, amount, 0.0)

    def contributions(self, X: Array) -> Array:
        """Each column's push on log E(y), shape (rows, columns); they sum to the log less a constant.

        The pushes on the logit are scaled, row by row, to add up to the change of the log-probability.
        """
        from scipy.special import log_expit

        logit_pushes = self.any.contributions(X)
        logit, moved = self.any.predict_logit(X), logit_pushes.sum(axis=1)
        change = log_expit(logit) - log_expit(logit - moved)
        slope = np.divide(change, moved, out=1 - self.any.predict(X), where=np.abs(moved) > FLAT)
        amount_pushes = self.scaler.gather(self.scaler.transform(X) * self.weights)
        return np.asarray(logit_pushes * slope[:, None] + amount_pushes, dtype=np.float64)

    def _log_amount(self, X: Array) -> Array:
        return np.asarray(self.scaler.transform(X) @ self.weights + self.intercept, dtype=np.float64)

    def save(self, folder: Path) -> None:
        self.any.save(folder)
        stored = {
            "scaler": self.scaler.to_json(),
            "weights": self.weights.tolist(),
            "intercept": self.intercept,
            "log_smearing": self.log_smearing,
            "residuals": self.residuals.tolist(),
        }
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Hurdle:
        stored: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
        scaler, weights = LogScaler.from_json(stored["scaler"]), np.array(stored["weights"])
        residuals = np.array(stored["residuals"])
        return cls(Blend.load(folder), scaler, weights, stored["intercept"], stored["log_smearing"], residuals)


def _fit_log_amount(
    X: Array, log_y: Array, weight: Array, ridge: float
) -> tuple[LogScaler, Array, float, float, Array]:
    """The ridge on log y, and what its residuals say. Returns the last five fields of a Hurdle."""
    from sklearn.linear_model import Ridge

    scaler = LogScaler.fit(X)
    scaled = scaler.transform(X)
    model = Ridge(alpha=ridge * len(log_y)).fit(scaled, log_y, sample_weight=weight)
    fitted = np.asarray(model.predict(scaled), dtype=np.float64)
    smearing = np.log(weight @ np.exp(log_y) / (weight @ np.exp(fitted)))
    residuals = np.quantile(log_y - fitted, RESIDUAL_LEVELS)
    return scaler, np.asarray(model.coef_, dtype=np.float64), float(model.intercept_), float(smearing), residuals
