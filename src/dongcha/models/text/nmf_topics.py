"""The textbook's topics: non-negative factors of TF-IDF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.text.tokens import words

SHAPE: Final = "nmf_topics.json"
FACTORS: Final = "nmf_topics.safetensors"
FEWEST: Final = 5
"""A word of fewer texts than this is passed over."""
MOST_WORDS: Final = 5_000
TOLERANCE: Final = 1e-3


@dataclass(frozen=True)
class NmfTopics:
    """`vocabulary`: words by column; `rarity`: (columns,); `factors`: (topics, columns), none below 0."""

    vocabulary: tuple[str, ...]
    rarity: NDArray[np.float64]
    factors: NDArray[np.float64]

    @classmethod
    def fit(cls, texts: Sequence[str], *, topics: int = 20, seed: int = 0) -> NmfTopics:
        """Factors of the texts' TF-IDF (Lee & Seung 1999). Raises MissingDataError where too few words are shared."""
        from sklearn.decomposition import NMF
        from sklearn.feature_extraction.text import TfidfVectorizer

        fewest = min(FEWEST, max(len(texts) // 20, 1))
        reader = TfidfVectorizer(analyzer=words, min_df=fewest, max_features=MOST_WORDS, sublinear_tf=True)
        try:
            X = reader.fit_transform(texts)
        except ValueError:
            raise MissingDataError("The texts share no words.", "Load more reviews or messages.") from None
        model = NMF(min(topics, *X.shape), init="nndsvda", tol=TOLERANCE, random_state=seed).fit(X)
        # safetensors writes memory as it lies: only rows one after another are read back as they were.
        return cls(tuple(reader.get_feature_names_out()), reader.idf_, np.ascontiguousarray(model.components_))

    def words(self, top: int = 25) -> list[list[str]]:
        """Each topic's words, the heaviest first."""
        order = np.argsort(-self.factors, axis=1, kind="stable")[:, :top]
        return [[self.vocabulary[column] for column in row] for row in order]

    def place(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Each text's topic, -1 where none of its words is known, and how far it points there, both (texts,)."""
        scores = self._read(texts) @ self.factors.T
        strength = scores.max(axis=1) if len(texts) else np.empty(0)
        return np.where(strength > 0, scores.argmax(axis=1), -1).astype(np.int64), np.asarray(strength, np.float64)

    def _read(self, texts: Sequence[str]) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        reader = TfidfVectorizer(analyzer=words, vocabulary=list(self.vocabulary), sublinear_tf=True)
        reader.idf_ = self.rarity
        return reader.transform(texts)

    def save(self, folder: Path) -> None:
        """JSON and safetensors."""
        from safetensors.numpy import save_file

        (folder / SHAPE).write_text(json.dumps(self.vocabulary, ensure_ascii=False), "utf-8")
        save_file({"rarity": self.rarity, "factors": self.factors}, folder / FACTORS)

    @classmethod
    def load(cls, folder: Path) -> NmfTopics:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        return cls(tuple(json.loads((folder / SHAPE).read_text("utf-8"))), **load_file(folder / FACTORS))
