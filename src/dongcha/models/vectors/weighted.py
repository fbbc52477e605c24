"""Several vectors about the same rows as one, each part weighed by what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.vectors.principal import Principal

Array = NDArray[np.float64]

FILE: Final = "weights.safetensors"
WEIGHTS: Final = (0.0, 0.25, 0.5, 1.0)
ROUNDS: Final = 2
FOLDS: Final = 5
RIDGE: Final = 0.05
"""Penalty per row on squared weights: parts of a larger scale are shrunk less, which is what a part's weight means."""
BETTER: Final = 1e-4
"""A weight is changed only for so much more explained: noise alone decides below it."""


@dataclass(frozen=True)
class Weighted:
    """Each part drawn to as many numbers (half the size), times its weight, side by side, drawn to the size asked for.

    Every step keeps what is alike alike: distances are the parts' distances, weighed.
    """

    parts: tuple[Principal, ...]
    weights: Array
    whole: Principal

    @classmethod
    def fit(cls, parts: Sequence[Array], size: int, *, answers: Sequence[Array] = (), seed: int = 0) -> Weighted:
        """Learn from parts, shape (rows, any) each.

        `answers`: families of yes-or-no questions, shape (rows, questions) each. With them each part's weight is the
        one by which ridge lines explain most of what held-out rows answered; without, all weigh alike.
        """
        drawn = tuple(Principal.fit(part, max(size // min(len(parts), 2), 1)) for part in parts)
        numbers = [one.transform(part) for one, part in zip(drawn, parts, strict=True)]
        told = [family for family in (_varying(family) for family in answers) if family.shape[1]]
        weights = _learnt(numbers, told, seed) if told and len(parts) > 1 else np.ones(len(parts))
        return cls(drawn, weights, Principal.fit(_beside(numbers, weights), size))

    def transform(self, parts: Sequence[Array]) -> Array:
        """Shape (rows, size)."""
        numbers = [one.transform(part) for one, part in zip(self.parts, parts, strict=True)]
        return self.whole.transform(_beside(numbers, self.weights))

    def save(self, folder: Path) -> None:
        """As safetensors, a folder a part."""
        from safetensors.numpy import save_file

        save_file({"weights": self.weights}, folder / FILE)
        for place, one in enumerate((*self.parts, self.whole)):
            (folder / str(place)).mkdir()
            one.save(folder / str(place))

    @classmethod
    def load(cls, folder: Path) -> Weighted:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        weights = load_file(folder / FILE)["weights"]
        *parts, whole = (Principal.load(folder / str(place)) for place in range(len(weights) + 1))
        return cls(tuple(parts), weights, whole)


def _beside(numbers: Sequence[Array], weights: Array) -> Array:
    return np.hstack([weight * part for part, weight in zip(numbers, weights, strict=True)])


def _varying(answers: Array) -> Array:
    """The questions that some row answers otherwise than others."""
    asked = np.asarray(answers, dtype=np.float64)
    return asked[:, asked.std(axis=0) > 0]


def _learnt(numbers: Sequence[Array], answers: Sequence[Array], seed: int) -> Array:
    """Weights found one part after the other, from all alike; the largest is 1."""
    fold = np.random.default_rng(seed).permutation(len(numbers[0])) % FOLDS
    weights = np.ones(len(numbers))
    best = _explained(numbers, weights, answers, fold)
    for _ in range(ROUNDS):
        for part in range(len(numbers)):
            for weight in WEIGHTS:
                tried = np.where(np.arange(len(numbers)) == part, weight, weights)
                if not tried.any() or np.array_equal(tried, weights):
                    continue
                reached = _explained(numbers, tried, answers, fold)
                if reached > best + BETTER:
                    best, weights = reached, tried
    return np.asarray(weights / weights.max(), dtype=np.float64)


def _explained(numbers: Sequence[Array], weights: Array, answers: Sequence[Array], fold: NDArray[np.int64]) -> float:
    """The part of held-out answers' variance that ridge lines explain, the families of questions counting alike."""
    X, Y = _beside(numbers, weights), np.hstack(answers)
    guess = np.empty_like(Y)
    for k in range(FOLDS):
        shown, held = fold != k, fold == k
        centre, base = X[shown].mean(axis=0), Y[shown].mean(axis=0)
        Z = X[shown] - centre
        lines = np.linalg.solve(Z.T @ Z + RIDGE * len(Z) * np.eye(Z.shape[1]), Z.T @ (Y[shown] - base))
        guess[held] = (X[held] - centre) @ lines + base
    explained = 1 - ((Y - guess) ** 2).sum(axis=0) / ((Y - Y.mean(axis=0)) ** 2).sum(axis=0)
    families = np.split(explained, np.cumsum([family.shape[1] for family in answers])[:-1])
    return float(np.mean([family.mean() for family in families]))
