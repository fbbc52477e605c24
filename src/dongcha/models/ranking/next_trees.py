"""Trees that set right which of a row's likeliest things comes next: a conditional logit, boosted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.next_step import Array, Codes
from dongcha.models.trees import Trees, load_trees, save_trees

if TYPE_CHECKING:
    import lightgbm

TREES: Final = "next_trees.txt"
TEMPERATURE: Final = "next_trees.json"
TEMPERATURES: Final = np.linspace(0.6, 1.8, 61)


@dataclass(frozen=True)
class ChoiceConfig:
    """Small trees, strongly drawn to what is known already."""

    trees: int = 150
    leaves: int = 8
    learning_rate: float = 0.05
    rows_in_a_leaf: int = 200
    ridge: float = 10.0


@dataclass(frozen=True)
class BoostedChoice:
    """P(which of k candidates) by softmax over a known log probability plus what trees say of each candidate."""

    booster: lightgbm.Booster | Trees
    temperature: float

    @classmethod
    def fit(
        cls,
        X: Array,
        logs: Array,
        came: Codes,
        held_out: NDArray[np.bool_],
        *,
        seed: int = 0,
        config: ChoiceConfig | None = None,
    ) -> BoostedChoice:
        """X (rows, k, columns), NaN for missing; `logs` (rows, k), what is known; `came`: which of the k, (rows,).

        `held_out`, bool, (rows,): rows the trees do not see, from which the temperature is learnt.
        """
        import lightgbm

        config = config or ChoiceConfig()
        seen, size = ~held_out, X.shape[1]
        data = lightgbm.Dataset(
            X[seen].reshape(-1, X.shape[2]),
            (came[seen, None] == np.arange(size)).ravel().astype(np.float64),
            init_score=logs[seen].ravel(),
        )
        settings = {
            "objective": _softmax(size),
            "num_leaves": config.leaves,
            "learning_rate": config.learning_rate,
            "min_data_in_leaf": config.rows_in_a_leaf,
            "lambda_l2": config.ridge,
            "num_threads": 1,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "verbose": -1,
        }
        booster = lightgbm.train(settings, data, config.trees)
        return cls(booster, _temperature(cls(booster, 1.0), X[held_out], logs[held_out], came[held_out]))

    def predict(self, X: Array, logs: Array) -> Array:
        """Each candidate's probability, shape (rows, k); a row sums to 1."""
        return _shares(self._scores(X, logs) / self.temperature)

    def _scores(self, X: Array, logs: Array) -> Array:
        flat = np.asarray(self.booster.predict(X.reshape(-1, X.shape[2]), raw_score=True), dtype=np.float64)
        return np.asarray(flat.reshape(logs.shape) + logs, dtype=np.float64)

    def save(self, folder: Path) -> None:
        """LightGBM's own text format, ONNX, and JSON."""
        save_trees(self.booster, folder / TREES)
        (folder / TEMPERATURE).write_text(json.dumps(self.temperature), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> BoostedChoice:
        """Read what `save` wrote."""
        return cls(load_trees(folder / TREES), json.loads((folder / TEMPERATURE).read_text("utf-8")))


def _softmax(size: int) -> Any:
    """The slopes of the log likelihood of one choice among `size` in a row, as LightGBM asks for them."""

    def slopes(scores: Array, data: Any) -> tuple[Array, Array]:
        share = _shares(np.asarray(scores).reshape(-1, size)).ravel()
        return share - data.get_label(), np.maximum(share * (1 - share), 1e-6)

    return slopes


def _shares(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def _temperature(model: BoostedChoice, X: Array, logs: Array, came: Codes) -> float:
    """By which the scores are divided so that what came was likeliest; 1 where there is nothing to learn from."""
    if not len(came):
        return 1.0
    scores, rows = model._scores(X, logs), np.arange(len(came))
    found = [np.log(_shares(scores / t)[rows, came]).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmax(found))])
