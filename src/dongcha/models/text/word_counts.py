"""The simple way to tell a text's label: how often each of its words came with each label."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.text.tokens import tokenise

WORDS: Final = "word_counts.json"
NUMBERS: Final = "word_counts.safetensors"
FEWEST: Final = 2
"""A word of fewer texts than this is passed over."""


@dataclass(frozen=True)
class WordCounts:
    """Multinomial naive Bayes over words, each counted once a text, every count begun at one.

    `words`: word → column; `told`: log P(word | label), shape (columns, labels); `prior`: log P(label), (labels,).
    """

    words: dict[str, int]
    told: NDArray[np.float64]
    prior: NDArray[np.float64]

    @classmethod
    def fit(cls, texts: Sequence[str], labels: NDArray[np.int64], count: int) -> WordCounts:
        """`labels`: (texts,), from 0 to `count` - 1. Raises MissingDataError where no text has a label."""
        if not len(texts):
            raise MissingDataError("No text has a label.", "Load reviews with their ratings.")
        read = [set(tokenise(text)) for text in texts]
        often = Counter(word for text in read for word in text)
        words = {word: column for column, word in enumerate(sorted(w for w, n in often.items() if n >= FEWEST))}
        counts = np.ones((len(words), count))
        for text, label in zip(read, labels, strict=True):
            counts[[words[word] for word in text if word in words], label] += 1
        prior = np.bincount(labels, minlength=count) + 1.0
        return cls(words, np.log(counts / counts.sum(axis=0)), np.log(prior / prior.sum()))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Each label's chance, shape (texts, labels)."""
        from scipy.special import softmax

        return np.asarray(softmax([self.prior + self._pushes(text)[1].sum(axis=0) for text in texts], axis=1))

    def reasons(self, text: str) -> dict[str, NDArray[np.float64]]:
        """What each known word adds to the labels' log chances, each of shape (labels,)."""
        return dict(zip(*self._pushes(text), strict=True))

    def _pushes(self, text: str) -> tuple[list[str], NDArray[np.float64]]:
        known = sorted(word for word in set(tokenise(text)) if word in self.words)
        return known, self.told[[self.words[word] for word in known]]

    def save(self, folder: Path) -> None:
        """JSON and safetensors."""
        from safetensors.numpy import save_file

        (folder / WORDS).write_text(json.dumps(list(self.words), ensure_ascii=False), "utf-8")
        save_file({"told": self.told, "prior": self.prior}, folder / NUMBERS)

    @classmethod
    def load(cls, folder: Path) -> WordCounts:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        words = json.loads((folder / WORDS).read_text("utf-8"))
        return cls({word: column for column, word in enumerate(words)}, **load_file(folder / NUMBERS))
