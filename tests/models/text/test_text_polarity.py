"""Polarity taught by ratings: planted moods are found, chances mean what they say, and every text is answered."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.text.planted_reviews import BAD, GOOD, reviews

from dongcha.errors import MissingDataError
from dongcha.models.text.linear import signs
from dongcha.models.text.polarity import Polarity

TEXTS, SIGNS = reviews(300)
MODEL = Polarity.fit(TEXTS, SIGNS)
THREE = Polarity.fit(*reviews(400, neutral=True))


def test_planted_moods_of_new_texts_are_found() -> None:
    texts, planted = reviews(200, seed=1)
    assert np.mean(MODEL.named(texts) == planted) > 0.99
    texts, planted = reviews(200, seed=1, neutral=True)
    assert np.mean(THREE.named(texts) == planted) > 0.98


def test_the_words_that_decided_are_the_planted_ones() -> None:
    for text, reasons in zip(TEXTS[:40], MODEL.reasons(TEXTS[:40], most=1), strict=True):
        ((word, push),) = reasons
        assert word in text
        assert word in (GOOD if push > 0 else BAD)


@given(st.lists(st.sampled_from([*GOOD, *BAD, "the shirt", "size,", "手机", "not", "!", " "]), min_size=1, max_size=5))
@settings(max_examples=30)
def test_reasons_add_up_to_the_log_odds(parts: list[str]) -> None:
    text = "box " + " ".join(parts)
    linear = THREE.linear
    nothing = linear.offsets + linear.intercepts @ linear.slopes
    told = sum(push for _, push in THREE.reasons([text], most=99)[0])
    chances = THREE.probabilities([text])[0]
    assert told + nothing[2] - nothing[0] == pytest.approx(np.log(chances[2] / chances[0]), abs=1e-3)


def test_chances_mean_what_they_say_even_where_ratings_are_noise() -> None:
    random = np.random.default_rng(3)
    texts, planted = reviews(1500, seed=3)
    noisy = np.where(random.random(1500) < 0.2, -planted, planted)
    told = Polarity.fit(texts[:800], noisy[:800]).probabilities(texts[800:])[:, 2]
    for side in (told > 0.5, told <= 0.5):
        assert told[side].mean() == pytest.approx((noisy[800:][side] > 0).mean(), abs=0.07)
    assert told.max() < 0.97


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 2, 3, 4, 5], [-1, -1, 0, 1, 1]),
        ([4.5, 2.5], [1, -1]),
        ([0, 1, 1], [-1, 1, 1]),
        ([-1, 0, 1], [-1, 0, 1]),
        ([], []),
    ],
)
def test_stars_flags_and_signs_are_understood(labels: list[float], expected: list[int]) -> None:
    assert signs(labels).tolist() == expected


def test_flags_and_stars_teach_the_same_as_signs() -> None:
    for labels in ((SIGNS > 0).astype(int), np.where(SIGNS > 0, 5, 1)):
        assert np.array_equal(Polarity.fit(TEXTS, labels).polarity(TEXTS[:20]), MODEL.polarity(TEXTS[:20]))


@pytest.mark.parametrize("text", ["", "  ", "🦄🦄", "zzzz qqqq", "1234"])
def test_a_text_that_says_nothing_known_is_neutral(text: str) -> None:
    for model in (MODEL, THREE):
        assert model.polarity([text]).tolist() == [0.0]
        assert model.named([text]).tolist() == [0]
        assert not [push for _, push in model.reasons([text])[0] if push]


def test_emoji_alone_and_100_kilobytes_are_answered() -> None:
    assert MODEL.polarity(["😍", "😡"]).tolist() == sorted(MODEL.polarity(["😍", "😡"]), reverse=True)
    assert MODEL.polarity(["垃圾 " * 33_000])[0] < -0.5


def test_a_denied_word_counts_for_the_other_side() -> None:
    texts = ["good", "bad", "not good", "not bad", "very good", "very bad"] * 20
    model = Polarity.fit(texts, [1, 0, 0, 1, 1, 0] * 20)
    assert model.named(["good", "not good", "bad", "not bad"]).tolist() == [1, -1, -1, 1]


def test_a_rare_neutral_is_still_named() -> None:
    texts = ["fine okay average"] * 8 + ["great lovely"] * 200 + ["awful broken"] * 60
    assert Polarity.fit(texts, [3] * 8 + [5] * 200 + [1] * 60).named(["okay average"]).tolist() == [0]


def test_one_mood_alone_teaches_nothing() -> None:
    with pytest.raises(MissingDataError):
        Polarity.fit(["good", "fine", "nice"], [5, 5, 4])
    with pytest.raises(MissingDataError):
        Polarity.fit([], [])
    with pytest.raises(ValueError, match="2 texts and 1 labels"):
        Polarity.fit(["a", "b"], [1])


def test_the_same_seed_gives_the_same_model_and_what_is_saved_comes_back(tmp_path: Path) -> None:
    again = Polarity.fit(TEXTS, SIGNS)
    THREE.save(tmp_path)
    loaded = Polarity.load(tmp_path)
    new, _ = reviews(50, seed=5)
    assert np.array_equal(again.probabilities(new), MODEL.probabilities(new))
    assert np.array_equal(loaded.probabilities(new), THREE.probabilities(new))
    assert np.array_equal(loaded.named(new), THREE.named(new))
    assert loaded.reasons(new) == THREE.reasons(new)


@settings(max_examples=25)
@given(st.lists(st.one_of(st.text(st.characters(), max_size=40), st.sampled_from(TEXTS)), max_size=4))
def test_any_text_gets_chances_that_sum_to_one_whatever_stands_beside_it(texts: list[str]) -> None:
    chances = THREE.probabilities(texts)
    assert chances.shape == (len(texts), 3)
    assert np.all(chances >= 0)
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.all(np.abs(THREE.polarity(texts)) <= 1)
    alone = [THREE.probabilities([text])[0] for text in texts]
    assert np.allclose(chances, np.reshape(alone, (-1, 3)), atol=1e-6)
    assert all(np.isfinite(push) for each in THREE.reasons(texts) for _, push in each)


def test_words_that_no_review_held_are_felt_by_the_list() -> None:
    bad, good = MODEL.polarity(["ridiculous, unacceptable 😡", "delighted 😍"])
    assert bad < good - 0.1
    assert MODEL.reasons(["delighted"])[0][0][1] > 0


def test_elsewhere_what_says_nothing_is_no_praise_and_the_list_speaks() -> None:
    texts, planted = reviews(400, neutral=True)
    kept = np.flatnonzero((planted > 0) | (np.arange(400) % 8 == 0))
    mostly_praise = Polarity.fit([texts[k] for k in kept], planted[kept])
    asked = ["When does it arrive?", "delighted, superb", "ridiculous, unacceptable 😡"]
    chances = mostly_praise.elsewhere(asked)
    nothing, praise, blame = chances[:, 2] - chances[:, 0]
    assert blame < nothing < praise
    assert blame < 0
    assert nothing < mostly_praise.polarity(asked)[0] - 0.1
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert mostly_praise.elsewhere([""]).tolist() == [[0, 1, 0]]
