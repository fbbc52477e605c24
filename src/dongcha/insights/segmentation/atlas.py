"""The map that is shown beside the groups, and who is unusual."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha.errors import MissingDataError
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.latent import FEATURES_FILE, Latent, latent
from dongcha.insights.segmentation.axes import FEATURES
from dongcha.models.grouping.k_means import Scale

MAP_X: Final = "map_x"
MAP_Y: Final = "map_y"
ANOMALY: Final = "anomaly"
PLANE: Final = "plane.json"


class Atlas:
    """Where everyone stands on the map and how unusual each is: by the latent, else along the axes themselves.

    Without products, or with too few customers, there is no latent: then the map is the two directions in which the
    axes differ most (principal components), and unusual is who stands far from the middle. It is learnt when it is
    first asked for: a backtest never does.
    """

    def __init__(self, now: Facts, seed: int) -> None:
        self.now, self.seed = now, seed

    @cached_property
    def drawn(self) -> Latent | Plane:
        """What the map is drawn by."""
        features = tuple(name for name in FEATURES if name in self.now.features.columns)
        try:
            return latent(self.now, features, seed=self.seed)
        except MissingDataError:
            return Plane.fit(self.now, features)

    def told(self, facts: Facts) -> pl.DataFrame:
        """The columns of the map and of what is unusual, Float64, row by row with the facts."""
        places, unusual = self.drawn.map(facts), np.maximum(self.drawn.anomaly(facts), 0.0)
        numbers = {MAP_X: places[:, 0], MAP_Y: places[:, 1], ANOMALY: unusual}
        return pl.DataFrame({name: column.astype(np.float64) for name, column in numbers.items()})

    def save(self, folder: Path) -> None:
        self.drawn.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Atlas:
        loaded = cls.__new__(cls)
        loaded.drawn = Latent.load(folder) if (folder / FEATURES_FILE).exists() else Plane.load(folder)
        return loaded


@dataclass(frozen=True)
class Plane:
    """The two directions in which the axes differ most, and how far from the middle anybody stands."""

    features: tuple[str, ...]
    scale: Scale
    turned: np.ndarray
    """Shape (features, 2)."""

    @classmethod
    def fit(cls, now: Facts, features: tuple[str, ...]) -> Plane:
        scale = Scale.fit(now.matrix(features))
        scaled = scale.transform(now.matrix(features))
        turned = np.linalg.svd(scaled.T @ scaled, hermitian=True)[0][:, :2]
        return cls(features, scale, turned * np.sign(turned[np.abs(turned).argmax(axis=0), [0, 1]]))

    def map(self, facts: Facts) -> np.ndarray:
        """Shape (entities, 2)."""
        found: np.ndarray = self._scaled(facts) @ self.turned
        return found

    def anomaly(self, facts: Facts) -> np.ndarray:
        """The root mean square of the scaled axes, shape (entities,)."""
        return np.asarray(np.sqrt((self._scaled(facts) ** 2).mean(axis=1)))

    def _scaled(self, facts: Facts) -> np.ndarray:
        return self.scale.transform(facts.matrix(self.features))

    def save(self, folder: Path) -> None:
        numbers = (self.scale.usual, self.scale.median, self.scale.mean, self.scale.deviation)
        stored = {"features": self.features, "turned": self.turned.tolist(), "scale": [k.tolist() for k in numbers]}
        (folder / PLANE).write_text(json.dumps(stored), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Plane:
        stored = json.loads((folder / PLANE).read_text("utf-8"))
        scale = Scale(*(np.array(numbers) for numbers in stored["scale"]))
        return cls(tuple(stored["features"]), scale, np.array(stored["turned"]))
