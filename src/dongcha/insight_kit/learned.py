"""An algorithm over a feature table, learnt from past examples stacked: what most contenders hold inside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np

from dongcha.errors import MissingDataError
from dongcha.insight_kit.facts import Example, Facts

NAMES_FILE: Final = "features.json"
MOST_ROWS: Final = 100_000
"""More past examples cost time and memory and tell these algorithms little more."""
HELD_OUT: Final = 5
"""One entity in this many is held out where fitting stops early."""


@dataclass
class Learned:
    """An algorithm of `models/`, the features it is shown, and the label it learns.

    The algorithm is a class with `fit(X, y, sample_weight=…, seed=…)`, `predict`, `contributions`, `save`, `load`; X
    has shape (rows, columns), NaN for missing.
    """

    algorithm: type[Any]
    wanted: tuple[str, ...]
    """The features to look at, where they are at hand."""
    label: str
    stops_early: bool = False
    """Whether the algorithm takes `validation` rows to stop by."""
    names: tuple[str, ...] = ()
    model: Any = None

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        """Fit on all past examples at once, the newer ones weighing more. MissingDataError where there is none."""
        if not past:
            raise MissingDataError("No past cutoff has a complete label.", "Load a longer history.")
        self.names = tuple(name for name in self.wanted if name in now.features.columns)
        kept = sampled(past)
        X = np.concatenate([example.facts.matrix(self.names)[k] for example, k in zip(past, kept, strict=True)])
        y = np.concatenate([example.label(self.label)[k] for example, k in zip(past, kept, strict=True)])
        weights = np.concatenate([np.full(k.sum(), _weight(e, past[-1])) for e, k in zip(past, kept, strict=True)])
        if not self.stops_early:
            self.model = self.algorithm.fit(X, y, sample_weight=weights, seed=seed)
            return
        out = held_out(past)[np.concatenate(kept)]
        stop_by = (X[out], y[out])
        self.model = self.algorithm.fit(X[~out], y[~out], sample_weight=weights[~out], seed=seed, validation=stop_by)

    def predict(self, facts: Facts) -> np.ndarray:
        """The algorithm's prediction, shape (entities,)."""
        return np.asarray(self.model.predict(facts.matrix(self.names)), dtype=np.float64)

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """The features' names and their pushes, shape (entities, names)."""
        if not hasattr(self.model, "contributions"):
            return (), np.empty((len(facts.features), 0))
        return self.names, np.asarray(self.model.contributions(facts.matrix(self.names)), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the model and the names of its features."""
        self.model.save(folder)
        (folder / NAMES_FILE).write_text(json.dumps(self.names), "utf-8")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        self.names = tuple(json.loads((folder / NAMES_FILE).read_text("utf-8")))
        self.model = self.algorithm.load(folder)


def _weight(example: Example, newest: Example) -> float:
    """What one row of an example weighs: cutoffs count alike but for their age, which halves them every horizon."""
    age = (newest.facts.as_of.moment - example.facts.as_of.moment) / newest.facts.horizon.delta
    return float(0.5**age) / len(example.facts.features)


def sampled(past: Sequence[Example], most: int = MOST_ROWS) -> list[np.ndarray]:
    """Which rows of each example to learn from, bool, shape (entities,): all, or about `most` told by id and cutoff."""
    share = most / sum(len(example.facts.features) for example in past)
    if share >= 1:
        return [np.ones(len(example.facts.features), dtype=bool) for example in past]
    return [np.array([_lot(f"{e.facts.as_of} {entity}") < share for entity in e.facts.entities]) for e in past]


def _lot(text: str) -> float:
    """A number from 0 to 1 that only the text decides; checksums would tie the cutoffs' samples to each other."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64


def held_out(past: Sequence[Example]) -> np.ndarray:
    """Which stacked rows to stop early by, shape (rows,), bool: the same entities at every cutoff, told by their id."""
    ids = [entity for example in past for entity in example.facts.entities]
    return np.array([crc32(entity.encode()) % HELD_OUT == 0 for entity in ids], dtype=bool)
