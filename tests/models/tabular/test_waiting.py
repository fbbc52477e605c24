"""How long one waits: renewal guesses against known answers and simulation, trees against a planted median."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.tabular.boosting import BoostedWait
from dongcha.models.tabular.renewal import Renewal

NOBODY = np.empty(0, dtype=np.int64)


def test_clockwork_is_told_to_the_day() -> None:
    rows = np.repeat([0, 1], 40)
    renewal = Renewal(mean=np.log(15.0), between=1.0, within=0.05)
    within, days = renewal.ahead(rows, np.repeat([10.0, 30.0], 40), np.array([4.0, 4.0]), 90.0)
    assert days.tolist() == pytest.approx([6.0, 26.0], abs=0.3)
    assert within.min() > 0.999


def test_what_was_planted_comes_back() -> None:
    random = np.random.default_rng(3)
    means = random.normal(2.5, 0.8, 800)
    rows = np.repeat(np.arange(800), 12)
    found = Renewal.fit(rows, np.exp(means[rows] + random.normal(0, 0.5, len(rows))))
    assert (found.mean, found.between, found.within) == pytest.approx((2.5, 0.8, 0.5), abs=0.06)


def test_the_answer_for_one_who_waits_is_what_simulation_says() -> None:
    renewal = Renewal(mean=2.0, between=0.6, within=0.8)
    random = np.random.default_rng(5)
    gaps = np.exp(random.normal(2.0, 1.0, 2_000_000))  # a first gap deviates by both
    left = gaps[gaps > 12] - 12
    within, days = renewal.ahead(NOBODY, np.empty(0), np.array([12.0]), 30.0)
    assert within[0] == pytest.approx((left <= 30).mean(), abs=0.003)
    assert days[0] == pytest.approx(np.median(left[left <= 30]), abs=0.15)


@given(st.floats(0, 5000), st.floats(1, 400))
def test_whoever_waits_however_long_gets_an_answer_within_the_horizon(waited: float, horizon: float) -> None:
    within, days = Renewal(2.0, 0.3, 0.3).ahead(NOBODY, np.empty(0), np.array([waited]), horizon)
    assert 0 <= within[0] <= 1
    assert 0 <= days[0] <= horizon


def test_nobody_ever_came_back() -> None:
    assert Renewal.fit(NOBODY, np.empty(0)).mean == pytest.approx(np.log(30))


def test_saved_and_loaded(tmp_path: Path) -> None:
    Renewal(1.5, 0.2, 0.7).save(tmp_path)
    assert Renewal.load(tmp_path) == Renewal(1.5, 0.2, 0.7)


def test_trees_find_a_median_that_outliers_do_not_move(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    X = random.random((3000, 3))
    X[::7, 1] = np.nan
    y = np.where(X[:, 0] > 0.5, 30.0, 10.0) + random.exponential(1, 3000) + 500 * (random.random(3000) < 0.1)
    model = BoostedWait.fit(X, y, seed=1)
    found = model.predict(np.array([[0.2, 0.5, 0.5], [0.8, 0.5, 0.5]]))
    assert found.tolist() == pytest.approx([10.8, 30.8], abs=1.5)
    assert np.abs(model.contributions(X)).mean(axis=0).argmax() == 0
    model.save(tmp_path)
    np.testing.assert_array_equal(BoostedWait.load(tmp_path).predict(X), model.predict(X))
