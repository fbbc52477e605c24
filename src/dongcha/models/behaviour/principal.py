"""The few directions in which vectors differ most, each made one standard deviation wide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FILE: Final = "principal.safetensors"
LEAST: Final = 1e-6
"""A direction narrower than this share of the widest is rounding, not difference."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Principal:
    """Principal components, whitened: vectors of any width to `axes.shape[1]` numbers of mean 0 and deviation 1.

    Where vectors differ in fewer directions, the last numbers are 0.
    """

    mean: Array
    axes: Array

    @classmethod
    def fit(cls, vectors: ArrayLike, size: int) -> Principal:
        """Learn from vectors of shape (rows, width). The same vectors give the same axes, signs too."""
        X = np.asarray(vectors, dtype=np.float64)
        mean = X.mean(axis=0)
        spread, directions = np.linalg.eigh(np.cov(X - mean, rowvar=False, ddof=0).reshape(X.shape[1], X.shape[1]))
        spread, directions = spread[::-1][:size], directions[:, ::-1][:, :size]
        told = spread > LEAST * max(spread[0], np.finfo(float).tiny)
        towards = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
        axes = np.zeros((X.shape[1], size))
        axes[:, : len(spread)][:, told] = (directions * towards)[:, told] / np.sqrt(spread[told])
        return cls(mean, axes)

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
