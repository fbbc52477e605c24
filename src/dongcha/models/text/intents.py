"""What a text is for, learnt from labelled ones; and the chance that this is right, or that it is none of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from dongcha.errors import MissingDataError
from dongcha.models.text.intents_training import Parameters, trained
from dongcha.models.text.sparse import Sparse

NAMES: Final = "intents.json"
NUMBERS: Final = "intents.safetensors"
FEWEST: Final = 2
"""Texts of an intent below which it is not learnt."""
HELD_OUT: Final = 5
"""One text in so many, and one intent in so many, is kept back to learn how sure to be."""
FEWEST_TO_CALIBRATE: Final = 20
HELD_OUT_TO_ELSEWHERE: Final = 4

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Intents:
    """A wide and deep softmax (Cheng et al. 2016) on grams of words and characters, and how sure it may be.

    On BANKING77 accuracy .916 (decision 0010). Out-of-scope texts are told by `sure`, learnt from texts that were kept
    back: of known intents, of intents that the model was not shown, and of `elsewhere`. Numbers alone are stored.

    >>> model = Intents.fit(["where is my order", "is it sent", "a refund please", "money back"], list("aabb"))
    >>> model.told(["is my order sent"])[0]
    ['a']
    """

    sparse: Sparse
    names: tuple[str, ...]
    parameters: Parameters
    reading: Array
    """How features (see `_features`) tell whether the answer is right: weights, then the intercept."""

    @classmethod
    def fit(
        cls, texts: Sequence[str], labels: Sequence[str], *, elsewhere: Sequence[str] = (), seed: int = 0
    ) -> Intents:
        """Learn from texts and their intents. The same seed and number of threads give the same model.

        Raises MissingDataError where there are not two intents with two texts each.
        """
        counts = {name: sum(label == name for label in labels) for name in sorted(set(labels))}
        names = tuple(name for name, count in counts.items() if count >= FEWEST)
        if len(names) < 2:
            raise MissingDataError("Fewer than two intents have two texts each.", "Label more messages.")
        kept = [k for k, label in enumerate(labels) if label in names]
        texts, y = [texts[k] for k in kept], np.array([names.index(labels[k]) for k in kept])
        reading = _reading(texts, y, elsewhere, seed)
        return replace(cls._plain(texts, y, names, seed), reading=reading)

    @classmethod
    def _plain(cls, texts: Sequence[str], y: NDArray[np.int64], names: tuple[str, ...], seed: int) -> Intents:
        sparse = Sparse.fit(texts)
        parameters = trained(sparse.transform(texts), y, len(names), seed)
        return cls(sparse, names, parameters, np.zeros(len(_FEATURES) + 1))

    def told(self, texts: Sequence[str]) -> tuple[list[str], Array]:
        """Each text's intent and the chance that it is right, shape (texts,): low where it may be none of them."""
        best, features = self._read(texts)
        return [self.names[k] for k in best], expit(features @ self.reading[:-1] + self.reading[-1])

    def probabilities(self, texts: Sequence[str]) -> Array:
        """Of each intent, shape (texts, names), as if every text had one of them."""
        scores = self._scores(self.sparse.transform(texts))
        return np.asarray(np.exp(scores - logsumexp(scores, axis=1, keepdims=True)), dtype=np.float64)

    def _scores(self, X: Any) -> Array:
        table, out, bias = self.parameters
        both = np.asarray(X @ table, dtype=np.float64)
        deep = out.shape[0]
        return np.asarray(np.maximum(both[:, :deep], 0) @ out + both[:, deep:] + bias, dtype=np.float64)

    def _read(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], Array]:
        X = self.sparse.transform(texts)
        return _features(self._scores(X), X)

    def save(self, folder: Path) -> None:
        """JSON and safetensors, in a folder of its own."""
        from safetensors.numpy import save_file

        self.sparse.save(folder)
        (folder / NAMES).write_text(json.dumps(self.names, ensure_ascii=False), "utf-8")
        save_file({**self.parameters._asdict(), "reading": self.reading}, folder / NUMBERS)

    @classmethod
    def load(cls, folder: Path) -> Intents:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        numbers = load_file(folder / NUMBERS)
        names = tuple(json.loads((folder / NAMES).read_text("utf-8")))
        reading = numbers.pop("reading")
        return cls(Sparse.load(folder), names, Parameters(**numbers), reading)


_FEATURES: Final = ("log chance", "margin", "energy", "known")


def _features(scores: Array, X: Any) -> tuple[NDArray[np.int64], Array]:
    """The likeliest intent; and its log chance, its lead, the scores' energy (Liu et al. 2020), what part is known."""
    order = np.sort(scores, axis=1)
    energy = logsumexp(scores, axis=1)
    known = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    features = np.stack([order[:, -1] - energy, order[:, -1] - order[:, -2], energy, known], axis=1)
    return np.argmax(scores, axis=1), np.asarray(features, dtype=np.float64)


def _reading(texts: Sequence[str], y: NDArray[np.int64], elsewhere: Sequence[str], seed: int) -> Array:
    """Learnt by a model that is shown neither one text in five nor any text of one intent in five."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    intents = np.unique(y)
    unseen = rng.permutation(intents)[: len(intents) // HELD_OUT]
    asked = np.isin(y, unseen) | (rng.permutation(len(y)) % HELD_OUT == 0)
    shown = intents[[np.sum((y == k) & ~asked) > 0 for k in intents]]
    if len(shown) < 2 or asked.sum() < FEWEST_TO_CALIBRATE:
        return np.zeros(len(_FEATURES) + 1)
    places = np.searchsorted(shown, y)
    rows, held = np.flatnonzero(~asked), np.flatnonzero(asked)
    inner = Intents._plain([texts[int(k)] for k in rows], places[rows], tuple(map(str, shown)), seed)
    best, features = inner._read([*(texts[int(k)] for k in held), *elsewhere])
    right = np.concatenate([shown[best[: len(held)]] == y[held], np.zeros(len(elsewhere), dtype=bool)])
    if right.all() or not right.any():
        return np.zeros(len(_FEATURES) + 1)
    center, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    # However many texts of other worlds there are, as many are expected as would be one in four of the shop's own.
    weight = np.ones(len(right))
    weight[len(held) :] = min(1.0, len(held) / HELD_OUT_TO_ELSEWHERE / max(len(elsewhere), 1))
    model = LogisticRegression(C=1.0, max_iter=1000).fit((features - center) / scale, right, sample_weight=weight)
    weights = model.coef_[0] / scale
    return np.array([*weights, model.intercept_[0] - weights @ center], dtype=np.float64)
