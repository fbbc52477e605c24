"""The map that every contender shows beside its groups, and who is unusual."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from dongcha.errors import MissingDataError
from dongcha.insight_kit.base import Facts
from dongcha.insight_kit.latent import FEATURES_FILE, Latent, latent
from dongcha.insights.segmentation.axes import FEATURES
from dongcha.models.grouping.k_means import Scale

MAP_X: Final = "map_x"
MAP_Y: Final = "map_y"
ANOMALY: Final = "anomaly"
ATLAS: Final = "atlas.json"


class Atlas:
    """Where everyone stands on the map and how unusual each is: by the latent, else along the axes themselves.

    Without products, or with too few customers, there is no latent: then the map is the two directions in which the
    axes differ most (principal components), and unusual is who stands far from the middle.
    """

    def __init__(self, latent: Latent | None, scale: Scale, turned: np.ndarray, features: tuple[str, ...]) -> None:
        """`turned`: shape (features, 2)."""
        self.latent, self.scale, self.turned, self.features = latent, scale, turned, features

    @classmethod
    def fit(cls, now: Facts, seed: int) -> Atlas:
        features = tuple(name for name in FEATURES if name in now.features.columns)
        scale = Scale.fit(now.matrix(features))
        scaled = scale.transform(now.matrix(features))
        turned = np.linalg.svd(scaled.T @ scaled, hermitian=True)[0][:, :2]
        turned = turned * np.sign(turned[np.abs(turned).argmax(axis=0), [0, 1]])
        try:
            return cls(latent(now, features, seed=seed), scale, turned, features)
        except MissingDataError:
            return cls(None, scale, turned, features)

    def places(self, facts: Facts) -> np.ndarray:
        """Where each entity stands among all: in the latent, else along the axes; shape (entities, dimensions)."""
        return self._scaled(facts) if self.latent is None else self.latent.places(facts)

    def told(self, facts: Facts) -> dict[str, np.ndarray]:
        """The columns of the map and of what is unusual, each of shape (entities,)."""
        if self.latent is not None:
            places, unusual = self.latent.map(facts), self.latent.anomaly(facts)
        else:
            scaled = self._scaled(facts)
            places, unusual = scaled @ self.turned, np.sqrt((scaled**2).mean(axis=1))
        numbers = {MAP_X: places[:, 0], MAP_Y: places[:, 1], ANOMALY: np.maximum(unusual, 0.0)}
        return {name: column.astype(np.float64) for name, column in numbers.items()}

    def _scaled(self, facts: Facts) -> np.ndarray:
        return self.scale.transform(facts.matrix(self.features))

    def save(self, folder: Path) -> None:
        numbers = (self.scale.usual, self.scale.median, self.scale.mean, self.scale.deviation)
        stored = {"features": self.features, "turned": self.turned.tolist(), "scale": [k.tolist() for k in numbers]}
        (folder / ATLAS).write_text(json.dumps(stored), "utf-8")
        if self.latent is not None:
            self.latent.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Atlas:
        stored = json.loads((folder / ATLAS).read_text("utf-8"))
        scale = Scale(*(np.array(numbers) for numbers in stored["scale"]))
        found = Latent.load(folder) if (folder / FEATURES_FILE).exists() else None
        return cls(found, scale, np.array(stored["turned"]), tuple(stored["features"]))
