"""The few directions in which vectors differ most, mixed so that every number tells about as much."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FILE: Final = "principal.safetensors"
TURNED_BY: Final = 20_190_601
"""The seed of the rotation: the same for all, so that nothing but the vectors decides."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Principal:
    """Principal components turned by a fixed rotation: vectors of any width to `axes.shape[1]` numbers of mean 0.

    Components as such would invite readers to standardise them, and so to take the smallest differences for as large as
    the largest. Turned, all deviate alike, the distances between rows stay as they are, and readers that shrink their
    weights shrink what hardly differs. The mean squared number is 1 where the axes were learnt.
    """

    mean: Array
    axes: Array

    @classmethod
    def fit(cls, vectors: ArrayLike, size: int) -> Principal:
        """Learn from vectors of shape (rows, width). The same vectors give the same axes, signs too."""
        X = np.asarray(vectors, dtype=np.float64)
        mean: Array = np.asarray(X.mean(axis=0), dtype=np.float64)
        scatter: Array = (X - mean).T @ (X - mean) / len(X)
        spread, directions = np.linalg.eigh(scatter)
        spread, directions = spread[::-1][:size], directions[:, ::-1][:, :size]
        towards = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
        turned = np.linalg.qr(np.random.default_rng(TURNED_BY).normal(size=(size, size)))[0][: directions.shape[1]]
        width = math.sqrt(float(spread.sum()) / size) or 1.0
        return cls(mean, (directions * towards) @ turned / width)

    def transform(self, vectors: ArrayLike) -> Array:
        """Shape (rows, size), float64."""
        return np.asarray((np.asarray(vectors, dtype=np.float64) - self.mean) @ self.axes)

    def save(self, folder: Path) -> None:
        """As safetensors."""
        from safetensors.numpy import save_file

        save_file({"mean": self.mean, "axes": np.ascontiguousarray(self.axes)}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Principal:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        stored = load_file(folder / FILE)
        return cls(stored["mean"], stored["axes"])
