"""Figures of quality: known answers, and what no forecast may change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import MissingDataError
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import expected_calibration_error, reliability_table

Y, P = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
amounts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=2, max_size=40).filter(
    lambda rows: len({spent for spent, _ in rows}) > 1
)


def test_known_answers_for_a_probability() -> None:
    assert metrics.auc(Y, P) == 0.75
    assert metrics.average_precision(Y, P) == pytest.approx(5 / 6)
    assert metrics.brier(Y, P) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)


def test_known_answers_for_an_amount() -> None:
    spent, forecast = [0, 10, 30], [5, 5, 20]
    assert metrics.mae(spent, forecast) == pytest.approx(20 / 3)
    assert metrics.total_ratio(spent, forecast) == 0.75
    assert metrics.spearman([1, 2, 3], [10, 20, 15]) == pytest.approx(0.5)
    assert metrics.coverage(spent, low=[0, 11, 20], high=[0, 20, 30]) == pytest.approx(2 / 3)


def test_a_forecast_that_tells_nobody_apart_ranks_like_chance() -> None:
    assert metrics.spearman([1, 2, 3], [7, 7, 7]) == 0
    assert metrics.normalised_gini([1, 2, 3], [7, 7, 7]) == pytest.approx(0)


@given(amounts)
def test_the_gini_lies_between_the_worst_and_the_best_ranking(rows: list[tuple[int, int]]) -> None:
    spent, forecast = np.array(rows, dtype=float).T
    gini = metrics.normalised_gini(spent, forecast)
    assert -1 - 1e-9 <= gini <= 1 + 1e-9
    assert metrics.normalised_gini(spent, spent) == pytest.approx(1)
    assert metrics.normalised_gini(spent, -forecast) == pytest.approx(-gini)


@given(amounts)
def test_the_order_of_the_rows_has_no_effect_even_among_ties(rows: list[tuple[int, int]]) -> None:
    spent, forecast = np.array(rows, dtype=float).T
    for measure in (metrics.normalised_gini, metrics.spearman, metrics.mae, metrics.total_ratio):
        assert measure(spent[::-1], forecast[::-1]) == pytest.approx(measure(spent, forecast))


def test_one_class_alone_cannot_be_ranked() -> None:
    for measure in (metrics.auc, metrics.average_precision):
        with pytest.raises(MissingDataError, match="both classes"):
            measure([1, 1], [0.2, 0.3])


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(MissingDataError, match="total is 0"):
        metrics.total_ratio([0, 0], [1, 2])
    with pytest.raises(MissingDataError, match="every y is the same"):
        metrics.normalised_gini([3, 3], [1, 2])
    with pytest.raises(MissingDataError, match="2 forecasts cannot be judged by 3"):
        metrics.mae([1, 2, 3], [1, 2])
    with pytest.raises(MissingDataError, match="is missing"):
        metrics.brier([0, 1], [0.5, np.nan])


def test_renaming_groups_changes_nothing() -> None:
    assert metrics.adjusted_rand(np.array([0, 0, 1, 1]), np.array(["b", "b", "a", "a"])) == 1


def test_deciles_hold_every_row_once_lowest_forecast_first() -> None:
    random = np.random.default_rng(0)
    table = metrics.deciles(random.random(103), random.random(103))
    assert sum(part.rows for part in table) == 103
    assert [part.forecast for part in table] == sorted(part.forecast for part in table)


def test_honest_probabilities_have_no_calibration_error_and_doubled_ones_do() -> None:
    random = np.random.default_rng(0)
    chance = random.uniform(0, 0.5, 50_000)
    happened = (random.random(50_000) < chance).astype(float)
    assert expected_calibration_error(happened, chance) < 0.01
    assert expected_calibration_error(happened, 2 * chance) == pytest.approx(0.25, abs=0.01)
    assert [row["rows"] for row in reliability_table(happened, chance)] == [5000] * 10


def test_looking_at_some_finds_a_share_and_ties_count_in_part() -> None:
    assert metrics.recall_at([1, 0, 0, 1], [0.9, 0.8, 0.1, 0.2], 0.25) == 0.5
    assert metrics.recall_at([1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5], 0.5) == 0.5
    assert metrics.recall_at([1, 0, 0, 0], [0.1, 0.5, 0.4, 0.3], 0.01) == 0.0


def test_classes_that_never_overlap_are_wholly_apart() -> None:
    assert metrics.kolmogorov_smirnov([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]) == 1.0
    assert metrics.kolmogorov_smirnov([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]) == 0.0
