"""Rows whose truth is known: skewed columns, some missing, one that says nothing."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit


@dataclass(frozen=True)
class Planted:
    """`X` (rows, 4): recency-like, count-like, sometimes missing, noise."""

    X: np.ndarray
    chance: np.ndarray
    """True P(y > 0)."""
    mean: np.ndarray
    """True E(y)."""
    happened: np.ndarray
    amount: np.ndarray


def planted(rows: int = 3000, seed: int = 0) -> Planted:
    random = np.random.default_rng(seed)
    X = np.column_stack([random.lognormal(3, 1, (rows, 3)), random.normal(size=rows)])
    logs = np.log1p(X[:, :3]) - 3
    chance = expit(1.2 * logs[:, 0] - 0.8 * logs[:, 1] + 0.3)
    mu = 4 + 0.6 * logs[:, 1] + 0.4 * logs[:, 2]
    happened = (random.random(rows) < chance).astype(float)
    amount = happened * random.lognormal(mu, 0.5)
    X[random.random(rows) < 0.1, 2] = np.nan
    return Planted(X, chance, chance * np.exp(mu + 0.125), happened, amount)
