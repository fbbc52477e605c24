"""Turns of a level: a planted one is found, when and how far; none where there is none; nothing peeks ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.change.spread import Days, Spread
from dongcha.models.change.three_sigma import three_sigma
from dongcha.models.change.turns import Observed, Turns

YEAR = 365
STARS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
USUAL = np.array([0.05, 0.05, 0.1, 0.2, 0.6])


def drawn(seed: int, a_day: float, days: int, turn: float | None = None) -> Days:
    """Ratings like a shop's; from `turn` on, four in ten become the worst."""
    random = np.random.default_rng(seed)
    when = np.sort(random.uniform(0, days, random.poisson(a_day * days)))
    felt = random.choice(STARS, len(when), p=USUAL)
    if turn is not None:
        felt[(when >= turn) & (random.random(len(when)) < 0.4)] = 0.0
    return Days.of(when, felt)


def spread_of(*things: Days) -> Spread:
    return Spread.fit(things)


@pytest.mark.parametrize("a_day", [0.2, 1.0, 8.0])
def test_a_planted_turn_is_found_at_any_volume(a_day: float) -> None:
    days = drawn(4, a_day, 2 * YEAR, turn=650)
    spread = spread_of(*(drawn(seed, a_day, 2 * YEAR) for seed in range(10, 20)))
    turns = Turns(spread.mean, spread.strength)
    told = turns.follow(spread.worth(days))
    assert told.down[-1] > 0.85
    assert told.down[-1] + told.up[-1] <= 1 + 1e-9
    assert abs(days.day[told.began[-1]] - 650) < 3 + 4 / a_day
    assert told.before[-1] == pytest.approx(STARS @ USUAL, abs=0.07)
    assert told.level[-1] == pytest.approx(0.6 * (STARS @ USUAL), abs=0.15)
    assert (told.path[days.day < 640] > told.path[-1] + 0.2).all()


def test_a_rise_is_told_as_one() -> None:
    day = np.arange(200.0)
    told = Turns(mean=0.5).follow(Observed(day, np.full(200, 3.0), np.where(day < 150, 0.9, 2.7)))
    assert told.up[-1] > 0.99
    assert told.down[-1] < 0.01


@pytest.mark.parametrize("a_day", [0.1, 1.0, 2.0])
def test_without_a_turn_there_is_less_than_one_false_alarm_a_year(a_day: float) -> None:
    quiet = [drawn(seed, a_day, 2 * YEAR) for seed in range(16)]
    spread = spread_of(*quiet)
    turns = Turns(spread.mean, spread.strength)
    alarms = 0
    for days in quiet:
        told = turns.follow(spread.worth(days))
        over = np.maximum(told.down, told.up) >= turns.alarm_at(YEAR)
        alarms += int((over[1:] & ~over[:-1]).sum())
    assert alarms / (2 * len(quiet)) < 1.0


def test_an_old_turn_is_no_news() -> None:
    days = drawn(5, 1.0, 2 * YEAR, turn=300)
    spread = spread_of(days, drawn(6, 1.0, 2 * YEAR))
    told = Turns(spread.mean, spread.strength).follow(spread.worth(days))
    assert told.down[np.searchsorted(days.day, 370)] > 0.8
    assert told.down[-1] < 0.3
    late = Turns(spread.mean, spread.strength).follow(spread.worth(drawn(5, 1.0, 400, turn=390)), until=900.0)
    assert late.down[-1] == late.up[-1] == 0.0


@given(st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=2, max_size=30), st.integers(1, 29))
def test_what_is_told_of_a_day_does_not_depend_on_later_ones(seen: list[tuple[int, float]], cut: int) -> None:
    number = np.array([float(n) for n, _ in seen])
    whole = Observed(np.arange(len(seen)) * 3.0, number, number * np.array([mean for _, mean in seen]))
    cut = min(cut, len(seen))
    part = Observed(*(each[:cut] for each in whole))
    for one, other in zip(Turns().follow(whole)[:5], Turns().follow(part)[:5], strict=True):
        np.testing.assert_allclose(np.asarray(one)[:cut], other, atol=1e-9)


def test_a_shop_whose_levels_never_turn_learns_a_slow_rate_and_one_whose_do_a_fast() -> None:
    quiet = [drawn(seed, 0.3, 2 * YEAR) for seed in range(12)]
    turned = [drawn(seed, 0.3, 2 * YEAR, turn=200 + 30 * seed) for seed in range(12)]
    rates = []
    for things in (quiet, turned):
        spread = spread_of(*things)
        rates.append(Turns.fit([spread.worth(days) for days in things], spread.mean, spread.strength).per_day)
    assert rates[0] < rates[1]


def test_the_alarm_of_a_false_one_a_year_has_the_odds_of_a_turn_in_a_year() -> None:
    assert Turns(per_day=1 / 730).alarm_at(730) == pytest.approx(0.5)
    assert Turns(per_day=1 / 730).alarm_at(365) == pytest.approx(1 / 3)


def test_nothing_observed_is_told_nothing_and_one_day_is_no_turn() -> None:
    none = np.zeros(0)
    assert len(Turns().follow(Observed(none, none, none)).level) == 0
    told = Turns(mean=0.8).follow(Observed(np.array([3.0]), np.array([2.0]), np.array([0.0])))
    assert told.down[-1] == 0.0
    assert told.level[-1] < 0.8


# -- how observations spread


def test_yes_or_no_has_the_widest_dispersion_and_middling_moods_less() -> None:
    random = np.random.default_rng(1)
    when = np.arange(4000) / 10
    sure = Spread.fit([Days.of(when, (random.random(4000) < 0.7).astype(float))])
    mild = Spread.fit([Days.of(when, random.normal(0.7, 0.1, 4000).clip(0, 1))])
    assert sure.dispersion == pytest.approx(1.0, abs=0.06)
    assert mild.dispersion == pytest.approx(0.1, abs=0.05)
    assert sure.likeness < 0.04


def test_days_that_share_a_shock_are_worth_less() -> None:
    random = np.random.default_rng(2)
    shock = np.repeat(random.normal(0, 0.15, 60), 50)
    felt = (random.random(3000) < np.clip(0.5 + shock, 0, 1)).astype(float)
    days = Days.of(np.repeat(np.arange(60.0), 50), felt)
    spread = Spread.fit([days])
    assert spread.likeness == pytest.approx(0.15**2 / 0.25, abs=0.06)
    assert spread.worth(days).number.sum() < 1200


def test_the_strength_is_how_alike_things_are() -> None:
    random = np.random.default_rng(3)
    levels = random.beta(0.7 * 12, 0.3 * 12, 300)
    things = [Days.of(np.arange(40.0), (random.random(40) < level).astype(float)) for level in levels]
    assert Spread.fit(things).strength == pytest.approx(12, rel=0.4)
    same = [Days.of(np.arange(40.0), (random.random(40) < 0.7).astype(float)) for _ in range(300)]
    assert Spread.fit(same).strength > 60
    assert Spread.fit([]).mean == 0.5


# -- the control chart


def test_three_sigma_sees_a_great_fall_and_not_a_steady_level() -> None:
    day = np.arange(200.0)
    wave = 5 + np.sin(day)
    steady = three_sigma(Observed(day, np.full(200, 10.0), wave + 2))
    fell = three_sigma(Observed(day, np.full(200, 10.0), np.where(day < 180, wave + 2, wave - 4)))
    assert (np.maximum(steady.down, steady.up) < 0.9973).all()
    assert fell.down[-1] >= 0.9973
    assert fell.before[-1] == pytest.approx(0.7, abs=0.02)
    assert fell.level[-1] < 0.3
    assert 173 <= fell.began[-1] <= 183
