"""k-means on ranks, with the number of groups chosen by how well they stand apart and stand again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

FILE: Final = "k_means.json"
SILHOUETTE_ROWS: Final = 2000
KNOTS: Final = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class KMeansConfig:
    """Which k to try; `bootstraps` refits tell how stable each is; a group under `smallest_share` rules its k out."""

    groups: tuple[int, ...] = (3, 4, 5, 6, 7, 8)
    bootstraps: int = 8
    restarts: int = 4
    smallest_share: float = 0.02
    missing_at: float = 0.5
    """The rank, 0–1, at which a missing value is placed."""


@dataclass(frozen=True)
class Choice:
    """How one k did: mean silhouette, bootstrap stability (adjusted Rand index), and whether it was allowed."""

    groups: int
    silhouette: float
    stability: float
    allowed: bool

    @property
    def score(self) -> float:
        return self.silhouette + self.stability


@dataclass(frozen=True)
class KMeans:
    """Groups of similar rows. X (rows, columns) float64 with NaN for missing; group 0 is the largest.

    Each column becomes its rank in the fitted rows, 0–1, so that neither units nor outliers decide.
    """

    knots: Array
    """Quantiles of each column, shape (101, columns)."""
    centres: Array
    """Centres in ranks, shape (groups, columns)."""
    missing_at: float
    tried: tuple[Choice, ...] = ()

    @classmethod
    def fit(cls, X: Array, *, seed: int = 0, config: KMeansConfig | None = None) -> KMeans:
        """Choose k by silhouette + stability, then fit. Raises MissingDataError with fewer rows than groups."""
        config = config or KMeansConfig()
        if len(X) < 2 * max(config.groups):
            raise MissingDataError(
                f"{len(X)} rows are too few for up to {max(config.groups)} groups.",
                "Load more, or ask for fewer groups.",
            )
        columns = [column[~np.isnan(column)] for column in X.T]
        knots = np.column_stack([np.quantile(column if len(column) else [0.0], KNOTS) for column in columns])
        ranks = _ranks(X, knots, config.missing_at)
        tried = tuple(_try(ranks, k, seed, config) for k in config.groups)
        best = max(tried, key=lambda choice: (choice.allowed, choice.score))
        return cls(knots, _by_size(ranks, _centres(ranks, best.groups, seed, config)), config.missing_at, tried)

    @property
    def groups(self) -> int:
        return len(self.centres)

    @property
    def stability(self) -> float:
        """Mean adjusted Rand index between these groups and those refitted on bootstrap samples."""
        return next((choice.stability for choice in self.tried if choice.groups == self.groups), float("nan"))

    def predict(self, X: Array) -> Labels:
        """Each row's group, shape (rows,), int64."""
        return _nearest(self.ranks(X), self.centres)

    def ranks(self, X: Array) -> Array:
        """X as ranks 0–1 among the fitted rows, same shape; comparable with `centres`."""
        return _ranks(X, self.knots, self.missing_at)

    def save(self, folder: Path) -> None:
        stored = {
            "knots": self.knots.tolist(),
            "centres": self.centres.tolist(),
            "missing_at": self.missing_at,
            "tried": [[k.groups, k.silhouette, k.stability, k.allowed] for k in self.tried],
        }
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> KMeans:
        stored = json.loads((folder / FILE).read_text("utf-8"))
        tried = tuple(Choice(*choice) for choice in stored["tried"])
        return cls(np.array(stored["knots"]), np.array(stored["centres"]), stored["missing_at"], tried)


def _ranks(X: Array, knots: Array, missing_at: float) -> Array:
    ranks = np.column_stack([_rank(column, knot) for column, knot in zip(X.T, knots.T, strict=True)])
    return np.where(np.isnan(X), missing_at, ranks)


def _rank(values: Array, knots: Array) -> Array:
    # The middle of a tie: where many rows share a value, interpolation alone would jump over it.
    below, above = np.searchsorted(knots, values, "left"), np.searchsorted(knots, values, "right") - 1
    tied = (below + above) / 2 / (len(knots) - 1)
    smooth = np.interp(values, *_distinct(knots))
    return np.where(above > below, tied, smooth)


def _distinct(knots: Array) -> tuple[Array, Array]:
    values, first, count = np.unique(knots, return_index=True, return_counts=True)
    return values, (first + (count - 1) / 2) / (len(knots) - 1)


def _centres(ranks: Array, k: int, seed: int, config: KMeansConfig) -> Array:
    from sklearn.cluster import KMeans as Lloyd

    model = Lloyd(k, n_init=config.restarts, random_state=seed).fit(ranks)
    return np.asarray(model.cluster_centers_, dtype=np.float64)


def _nearest(ranks: Array, centres: Array) -> Labels:
    distance = (centres**2).sum(axis=1) - 2 * ranks @ centres.T
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)


def _by_size(ranks: Array, centres: Array) -> Array:
    sizes = np.bincount(_nearest(ranks, centres), minlength=len(centres))
    return centres[np.argsort(-sizes, kind="stable")]


def _try(ranks: Array, k: int, seed: int, config: KMeansConfig) -> Choice:
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    labels = _nearest(ranks, _centres(ranks, k, seed, config))
    random = np.random.default_rng(seed)
    samples = [random.integers(0, len(ranks), len(ranks)) for _ in range(config.bootstraps)]
    again = [_nearest(ranks, _centres(ranks[rows], k, seed + 1, config)) for rows in samples]
    stability = np.mean([adjusted_rand_score(labels, other) for other in again])
    if len(np.unique(labels)) < k:
        return Choice(k, -1.0, float(stability), allowed=False)
    silhouette = silhouette_score(ranks, labels, sample_size=min(SILHOUETTE_ROWS, len(ranks)), random_state=seed)
    smallest = np.bincount(labels).min() / len(labels)
    return Choice(k, float(silhouette), float(stability), allowed=bool(smallest >= config.smallest_share))
