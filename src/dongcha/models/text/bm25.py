"""Which texts share the question's words, the rare ones counting most: BM25."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.stop_words import CHINESE, ENGLISH
from dongcha.models.text.tokens import located, normalised, tokenise

FOLDER: Final = "bm25"
SAYING: Final = frozenset({"word", "han", "unspaced", "number"})
NOTHING: Final = "_nothing"
"""Stands in every text, so that a shop of empty texts has a vocabulary too; no question holds it."""


def stems(text: str) -> list[str]:
    """The tokens of a text, English ones without their endings (Porter 1980, Snowball's version).

    >>> stems("Refunds are paid; 退款到账")
    ['refund', 'are', 'paid', '退款', '到', '账']
    """
    return [str(token) for token in _stemmer().stemWords(tokenise(text, negations=False))]


def content(text: str) -> list[str]:
    """The stems of a text that say what it is about: no stop words, signs, links; numbers stay.

    >>> content("How long do the 2 refunds take?")
    ['long', '2', 'refund']
    """
    pieces = located(normalised(text), negations=False)
    told = [token for kind, token, _, _ in pieces if kind in SAYING and token not in ENGLISH and token not in CHINESE]
    return [str(token) for token in _stemmer().stemWords(told)]


@dataclass(frozen=True)
class Bm25:
    """Okapi BM25 as Lucene counts it (Robertson & Zaragoza 2009; `bm25s`, Lù 2024), k1 1.5, b .75, over stems."""

    model: Any

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Bm25:
        """Index the texts; ValueError where there is none."""
        import bm25s

        if not texts:
            raise ValueError("no texts")
        model = bm25s.BM25()
        model.index([[NOTHING, *stems(text)] for text in texts], show_progress=False)
        return cls(model)

    def scores(self, question: str) -> NDArray[np.float32]:
        """Of each text, shape (texts,), from 0; zeros where no word of the question is known."""
        known = [stem for stem in stems(question) if stem in self.model.vocab_dict]
        if not known:
            return np.zeros(self.model.scores["num_docs"], np.float32)
        return np.asarray(self.model.get_scores(known), dtype=np.float32)

    def rarity(self, stem: str) -> float:
        """How much a stem says: its inverse document frequency, that of no text at all for an unknown one."""
        place = self.model.vocab_dict.get(stem)
        indptr, texts = self.model.scores["indptr"], self.model.scores["num_docs"]
        often = 0 if place is None else int(indptr[place + 1] - indptr[place])
        return log(1 + (texts - often + 0.5) / (often + 0.5))

    def save(self, folder: Path) -> None:
        """As NumPy arrays and JSON."""
        self.model.save(folder / FOLDER, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> Bm25:
        """Read what `save` wrote; pickled arrays are refused."""
        import bm25s

        return cls(bm25s.BM25.load(folder / FOLDER, show_progress=False, allow_pickle=False))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
