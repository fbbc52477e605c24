"""BG/NBD: how often will something recur that may silently have stopped, from (frequency, recency, age)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]

FILE: Final = "bg_nbd.json"
LOG_BOUND: Final = 9.0
"""Parameters are sought in exp(±9) around the data's own scale; beyond it the likelihood is flat."""
SINGULAR: Final = 1e-6
"""The closed form divides by a - 1, so near an a of 1 the integral behind it is taken instead."""
SERIES_REACH: Final = 0.9
"""Beyond this argument SciPy leaves the power series of 2F1 for one that fails where r - a is a whole number."""
GRID: Final = np.linspace(-8.0, 8.0, 241)
TINY: Final = 1e-300
TYPICAL_AGE: Final = 10.0
"""Time is measured so that the mean age is this while fitting, which makes one start do for every unit."""


@dataclass(frozen=True)
class BgNbdConfig:
    """How the likelihood is climbed; `prior` pulls log-parameters to the start (0 is plain maximum likelihood)."""

    prior: float = 0.0
    max_iterations: int = 1000


@dataclass(frozen=True)
class BgNbd:
    """The Beta-Geometric/NBD model of Fader, Hardie & Lee, "Counting Your Customers the Easy Way" (2005).

    Each row recurs at its own Poisson rate λ ~ Gamma(r, rate alpha) and, after each recurrence, stops for ever with
    its own chance p ~ Beta(a, b). All arrays have shape (rows,), float64: `x` the number of recurrences after the
    first, `t_x` the time from the first to the last (0 where x is 0), `age` the time from the first to now. Times
    are in any one unit; alpha and every `t` are in that same unit.

    >>> model = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)  # CDNOW, in weeks
    >>> model.expected_purchases(39, x=[2], t_x=[30.43], age=[38.86]).round(3)
    array([1.226])

    Not promised: seasons, growth, or a rate that changes. A row with x = 0 is always held to be alive.
    """

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, config: BgNbdConfig | None = None) -> BgNbd:
        """Maximum likelihood; rows with a missing value are left out. Raises MissingDataError where nobody recurs."""
        x, t_x, age = _known(x, t_x, age)
        if not len(x) or x.max() <= 0 or age.max() <= 0:
            raise MissingDataError("BG/NBD cannot be fitted: nobody came back.", "Use a longer history.")
        scale = TYPICAL_AGE / age.mean()
        r, alpha, a, b = np.exp(_climb(x, t_x * scale, age * scale, config or BgNbdConfig()))
        return cls(r=float(r), alpha=float(alpha / scale), a=float(a), b=float(b))

    def log_likelihood(self, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> float:
        """The sum over rows of the log density of (x, t_x) given age; rows with a missing value are left out."""
        log_params = np.log([self.r, self.alpha, self.a, self.b])
        return float(_log_likelihood(log_params, *_known(x, t_x, age))[0])

    def probability_alive(self, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Array:
        """The chance that a row has not stopped by now; missing in, missing out."""
        from scipy.special import expit

        x, t_x, age = _arrays(x, t_x, age)
        safe = np.where(x > 0, x, 1.0)
        log_odds_stopped = (
            np.log(self.a) - np.log(self.b + safe - 1) + (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        )
        return np.where(np.isnan(x + t_x + age), np.nan, np.where(x > 0, expit(-log_odds_stopped), 1.0))

    def probability_of_no_purchase(self, t: float, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Array:
        """The chance of no recurrence in the next `t`: while alive, the rate is Gamma(r + x, alpha + age)."""
        x, t_x, age = _arrays(x, t_x, age)
        log_quiet = (self.r + x) * np.log((self.alpha + age) / (self.alpha + age + t))
        return 1.0 + self.probability_alive(x, t_x, age) * np.expm1(log_quiet)

    def expected_purchases(self, t: float, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Array:
        """The expected number of recurrences in the next `t` (equation 10 of the paper)."""
        x, t_x, age = _arrays(x, t_x, age)
        far = t / (self.alpha + age + t) > SERIES_REACH
        if abs(self.a - 1) < SINGULAR:
            far = np.ones_like(far)
        while_alive = np.empty_like(x + age)
        while_alive[~far] = self._closed_form(t, x[~far], age[~far])
        while_alive[far] = self._integral(t, x[far], age[far])
        return while_alive * self.probability_alive(x, t_x, age)

    def _closed_form(self, t: float, x: Array, age: Array) -> Array:
        from scipy.special import hyp2f1

        # Euler's transformation takes the power r + x out of the 2F1, which would overflow for a large x.
        z = t / (self.alpha + age + t)
        head = self.a + self.b + x - 1
        curve = hyp2f1(self.a + self.b - 1 - self.r, self.a - 1, head, z) * (1 - z) ** (self.a - 1)
        return np.asarray(head / (self.a - 1) * (1 - curve), dtype=np.float64)

    def _integral(self, t: float, x: Array, age: Array) -> Array:
        """The mean over p ~ Beta(a, b + x) of (1 - (1 + p s)^-(r + x)) / p, s = t / (alpha + age), on a grid."""
        from scipy.special import betaln, expit, log_expit

        stay, s, power = self.b + x, t / (self.alpha + age), self.r + x
        spread = np.sqrt(1 / self.a + 1 / stay)
        logit_p = np.log(self.a / stay) + spread * np.sinh(GRID)[:, None]
        density = np.exp(self.a * log_expit(logit_p) + stay * log_expit(-logit_p) - betaln(self.a, stay))
        p = np.maximum(expit(logit_p), TINY)
        counts = -np.expm1(-power * np.log1p(p * s)) / p
        step = spread * np.cosh(GRID)[:, None] * (GRID[1] - GRID[0])
        return np.asarray((density * counts * step).sum(axis=0), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the four parameters as JSON."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> BgNbd:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / FILE).read_text("utf-8")))


def _arrays(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)


def _known(*values: ArrayLike) -> tuple[Array, ...]:
    arrays = _arrays(*values)
    known = ~np.isnan(np.sum(arrays, axis=0))
    return tuple(array[known] for array in arrays)


def _climb(x: Array, t_x: Array, age: Array, config: BgNbdConfig) -> Array:
    from scipy.optimize import minimize

    start = np.log([0.5, 5.0, 1.0, 2.5])

    def loss(log_params: Array) -> tuple[float, Array]:
        value, slope = _log_likelihood(log_params, x, t_x, age)
        away = log_params - start
        value = -value / len(x) + config.prior * float(away @ away)
        return value, np.asarray(-slope / len(x) + 2 * config.prior * away, dtype=np.float64)

    options = {"maxiter": config.max_iterations, "ftol": 1e-15, "gtol": 1e-9}
    bounds = [(-LOG_BOUND, LOG_BOUND)] * 4
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x, dtype=np.float64)


def _log_likelihood(log_params: Array, x: Array, t_x: Array, age: Array) -> tuple[float, Array]:
    """The value and its slope in the log-parameters (equation 6 of the paper)."""
    from scipy.special import betaln, digamma, gammaln

    r, alpha, a, b = np.exp(log_params)
    again = x > 0
    safe = np.where(again, x, 1.0)
    head = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    stopped = np.where(again, np.log(a) - np.log(b + safe - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
    total = np.logaddexp(alive, stopped)
    gone = np.exp(stopped - total)

    by_r = digamma(r + x) - digamma(r) + np.log(alpha)
    by_r -= (1 - gone) * np.log(alpha + age) + gone * np.log(alpha + t_x)
    by_alpha = r / alpha - (r + x) * ((1 - gone) / (alpha + age) + gone / (alpha + t_x))
    by_a = digamma(a + b) - digamma(a + b + x) + gone / a
    by_b = digamma(a + b) - digamma(a + b + x) + digamma(b + x) - digamma(b) - gone / (b + safe - 1)
    slope = np.array([by_r.sum() * r, by_alpha.sum() * alpha, by_a.sum() * a, by_b.sum() * b])
    return float((head + total).sum()), slope
