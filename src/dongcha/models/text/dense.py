"""Texts as short dense vectors, learnt from the texts themselves: nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.text.sparse import Sparse

Vectors = NDArray[np.float32]

FILE: Final = "dense.safetensors"
WIDTH: Final = 200
FEWEST_TEXTS: Final = 3


@dataclass(frozen=True)
class Dense:
    """Latent semantic analysis (Deerwester et al. 1990): a truncated SVD of TF-IDF grams, rows of length 1.

    An `Encoder` (see `encoders`). Directions are damped by the root of their strength, so that the first few, which
    hold what all texts share, do not decide alone how alike two texts are.
    """

    sparse: Sparse
    directions: Vectors
    """Shape (columns, width)."""

    @classmethod
    def fit(cls, texts: Sequence[str], *, width: int = WIDTH, seed: int = 0) -> Dense:
        """Learn from any texts; `width` is at most one less than their number. The same seed gives the same vectors.

        Raises MissingDataError where fewer than three texts share any gram.
        """
        from sklearn.utils.extmath import randomized_svd

        sparse = Sparse.fit(texts)
        X = sparse.transform(texts)
        speaking = int(np.sum(np.diff(X.indptr) > 0))
        if speaking < FEWEST_TEXTS:
            raise MissingDataError(f"{speaking} texts that share words are too few for vectors.", "Load more texts.")
        width = min(width, speaking - 1, sparse.width - 1)
        _, strengths, directions = randomized_svd(X, max(width, 1), random_state=seed)
        damped = directions.T / np.sqrt(np.maximum(strengths, 1e-6))
        return cls(sparse, np.ascontiguousarray(damped, dtype=np.float32))

    @property
    def width(self) -> int:
        """The number of columns that `encode` gives."""
        return int(self.directions.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts, width) of length 1, float32; zeros where a text says nothing known."""
        return unit(self.sparse.transform(texts) @ self.directions)

    def save(self, folder: Path) -> None:
        """As safetensors."""
        from safetensors.numpy import save_file

        self.sparse.save(folder)
        save_file({"directions": self.directions}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Dense:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        return cls(Sparse.load(folder), **load_file(folder / FILE))


def unit(vectors: NDArray[Any]) -> Vectors:
    """Rows drawn to length 1, float32; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
