"""Dense vectors: texts about the same thing are near each other, always by the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from dongcha.errors import MissingDataError
from dongcha.models.text.dense import Dense

ABOUT = {
    "size": ["tight waist", "waist size", "size small", "small tight", "size waist tight"],
    "post": ["late parcel", "parcel courier", "courier slow", "slow late", "parcel slow courier"],
}
TEXTS = [text for texts in ABOUT.values() for text in texts] * 6


def test_texts_that_share_no_word_are_near_when_their_company_is_the_same() -> None:
    vectors = Dense.fit(TEXTS, width=2).encode(["tight small", "waist", "late", "courier"])
    near = vectors @ vectors.T
    assert near[0, 1] > 0.8
    assert near[2, 3] > 0.8
    assert np.abs(near[:2, 2:]).max() < 0.3


def test_vectors_have_length_one_or_say_nothing() -> None:
    dense = Dense.fit(TEXTS, width=4)
    vectors = dense.encode(["tight waist", "", "zzzz"])
    assert vectors.shape == (3, dense.width) == (3, 4)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0])
    assert dense.encode([]).shape == (0, 4)


def test_the_same_seed_gives_the_same_vectors_and_what_is_saved_comes_back(tmp_path: Path) -> None:
    dense = Dense.fit(TEXTS, seed=3)
    dense.save(tmp_path)
    for other in (Dense.fit(TEXTS, seed=3), Dense.load(tmp_path)):
        assert np.array_equal(other.encode(TEXTS), dense.encode(TEXTS))


def test_too_few_texts_say_so() -> None:
    for texts in ([], ["good shirt", "good shirt"], ["a b c", "d e f", "g h i"]):
        with pytest.raises(MissingDataError, match="too few"):
            Dense.fit(texts)
