"""What comes next: known answers of every guess, powers that come back, and what trees add."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.ranking.next_blend import Lesson, NextBlend
from dongcha.models.ranking.next_guesses import Crowd
from dongcha.models.ranking.next_step import Memory, Pool, Steps, chain, followed, own, popular


def steps(*rows: list[int], things: int = 3) -> Steps:
    """One visit a day, each ending with what it began with."""
    row = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    thing = np.array([thing for r in rows for thing in r], dtype=np.int64)
    day = np.array([float(k) for r in rows for k in range(len(r))])
    return Steps(row, day, thing, thing, things, len(rows))


SOME = steps([0, 1, 0, 1], [], [2])
PRIOR = np.array([0.5, 0.25, 0.25])


def test_own_shares_are_drawn_to_the_prior() -> None:
    shares = own(SOME, np.ones(5), PRIOR, strength=4.0)
    np.testing.assert_allclose(shares, [[0.5, 3 / 8, 1 / 8], PRIOR, [0.4, 0.2, 0.4]])


def test_a_chain_counts_what_followed_what() -> None:
    links = chain(SOME, PRIOR, strength=1.0)
    np.testing.assert_allclose(links, [[0.5 / 3, 2.25 / 3, 0.25 / 3], [1.5 / 2, 0.25 / 2, 0.25 / 2], PRIOR])


def test_a_chain_may_look_at_several_visits() -> None:
    links = np.eye(3)
    np.testing.assert_allclose(followed(SOME, links, PRIOR, Memory(2, 0.5)), [[1 / 3, 2 / 3, 0], PRIOR, [0, 0, 1]])
    np.testing.assert_allclose(followed(SOME, links, PRIOR, Memory())[0], [0, 1, 0])


def test_what_is_popular_fades() -> None:
    assert popular(steps([0, 0, 1]), 3.0, half_life=0.5)[1] > popular(steps([0, 0, 1]), 3.0, half_life=50.0)[1]


def test_gaps_and_waiting() -> None:
    rows, gaps = SOME.gaps()
    assert (rows.tolist(), gaps.tolist()) == ([0, 0, 0], [1.0, 1.0, 1.0])
    assert SOME.waited(10.0, 99.0).tolist() == [7.0, 99.0, 10.0]


@given(st.lists(st.integers(-1, 2), max_size=6))
def test_rows_taken_keep_their_visits_and_no_row_is_minus_one(rows: list[int]) -> None:
    taken = SOME.take(np.array(rows, dtype=np.int64))
    whole = [SOME.first[SOME.rows == row].tolist() for row in rows]
    assert [taken.first[taken.rows == k].tolist() for k in range(len(rows))] == whole
    assert taken.count == len(rows)


def test_the_powers_of_a_pool_come_back(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    guesses = {name: random.dirichlet(np.ones(6), 6000) for name in ("one", "other")}
    powers = {"one": 1.2, "other": 0.4}
    chosen = Pool(powers).predict(guesses)
    came = (chosen.cumsum(axis=1) < random.random((6000, 1))).sum(axis=1)
    found = Pool.fit([guesses], [came], [1.0])
    assert found.powers == pytest.approx(powers, abs=0.06)
    found.save(tmp_path)
    np.testing.assert_array_equal(Pool.load(tmp_path).predict(guesses), found.predict(guesses))


def crowd(count: int, seed: int) -> Crowd:
    """Half of the rows always do the thing they did, half the next one round; all are seen six to nine times."""
    random = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        start, step = int(random.integers(5)), k % 2
        rows.append([(start + step * visit) % 5 for visit in range(int(random.integers(6, 10)))])
    made = steps(*rows, things=5)
    return Crowd(made, made, np.arange(5), 12.0)


def truth(crowd: Crowd) -> np.ndarray:
    newest = crowd.steps.newest()
    return (crowd.steps.first[newest] + np.arange(crowd.steps.count) % 2) % 5


def test_the_blend_learns_who_repeats_and_who_goes_on(tmp_path: Path) -> None:
    past, now = crowd(1500, 1), crowd(400, 2)
    rows, held_out = np.arange(1500), np.arange(1500) % 5 == 0
    blend = NextBlend.fit([Lesson(past, rows, truth(past), 1.0, held_out)], seed=1)
    found = blend.predict(now, np.arange(400))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (
        (found.argmax(axis=1) == truth(now)).mean() > 0.95 > (now.by_chain(rows[:400]).argmax(1) == truth(now)).mean()
    )
    blend.save(tmp_path)
    again = NextBlend.load(tmp_path, with_trees=True).predict(now, np.array([7, -1, 3]))
    np.testing.assert_allclose(again[[0, 2]], found[[7, 3]], atol=1e-12)
    assert np.isfinite(again[1]).all()
