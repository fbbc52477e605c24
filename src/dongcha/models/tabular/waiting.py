"""How many days until something happens, if it does: trees that aim at the median."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from dongcha.models.tabular.training import Array, balanced_weight, positive_target

if TYPE_CHECKING:
    import lightgbm

FILE: Final = "boosted_wait.txt"


@dataclass(frozen=True)
class WaitConfig:
    """Small trees, as for the other targets of a shop's few thousand rows."""

    trees: int = 200
    leaves: int = 4
    learning_rate: float = 0.05
    rows_in_a_leaf: int = 60
    columns_per_tree: float = 0.3
    rows_per_tree: float = 0.7
    ridge: float = 10.0


@dataclass(frozen=True)
class BoostedWait:
    """The median of y by LightGBM with absolute error; X (rows, columns) float64, NaN for missing."""

    booster: lightgbm.Booster

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: WaitConfig | None = None,
    ) -> BoostedWait:
        """Learn from y in days, none below 0. Raises MissingDataError where there is nothing to learn from."""
        import lightgbm

        config = config or WaitConfig()
        settings = {
            "objective": "l1",
            "num_leaves": config.leaves,
            "learning_rate": config.learning_rate,
            "min_data_in_leaf": config.rows_in_a_leaf,
            "feature_fraction": config.columns_per_tree,
            "bagging_fraction": config.rows_per_tree,
            "bagging_freq": 1,
            "lambda_l2": config.ridge,
            "num_threads": 1,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "verbose": -1,
        }
        data = lightgbm.Dataset(X, positive_target(y), weight=balanced_weight(sample_weight, len(y)))
        return cls(lightgbm.train(settings, data, config.trees))

    def predict(self, X: Array) -> Array:
        """Days, shape (rows,), none below 0."""
        return np.maximum(np.asarray(self.booster.predict(X), dtype=np.float64), 0.0)

    def contributions(self, X: Array) -> Array:
        """TreeSHAP pushes in days, shape (rows, columns)."""
        return np.asarray(self.booster.predict(X, pred_contrib=True), dtype=np.float64)[:, :-1]

    def save(self, folder: Path) -> None:
        """LightGBM's own text format."""
        self.booster.save_model(str(folder / FILE))

    @classmethod
    def load(cls, folder: Path) -> BoostedWait:
        """Read what `save` wrote."""
        import lightgbm

        return cls(lightgbm.Booster(model_file=str(folder / FILE)))
