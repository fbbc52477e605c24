"""Vectors made short keep their distances; lines find what lies on them, however many are asked for."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.vectors.principal import Principal
from dongcha.models.vectors.probes import LinearHeads


def flat(rows: int, width: int, rank: int, seed: int) -> np.ndarray:
    """Points of a few dimensions lying in a wider space."""
    random = np.random.default_rng(seed)
    return np.asarray(random.normal(size=(rows, rank)) @ random.normal(size=(rank, width)) + 3)


def distances(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=2))


@given(st.integers(1, 4), st.integers(4, 12), st.integers(0, 99))
def test_distances_stay_in_proportion_where_enough_directions_are_kept(rank: int, width: int, seed: int) -> None:
    points = flat(20, width, rank, seed)
    before, after = distances(points), distances(Principal.fit(points, 4).transform(points))
    np.testing.assert_allclose(after / after.max(), before / before.max(), atol=1e-6)


@given(st.integers(1, 20))
def test_numbers_are_as_many_as_asked_for_and_of_one_size(size: int) -> None:
    points = flat(50, 8, 8, seed=1)
    found = Principal.fit(points, size).transform(points)
    assert found.shape == (50, size)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose((found**2).mean(), 1)


def test_points_that_are_all_alike_become_zeros() -> None:
    assert not Principal.fit(np.ones((9, 3)), 2).transform(np.ones((9, 3))).any()


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    points = flat(30, 5, 5, seed=2)
    fitted = Principal.fit(points, 3)
    fitted.save(tmp_path)
    assert np.array_equal(Principal.load(tmp_path).transform(points), fitted.transform(points))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_each_head_finds_its_own_line_whatever_the_scale(scale: float) -> None:
    random = np.random.default_rng(3)
    X = random.normal(size=(400, 3)) * [1, scale, 0]
    Y = np.column_stack([X[:, 0], -X[:, 1] / scale])
    guess = LinearHeads.fit(X, Y, ridge=1e-6).predict(X)
    np.testing.assert_allclose(guess, Y, atol=0.02)
