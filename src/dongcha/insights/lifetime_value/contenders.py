"""Who forecasts spend: the past mean, BG/NBD with Gamma-Gamma, and three that learn from every feature."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final
from zlib import crc32

import numpy as np
import polars as pl

from dongcha.errors import MissingDataError
from dongcha.evaluation.reasons import occlusion, typical_of
from dongcha.features.declare import about_customers
from dongcha.insight_kit.contender import Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.learned import HELD_OUT, Learned
from dongcha.insights.lifetime_value.forecast import SMALLEST, Forecast
from dongcha.insights.lifetime_value.level import further_ahead, season
from dongcha.insights.lifetime_value.names import SPENT
from dongcha.models.tabular.amount_blend import AmountBlend
from dongcha.models.tabular.bg_nbd import BgNbd
from dongcha.models.tabular.boosting import BoostedAmount
from dongcha.models.tabular.gamma_gamma import GammaGamma
from dongcha.models.tabular.zero_inflated_lognormal import ZeroInflatedLognormal

FEATURES: Final = about_customers()
HISTORY: Final = ("repeat_purchase_days", "last_purchase_age_days", "age_days", "spend")
"""BG/NBD's frequency, recency and age in days; and the spend, from which Gamma-Gamma has a day's mean value."""
TYPICAL_FILE: Final = "typical.json"


class PastMean(Forecast):
    """Everybody goes on spending at the pace of their past (at least 30 days of it)."""

    name = "past_mean"
    role = Role.BASELINE

    def _learn(self, past: Sequence[Example], now: Facts, seed: int) -> None:
        """Nothing to learn."""

    def _raw(self, facts: Facts) -> np.ndarray:
        return np.asarray(np.nan_to_num(facts.column("spend_per_30d")) * facts.horizon.days / 30)


class Probabilistic(Forecast):
    """BG/NBD says how often, Gamma-Gamma how much; both fitted on the histories as of now, without any label."""

    name = "bg_nbd_gamma_gamma"
    role = Role.BASELINE

    def _learn(self, past: Sequence[Example], now: Facts, seed: int) -> None:
        x, t_x, age, value = _history(now.matrix(HISTORY)).T
        self.often = BgNbd.fit(x, t_x, age)
        self.much = GammaGamma.fit(x + 1, value)
        self.typical = typical_of(now.matrix(HISTORY))

    def _raw(self, facts: Facts) -> np.ndarray:
        return self._of(facts.matrix(HISTORY), facts.horizon.days)

    def _of(self, history: np.ndarray, days: int) -> np.ndarray:
        x, t_x, age, value = _history(history).T
        expected = self.often.expected_purchases(days, x, t_x, age) * self.much.expected_value(x + 1, value)
        return np.asarray(np.maximum(expected, SMALLEST))

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """What each part of the history adds to the log forecast beside a typical customer's."""

        def log_forecast(history: np.ndarray) -> np.ndarray:
            return np.asarray(np.log(self._of(history, facts.horizon.days)))

        return HISTORY, occlusion(log_forecast, facts.matrix(HISTORY), self.typical)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.often.save(folder)
        self.much.save(folder)
        (folder / TYPICAL_FILE).write_text(json.dumps(np.nan_to_num(self.typical).tolist()), "utf-8")

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.often, self.much = BgNbd.load(folder), GammaGamma.load(folder)
        self.typical = np.array(json.loads((folder / TYPICAL_FILE).read_text("utf-8")))


def _history(history: np.ndarray) -> np.ndarray:
    """x, t_x, age and the mean value of a purchase day; a buyer of whom nothing is known has bought once, just now.

    The first purchase day counts in the mean: it is as telling as the others, and most customers have no other.
    """
    x, t_x, age, spend = np.nan_to_num(history).T
    return np.column_stack([x, np.minimum(t_x, age), age, spend / (x + 1)])


class LearnedForecast(Forecast):
    """An algorithm over every feature.

    Its level is mended by the season a year ago; where it must look further ahead than its examples, by BG/NBD.
    """

    algorithm: ClassVar[type[Any]]
    stops_early: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.learned = Learned(self.algorithm, FEATURES, SPENT, self.stops_early)

    def _learn(self, past: Sequence[Example], now: Facts, seed: int) -> None:
        self.learned.fit(past, now, seed=seed)
        # The exponential of a net or a ridge has no end for a customer beyond all that it learnt from.
        self.most = float(max(example.label(SPENT).max() for example in past))

    def _raw(self, facts: Facts) -> np.ndarray:
        return self.learned.predict(facts)

    def _foretold(self, past: Sequence[Example], now: Facts, seed: int) -> list[np.ndarray]:
        """Each half of the customers foretold by what the other half taught: nobody by a model that has seen them.

        Where a half teaches nothing, since none or all of it bought, the whole model's own forecasts.
        """
        halves = [_half(example.facts) for example in past]
        try:
            by_half = [self._taught_by_others(past, halves, now, seed, half) for half in (False, True)]
        except MissingDataError:
            return super()._foretold(past, now, seed)
        return [np.where(half, second, first) for half, first, second in zip(halves, *by_half, strict=True)]

    def _taught_by_others(
        self, past: Sequence[Example], halves: Sequence[np.ndarray], now: Facts, seed: int, half: bool
    ) -> list[np.ndarray]:
        """A forecast for everybody at every example, learnt from those who are not in this half."""
        others = replace(self.learned)
        taught = [_only(example, of != half) for example, of in zip(past, halves, strict=True)]
        others.fit([example for example in taught if len(example.truth)], now, seed=seed)
        return [others.predict(example.facts) for example in past]

    def _level(self, past: Sequence[Example], foretold: Sequence[np.ndarray], now: Facts) -> float:
        learnt = past[-1].facts.horizon.days
        if learnt == now.horizon.days:
            return season(past, foretold, now)
        x, t_x, age, _ = _history(now.matrix(HISTORY)).T
        return further_ahead(x, t_x, age, learnt, now.horizon.days)

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        return self.learned.contributions(facts)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.learned.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.learned.load(folder)


def _half(facts: Facts) -> np.ndarray:
    """Which customers are of the second half, bool, shape (entities,), told by their id.

    Another digit of the checksum than the one by which customers are held out to stop early.
    """
    return np.array([crc32(entity.encode()) // HELD_OUT % 2 == 1 for entity in facts.entities], dtype=bool)


def _only(example: Example, rows: np.ndarray) -> Example:
    """The example with these customers alone."""
    mine, facts = pl.Series(rows), example.facts
    return Example(Facts(facts.as_of, facts.horizon, facts.features.filter(mine)), example.truth.filter(mine))


class Blended(LearnedForecast):
    """A hurdle (whether, then how much) and Tweedie trees, averaged in logs."""

    name = "blend"
    algorithm = AmountBlend


class Boosting(LearnedForecast):
    """Small gradient-boosted trees with the Tweedie loss."""

    name = "boosting"
    algorithm = BoostedAmount


class ZeroInflated(LearnedForecast):
    """A small neural net with a zero-inflated lognormal head."""

    name = "zero_inflated_lognormal"
    algorithm = ZeroInflatedLognormal
    stops_early = True
