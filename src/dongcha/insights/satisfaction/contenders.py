"""Who may say what rating a customer would give: the mean, biases, and biases in layers."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insights.satisfaction.ratings import Known, came, lesson, unrated
from dongcha.models.ranking.rating_biases import Array, Biases, Damping, best_damping
from dongcha.models.ranking.rating_layers import Layered, layers

SATISFACTION: Final = "satisfaction"
UNRATED: Final = "unrated_purchases"
MEAN_RATING: Final = "mean_rating"
LATELY_DAYS: Final = 90.0
LISTED: Final = 5
LOOKED_AT: Final = 20
"""Purchases of a customer that are asked about, the newest."""
DAMPING_FILE: Final = "damping.json"
DECIMALS: Final = 6


class Rater(Contender):
    """What all share: ratings are counted anew from the facts it is asked about; only how to weigh them is learnt."""

    @abstractmethod
    def told(self, known: Known, pairs: pl.DataFrame) -> Array:
        """The rating of each pair (customer_id, product_id; null where it is nobody or nothing in particular)."""

    def rate(self, facts: Facts, pairs: pl.DataFrame) -> Array:
        """The rating each customer would give the product, shape (pairs,), within those ever given."""
        known = Known(facts)
        stars = known.ratings.stars
        return np.clip(self.told(known, pairs), stars.min(), stars.max()).round(DECIMALS)

    def predict(self, facts: Facts) -> pl.DataFrame:
        bought = unrated(facts, LATELY_DAYS, LOOKED_AT)
        level = pl.DataFrame({c.CUSTOMER_ID: facts.entities, c.PRODUCT_ID: None}, bought.schema)
        asked = pl.concat([level, bought])
        asked = asked.with_columns(pl.Series(c.VALUE, self.rate(facts, asked), pl.Float64))
        own, of_products = asked.head(len(level)), asked.tail(len(bought))
        worst_first = of_products.sort(c.CUSTOMER_ID, c.VALUE, c.PRODUCT_ID)
        pair = pl.struct(pl.col(c.PRODUCT_ID).alias(c.LABEL), c.VALUE)
        listed = worst_first.group_by(c.CUSTOMER_ID, maintain_order=True).agg(
            pl.col(c.VALUE).mean().alias("expected"), pair.head(LISTED).alias(UNRATED)
        )
        joined = facts.matched(listed, c.CUSTOMER_ID).with_columns(own[c.VALUE])
        return joined.select(
            c.ENTITY_ID,
            pl.coalesce("expected", c.VALUE).alias(SATISFACTION),
            pl.col(UNRATED).fill_null([]),
        )

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """What the customer's own ratings push beside what anybody would give."""
        nobody = {c.CUSTOMER_ID: None, c.PRODUCT_ID: None}
        kinds = dict.fromkeys(nobody, pl.String)
        someone = pl.DataFrame({**nobody, c.CUSTOMER_ID: facts.entities}, kinds)
        anybody = self.rate(facts, pl.DataFrame({name: [None] for name in nobody}, kinds))
        return (MEAN_RATING,), (self.rate(facts, someone) - anybody)[:, None]


class Mean(Rater):
    """The mean of all ratings so far."""

    name, role = "mean", Role.BASELINE

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        """Nothing is learnt but what is counted."""

    def told(self, known: Known, pairs: pl.DataFrame) -> Array:
        return np.full(len(pairs), known.ratings.stars.mean())

    def save(self, folder: Path) -> None:
        """Nothing to write."""

    def load(self, folder: Path) -> None:
        """Nothing to read."""


class CustomerAndProduct(Rater):
    """Mean + product + customer, damped and forgetting as foretold past horizons best."""

    name, role = "biases", Role.BASELINE

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.damping = best_damping([lesson(*one) for one in _lessons(past)])

    def told(self, known: Known, pairs: pl.DataFrame) -> Array:
        (_, raters), (_, things), *_ = known.keys(pairs)
        return Biases.fit(known.ratings, *known.sizes, self.damping).predict(raters, things)

    def save(self, folder: Path) -> None:
        (folder / DAMPING_FILE).write_text(json.dumps(asdict(self.damping)), "utf-8")

    def load(self, folder: Path) -> None:
        self.damping = Damping(**json.loads((folder / DAMPING_FILE).read_text("utf-8")))


class InLayers(CustomerAndProduct):
    """The same, and what it misses by layers: lately and of long, category and brand too, and alike products."""

    name, role = "layered_biases", Role.CANDIDATE

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        super().fit(past, now, seed=seed)
        lessons = [(known, later) for known, later in _lessons(past) if len(later)]
        if not lessons:
            raise MissingDataError("Nobody rated anything after a past cutoff.", "Load a longer history of reviews.")
        rows, missed, weights = [], [], []
        newest = lessons[-1][0].facts
        for known, later in lessons:
            told, X = self._layers(known, later)
            age = (newest.as_of.moment - known.facts.as_of.moment) / newest.horizon.delta
            rows.append(X)
            missed.append(later[c.RATING].to_numpy() - told)
            weights.append(np.full(len(later), 0.5**age / len(later)))
        self.layered = Layered.fit(np.concatenate(rows), np.concatenate(missed), np.concatenate(weights))

    def told(self, known: Known, pairs: pl.DataFrame) -> Array:
        told, X = self._layers(known, pairs)
        return told + self.layered.predict(X)

    def _layers(self, known: Known, pairs: pl.DataFrame) -> tuple[Array, Array]:
        keys = known.keys(pairs)
        return layers(known.ratings, keys, keys[0][1], keys[1][1], self.damping)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.layered.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.layered = Layered.load(folder)


def _lessons(past: Sequence[Example]) -> list[tuple[Known, pl.DataFrame]]:
    """Past moments at which something had been rated, each with what was rated after it."""
    found = [(Known(example.facts), later) for example, later in zip(past, came(past), strict=True)]
    return [(known, later) for known, later in found if len(known.rows)]
