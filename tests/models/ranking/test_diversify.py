"""Diversify: strength 0 changes nothing, more strength makes lists less alike, and the best stays first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.ranking.diversify import diversify
from dongcha.models.ranking.scored import Scored


def scored(rows: list[list[float]]) -> Scored:
    items = np.array([item for row in rows for item in range(len(row))], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return Scored(items, np.array([score for row in rows for score in row], dtype=np.float32), starts, 8)


VECTORS = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [1, 1], [-1, 0], [0, 0]], dtype=np.float32)


def test_a_known_answer() -> None:
    found = diversify(scored([[1.0, 0.9, 0.8, 0.7]]), VECTORS, 3, 0.5)
    assert found.tolist() == [[0, 3, 1]]


@given(st.lists(st.lists(st.floats(-5, 5, width=32), max_size=8), max_size=5), st.floats(0, 1), st.integers(1, 5))
def test_whatever_the_scores(rows: list[list[float]], strength: float, count: int) -> None:
    some = scored(rows)
    found, listed = diversify(some, VECTORS, count, strength), some.listed(count)[0]
    assert found.shape == listed.shape
    assert (found[:, 0] == listed[:, 0]).all()
    for row, kept in zip(found.tolist(), listed.tolist(), strict=True):
        there = [item for item in row if item >= 0]
        assert len(set(there)) == len(there) == sum(item >= 0 for item in kept)


def test_strength_trades_relevance_for_variety() -> None:
    random = np.random.default_rng(2)
    some = scored(random.normal(size=(40, 8)).tolist())
    assert np.array_equal(diversify(some, VECTORS, 4, 0.0), some.listed(4)[0])
    unit = VECTORS / np.maximum(np.linalg.norm(VECTORS, axis=1, keepdims=True), 1e-9)
    likeness = [
        np.mean([(unit[row] @ unit[row].T)[np.triu_indices(4, 1)].mean() for row in diversify(some, VECTORS, 4, s)])
        for s in (0.0, 0.3, 1.0)
    ]
    assert likeness[0] > likeness[1] > likeness[2]


def test_no_strength_beyond_one() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        diversify(scored([[1.0]]), VECTORS, 1, 1.5)
