"""Gradient-boosted trees for a probability, an amount and a wait, with settings for thousands of rows, not millions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from dongcha.models.tabular.training import Array, balanced_weight, binary_target, positive_target
from dongcha.models.trees import Trees, load_trees, save_trees

if TYPE_CHECKING:
    import lightgbm

MANY_ROWS: Final = 200_000
UNIT: Final = "boosted_amount.json"


@dataclass(frozen=True)
class BoostingConfig:
    """Very small trees, strongly drawn to zero: on a shop's few thousand noisy rows this beats the defaults clearly.

    `tweedie_power` between 1 (Poisson) and 2 (gamma) only matters for amounts; `threads` 0
    takes every core from MANY_ROWS on and one below, where threads cost more in waiting than they bring.
    """

    trees: int = 300
    leaves: int = 4
    learning_rate: float = 0.03
    rows_in_a_leaf: int = 60
    columns_per_tree: float = 0.3
    rows_per_tree: float = 0.7
    ridge: float = 10.0
    tweedie_power: float = 1.5
    threads: int = 0


class _Boosting:
    """What all share. X has shape (rows, columns), float64, NaN for missing; LightGBM sends NaN its own way."""

    file: ClassVar[str]

    def __init__(self, booster: lightgbm.Booster | Trees) -> None:
        self.booster = booster

    def contributions(self, X: Array) -> Array:
        """TreeSHAP pushes on the raw score (logit or log amount), shape (rows, columns); sum + bias = raw score."""
        return np.asarray(self.booster.predict(X, pred_contrib=True), dtype=np.float64)[:, :-1]

    def _raw(self, X: Array) -> Array:
        return np.asarray(self.booster.predict(X, raw_score=True), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text format, and ONNX."""
        save_trees(self.booster, folder / self.file)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(load_trees(folder / cls.file))


class BoostedProbability(_Boosting):
    """P(y = 1) by LightGBM with log loss."""

    file = "boosted_probability.txt"

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: BoostingConfig | None = None,
    ) -> Self:
        """Learn from y in {0, 1}. Raises MissingDataError where only one class is seen."""
        settings = {"objective": "binary", **_settings(config or BoostingConfig(), seed, len(y))}
        return cls(_train(X, binary_target(y), sample_weight, settings))

    def predict_logit(self, X: Array) -> Array:
        return self._raw(X)

    def predict(self, X: Array) -> Array:
        """The probability, shape (rows,)."""
        from scipy.special import expit

        return np.asarray(expit(self._raw(X)), dtype=np.float64)


class BoostedAmount(_Boosting):
    """E(y) for y >= 0, often 0, by LightGBM with the Tweedie loss, in the unit of y.

    y is learnt in units of its mean: the strength of `ridge` would else depend on the currency.
    """

    file = "boosted_amount.txt"

    def __init__(self, booster: lightgbm.Booster | Trees, log_unit: float) -> None:
        super().__init__(booster)
        self.log_unit = log_unit

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: BoostingConfig | None = None,
    ) -> Self:
        """Learn from y >= 0. Raises MissingDataError where nothing is above zero."""
        config, y = config or BoostingConfig(), positive_target(y)
        unit = y.mean()
        loss = {"objective": "tweedie", "tweedie_variance_power": config.tweedie_power}
        booster = _train(X, y / unit, sample_weight, {**loss, **_settings(config, seed, len(y))})
        return cls(booster, float(np.log(unit)))

    def predict_log(self, X: Array) -> Array:
        """The logarithm of `predict`."""
        return self._raw(X) + self.log_unit

    def predict(self, X: Array) -> Array:
        """The expected amount, shape (rows,), above zero."""
        return np.exp(self.predict_log(X))

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text format, ONNX, and the unit of y beside it."""
        super().save(folder)
        (folder / UNIT).write_text(json.dumps({"log_unit": self.log_unit}), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(load_trees(folder / cls.file), json.loads((folder / UNIT).read_text("utf-8"))["log_unit"])


class BoostedWait(_Boosting):
    """The median of y >= 0 in days, by LightGBM with absolute error: of a wait, the mean is mostly its longest rows."""

    file = "boosted_wait.txt"

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: BoostingConfig | None = None,
    ) -> Self:
        """Learn from y >= 0. Raises MissingDataError where nothing is above zero."""
        config = config or BoostingConfig(trees=200, learning_rate=0.05)
        settings = {"objective": "l1", **_settings(config, seed, len(y))}
        return cls(_train(X, positive_target(y), sample_weight, settings))

    def predict(self, X: Array) -> Array:
        """Days, shape (rows,), none below 0."""
        return np.maximum(self._raw(X), 0.0)


def _settings(config: BoostingConfig, seed: int, rows: int) -> dict[str, Any]:
    return {
        "num_iterations": config.trees,
        "num_leaves": config.leaves,
        "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.rows_in_a_leaf,
        "feature_fraction": config.columns_per_tree,
        "bagging_fraction": config.rows_per_tree,
        "bagging_freq": 1,
        "lambda_l2": config.ridge,
        "num_threads": config.threads or (0 if rows >= MANY_ROWS else 1),
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbose": -1,
    }


def _train(X: Array, y: Array, sample_weight: Array | None, settings: dict[str, Any]) -> lightgbm.Booster:
    import lightgbm

    data = lightgbm.Dataset(np.asarray(X, dtype=np.float64), y, weight=balanced_weight(sample_weight, len(y)))
    return lightgbm.train(settings, data)
