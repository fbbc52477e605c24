"""Between what and what the spend will lie, learnt from past forecasts and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from dongcha.insights.lifetime_value.names import COVERAGE

MOST_BINS: Final = 10
LEAST_IN_A_BIN: Final = 50


class Intervals:
    """Where what is spent lies around a forecast: shares of the forecast, by how large the forecast is.

    A split-conformal interval within each bin of forecasts (Vovk, Lindsay, Nouretdinov & Gammerman, "Mondrian
    Confidence Machine", 2003). Bins are of equal size. Where a tenth or more of a bin spent nothing the interval begins
    at 0 and leaves out only the highest, so that it is no wider than it must be: where most spent nothing it is [0, 0],
    and then the forecast, a mean, lies above it.

    Not promised: the coverage in a season unlike those learnt from, and anything but the coverage of all customers of a
    bin together. Where more than COVERAGE spend nothing, the interval holds as often as that.
    """

    def __init__(self, edges: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """`edges` between bins, shape (bins - 1,), in money; `low`, `high` of shape (bins,), shares of a forecast."""
        self.edges, self.low, self.high = edges, low, high

    @classmethod
    def fit(cls, forecast: np.ndarray, spent: np.ndarray) -> Intervals:
        """Both of shape (rows,), in money; forecasts above zero, made by a model that had not seen what was spent."""
        bins = min(max(len(forecast) // LEAST_IN_A_BIN, 1), MOST_BINS)
        edges = np.unique(np.quantile(forecast, np.linspace(0, 1, bins + 1)[1:-1]))
        place = np.searchsorted(edges, forecast)
        shares = np.array([_ends(spent[place == k] / forecast[place == k]) for k in range(len(edges) + 1)])
        return cls(edges, shares[:, 0], shares[:, 1])

    def around(self, forecast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends, shape (rows,) each."""
        place = np.searchsorted(self.edges, forecast)
        return self.low[place] * forecast, self.high[place] * forecast

    def to_json(self) -> dict[str, list[float]]:
        return {"edges": self.edges.tolist(), "low": self.low.tolist(), "high": self.high.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, list[float]]) -> Intervals:
        return cls(*(np.array(stored[name]) for name in ("edges", "low", "high")))


def _ends(shares: np.ndarray) -> tuple[float, float]:
    """The ends that hold COVERAGE of the shares; where many spend nothing, nothing is left out below."""
    if not len(shares):
        return 0.0, 1.0
    left_out = (1 - COVERAGE) / 2
    low = -_upper(-shares, 1 - left_out)
    return (low, _upper(shares, 1 - left_out)) if low > 0 else (0.0, _upper(shares, COVERAGE))


def _upper(shares: np.ndarray, level: float) -> float:
    """The share that one more row stays below with this chance, were it drawn like these: the conformal quantile."""
    return float(np.quantile(shares, min(level * (1 + 1 / len(shares)), 1.0), method="inverted_cdf"))
