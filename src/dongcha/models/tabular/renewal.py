"""How long until the next time, told from the gaps so far and the time already waited."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FILE: Final = "renewal.json"
SHORTEST_DAYS: Final = 0.02
"""Half an hour: no gap between visits counts as shorter."""
SMALLEST: Final = 0.05
"""No spread of log gaps is smaller than this."""


@dataclass(frozen=True)
class Renewal:
    """Gaps are log-normal about each row's own mean, which is drawn to that of all (empirical Bayes).

    The mean log gap of a row is itself normal about `mean` with deviation `between`; a row's gaps deviate by `within`.
    """

    mean: float
    between: float
    within: float

    @classmethod
    def fit(cls, rows: Codes, gaps: Array) -> Renewal:
        """Learn from gaps in days and whose they are, both of shape (gaps,): the method of moments."""
        if not len(gaps):
            return cls(np.log(30.0), 1.0, 1.0)
        logs = _logs(gaps)
        count = np.bincount(rows)
        known = count > 0
        means = np.bincount(rows, weights=logs)[known] / count[known]
        spread = np.bincount(rows, weights=logs**2)[known] - count[known] * means**2
        freedom = (count[known] - 1).sum()
        within = float(spread.sum() / freedom) if freedom else float(np.var(logs))
        between = float(np.var(means) - within * np.mean(1 / count[known]))
        return cls(float(means.mean()), max(between, SMALLEST**2) ** 0.5, max(within, SMALLEST**2) ** 0.5)

    def _own(self, rows: Codes, gaps: Array, count: int) -> tuple[Array, Array]:
        """Mean and deviation of each row's next log gap, shape (count,)."""
        number = np.bincount(rows, minlength=count)
        total = np.bincount(rows, weights=_logs(gaps), minlength=count)
        precision = number / self.within**2 + 1 / self.between**2
        mean = (total / self.within**2 + self.mean / self.between**2) / precision
        return mean, np.sqrt(self.within**2 + 1 / precision)

    def ahead(self, rows: Codes, gaps: Array, waited: Array, horizon: float) -> tuple[Array, Array]:
        """P(it happens within `horizon` days from now), and the median days until it does if so; both (count,).

        `rows`, `gaps`: every row's gaps so far; `waited`: days since each row's last time, shape (count,).
        """
        from scipy.special import log_ndtr, ndtr, ndtri

        mean, deviation = self._own(rows, gaps, len(waited))
        z = (np.log(np.maximum(waited, SHORTEST_DAYS)) - mean) / deviation
        end = (np.log(np.maximum(waited, SHORTEST_DAYS) + horizon) - mean) / deviation
        within = -np.expm1(log_ndtr(-end) - log_ndtr(-z))
        # Counted from the far tail, where those who waited long are, so that nothing is lost to rounding.
        middle = -ndtri(np.maximum(ndtr(-z) * (1 - within / 2), 1e-300))
        days = np.exp(mean + deviation * middle) - np.maximum(waited, SHORTEST_DAYS)
        return np.clip(within, 0.0, 1.0), np.clip(days, 0.0, horizon)

    def save(self, folder: Path) -> None:
        """As JSON."""
        (folder / FILE).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Renewal:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / FILE).read_text("utf-8")))


def _logs(gaps: Array) -> Array:
    return np.asarray(np.log(np.maximum(gaps, SHORTEST_DAYS)), dtype=np.float64)
