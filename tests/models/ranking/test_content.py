"""Content: like things are found by words, category and price; things nobody took can be found."""

from pathlib import Path

import numpy as np

from dongcha.models.ranking.content import Content, words
from dongcha.models.ranking.sequences import Sequences

TEXTS = ["red tea mug", "blue tea mug", "short garden hose", "long garden hose", "", "红色茶杯", "蓝色茶杯"]
KINDS = ["kitchen", "kitchen", "garden", "garden", "kitchen", None, None]
PRICES = np.array([5.0, 6.0, 20.0, 30.0, 5.0, np.nan, np.nan])


def best(made: Content, row: list[int]) -> list[int]:
    histories = Sequences.of([row], len(TEXTS))
    return [item for item in made.scores(histories).without(histories).listed(6)[0][0].tolist() if item >= 0]


def test_like_words_are_found_in_any_script() -> None:
    made = Content().fit(TEXTS)
    assert best(made, [0]) == [1]
    assert best(made, [2]) == [3]
    assert best(made, [5]) == [6]
    assert best(made, [4]) == []


def test_category_and_price_speak_where_words_are_silent() -> None:
    made = Content().fit(TEXTS, KINDS, PRICES)
    assert best(made, [4])[:2] == [0, 1]
    assert best(made, [0])[0] == 1


def test_the_newest_weighs_most() -> None:
    made = Content().fit(TEXTS)
    assert best(made, [0, 2])[0] == 3
    assert best(made, [2, 0])[0] == 1


def test_nothing_known_is_like_nothing() -> None:
    made = Content().fit(["", ""], [None, ""], np.array([np.nan, 0.0]))
    assert len(made.scores(Sequences.of([[0], []], 2)).items) == 0


def test_words_of_chinese_are_characters_and_pairs() -> None:
    assert list(words("5L 茶杯!")) == ["5l", "茶", "杯", "茶杯"]


def test_what_was_compared_can_be_kept(tmp_path: Path) -> None:
    made = Content().fit(TEXTS)
    made.save(tmp_path)
    assert (Content().load(tmp_path).alike != made.alike).nnz == 0
