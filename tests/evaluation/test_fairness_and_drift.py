"""Groups are judged apart; columns that moved are named."""

import numpy as np
import pytest

from dongcha.evaluation import metrics
from dongcha.evaluation.drift import SHIFTED, drift, population_stability
from dongcha.evaluation.fairness import by_group

RANDOM = np.random.default_rng(3)


def judge(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    return {"auc": metrics.auc(y, p)}


def test_a_group_that_is_served_worse_shows() -> None:
    y = RANDOM.integers(0, 2, 4000).astype(float)
    groups = ["north"] * 2500 + ["south"] * 1500
    blur = np.where(np.arange(4000) < 2500, 0.3, 3.0)
    figures = by_group(y, y + RANDOM.normal(0, blur), groups, judge)
    assert list(figures) == ["north", "south"]
    assert figures["north"]["auc"] > figures["south"]["auc"] + 0.2
    assert figures["south"]["rows"] == 1500


def test_small_groups_are_left_out_and_nameless_rows_stand_together() -> None:
    y = np.tile([0.0, 1.0], 40)
    figures = by_group(y, y, [None] * 70 + ["tiny"] * 10, judge)
    assert list(figures) == ["unknown"]


def test_a_group_of_one_class_keeps_its_means() -> None:
    figures = by_group(np.ones(40), np.full(40, 0.9), ["a"] * 40, judge)
    assert figures == {"a": {"rows": 40.0, "forecast": pytest.approx(0.9), "actual": 1.0}}


def test_the_same_rows_have_not_drifted_and_moved_ones_have() -> None:
    then = RANDOM.lognormal(size=5000)
    assert population_stability(then, then) == 0
    assert population_stability(then, RANDOM.lognormal(size=5000)) < 0.02
    assert population_stability(then, 3 * RANDOM.lognormal(size=5000)) > SHIFTED


def test_values_going_missing_is_drift() -> None:
    then = RANDOM.normal(size=2000)
    now = np.where(RANDOM.random(2000) < 0.4, np.nan, then)
    assert population_stability(then, now) > SHIFTED
    assert population_stability(np.full(9, np.nan), np.full(9, np.nan)) == 0


def test_the_column_that_moved_most_comes_first() -> None:
    then, now = RANDOM.normal(size=(1000, 2)), RANDOM.normal(size=(1000, 2))
    now[:, 1] += 2
    assert list(drift(then, now, ("still", "moved"))) == ["moved", "still"]
