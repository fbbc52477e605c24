"""How much to trust which bias: those of long and those of late, weighed by what came after past moments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from dongcha.models.ranking.rating_biases import Array, Biases, Damping, Numbers, Ratings, at, damped
from dongcha.models.ranking.rating_neighbours import RatingNeighbours

FILE: Final = "rating_layers.json"
LAYERS: Final = ((60.0, 3.0), (365.0, 10.0))
"""Half-lives in days, each with the ratings' worth of doubt that its biases start with."""
RIDGE: Final = 0.3
"""Per lesson, on columns of spread 1: strong, since most of what moves a rating is chance."""
FARTHEST: Final = 3.0
"""Spreads from the mean beyond which a column is not followed."""
ROUNDS: Final = 8


def layers(
    ratings: Ratings, keys: list[tuple[Numbers, Numbers]], raters: Numbers, things: Numbers, damping: Damping
) -> tuple[Array, Array]:
    """What the biases alone say of each pair, shape (pairs,), and what may be added to it, (pairs, columns).

    `keys`: the rater, the thing, and whatever else is known of both (category, brand), as the number it has in each
    rating and in each pair, NOBODY where unknown. Columns: both biases again, the same told side by side, the
    neighbours, and for each key what the biases left of its ratings, lately and over the last year or two.
    """
    sizes = [int(max(of_ratings.max(initial=-1), of_pairs.max(initial=-1))) + 1 for of_ratings, of_pairs in keys]
    biases = Biases.fit(ratings, sizes[0], sizes[1], damping)
    together = Biases.fit(ratings, sizes[0], sizes[1], damping, rounds=ROUNDS)
    told = biases.predict(raters, things)
    columns = [at(biases.of_raters, raters), at(biases.of_things, things), together.predict(raters, things) - told]
    columns.append(RatingNeighbours.fit(ratings, biases).predict(raters, things))
    left = ratings.stars - biases.predict(ratings.raters, ratings.things)
    for half_life, doubt in LAYERS:
        weights = 0.5 ** (ratings.ages / half_life)
        for (of_ratings, of_pairs), size in zip(keys, sizes, strict=True):
            columns.append(at(damped(of_ratings, left, weights, size, doubt), of_pairs))
    return told, np.stack(columns, axis=1)


@dataclass(frozen=True)
class Layered:
    """A ridge regression of what the biases missed on the layers."""

    means: list[float]
    spreads: list[float]
    weights: list[float]
    intercept: float

    @classmethod
    def fit(cls, X: Array, missed: Array, sample_weight: Array) -> Layered:
        """From layers (rows, columns) and what came less what the biases had said, (rows,)."""
        from sklearn.linear_model import Ridge

        means, spreads = X.mean(axis=0), X.std(axis=0)
        scaled = _scaled(X, means, spreads)
        weights = sample_weight * len(missed) / sample_weight.sum()
        model = Ridge(alpha=RIDGE * len(missed), solver="cholesky").fit(scaled, missed, sample_weight=weights)
        return cls(means.tolist(), spreads.tolist(), model.coef_.tolist(), float(model.intercept_))

    def predict(self, X: Array) -> Array:
        """What to add to the biases, shape (rows,)."""
        scaled = _scaled(X, np.array(self.means), np.array(self.spreads))
        return np.asarray(scaled @ np.array(self.weights) + self.intercept, dtype=np.float64)

    def save(self, folder: Path) -> None:
        """As JSON."""
        (folder / FILE).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Layered:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / FILE).read_text("utf-8")))


def _scaled(X: Array, means: Array, spreads: Array) -> Array:
    """Columns that never moved say nothing."""
    moved = spreads > 1e-9
    return np.clip(np.where(moved, (X - means) / np.where(moved, spreads, 1.0), 0.0), -FARTHEST, FARTHEST)
