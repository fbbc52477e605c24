"""Coherence and diversity of topics: known answers."""

import numpy as np
import pytest

from dongcha.evaluation.coherence import diversity, npmi


def test_words_that_always_come_together_count_one_and_those_that_never_do_minus_one() -> None:
    texts = [["a", "b"], ["a", "b"], ["x"], ["y"]]
    assert npmi([["a", "b"]], texts) == pytest.approx(1.0)
    assert npmi([["x", "y"]], texts) == pytest.approx(-1.0)
    assert npmi([["a", "b"], ["x", "y"]], texts) == pytest.approx(0.0)


def test_words_that_come_together_by_chance_count_nothing() -> None:
    texts = [["a", "b"], ["a"], ["b"], []]
    assert npmi([["a", "b"]], texts) == pytest.approx(0.0)


def test_only_the_top_words_are_read_and_a_word_said_twice_once() -> None:
    texts = [["a", "b", "b"], ["a", "b"], ["z"]]
    assert npmi([["a", "b", "z"]], texts, top=2) == pytest.approx(1.0)


def test_nothing_to_read_is_not_a_number() -> None:
    assert np.isnan(npmi([], [["a"]]))
    assert np.isnan(npmi([["a", "b"]], []))
    assert np.isnan(diversity([]))


def test_diversity_is_the_share_of_different_words() -> None:
    assert diversity([["a", "b"], ["a", "c"]]) == pytest.approx(0.75)
    assert diversity([["a", "b"], ["b", "a"]], top=1) == pytest.approx(1.0)
