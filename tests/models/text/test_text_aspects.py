"""Moods about one thing in a text: the clause decides, not the rest."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.text.planted_reviews import reviews

from dongcha.models.text.aspects import Aspects, clause, clause_polarity, near
from dongcha.models.text.polarity import Polarity

EVEN = [0.5, 0.0, 0.5]
THINGS = ["screen", "battery", "price", "case"]
FEELINGS = {1: ["great", "lovely"], -1: ["awful", "weak"]}


def mixed(count: int, seed: int) -> tuple[list[str], list[tuple[int, int]], np.ndarray]:
    """Two things in each text, felt the other way round; the first or the second is asked about."""
    random = np.random.default_rng(seed)
    texts, spans, signs = [], [], []
    for _ in range(count):
        first, second = random.choice(THINGS, 2, replace=False)
        sign = int(random.choice([-1, 1]))
        text = f"the {first} is {random.choice(FEELINGS[sign])}, but the {second} is {random.choice(FEELINGS[-sign])}"
        about_first = bool(random.integers(2))
        start = text.index(first if about_first else f"{second} is")
        texts.append(text)
        spans.append((start, start + len(first if about_first else second)))
        signs.append(sign if about_first else -sign)
    return texts, spans, np.array(signs)


def test_two_things_in_one_text_are_felt_apart() -> None:
    model = Aspects.fit(*mixed(300, 0))
    texts, spans, signs = mixed(150, 1)
    assert np.mean(model.named(texts, spans) == signs) > 0.95
    assert np.all(np.abs(model.polarity(texts, spans)) <= 1)


def test_without_labels_the_clause_is_judged_by_what_ratings_taught() -> None:
    taught = Polarity.fit(*reviews(300)).probabilities
    text = "great screen, but the battery is awful"
    screen, battery = clause_polarity(taught, EVEN, [text, text], ["great screen", " the battery is awful"])
    assert screen > 0.3 > -0.3 > battery
    texts = ["that screen, great", "that screen, awful"]
    praised, blamed = clause_polarity(taught, EVEN, texts, ["that screen"] * 2)
    assert praised > blamed + 0.3


def test_a_clause_that_says_nothing_is_no_praise_where_nearly_all_is_good() -> None:
    shares = np.array([0.1, 0.0, 0.9])
    told = {"it came": shares, "it came, odd": np.array([0.5, 0.0, 0.5])}

    def chances(texts: Sequence[str]) -> np.ndarray:
        return np.array([told[text] for text in texts]).reshape(-1, 3)

    nothing, odd = clause_polarity(chances, shares, ["it came", "it came, odd"], ["it came", "it came, odd"])
    assert nothing == pytest.approx(0.0)
    assert odd == pytest.approx(-0.8), "even odds, where good is nine times as common, are nine to one for bad"
    assert len(clause_polarity(chances, shares, [], [])) == 0


@pytest.mark.parametrize(
    ("text", "aspect", "expected"),
    [
        ("nice case, weak battery. ok", "battery", " weak battery"),
        ("屏幕很好，但是电池不耐用", "电池", "电池不耐用"),
        ("电池好", "电池", "电池好"),
        ("good screen but weak battery", "screen", "good screen "),
    ],
)
def test_a_clause_ends_where_the_thought_turns(text: str, aspect: str, expected: str) -> None:
    start = text.index(aspect)
    assert clause(text, (start, start + len(aspect))) == expected


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_clause_and_surroundings_hold_the_aspect_of_any_text(text: str, one: int, other: int) -> None:
    start, end = sorted(min(place, len(text)) for place in (one, other))
    for part in (clause(text, (start, end)), near(text, (start, end))):
        assert text[start:end] in part
        assert part in text


def test_what_is_saved_comes_back_and_odd_texts_are_answered(tmp_path: Path) -> None:
    model = Aspects.fit(*mixed(100, 0))
    model.save(tmp_path)
    texts, spans = ["", "😍", "the screen is great " * 5000], [(0, 0), (0, 1), (4, 10)]
    told = Aspects.load(tmp_path).probabilities(texts, spans)
    assert np.array_equal(told, model.probabilities(texts, spans))
    assert np.allclose(told.sum(axis=1), 1)
