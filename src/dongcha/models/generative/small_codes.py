"""Which codes of a timeline a generative model reads and foretells: few enough to compare all at every event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dongcha.models.behaviour.timelines import PRODUCT, Codes, Timelines
from dongcha.models.behaviour.warm_start import warm_start

VECTOR_WIDTH: Final = 32


@dataclass(frozen=True)
class SmallCodes:
    """Makes large fields small: products become groups of products bought near each other, other fields keep their
    most common codes and one for the rest.

    A whole catalogue is not foretold: thousands of products that hardly anyone shares would fill the loss and say less
    of taste than their groups do. Given its group a product is drawn by how often it is bought (Brown et al. 1992).
    """

    maps: Mapping[str, Codes]
    """Field → small code of each code, shape (size + 1,); the last, "none", becomes the small "none"."""
    sizes: Mapping[str, int]
    """Field → number of small codes."""

    @classmethod
    def fit(cls, timelines: Timelines, *, product_groups: int, most_codes: int, seed: int) -> SmallCodes:
        """Learn from timelines with their gaps coded; a field of a single code tells nothing and is left out."""
        maps = {name: _common(codes, timelines.sizes[name], most_codes) for name, codes in timelines.fields.items()}
        if PRODUCT in maps and timelines.sizes[PRODUCT] > product_groups:
            maps[PRODUCT] = _product_groups(timelines, product_groups, seed)
        telling = {name: codes for name, codes in maps.items() if codes.max() > 1}
        return cls(telling, {name: int(codes[-1]) for name, codes in telling.items()})

    def small(self, timelines: Timelines) -> Timelines:
        """The same events in small codes. Raises ValueError where a field is missing or has other codes."""
        for name, codes in self.maps.items():
            if timelines.sizes.get(name) != len(codes) - 1:
                known = timelines.sizes.get(name, "none")
                raise ValueError(f"the field '{name}' was learnt with {len(codes) - 1} codes, these have {known}")
        fields = {name: codes[timelines.fields[name]] for name, codes in self.maps.items()}
        return Timelines(timelines.starts, fields, self.sizes, timelines.days)

    def to_json(self) -> dict[str, Any]:
        return {name: codes.tolist() for name, codes in self.maps.items()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> SmallCodes:
        maps = {name: np.array(codes, dtype=np.int64) for name, codes in stored.items()}
        return cls(maps, {name: int(codes[-1]) for name, codes in maps.items()})


def _common(codes: Codes, size: int, most_codes: int) -> Codes:
    """Every code its own where there are few, else one shared by all but the most common."""
    if size <= most_codes:
        return np.arange(size + 1)
    found = np.full(size + 1, most_codes - 1, dtype=np.int64)
    counts = np.bincount(codes, minlength=size + 1)[:size]
    found[np.argsort(-counts, kind="stable")[: most_codes - 1]] = np.arange(most_codes - 1)
    found[-1] = most_codes
    return found


def _product_groups(timelines: Timelines, groups: int, seed: int) -> Codes:
    """k-means on the directions of the products' vectors; one more group for those never met."""
    from sklearn.cluster import KMeans

    products = timelines.products()
    vectors = warm_start(products, VECTOR_WIDTH, seed).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    met = np.flatnonzero(lengths > 0)
    found = np.full(products.catalogue + 1, groups, dtype=np.int64)
    weights = np.log1p(np.bincount(products.items, minlength=products.catalogue)[met])
    directions = vectors[met] / lengths[met, None]
    groups = min(groups, len(met))
    found[met] = KMeans(groups, n_init=1, random_state=seed).fit(directions, sample_weight=weights).labels_
    found[-1] = found.max() + 1
    return found
