"""What every model of an often-zero amount keeps, and how near each comes to the planted truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from tests.models.tabular.planted import planted

from dongcha.errors import MissingDataError
from dongcha.models.tabular.amount_blend import AmountBlend
from dongcha.models.tabular.boosting import BoostedAmount
from dongcha.models.tabular.hurdle import Hurdle
from dongcha.models.tabular.zero_inflated_lognormal import ZeroInflatedLognormal

MODELS = (BoostedAmount, Hurdle, AmountBlend, ZeroInflatedLognormal)
WITH_QUANTILES = (Hurdle, AmountBlend, ZeroInflatedLognormal)
LEARNT, NEW = planted(seed=0), planted(seed=1)
FITTED: dict[Any, Any] = {}

every = pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
each_with_quantiles = pytest.mark.parametrize("kind", WITH_QUANTILES, ids=lambda kind: kind.__name__)


def fitted(kind: Any) -> Any:
    if kind not in FITTED:
        FITTED[kind] = kind.fit(LEARNT.X, LEARNT.amount, seed=3)
    return FITTED[kind]


@every
def test_the_planted_means_are_found(kind: Any) -> None:
    forecast = fitted(kind).predict(NEW.X)
    assert spearmanr(forecast, NEW.mean).statistic > 0.8
    assert forecast.sum() == pytest.approx(NEW.mean.sum(), rel=0.1)


@every
def test_the_currency_changes_nothing(kind: Any) -> None:
    pence = kind.fit(LEARNT.X, 100 * LEARNT.amount, seed=3).predict(NEW.X)
    assert pence == pytest.approx(100 * fitted(kind).predict(NEW.X), rel=0.02)


@every
def test_contributions_sum_to_the_log_but_for_a_constant(kind: Any) -> None:
    model = fitted(kind)
    rest = np.log(model.predict(NEW.X[:300])) - model.contributions(NEW.X[:300]).sum(axis=1)
    assert np.ptp(rest) < 0.02


@every
def test_what_is_saved_is_what_is_loaded(kind: Any, tmp_path: Path) -> None:
    fitted(kind).save(tmp_path)
    assert kind.load(tmp_path).predict(NEW.X) == pytest.approx(fitted(kind).predict(NEW.X))
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".txt", ".onnx", ".safetensors"}


@every
def test_the_same_seed_gives_the_same_answer(kind: Any) -> None:
    again = kind.fit(LEARNT.X, LEARNT.amount, seed=3)
    assert np.array_equal(again.predict(NEW.X), fitted(kind).predict(NEW.X))


@every
def test_labels_without_anything_above_zero_are_refused(kind: Any) -> None:
    for nothing in (np.zeros(len(LEARNT.X)), -LEARNT.amount):
        with pytest.raises(MissingDataError, match="at least 0"):
            kind.fit(LEARNT.X, nothing)


@each_with_quantiles
def test_quantiles_hold_the_share_they_say(kind: Any) -> None:
    levels = (0.5, 0.7, 0.9)
    quantiles = fitted(kind).quantiles(NEW.X, levels)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    # Where the quantile is zero, every amount reaches it: only those above zero can be wrong.
    held = [(NEW.amount <= q)[q > 0].mean() for q in quantiles.T]
    assert held == pytest.approx(levels, abs=0.04)


@each_with_quantiles
def test_where_nothing_is_likelier_the_median_is_nothing(kind: Any) -> None:
    model = fitted(kind)
    chance = 1 - model.probability(NEW.X) if hasattr(model, "probability") else 1 - model.hurdle.probability(NEW.X)
    median = model.quantiles(NEW.X, (0.5,))[:, 0]
    assert np.array_equal(median == 0, chance >= 0.5)


def test_early_stopping_keeps_the_best_epoch() -> None:
    part = slice(0, 800)
    stopped = ZeroInflatedLognormal.fit(LEARNT.X, LEARNT.amount, seed=3, validation=(NEW.X[part], NEW.amount[part]))
    assert spearmanr(stopped.predict(NEW.X[800:]), NEW.mean[800:]).statistic > 0.75
