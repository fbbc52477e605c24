"""k-means, with the number of groups chosen by what they tell of the rows and how surely they come again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

FILE: Final = "k_means.json"
FARTHEST: Final = 3.0
"""Standard deviations beyond which a value counts as no farther: one outlier must not make a group."""


@dataclass(frozen=True)
class Scale:
    """Makes columns of any unit comparable: logs of multiples of their usual size, standardised.

    Learnt from X of shape (rows, columns), float64, NaN for missing. Ranks would do too, but they stretch the crowd
    and flatten the few who differ: on simulated shops logs found more of the planted groups.
    """

    usual: Array
    """The median size of each column's values that are not 0."""
    median: Array
    mean: Array
    deviation: Array

    @classmethod
    def fit(cls, X: Array) -> Scale:
        known = [np.abs(column[~np.isnan(column) & (column != 0)]) for column in X.T]
        usual = np.array([np.median(column) if len(column) else 1.0 for column in known])
        logs = _logs(X, usual)
        median = np.array([np.median(c[~np.isnan(c)]) if not np.isnan(c).all() else 0.0 for c in logs.T])
        filled = np.where(np.isnan(logs), median, logs)
        deviation = filled.std(axis=0)
        return cls(usual, median, filled.mean(axis=0), np.where(deviation < 1e-9, 1.0, deviation))

    def transform(self, X: Array) -> Array:
        """X in standard deviations from the mean, same shape, none beyond FARTHEST; the median where missing."""
        logs = _logs(X, self.usual)
        filled = np.where(np.isnan(logs), self.median, logs)
        return np.clip((filled - self.mean) / self.deviation, -FARTHEST, FARTHEST)


def _logs(X: Array, usual: Array) -> Array:
    return np.asarray(np.sign(X) * np.log1p(np.abs(X) / usual), dtype=np.float64)


@dataclass(frozen=True)
class KMeansConfig:
    """Which k to try; `bootstraps` refits tell how stable each is; a group under `smallest_share` rules its k out."""

    groups: tuple[int, ...] = (3, 4, 5, 6, 7, 8)
    bootstraps: int = 8
    restarts: int = 10
    smallest_share: float = 0.02


@dataclass(frozen=True)
class Choice:
    """How one k did, and whether it was allowed."""

    groups: int
    stability: float
    """Mean adjusted Rand index between these groups and those refitted on bootstrap samples."""
    explained: float
    """The share of the columns' variance that knowing a row's group explains (ω², mean over columns)."""
    allowed: bool

    @property
    def score(self) -> float:
        """What the groups tell, as far as they would come again."""
        return self.stability * self.explained


@dataclass(frozen=True)
class KMeans:
    """Groups of similar rows. X (rows, columns) float64 with NaN for missing; group 0 is the largest."""

    scale: Scale
    centres: Array
    """Centres in scaled columns, shape (groups, columns)."""
    tried: tuple[Choice, ...] = ()

    @classmethod
    def fit(cls, X: Array, *, seed: int = 0, config: KMeansConfig | None = None) -> KMeans:
        """Choose k by what it tells × how stable it is, then fit. MissingDataError with fewer rows than groups."""
        config = config or KMeansConfig()
        if len(X) < 2 * max(config.groups):
            raise MissingDataError(
                f"{len(X)} rows are too few for up to {max(config.groups)} groups.",
                "Load more, or ask for fewer groups.",
            )
        scale = Scale.fit(X)
        scaled = scale.transform(X)
        tried = tuple(_try(scaled, k, seed, config) for k in config.groups)
        best = max(tried, key=lambda choice: (choice.allowed, choice.score))
        return cls(scale, _by_size(scaled, _centres(scaled, best.groups, seed, config)), tried)

    @property
    def groups(self) -> int:
        return len(self.centres)

    @property
    def stability(self) -> float:
        """The chosen k's stability."""
        return next((choice.stability for choice in self.tried if choice.groups == self.groups), float("nan"))

    def predict(self, X: Array) -> Labels:
        """Each row's group, shape (rows,), int64."""
        return _nearest(self.scale.transform(X), self.centres)

    def save(self, folder: Path) -> None:
        stored = {
            "scale": {name: values.tolist() for name, values in vars(self.scale).items()},
            "centres": self.centres.tolist(),
            "tried": [asdict(choice) for choice in self.tried],
        }
        (folder / FILE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> KMeans:
        stored = json.loads((folder / FILE).read_text("utf-8"))
        scale = Scale(**{name: np.array(values) for name, values in stored["scale"].items()})
        return cls(scale, np.array(stored["centres"]), tuple(Choice(**choice) for choice in stored["tried"]))


def explained(labels: NDArray[Any], columns: Array) -> float:
    """The share of the columns' variance that groups explain, less what random groups would (ω², Hays 1963).

    `labels`: shape (rows,); `columns`: shape (rows, columns), of which those that never vary count as 0.
    """
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    rows, groups = len(columns), len(sizes)
    total = ((columns - columns.mean(axis=0)) ** 2).sum(axis=0)
    if rows <= groups:
        return 0.0
    means = np.column_stack([np.bincount(codes, column) / sizes for column in columns.T])
    within = ((columns - means[codes]) ** 2).sum(axis=0)
    noise = within / (rows - groups)
    varies = total > 1e-12
    share = (total - within - (groups - 1) * noise)[varies] / (total + noise)[varies]
    return float(share.sum() / len(total))


def _centres(scaled: Array, k: int, seed: int, config: KMeansConfig) -> Array:
    from sklearn.cluster import KMeans as Lloyd

    model = Lloyd(k, n_init=config.restarts, random_state=seed).fit(scaled)
    return np.asarray(model.cluster_centers_, dtype=np.float64)


def _nearest(scaled: Array, centres: Array) -> Labels:
    distance = (centres**2).sum(axis=1) - 2 * scaled @ centres.T
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)


def _by_size(scaled: Array, centres: Array) -> Array:
    sizes = np.bincount(_nearest(scaled, centres), minlength=len(centres))
    return centres[np.argsort(-sizes, kind="stable")]


def _try(scaled: Array, k: int, seed: int, config: KMeansConfig) -> Choice:
    from sklearn.metrics import adjusted_rand_score

    labels = _nearest(scaled, _centres(scaled, k, seed, config))
    random = np.random.default_rng(seed)
    samples = [random.integers(0, len(scaled), len(scaled)) for _ in range(config.bootstraps)]
    again = [_nearest(scaled, _centres(scaled[rows], k, seed + 1, config)) for rows in samples]
    stability = float(np.mean([adjusted_rand_score(labels, other) for other in again]))
    sizes = np.bincount(labels, minlength=k)
    return Choice(k, stability, explained(labels, scaled), bool(sizes.min() >= config.smallest_share * len(labels)))
