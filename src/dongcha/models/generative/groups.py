"""Groups of customers who are near in latent space, by their places or by what the decoder pictures of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.grouping.k_means import Choice, KMeansConfig, explained

Labels = NDArray[np.int64]

FILE: Final = "latent_groups.json"


@dataclass(frozen=True)
class LatentGroups:
    """k-means on places (`Vae.encode`) or pictures (`Vae.picture`); group 0 is the largest.

    They are not scaled: what the latent tells little of varies little, and must not count as much as the rest.
    """

    centres: NDArray[np.float64]
    """Shape (groups, columns)."""
    tried: tuple[Choice, ...] = ()

    @classmethod
    def fit(cls, points: NDArray[Any], *, seed: int = 0, config: KMeansConfig | None = None) -> LatentGroups:
        """Choose the number of groups by what they tell of the points × how surely they come again on other samples.

        `points`: shape (rows, columns). Raises MissingDataError with fewer than two rows a group.
        """
        config = config or KMeansConfig()
        points = np.asarray(points, dtype=np.float64)
        if len(points) < 2 * max(config.groups):
            raise MissingDataError(f"{len(points)} rows are too few for {max(config.groups)} groups.", "Load more.")
        tried = tuple(_try(points, k, seed, config) for k in config.groups)
        best = max(tried, key=lambda choice: (choice.allowed, choice.score))
        centres = _centres(points, best.groups, seed, config.restarts)
        sizes = np.bincount(_nearest(points, centres), minlength=len(centres))
        return cls(centres[np.argsort(-sizes, kind="stable")], tried)

    @property
    def stability(self) -> float:
        """The adjusted Rand index between these groups and those of bootstrap samples, on average."""
        return next((choice.stability for choice in self.tried if choice.groups == len(self.centres)), float("nan"))

    def predict(self, points: NDArray[Any]) -> Labels:
        """Each row's group, shape (rows,), int64."""
        return _nearest(np.asarray(points, dtype=np.float64), self.centres)

    def save(self, folder: Path) -> None:
        """As JSON."""
        stored = {"centres": self.centres.tolist(), "tried": [asdict(choice) for choice in self.tried]}
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> LatentGroups:
        """Read what `save` wrote."""
        stored = json.loads((folder / FILE).read_text("utf-8"))
        return cls(np.array(stored["centres"]), tuple(Choice(**choice) for choice in stored["tried"]))


def _try(points: NDArray[np.float64], k: int, seed: int, config: KMeansConfig) -> Choice:
    from sklearn.metrics import adjusted_rand_score

    labels = _nearest(points, _centres(points, k, seed, config.restarts))
    random = np.random.default_rng(seed)
    again = []
    for _ in range(config.bootstraps):
        sample = points[random.integers(0, len(points), len(points))]
        again.append(adjusted_rand_score(labels, _nearest(points, _centres(sample, k, seed + 1, config.restarts))))
    allowed = np.bincount(labels, minlength=k).min() >= config.smallest_share * len(labels)
    return Choice(k, float(np.mean(again)), explained(labels, points), bool(allowed))


def _centres(points: NDArray[np.float64], k: int, seed: int, restarts: int) -> NDArray[np.float64]:
    from sklearn.cluster import KMeans as Lloyd

    return np.asarray(Lloyd(k, n_init=restarts, random_state=seed).fit(points).cluster_centers_, dtype=np.float64)


def _nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> Labels:
    distance = (centres**2).sum(axis=1) - 2 * points @ centres.T
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)
