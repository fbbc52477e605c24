"""Gamma-Gamma: what one occasion is worth, from a few noisy occasions per row."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]

FILE: Final = "gamma_gamma.json"
LOG_BOUND: Final = 9.0


@dataclass(frozen=True)
class GammaGammaConfig:
    """How the likelihood is climbed."""

    max_iterations: int = 1000


@dataclass(frozen=True)
class GammaGamma:
    """The Gamma-Gamma model of spend (Fader & Hardie, "The Gamma-Gamma Model of Monetary Value", 2013).

    An occasion's value is Gamma(p, rate ν) with ν ~ Gamma(q, rate v) per row: `x` occasions of mean value `m`, both
    of shape (rows,), float64. v and m are in the same money. The mean value must not depend on how often.

    >>> GammaGamma(p=6.25, q=3.74, v=15.44).expected_value(x=[0, 2, 40], m=[0.0, 50.0, 50.0]).round(1)
    array([35.2, 47.3, 49.8])
    """

    p: float
    q: float
    v: float

    @classmethod
    def fit(cls, x: ArrayLike, m: ArrayLike, config: GammaGammaConfig | None = None) -> GammaGamma:
        """Maximum likelihood on rows with x > 0 and m > 0. Raises MissingDataError where fewer than two are left."""
        x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
        usable = (x > 0) & (m > 0)
        if usable.sum() < 2:
            raise MissingDataError("Gamma-Gamma cannot be fitted: nobody came back twice.", "Use a longer history.")
        x, m, scale = x[usable], m[usable], float(m[usable].mean())
        p, q, v = np.exp(_climb(x, m / scale, config or GammaGammaConfig()))
        return cls(p=float(p), q=float(q), v=float(v * scale))

    def log_likelihood(self, x: ArrayLike, m: ArrayLike) -> float:
        """The sum over rows with x > 0 and m > 0 of the log density of m given x."""
        x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
        usable = (x > 0) & (m > 0)
        return float(_log_density(np.log([self.p, self.q, self.v]), x[usable], m[usable]).sum())

    def expected_value(self, x: ArrayLike, m: ArrayLike) -> Array:
        """The expected value of the next occasion: the row's own mean, drawn to everybody's the less it was seen.

        A row with x = 0 or without a mean gets everybody's. Where q <= 1 that mean is infinite; q is then held at
        the smallest value that has one.
        """
        x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
        x, m = np.where(x > 0, x, 0.0), np.where(m > 0, m, 0.0)
        x = np.where(m > 0, x, 0.0)
        q = max(self.q, 1.001)
        return self.p * (self.v + x * m) / (self.p * x + q - 1)

    def save(self, folder: Path) -> None:
        """Write the three parameters as JSON."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> GammaGamma:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / FILE).read_text("utf-8")))


def _climb(x: Array, m: Array, config: GammaGammaConfig) -> Array:
    from scipy.optimize import minimize

    start, bounds = np.log([2.0, 3.0, 1.0]), [(-LOG_BOUND, LOG_BOUND)] * 3
    options = {"maxiter": config.max_iterations, "ftol": 1e-14}
    found = minimize(
        lambda params: -_log_density(params, x, m).mean(), start, method="L-BFGS-B", bounds=bounds, options=options
    )
    return np.asarray(found.x, dtype=np.float64)


def _log_density(log_params: Array, x: Array, m: Array) -> Array:
    from scipy.special import gammaln

    p, q, v = np.exp(log_params)
    px = p * x
    return np.asarray(
        gammaln(px + q)
        - gammaln(px)
        - gammaln(q)
        + q * np.log(v)
        + (px - 1) * np.log(m)
        + px * np.log(x)
        - (px + q) * np.log(v + x * m),
        dtype=np.float64,
    )
