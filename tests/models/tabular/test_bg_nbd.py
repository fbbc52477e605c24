"""BG/NBD: the published answers, the simulated truth, and what must always hold."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.public_data import public_data

from dongcha.errors import MissingDataError
from dongcha.models.tabular.bg_nbd import BgNbd

CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def cdnow_weeks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    end = pl.date(1997, 9, 30)
    days = pl.read_parquet(public_data("clv/cdnow.parquet")).select("Id", "Date").unique().filter(pl.col("Date") <= end)
    first, last = pl.col("Date").min(), pl.col("Date").max()
    each = days.group_by("Id").agg(x=pl.len() - 1.0, t_x=(last - first).dt.total_days() / 7, start=first)
    each = each.with_columns(age=(end - pl.col("start")).dt.total_days() / 7)
    return each["x"].to_numpy(), each["t_x"].to_numpy(), each["age"].to_numpy()


def test_the_published_parameters_of_cdnow_are_found() -> None:
    history = cdnow_weeks()
    found = BgNbd.fit(*history)
    assert [round(v, 3) for v in (found.r, found.alpha, found.a, found.b)] == pytest.approx(
        [0.243, 4.414, 0.793, 2.426], abs=0.002
    )
    assert found.log_likelihood(*history) == pytest.approx(-9582.4, abs=0.05)


def test_the_unit_of_time_changes_nothing() -> None:
    x, t_x, age = cdnow_weeks()
    weeks, days = BgNbd.fit(x, t_x, age), BgNbd.fit(x, 7 * t_x, 7 * age)
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-3)
    assert days.expected_purchases(273, x, 7 * t_x, 7 * age) == pytest.approx(
        weeks.expected_purchases(39, x, t_x, age), rel=1e-3
    )


def test_planted_parameters_are_recovered() -> None:
    random, rows, age = np.random.default_rng(5), 20_000, 60.0
    truth = BgNbd(r=0.8, alpha=6.0, a=1.2, b=4.0)
    x, t_x = np.zeros(rows), np.zeros(rows)
    rate, stop = random.gamma(truth.r, 1 / truth.alpha, rows), random.beta(truth.a, truth.b, rows)
    at, alive = np.zeros(rows), np.ones(rows, dtype=bool)
    while alive.any():
        at[alive] += random.exponential(1 / rate[alive])
        alive &= at < age
        x[alive] += 1
        t_x[alive] = at[alive]
        alive &= random.random(rows) >= stop
    found = BgNbd.fit(x, t_x, np.full(rows, age))
    assert [found.r, found.alpha, found.a / (found.a + found.b)] == pytest.approx(
        [truth.r, truth.alpha, truth.a / (truth.a + truth.b)], rel=0.08
    )


@pytest.mark.parametrize("model", [CDNOW, BgNbd(0.8, 5, 1.0, 0.4), BgNbd(0.3, 5, 0.2, 0.3), BgNbd(2, 3, 5, 9)])
@pytest.mark.parametrize(("x", "t_x"), [(0.0, 0.0), (2.0, 20.0), (500.0, 29.0)])
def test_the_closed_forms_are_what_a_simulation_of_the_living_gives(model: BgNbd, x: float, t_x: float) -> None:
    random, age, ahead, draws = np.random.default_rng(1), 30.0, 39.0, 400_000
    rate = random.gamma(model.r + x, 1 / (model.alpha + age), draws)
    stop = random.beta(model.a, model.b + x, draws)
    purchases = -np.expm1(-rate * stop * ahead) / np.maximum(stop, 1e-300)
    alive = model.probability_alive([x], [t_x], [age])[0]
    quiet = 1 - alive * (1 - np.exp(-rate * ahead).mean())
    assert model.expected_purchases(ahead, [x], [t_x], [age])[0] == pytest.approx(alive * purchases.mean(), rel=0.02)
    assert model.probability_of_no_purchase(ahead, [x], [t_x], [age])[0] == pytest.approx(quiet, abs=2e-3)


sizes = st.floats(0.05, 20)
models = st.builds(BgNbd, r=sizes, alpha=sizes, a=sizes, b=sizes)


@given(model=models, x=st.integers(0, 3000), seen=st.floats(0, 1), age=st.floats(0.1, 1000))
def test_answers_are_finite_and_grow_with_the_time_ahead(model: BgNbd, x: int, seen: float, age: float) -> None:
    history = ([float(x)], [seen * age if x else 0.0], [age])
    chances = [model.probability_of_no_purchase(t, *history)[0] for t in (1, 10, 100)]
    counts = [model.expected_purchases(t, *history)[0] for t in (1, 10, 100)]
    assert np.isfinite(counts).all()
    assert 0 <= chances[2] <= chances[1] <= chances[0] <= 1
    assert all(later >= sooner * (1 - 1e-6) for sooner, later in pairwise(counts))


@given(model=models, x=st.integers(0, 3000), age=st.floats(10, 1000), t=st.floats(0.1, 90))
def test_the_closed_form_is_its_integral(model: BgNbd, x: int, age: float, t: float) -> None:
    row = np.array([float(x)]), np.array([age])
    assume(abs(model.a - 1) > 1e-3)
    assert model._closed_form(t, *row) == pytest.approx(model._integral(t, *row), rel=1e-5)


def test_longer_silence_means_less_alive() -> None:
    alive = CDNOW.probability_alive(x=[5, 5, 5], t_x=[38, 25, 10], age=[39, 39, 39])
    assert alive[0] > alive[1] > alive[2]


def test_missing_history_gives_a_missing_answer_and_is_not_learnt_from() -> None:
    x, t_x, age = np.array([1, np.nan, 0, 3.0]), np.array([2, 1, 0, 4.0]), np.array([5, 5, 5, 6.0])
    known = ~np.isnan(x)
    assert BgNbd.fit(x, t_x, age) == BgNbd.fit(x[known], t_x[known], age[known])
    assert np.isnan(CDNOW.expected_purchases(1, x, t_x, age)).tolist() == [False, True, False, False]


def test_a_shop_where_nobody_came_back_is_refused() -> None:
    with pytest.raises(MissingDataError, match="nobody came back"):
        BgNbd.fit([0, 0], [0, 0], [5, 9])


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    CDNOW.save(tmp_path)
    assert BgNbd.load(tmp_path) == CDNOW
