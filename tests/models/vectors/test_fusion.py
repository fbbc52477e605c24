"""Fusion: a part weighs what it tells, and a network finds what lies in several parts together."""

from pathlib import Path

import numpy as np
import pytest

from dongcha.models.vectors.network import Learned
from dongcha.models.vectors.probes import LinearHeads
from dongcha.models.vectors.weighted import Weighted

ROWS = 600


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_part_of_noise_weighs_less_than_one_that_tells(random: np.random.Generator) -> None:
    telling, noise = random.normal(size=(ROWS, 4)), random.normal(size=(ROWS, 30))
    answers = (telling[:, :1] + 0.5 * random.normal(size=(ROWS, 1)) > 0).astype(float)
    fused = Weighted.fit([noise, telling], 16, answers=[answers])
    assert fused.weights[1] == 1
    assert fused.weights[0] < 0.5
    assert Weighted.fit([noise, telling], 16).weights.tolist() == [1, 1]


def test_two_parts_that_both_tell_are_both_kept(random: np.random.Generator) -> None:
    one, two = random.normal(size=(2, ROWS, 3))
    answers = (one[:, :1] + two[:, :1] > 0).astype(float)
    assert Weighted.fit([one, two], 12, answers=[answers]).weights.min() >= 0.5


def test_questions_that_all_answer_alike_teach_nothing(random: np.random.Generator) -> None:
    parts = [random.normal(size=(50, 3)), random.normal(size=(50, 2))]
    assert Weighted.fit(parts, 4, answers=[np.zeros((50, 2)), np.ones((50, 1))]).weights.tolist() == [1, 1]


def test_weights_scale_distances(random: np.random.Generator) -> None:
    parts = [random.normal(size=(ROWS, 2)), random.normal(size=(ROWS, 2))]
    fused = Weighted.fit(parts, 4)
    same = fused.transform([parts[0][:2], parts[1][[0, 0]]]), fused.transform([parts[0][[0, 0]], parts[1][:2]])
    assert [vectors.shape for vectors in same] == [(2, 4), (2, 4)]
    assert all(np.linalg.norm(vectors[0] - vectors[1]) > 0.1 for vectors in same)


def test_a_network_finds_what_no_line_through_the_parts_tells(random: np.random.Generator) -> None:
    one, two = random.choice([-1.0, 1.0], size=(2, 2000, 1))
    answers = (one != two).astype(float)
    parts = [
        np.hstack([one, 0.1 * random.normal(size=(2000, 1))]),
        np.hstack([two, 0.1 * random.normal(size=(2000, 1))]),
    ]

    def right(vectors: np.ndarray) -> float:
        guess = LinearHeads.fit(vectors[:1000], answers[:1000]).predict(vectors[1000:])
        return float(np.mean((guess > 0.5) == (answers[1000:] > 0.5)))

    assert right(Weighted.fit(parts, 8).transform(parts)) < 0.8, "a line gets three of the four corners right"
    assert right(Learned.fit(parts, 8, answers=[answers]).transform(parts)) > 0.95


@pytest.mark.parametrize("kind", [Weighted, Learned])
def test_what_is_saved_is_what_is_loaded(
    kind: type[Weighted] | type[Learned], random: np.random.Generator, tmp_path: Path
) -> None:
    parts = [random.normal(size=(80, 5)), random.normal(size=(80, 2))]
    fused = kind.fit(parts, 6, answers=[(parts[0][:, :1] > 0).astype(float)], seed=3)
    again = kind.fit(parts, 6, answers=[(parts[0][:, :1] > 0).astype(float)], seed=3)
    np.testing.assert_array_equal(fused.transform(parts), again.transform(parts))
    fused.save(tmp_path)
    np.testing.assert_array_equal(kind.load(tmp_path).transform(parts), fused.transform(parts))
