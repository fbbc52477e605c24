"""A small neural network for a probability, which can say what moved it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from dongcha.models.tabular import network as net
from dongcha.models.tabular.log_scaling import LogScaler
from dongcha.models.tabular.network import NetworkConfig, Rows
from dongcha.models.tabular.training import Array, balanced_weight, binary_target

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE: Final = "neural_net.json"
WEIGHTS: Final = "neural_net.safetensors"


@dataclass(frozen=True)
class NeuralNet:
    """P(y = 1) by a multilayer perceptron on scaled logs. X (rows, columns) float64, NaN for missing."""

    scaler: LogScaler
    network: nn.Sequential | net.Stored
    config: NetworkConfig

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        sample_weight: Array | None = None,
        seed: int = 0,
        config: NetworkConfig | None = None,
        validation: tuple[Array, Array] | None = None,
    ) -> NeuralNet:
        """Learn from y in {0, 1}; stop early by `validation` (X, y). Raises MissingDataError with only one class."""
        config, scaler = config or NetworkConfig(), LogScaler.fit(X)
        rows = Rows(scaler.transform(X), binary_target(y), balanced_weight(sample_weight, len(y)))
        held_out = None
        if validation is not None:
            held_out = Rows(scaler.transform(validation[0]), validation[1], np.ones(len(validation[1])))
        return cls(scaler, net.train(rows, held_out, _log_loss, outputs=1, seed=seed, config=config), config)

    def predict_logit(self, X: Array) -> Array:
        return net.outputs_of(self.network, self.scaler.transform(X))[:, 0]

    def predict(self, X: Array) -> Array:
        """The probability, shape (rows,)."""
        from scipy.special import expit

        return np.asarray(expit(self.predict_logit(X)), dtype=np.float64)

    def contributions(self, X: Array) -> Array:
        """Integrated gradients (Sundararajan et al. 2017) from the mean row; shape (rows, columns).

        They sum to the logit less that of the mean row, up to the error of the path's points.
        """
        pushes = net.integrated_gradients(self.network, self.scaler.transform(X), lambda outputs: outputs[:, 0])
        return self.scaler.gather(pushes)

    def save(self, folder: Path) -> None:
        net.save(self.network, folder / WEIGHTS)
        stored = {"scaler": self.scaler.to_json(), "config": asdict(self.config)}
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> NeuralNet:
        stored = json.loads((folder / FILE).read_text("utf-8"))
        config = NetworkConfig(**stored["config"])
        return cls(LogScaler.from_json(stored["scaler"]), net.load(folder / WEIGHTS, config), config)


def _log_loss(outputs: Tensor, y: Tensor) -> Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(outputs[:, 0], y, reduction="none")
