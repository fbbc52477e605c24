"""Sparse rows: which grams there are, how they weigh, and that what is saved comes back."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.text.planted_reviews import reviews

from dongcha.models.text.grams import character_grams, word_grams
from dongcha.models.text.sparse import TEXTS_AT_ONCE, Sparse
from dongcha.models.text.tokens import located, normalised

TEXTS, _ = reviews(200)
SPARSE = Sparse.fit(TEXTS)


def test_words_and_pairs_of_words_are_grams() -> None:
    rows = [located(text) for text in ("good shirt good", "shirt", "")]
    grams = word_grams(rows)
    assert grams.rows.tolist() == [0, 0, 0, 1, 0, 0]
    assert grams.length.tolist() == [1, 1, 1, 1, 2, 2]
    assert grams.first.tolist() == [0, 1, 2, 3, 0, 1]
    assert grams.keys[0] == grams.keys[2] != grams.keys[1] == grams.keys[3]
    assert grams.keys[4] != grams.keys[5]


def test_chinese_signs_are_grams_from_one_on_and_letters_from_three_within_a_word() -> None:
    chinese, letters = character_grams(["很好"]), character_grams(["ab cd"])
    assert sorted(chinese.length.tolist()) == [1, 1, 2, 2, 2, 3, 3]
    # " ab", "ab ", " ab ", " cd", "cd ", " cd "
    assert sorted(letters.length.tolist()) == [3, 3, 3, 3, 4, 4]
    assert len(character_grams([]).keys) == 0


def test_no_gram_runs_from_one_text_into_the_next() -> None:
    together = character_grams(["好", "坏"])
    apart = np.concatenate([character_grams([text]).keys for text in ("好", "坏")])
    assert sorted(together.keys) == sorted(apart)


def test_a_gram_of_one_text_alone_is_no_column() -> None:
    assert Sparse.fit(["red shirt", "blue coat"]).width == 0
    # "shirt" itself and its runs of letters: " sh", "shi", …
    assert Sparse.fit(["red shirt", "blue shirt"]).width == 1 + 5 + 4 + 3


def test_words_and_characters_weigh_the_same_and_rare_ones_more() -> None:
    X = SPARSE.transform(TEXTS).toarray()
    words = len(SPARSE.word_keys)
    assert X.dtype == np.float32
    known, strange, nothing = SPARSE.transform(["shirt", "shirt zzzz qqqq", "zzzz"]).toarray()
    for part in (slice(None, words), slice(words, None)):
        assert np.linalg.norm(known[part]) == pytest.approx(1, abs=1e-5)
        assert 0 < np.linalg.norm(strange[part]) < 0.6
    assert not nothing.any()
    common, rare = np.argmin(SPARSE.rarity), np.argmax(SPARSE.rarity)
    assert (X[:, common] > 0).sum() > (X[:, rare] > 0).sum()


def test_a_word_said_again_weighs_more_but_not_twice() -> None:
    once, twice = Sparse.fit(["shirt box box", "shirt box"]).transform(["shirt box", "shirt box box"]).toarray()
    box = np.argmax(twice / np.maximum(once, 1e-9) * (once > 0))
    shirt = np.argmin(np.where(once > 0, twice / np.maximum(once, 1e-9), np.inf))
    assert once[box] / once[shirt] < twice[box] / twice[shirt] < 2 * once[box] / once[shirt]


def test_texts_in_many_batches_are_the_same_as_alone() -> None:
    many = ["good shirt", "", "坏 box"] * (TEXTS_AT_ONCE // 3 + 2)
    X = SPARSE.transform(many)
    assert X.shape == (len(many), SPARSE.width)
    assert abs(X[-3:] - SPARSE.transform(many[-3:])).max() == 0


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    SPARSE.save(tmp_path)
    assert abs(Sparse.load(tmp_path).transform(TEXTS) - SPARSE.transform(TEXTS)).max() == 0


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(), max_size=30), max_size=6))
def test_any_texts_can_be_learnt_from_in_any_order(texts: list[str]) -> None:
    one, other = Sparse.fit(texts), Sparse.fit(texts[::-1])
    assert np.array_equal(one.word_keys, other.word_keys)
    assert np.array_equal(one.rarity, other.rarity)
    X = one.transform(texts)
    assert X.shape == (len(texts), one.width)
    assert np.isfinite(X.data).all()


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["shirt", "好", "垃圾", "!", "not", "blue", ",", "\n"]), min_size=1, max_size=8))
def test_pushes_add_up_to_the_product_with_the_weights(parts: list[str]) -> None:
    text = "box " + " ".join(parts)
    weights = np.random.default_rng(0).normal(size=SPARSE.width)
    assert np.isclose(
        sum(SPARSE.pushes([text], weights)[0].values()), (SPARSE.transform([text]) @ weights)[0], atol=1e-4
    )


def test_grams_of_a_text_keep_their_places() -> None:
    normal = normalised("The  SHIRT\n很好")
    grams = character_grams([normal])
    padded = f" {normal} ".replace("\n", " ")
    found = {padded[first : first + length] for first, length in zip(grams.first, grams.length, strict=True)}
    assert {" the ", "shirt", "很好"} <= found
