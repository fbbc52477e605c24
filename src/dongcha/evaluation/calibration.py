"""Do probabilities mean what they say: measured, and mended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from dongcha.errors import MissingDataError
from dongcha.evaluation.metrics import deciles

Array = NDArray[np.float64]

FILE: Final = "calibration.json"
SMALLEST_CHANCE: Final = 1e-6
FEWEST_ROWS: Final = 20


@dataclass(frozen=True)
class Platt:
    """p → sigmoid(slope · logit p + shift): two numbers, so that a few hundred rows are enough (Platt, 1999).

    >>> Platt(slope=1.0, shift=0.0).apply([0.2, 0.9]).round(3)
    array([0.2, 0.9])
    """

    slope: float
    shift: float

    @classmethod
    def fit(cls, y: ArrayLike, p: ArrayLike) -> Platt:
        """Learn from y in {0, 1} and forecasts made without having seen y. MissingDataError with one class."""
        from sklearn.linear_model import LogisticRegression

        y = np.asarray(y, dtype=np.float64)
        if len(y) < FEWEST_ROWS or not np.array_equal(np.unique(y), [0.0, 1.0]):
            raise MissingDataError(
                f"Calibration needs at least {FEWEST_ROWS} rows with both outcomes; here are {len(y)} rows.",
                "Use a longer history.",
            )
        model = LogisticRegression(C=np.inf).fit(_logit(p)[:, None], y)
        return cls(slope=float(model.coef_[0, 0]), shift=float(model.intercept_[0]))

    def apply(self, p: ArrayLike) -> Array:
        """Calibrated probabilities, shape (rows,); the order stays while the slope is positive."""
        return np.asarray(expit(self.slope * _logit(p) + self.shift), dtype=np.float64)

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps({"slope": self.slope, "shift": self.shift}), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Platt:
        return cls(**json.loads((folder / FILE).read_text("utf-8")))


def reliability_table(y: ArrayLike, p: ArrayLike, groups: int = 10) -> list[dict[str, float]]:
    """Rows cut by forecast into `groups` of equal size, lowest first: rows, mean forecast, mean outcome."""
    return [{"rows": part.rows, "forecast": part.forecast, "actual": part.actual} for part in deciles(y, p, groups)]


def expected_calibration_error(y: ArrayLike, p: ArrayLike, groups: int = 10) -> float:
    """Mean distance between forecast and outcome over groups of equal size by forecast: 0 is perfect."""
    table = deciles(y, p, groups)
    return sum(part.rows * abs(part.forecast - part.actual) for part in table) / sum(part.rows for part in table)


def _logit(p: ArrayLike) -> Array:
    inside = np.clip(np.asarray(p, dtype=np.float64), SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    return np.asarray(logit(inside), dtype=np.float64)
