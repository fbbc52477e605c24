"""Zero-inflated lognormal: an often-zero, heavy-tailed amount from one small network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from dongcha.models.tabular import network as net
from dongcha.models.tabular.log_scaling import LogScaler
from dongcha.models.tabular.network import NetworkConfig, Rows
from dongcha.models.tabular.training import Array, balanced_weight, positive_target

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE: Final = "zero_inflated_lognormal.json"
WEIGHTS: Final = "zero_inflated_lognormal.safetensors"
SMALLEST_SIGMA: Final = 0.05
LARGEST_SIGMA: Final = 3.0


@dataclass(frozen=True)
class ZeroInflatedLognormal:
    """y is 0 with chance 1 - p, else lognormal(mu, sigma); p, mu, sigma from X (Wang, Liu & Miao, arXiv:1912.07753).

    X (rows, columns) float64 with NaN for missing; y >= 0. `log_unit` is the mean log of the positive y, so that
    the network starts near the data whatever the unit.
    """

    scaler: LogScaler
    network: nn.Sequential | net.Stored
    log_unit: float
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
    ) -> ZeroInflatedLognormal:
        """Learn from y >= 0; stop early by `validation` (X, y). Raises MissingDataError with nothing above zero."""
        config, y, scaler = config or NetworkConfig(), positive_target(y), LogScaler.fit(X)
        log_unit = float(np.log(y[y > 0]).mean())
        rows = Rows(scaler.transform(X), y / np.exp(log_unit), balanced_weight(sample_weight, len(y)))
        held_out = None
        if validation is not None:
            ones = np.ones(len(validation[1]))
            held_out = Rows(scaler.transform(validation[0]), validation[1] / np.exp(log_unit), ones)
        network = net.train(rows, held_out, _negative_log_likelihood, outputs=3, seed=seed, config=config)
        return cls(scaler, network, log_unit, config)

    def probability(self, X: Array) -> Array:
        """P(y > 0), shape (rows,)."""
        return self._parameters(X)[0]

    def predict(self, X: Array) -> Array:
        """E(y), shape (rows,), in the unit of y."""
        p, mu, sigma = self._parameters(X)
        return np.asarray(p * np.exp(mu + sigma**2 / 2), dtype=np.float64)

    def quantiles(self, X: Array, levels: tuple[float, ...]) -> Array:
        """Quantiles of y, shape (rows, levels): 0 up to the chance of nothing, then the lognormal's own."""
        from scipy.special import ndtri

        p, mu, sigma = (part[:, None] for part in self._parameters(X))
        within = np.clip((np.asarray(levels)[None, :] - (1 - p)) / p, 0, 1)
        return np.where(within > 0, np.exp(mu + sigma * ndtri(within)), 0.0)

    def contributions(self, X: Array) -> Array:
        """Each column's push on log E(y), by integrated gradients from the mean row; shape (rows, columns)."""
        return self.scaler.gather(net.integrated_gradients(self.network, self.scaler.transform(X), _log_mean))

    def _parameters(self, X: Array) -> tuple[Array, Array, Array]:
        from scipy.special import expit

        logit, mu, raw = net.outputs_of(self.network, self.scaler.transform(X)).T
        sigma = np.clip(np.logaddexp(0, raw), SMALLEST_SIGMA, LARGEST_SIGMA)
        return np.asarray(expit(logit)), mu + self.log_unit, np.asarray(sigma)

    def save(self, folder: Path) -> None:
        net.save(self.network, folder / WEIGHTS)
        stored = {"scaler": self.scaler.to_json(), "log_unit": self.log_unit, "config": asdict(self.config)}
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> ZeroInflatedLognormal:
        stored = json.loads((folder / FILE).read_text("utf-8"))
        config = NetworkConfig(**stored["config"])
        network = net.load(folder / WEIGHTS, config)
        return cls(LogScaler.from_json(stored["scaler"]), network, stored["log_unit"], config)


def _log_mean(outputs: Tensor) -> Tensor:
    from torch.nn.functional import logsigmoid

    return logsigmoid(outputs[:, 0]) + outputs[:, 1] + _sigma(outputs) ** 2 / 2


def _sigma(outputs: Tensor) -> Tensor:
    from torch.nn.functional import softplus

    return softplus(outputs[:, 2]).clamp(SMALLEST_SIGMA, LARGEST_SIGMA)


def _negative_log_likelihood(outputs: Tensor, y: Tensor) -> Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    some = (y > 0).to(y.dtype)
    sigma = _sigma(outputs)
    # A zero has no logarithm; any stand-in will do, as `some` takes its term out.
    distance = ((y + (1 - some)).log() - outputs[:, 1]) / sigma
    amount = some * (sigma.log() + distance**2 / 2)
    return binary_cross_entropy_with_logits(outputs[:, 0], some, reduction="none") + amount
