"""Ratings: biases have their known answers, neighbours agree where tastes do, layers follow what changed."""

from pathlib import Path

import numpy as np
import pytest

from dongcha.models.ranking.rating_biases import NOBODY, Biases, Damping, Lesson, Ratings, best_damping, damped
from dongcha.models.ranking.rating_layers import Layered, layers
from dongcha.models.ranking.rating_neighbours import RatingNeighbours


def ratings_of(*rows: tuple[int, int, float, float]) -> Ratings:
    raters, things, stars, ages = (np.array(column) for column in zip(*rows, strict=True))
    return Ratings(raters.astype(np.int64), things.astype(np.int64), stars.astype(float), ages.astype(float))


def made(count: int, seed: int, *, noise: float = 0.3, turned: float = 0.0) -> tuple[Ratings, np.ndarray]:
    """Things and raters have biases of their own; `turned` is added to the first ten things in the last 60 days."""
    random = np.random.default_rng(seed)
    of_things, of_raters = np.random.default_rng(1).normal(0, 0.8, 40), np.random.default_rng(2).normal(0, 0.5, 200)
    raters, things, ages = (
        random.integers(200, size=count),
        random.integers(40, size=count),
        random.uniform(0, 700, count),
    )
    meant = 3 + of_things[things] + of_raters[raters] + turned * ((things < 10) & (ages < 60))
    return Ratings(raters, things, meant + random.normal(0, noise, count), ages), meant


def test_a_bias_is_drawn_to_nothing_by_its_doubt() -> None:
    ratings = ratings_of((0, 0, 5, 0), (1, 0, 5, 0), (0, 1, 2, 0), (1, 1, 2, 0))
    biases = Biases.fit(ratings, 2, 2, Damping(of_things=2.0, of_raters=3.0))
    assert biases.mean == pytest.approx(3.5)
    assert biases.of_things.tolist() == pytest.approx([0.75, -0.75])
    assert biases.of_raters.tolist() == pytest.approx([0.0, 0.0])
    nobody = np.array([NOBODY])
    assert biases.predict(nobody, nobody).tolist() == pytest.approx([3.5])
    assert biases.predict(nobody, np.array([0])).tolist() == pytest.approx([4.25])


def test_an_old_rating_weighs_less_and_a_thing_without_a_name_teaches_no_thing() -> None:
    old = ratings_of((0, 0, 1, 100), (0, 0, 5, 0))
    assert Biases.fit(old, 1, 1, Damping(half_life_days=100.0)).mean == pytest.approx((5 + 0.5) / 1.5)
    nameless = ratings_of((0, NOBODY, 1, 0), (1, 0, 5, 0))
    assert Biases.fit(nameless, 2, 1, Damping(1, 1)).of_things.tolist() == pytest.approx([1.0])
    assert damped(np.array([0, 0]), np.array([1.0, 3.0]), np.ones(2), 2, 2.0).tolist() == [1.0, 0.0]


def test_the_damping_that_foretells_best_is_chosen() -> None:
    noisy, steady = (Lesson(made(400, 3, noise=k)[0], 200, 40, made(400, 4, noise=k)[0]) for k in (4.0, 0.01))
    assert best_damping([noisy]).of_raters > best_damping([steady]).of_raters
    assert best_damping([]) == Damping()


def test_neighbours_tell_tastes_that_biases_cannot() -> None:
    """Half love even things and hate odd ones, half the other way round: no thing and nobody is better on the whole."""
    random = np.random.default_rng(3)
    rows = [
        (rater, thing, 3 + (2 if (rater + thing) % 2 else -2), 0.0)
        for rater in range(80)
        for thing in random.choice(20, 12, replace=False).tolist()
    ]
    ratings = ratings_of(*rows)
    biases = Biases.fit(ratings, 80, 20, Damping())
    neighbours = RatingNeighbours.fit(ratings, biases)
    raters, things = np.repeat(np.arange(80), 20), np.tile(np.arange(20), 80)
    added = neighbours.predict(raters, things)
    assert np.abs(biases.predict(raters, things) - 3).max() < 1
    assert np.mean(np.sign(added) == np.where((raters + things) % 2, 1, -1)) > 0.99
    assert neighbours.predict(np.array([NOBODY, 0]), np.array([0, NOBODY])).tolist() == [0.0, 0.0]


def test_layers_follow_what_turned_lately_and_come_back_from_disk(tmp_path: Path) -> None:
    def asked(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        known, (later, meant) = made(2500, seed, turned=-2.0)[0], made(600, seed + 100, turned=-2.0)
        keys = [(known.raters, later.raters), (known.things, later.things)]
        lately = later.ages < 60
        told, X = layers(known, keys, later.raters, later.things, Damping())
        return told[lately], X[lately], meant[lately]

    lessons = [asked(seed) for seed in (3, 4, 5, 6)]
    X, missed = np.concatenate([k[1] for k in lessons]), np.concatenate([k[2] - k[0] for k in lessons])
    model = Layered.fit(X, missed, np.ones(len(X)))
    told, new, meant = asked(9)
    assert np.mean((told + model.predict(new) - meant) ** 2) < 0.7 * np.mean((told - meant) ** 2)
    model.save(tmp_path)
    assert np.array_equal(Layered.load(tmp_path).predict(new), model.predict(new))


@pytest.mark.parametrize("things", [[NOBODY] * 4, [0, 1, 0, 1]], ids=["nothing is named", "all is rated alike"])
def test_ratings_that_tell_nothing_add_nothing(things: list[int]) -> None:
    ratings = ratings_of(*((rater, thing, 5.0, 1.0) for rater, thing in enumerate(things)))
    keys = [(ratings.raters, ratings.raters), (ratings.things, ratings.things)]
    told, X = layers(ratings, keys, ratings.raters, ratings.things, Damping())
    assert told.tolist() == pytest.approx([5.0] * 4)
    assert np.abs(X).max() < 1e-9
    assert Layered.fit(X, np.zeros(4), np.ones(4)).predict(X).tolist() == [0.0] * 4
