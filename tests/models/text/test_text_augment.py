"""Mistakes put into texts: as many as asked for, always the same by seed; and a lexicon's known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.text.augment import Alike, with_deletions, with_swaps, with_typos
from dongcha.models.text.lexicon import BAD, GOOD, lexicon_polarity

MISTAKES = [with_typos, with_deletions, with_swaps]
LONG = " ".join(f"word{number}" for number in range(2000))


@pytest.mark.parametrize("mistake", MISTAKES)
@given(text=st.text(max_size=50), seed=st.integers(0, 5))
def test_no_mistakes_leave_a_text_as_it_was_and_a_seed_makes_the_same_ones(mistake, text, seed) -> None:  # type: ignore[no-untyped-def]
    assert mistake(text, 0.0, np.random.default_rng(seed)) == text
    first, second = (mistake(text, 0.5, np.random.default_rng(seed)) for _ in range(2))
    assert first == second


def test_a_tenth_of_the_words_is_left_out() -> None:
    kept = with_deletions(LONG, 0.1, np.random.default_rng(0)).split()
    assert 1740 < len(kept) < 1860
    assert set(kept) <= set(LONG.split())


def test_swapped_words_are_all_still_there() -> None:
    swapped = with_swaps(LONG, 0.1, np.random.default_rng(0)).split()
    assert sorted(swapped) == sorted(LONG.split())
    assert 200 < sum(a != b for a, b in zip(swapped, LONG.split(), strict=True)) < 500


def test_typos_hit_a_tenth_of_the_letters_and_no_blanks() -> None:
    text = "qwertyuiop " * 500
    typed = with_typos(text, 0.1, np.random.default_rng(0))
    assert typed.count(" ") == 500
    changed = sum(word != "qwertyuiop" for word in typed.split())
    assert 0.55 < changed / 500 < 0.75  # 1 - .9 ** 10 = .65


def test_chinese_is_mistyped_character_by_character() -> None:
    text = "屏幕清晰电池耐用物流很快" * 50
    assert set(with_typos(text, 0.3, np.random.default_rng(0))) <= set(text)
    assert 400 < len(with_deletions(text, 0.2, np.random.default_rng(0))) < 540
    assert sorted(with_swaps(text, 0.2, np.random.default_rng(0))) == sorted(text)


def test_words_in_the_same_company_are_put_for_each_other() -> None:
    random = np.random.default_rng(0)
    texts = [f"we wear {thing} of cotton" for thing in ("shirt", "blouse") for _ in range(100)]
    texts += [f"thing{number} stands near place{number}" for number in range(60) for _ in range(10)]
    alike = Alike.fit(texts)
    assert alike.others["shirt"][0] == "blouse"
    assert alike.with_others("Wear shirt", 1.0, random).split()[1] in alike.others["shirt"]
    assert alike.with_others("Wear SHIRT, ok", 0.0, random) == "Wear SHIRT, ok"


def test_too_few_words_have_no_others() -> None:
    assert Alike.fit(["good shirt"] * 20).others == {}
    assert Alike.fit([]).others == {}


def test_the_lexicon_counts_good_against_bad_and_turns_what_is_denied() -> None:
    texts = ["great and lovely but slow", "not good", "不满意", "质量很好，值得推荐", "😡", "", "the shirt"]
    assert lexicon_polarity(texts).tolist() == pytest.approx([1 / 3, -1, -1, 1, -1, 0, 0])


def test_no_word_is_both_good_and_bad() -> None:
    assert not GOOD & BAD
