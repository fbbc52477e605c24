"""What will this customer spend in the next N days?"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import reliability_table
from dongcha.evaluation.fairness import by_group
from dongcha.evaluation.reasons import occlusion, typical_of
from dongcha.features.declare import about_customers
from dongcha.features.labels import SPEND, purchases
from dongcha.insight_kit.base import Contender, Example, Facts, Insight, Metric, Needs, Role, as_rows
from dongcha.insight_kit.learned import Learned
from dongcha.insight_kit.outputs import Value
from dongcha.insight_kit.telling import Reader, Told
from dongcha.models.tabular.amount_blend import AmountBlend
from dongcha.models.tabular.bg_nbd import BgNbd
from dongcha.models.tabular.boosting import BoostedAmount
from dongcha.models.tabular.gamma_gamma import GammaGamma
from dongcha.models.tabular.zero_inflated_lognormal import ZeroInflatedLognormal

VALUE: Final = "lifetime_value"
LOW: Final = "lifetime_value_low"
HIGH: Final = "lifetime_value_high"
COVERAGE: Final = 0.8
"""How often the interval should hold what is then spent."""
SPENT: Final = "spent"
FORECAST_FILE: Final = "forecast.json"
HISTORY: Final = ("repeat_purchase_days", "last_purchase_age_days", "age_days", "spend")
"""BG/NBD's frequency, recency and age in days; and the spend, from which Gamma-Gamma has a day's mean value."""
TYPICAL_FILE: Final = "typical.json"
FEATURES: Final = about_customers()
TOTAL_OFF_BY: Final = 0.15
"""A forecast whose total is further off than this, on average over the folds, is not acceptable."""


class Intervals:
    """Where what is spent lies around a forecast: shares of the forecast, by how large the forecast is.

    Learnt from past forecasts beside what came of them, in bins of equal size (a split-conformal interval per bin).
    """

    def __init__(self, edges: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self.edges, self.low, self.high = edges, low, high

    @classmethod
    def fit(cls, forecast: np.ndarray, spent: np.ndarray, bins: int = 10) -> Intervals:
        """Both of shape (rows,), in money; forecasts above zero."""
        edges = np.unique(np.quantile(forecast, np.linspace(0, 1, bins + 1)[1:-1]))
        place = np.searchsorted(edges, forecast)
        shares = np.array([_ends(spent[place == k] / forecast[place == k]) for k in range(len(edges) + 1)])
        return cls(edges, shares[:, 0], shares[:, 1])

    def around(self, forecast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends, shape (rows,) each; the forecast itself always lies between."""
        place = np.searchsorted(self.edges, forecast)
        return np.minimum(self.low[place], 1) * forecast, np.maximum(self.high[place], 1) * forecast

    def to_json(self) -> dict[str, list[float]]:
        return {"edges": self.edges.tolist(), "low": self.low.tolist(), "high": self.high.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, list[float]]) -> Intervals:
        return cls(*(np.array(stored[name]) for name in ("edges", "low", "high")))


def _ends(shares: np.ndarray) -> tuple[float, float]:
    """The ends that hold COVERAGE of the shares; where many spend nothing, nothing is left out below."""
    if not len(shares):
        return 0.0, 1.0
    low = float(np.quantile(shares, (1 - COVERAGE) / 2))
    return low, float(np.quantile(shares, (1 + COVERAGE) / 2 if low > 0 else COVERAGE))


SMALLEST: Final = 0.01
"""A forecast is at least this much money: ratios to it must be finite."""


class Forecast(Contender):
    """A forecast of spend with an interval around it; subclasses say how the raw forecast is learnt."""

    def __init__(self) -> None:
        self.factor = 1.0
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
            forecasts = np.concatenate([np.maximum(self._raw(example.facts), SMALLEST) for example in past])
            self.intervals = Intervals.fit(forecasts, np.concatenate([example.label(SPENT) for example in past]))
        self.factor = self._further_ahead(past, now)

    def _further_ahead(self, past: Sequence[Example], now: Facts) -> float:
        """By how much more is spent over `now.horizon` than over the horizon of the past examples."""
        return 1.0

    def predict(self, facts: Facts) -> pl.DataFrame:
        forecast = np.maximum(self.factor * self._raw(facts), SMALLEST)
        low, high = self.intervals.around(forecast)
        columns = {VALUE: forecast, LOW: low, HIGH: high}
        return facts.features.select(c.ENTITY_ID).with_columns(pl.Series(k, v) for k, v in columns.items())

    def save(self, folder: Path) -> None:
        stored = {"factor": self.factor, "intervals": self.intervals.to_json()}
        (folder / FORECAST_FILE).write_text(json.dumps(stored), "utf-8")

    def load(self, folder: Path) -> None:
        stored = json.loads((folder / FORECAST_FILE).read_text("utf-8"))
        self.factor, self.intervals = stored["factor"], Intervals.from_json(stored["intervals"])


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
    """An algorithm over every feature; looks further ahead than its examples by what BG/NBD says of the pace."""

    algorithm: ClassVar[type[Any]]
    stops_early: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.learned = Learned(self.algorithm, FEATURES, SPENT, self.stops_early)

    def _learn(self, past: Sequence[Example], now: Facts, seed: int) -> None:
        self.learned.fit(past, now, seed=seed)

    def _raw(self, facts: Facts) -> np.ndarray:
        return self.learned.predict(facts)

    def _further_ahead(self, past: Sequence[Example], now: Facts) -> float:
        learnt = past[-1].facts.horizon.days
        if learnt == now.horizon.days:
            return 1.0
        x, t_x, age, _ = _history(now.matrix(HISTORY)).T
        often = BgNbd.fit(x, t_x, age)
        ahead, near = (often.expected_purchases(days, x, t_x, age).sum() for days in (now.horizon.days, learnt))
        return float(ahead / near)

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        return self.learned.contributions(facts)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.learned.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.learned.load(folder)


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


class LifetimeValue(Insight):
    """What every buyer will spend within the horizon, with an interval that should hold 8 times in 10.

    On Online Retail and CDNOW see docs/insights/lifetime_value.md. Not promised: a single customer's spend; the
    forecast is of a mean, and single customers scatter widely around it, as the interval says.
    """

    name = "lifetime_value"
    question: ClassVar[dict[str, str]] = {"en": "What will they spend?", "zh": "他们会花多少？"}
    needs = Needs((c.ORDERS,), FEATURES, purchases)
    yields = (
        Value(VALUE, "money", 0, english="will spend", chinese="预计消费"),
        Value(LOW, "money", 0, english="at least", chinese="至少"),
        Value(HIGH, "money", 0, english="at most", chinese="至多"),
    )
    judged_by = (
        Metric("gini"),
        Metric("spearman"),
        Metric("mae", more_is_better=False),
        Metric("total_ratio", target=1.0),
        Metric("coverage", target=COVERAGE),
    )
    fair_by = c.COUNTRY
    limits: ClassVar[dict[str, str]] = {
        "en": "A forecast of what will be spent if nothing changes; not what a campaign would add.",
        "zh": "预测在一切不变时的消费，而非营销带来的增量。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Blended(), Boosting(), ZeroInflated(), Probabilistic(), PastMean())

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        about, low, high = (reader.money(answer[name]) for name in (VALUE, LOW, HIGH))
        return Told(
            reader.pick(
                f"Will spend about {about} in the next {reader.days} days; 8 times in 10 between {low} and {high}",
                f"未来 {reader.days} 天约消费 {about}，八成把握在 {low} 至 {high} 之间",
            )
        )

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(SPEND).fill_null(0.0).clip(0).alias(SPENT))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        spent, forecast = example.label(SPENT), answer[VALUE].to_numpy()
        inside = (answer[LOW].to_numpy() <= spent) & (spent <= answer[HIGH].to_numpy())
        return {**measured(spent, forecast), "coverage": float(inside.mean())}

    def unacceptable(self, metrics: Mapping[str, float]) -> str:
        if abs(metrics["total_ratio"] - 1) > TOTAL_OFF_BY:
            return f"its total is {metrics['total_ratio']:.2f} of what was spent"
        return ""

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        spent, forecast = example.label(SPENT), answer[VALUE].to_numpy()
        found: dict[str, Any] = {"calibration": reliability_table(spent, forecast)}
        if groups is not None:
            found["fairness"] = as_rows(by_group(spent, forecast, groups, measured))
        return found


def measured(spent: np.ndarray, forecast: np.ndarray) -> dict[str, float]:
    """What a forecast of spend is judged by; `total_ratio` is the total forecast over the total spent."""
    return {
        "gini": metrics.normalised_gini(spent, forecast),
        "spearman": metrics.spearman(spent, forecast),
        "mae": metrics.mae(spent, forecast),
        "total_ratio": metrics.total_ratio(spent, forecast),
    }
