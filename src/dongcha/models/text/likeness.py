"""How alike a question and each of many texts are: the cosine of their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.encoders import Encoder
from dongcha.models.text.sparse import Sparse

ROWS: Final = "rows.safetensors"
HALVES: Final = 2
"""Rows of `Sparse` are two of length 1, one of words and one of characters."""

Scores = NDArray[np.float32]


class Likeness(Protocol):
    """The texts it was made of, each beside a question."""

    def scores(self, question: str) -> Scores:
        """From -1 to 1, shape (texts,); 0 where nothing is known of either."""

    def save(self, folder: Path) -> None:
        """Without pickle."""


@dataclass(frozen=True)
class GramLikeness:
    """By shared grams of words and characters (`Sparse`): bears typos and endings, needs nothing downloaded."""

    sparse: Sparse
    by_gram: Any
    """CSR (columns, texts): a question costs what its own grams hold, however many texts there are."""

    @classmethod
    def fit(cls, texts: Sequence[str]) -> GramLikeness:
        sparse = Sparse.fit(texts)
        return cls(sparse, sparse.transform(texts).T.tocsr())

    def scores(self, question: str) -> Scores:
        return np.asarray((self.sparse.transform([question]) @ self.by_gram).toarray()[0] / HALVES, dtype=np.float32)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        self.sparse.save(folder)
        kept = self.by_gram
        shape = np.array(kept.shape, dtype=np.int64)
        save_file({"data": kept.data, "indices": kept.indices, "indptr": kept.indptr, "shape": shape}, folder / ROWS)

    @classmethod
    def load(cls, folder: Path) -> GramLikeness:
        from safetensors.numpy import load_file
        from scipy.sparse import csr_matrix

        parts = load_file(folder / ROWS)
        by_gram = csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=tuple(parts["shape"].tolist()))
        return cls(Sparse.load(folder), by_gram)


@dataclass(frozen=True)
class EncoderLikeness:
    """By any encoder's vectors (`encoders`)."""

    encoder: Encoder
    vectors: NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str], encoder: Encoder) -> EncoderLikeness:
        return cls(encoder, encoder.encode(texts))

    def scores(self, question: str) -> Scores:
        return np.asarray(self.vectors @ self.encoder.encode([question])[0], dtype=np.float32)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"vectors": self.vectors}, folder / ROWS)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> EncoderLikeness:
        from safetensors.numpy import load_file

        return cls(encoder, load_file(folder / ROWS)["vectors"])
