"""The latent of one history: a place on a map for every customer, and how unusual each one is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.memo import Memo, digest
from dongcha.insight_kit.pretrained import history_of
from dongcha.insight_kit.vocabulary import Vocabulary
from dongcha.models.behaviour.timelines import BOUGHT, Timelines
from dongcha.models.generative.vae import Vae, Vectors

FEATURES_FILE: Final = "latent.json"
MOST_ROWS: Final = 10_000
"""More customers cost time and teach the map nothing."""

_kept: Memo[Latent] = Memo()


@dataclass(frozen=True)
class Latent:
    """A vocabulary, the features beside the events, and the autoencoder that was trained on both."""

    vocabulary: Vocabulary
    features: tuple[str, ...]
    vae: Vae

    def map(self, facts: Facts) -> Vectors:
        """Each entity's place on the map, shape (entities, 2): near are those of whom the same is foretold."""
        return self.vae.map(*self._rows(facts))

    def anomaly(self, facts: Facts) -> np.ndarray:
        """How unusual each entity is, shape (entities,): 0 where nothing is odd."""
        return self.vae.anomaly(*self._rows(facts))

    def save(self, folder: Path) -> None:
        """Safetensors and JSON."""
        self.vocabulary.save(folder)
        self.vae.save(folder)
        (folder / FEATURES_FILE).write_text(json.dumps(self.features), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Latent:
        """Read what `save` wrote."""
        features = tuple(json.loads((folder / FEATURES_FILE).read_text("utf-8")))
        return cls(Vocabulary.load(folder), features, Vae.load(folder))

    def _rows(self, facts: Facts) -> tuple[Timelines, np.ndarray]:
        return _timelines(self.vocabulary, facts), facts.matrix(self.features)


def latent(facts: Facts, features: Sequence[str], *, seed: int) -> Latent:
    """The autoencoder trained on everything known at `facts.as_of`; kept in memory for the next who asks.

    `features`: which columns of the facts stand beside the events. Raises MissingDataError where there are too few
    customers, or no event that names a product.
    """
    timeline = history_of(facts).timeline
    vocabulary = Vocabulary.fit(timeline)
    if not vocabulary.products:
        raise MissingDataError("No event names a product.", "Load orders or events that name their products.")
    shown = _sample(facts)
    timelines, table = _timelines(vocabulary, shown), shown.matrix(features)
    arrays = (timelines.starts, timelines.days, table, *timelines.fields.values())
    progress = history_of(facts).progress
    return _kept.get(
        digest(((seed, tuple(features)), vocabulary), arrays),
        lambda: Latent(vocabulary, tuple(features), Vae.fit(timelines, table, seed=seed, progress=progress)),
    )


def _sample(facts: Facts) -> Facts:
    """At most MOST_ROWS entities drawn by lots told from their ids, in the order of their ids: rows have no order."""
    frame = facts.features.sort(c.ENTITY_ID)
    if len(frame) > MOST_ROWS:
        lots = [int.from_bytes(blake2b(e.encode(), digest_size=8).digest()) for e in frame[c.ENTITY_ID]]
        drawn = np.sort(np.argsort(np.array(lots, dtype=np.uint64), kind="stable")[:MOST_ROWS])
        frame = frame[drawn]
    return replace(facts, features=frame)


def _timelines(vocabulary: Vocabulary, facts: Facts) -> Timelines:
    """What the entities did, without the field that only paces are told from."""
    found = vocabulary.timelines(history_of(facts).timeline, facts.entities)
    fields = {name: codes for name, codes in found.fields.items() if name != BOUGHT}
    return Timelines(found.starts, fields, {name: found.sizes[name] for name in fields}, found.days)
