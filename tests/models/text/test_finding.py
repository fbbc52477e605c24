"""Texts are found by their words and by likeness, and cut into passages without losing any."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.text.bm25 import Bm25, stems
from dongcha.models.text.dense import Dense
from dongcha.models.text.hybrid import Hybrid, best, reciprocal_ranks
from dongcha.models.text.likeness import EncoderLikeness, GramLikeness
from dongcha.models.text.sentences import passages, sentences

TEXTS = [
    "Refunds are paid within five days.",
    "Parcels leave the warehouse the same day.",
    "退款将在五个工作日内到账。",
    "包裹当天从仓库发出。",
    "Refund policy of the warehouse club",
    "",
]
ALL = np.ones(len(TEXTS), dtype=bool)


def okapi(question: str, k1: float = 1.5, b: float = 0.75) -> np.ndarray:
    """BM25 by its formula, one word at a time."""
    texts = [["_nothing", *stems(text)] for text in TEXTS]
    mean = np.mean([len(text) for text in texts])
    total = np.zeros(len(texts))
    for word in stems(question):
        often = sum(word in text for text in texts)
        idf = np.log(1 + (len(texts) - often + 0.5) / (often + 0.5))
        for k, text in enumerate(texts):
            tf = text.count(word)
            total[k] += idf * tf / (tf + k1 * (1 - b + b * len(text) / mean))
    return total


@pytest.mark.parametrize(
    "question", ["refund", "the refunds of the warehouse", "退款到账", "nothing known", "", "_nothing?"]
)
def test_bm25_is_its_formula(question: str) -> None:
    assert np.allclose(Bm25.fit(TEXTS).scores(question), okapi(question), atol=1e-5)


def test_both_find_what_one_alone_misses() -> None:
    hybrid = Hybrid(Bm25.fit(TEXTS), GramLikeness.fit(TEXTS))
    both = hybrid.among(*hybrid.scores("when is a refnd paid"), ALL)
    assert best(both, 1).tolist() == [0]
    assert best(hybrid.among(*hybrid.scores("退款多久到账"), ALL), 1).tolist() == [2]


def test_what_may_not_be_looked_at_is_never_found() -> None:
    hybrid = Hybrid(Bm25.fit(TEXTS), GramLikeness.fit(TEXTS))
    may = ALL.copy()
    may[0] = False
    found = best(hybrid.among(*hybrid.scores("refunds paid within five days"), may), 10)
    assert 0 not in found
    assert len(best(hybrid.among(*hybrid.scores("refunds"), ~ALL), 10)) == 0


def test_what_is_saved_reads_back(tmp_path: Path) -> None:
    for k, (kept, load) in enumerate(((Bm25.fit(TEXTS), Bm25.load), (GramLikeness.fit(TEXTS), GramLikeness.load))):
        folder = tmp_path / str(k)
        folder.mkdir()
        kept.save(folder)
        assert np.array_equal(kept.scores("refund 退款"), load(folder).scores("refund 退款"))


def test_any_encoder_takes_the_place_of_grams(tmp_path: Path) -> None:
    encoder = Dense.fit(TEXTS * 3, width=4)
    likeness = EncoderLikeness.fit(TEXTS, encoder)
    likeness.save(tmp_path)
    assert np.array_equal(EncoderLikeness.load(tmp_path, encoder).scores("refund"), likeness.scores("refund"))


def test_reciprocal_ranks_add_up() -> None:
    fused = reciprocal_ranks([np.array([2, 0]), np.array([2])], 3, damping=0)
    assert fused.tolist() == [0.5, 0.0, 2.0]


@given(st.text(st.sampled_from("ab. 。！?\n1")), st.integers(5, 60))
def test_passages_hold_every_sign_and_are_no_longer_than_told(text: str, longest: int) -> None:
    cut = passages(text, longest)
    assert all(0 < len(passage) <= longest for passage in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


def test_sentences_end_where_people_end_them() -> None:
    assert sentences("It costs £3.95. Free from £40! Really?") == ["It costs £3.95.", "Free from £40!", "Really?"]
    assert sentences("满99元包邮。次日达15元！好吗？") == ["满99元包邮。", "次日达15元！", "好吗？"]
