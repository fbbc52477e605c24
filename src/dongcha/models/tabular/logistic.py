"""Ridge logistic regression on logs: the steady half of a good guess, and the baseline to beat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.tabular.log_scaling import LogScaler
from dongcha.models.tabular.training import Array, balanced_weight, binary_target

FILE: Final = "logistic.json"


@dataclass(frozen=True)
class LogisticConfig:
    """`ridge` is the penalty per row on squared standardised weights: the same strength whatever the row count."""

    ridge: float = 0.04
    max_iterations: int = 500


@dataclass(frozen=True)
class Logistic:
    """P(y = 1) = sigmoid(intercept + weights · scaled log of X); X (rows, columns) float64 with NaN for missing."""

    scaler: LogScaler
    weights: Array
    intercept: float

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: LogisticConfig | None = None,
    ) -> Logistic:
        """Learn from y in {0, 1}. Raises MissingDataError where only one class is seen; `seed` changes nothing."""
        from sklearn.linear_model import LogisticRegression

        config, y = config or LogisticConfig(), binary_target(y)
        scaler = LogScaler.fit(X)
        model = LogisticRegression(C=1 / (config.ridge * len(y)), max_iter=config.max_iterations)
        model.fit(scaler.transform(X), y, sample_weight=balanced_weight(sample_weight, len(y)))
        return cls(scaler, np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))

    def predict_logit(self, X: Array) -> Array:
        return np.asarray(self.scaler.transform(X) @ self.weights + self.intercept, dtype=np.float64)

    def predict(self, X: Array) -> Array:
        """The probability, shape (rows,)."""
        from scipy.special import expit

        return np.asarray(expit(self.predict_logit(X)), dtype=np.float64)

    def contributions(self, X: Array) -> Array:
        """Each column's push on the logit, from the mean row; shape (rows, columns), sums to logit - intercept."""
        return self.scaler.gather(self.scaler.transform(X) * self.weights)

    def save(self, folder: Path) -> None:
        stored = {"scaler": self.scaler.to_json(), "weights": self.weights.tolist(), "intercept": self.intercept}
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Logistic:
        stored = json.loads((folder / FILE).read_text("utf-8"))
        weights: NDArray[np.float64] = np.array(stored["weights"])
        return cls(LogScaler.from_json(stored["scaler"]), weights, stored["intercept"])
