"""What every contender has: a forecast of spend, an interval around it, and a level."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insights.lifetime_value.intervals import Intervals
from dongcha.insights.lifetime_value.names import HIGH, LOW, SPENT, VALUE

FORECAST_FILE: Final = "forecast.json"
SMALLEST: Final = 0.01
"""A forecast is at least this much money: ratios to it must be finite."""
LARGEST: Final = 1e15
"""And at most this much: sums of them must be finite."""


class Forecast(Contender):
    """A forecast of spend with an interval around it; subclasses say how the raw forecast is learnt."""

    def __init__(self) -> None:
        self.factor, self.most = 1.0, LARGEST
        self.intervals = Intervals(np.empty(0), np.zeros(1), np.full(1, 2.0))

    @abstractmethod
    def _learn(self, past: Sequence[Example], now: Facts, seed: int) -> None:
        """Fit what `_raw` needs."""

    @abstractmethod
    def _raw(self, facts: Facts) -> np.ndarray:
        """The forecast over the horizon that was learnt, shape (entities,), in money."""

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self._learn(past, now, seed)
        if past:
            spent = np.concatenate([example.label(SPENT) for example in past])
            foretold = [np.clip(forecast, SMALLEST, self.most) for forecast in self._foretold(past, now, seed)]
            self.intervals = Intervals.fit(np.concatenate(foretold), spent)
            self.factor = self._level(past, foretold, now)

    def _foretold(self, past: Sequence[Example], now: Facts, seed: int) -> list[np.ndarray]:
        """A raw forecast per past example that does not know what was then spent; here, as no label was learnt from."""
        return [self._raw(example.facts) for example in past]

    def _level(self, past: Sequence[Example], foretold: Sequence[np.ndarray], now: Facts) -> float:
        """By how much more is spent over `now.horizon` from now than the raw forecasts say."""
        return 1.0

    def predict(self, facts: Facts) -> pl.DataFrame:
        raw = np.clip(self._raw(facts), SMALLEST, self.most)
        low, high = self.intervals.around(raw)
        columns = {VALUE: np.maximum(self.factor * raw, SMALLEST), LOW: self.factor * low, HIGH: self.factor * high}
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, v) for k, v in columns.items())

    def save(self, folder: Path) -> None:
        stored = {"factor": self.factor, "most": self.most, "intervals": self.intervals.to_json()}
        (folder / FORECAST_FILE).write_text(json.dumps(stored), "utf-8")

    def load(self, folder: Path) -> None:
        stored = json.loads((folder / FORECAST_FILE).read_text("utf-8"))
        self.factor, self.most = stored["factor"], stored.get("most", LARGEST)
        self.intervals = Intervals.from_json(stored["intervals"])
