"""Ratings as of a cutoff, over numbers, and pairs of customer and product to ask about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.labels import RATED_COLUMNS
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.vocabulary import DAY_MICROSECONDS
from dongcha.models.ranking.rating_biases import NOBODY, Lesson, Numbers, Ratings

KEYS: Final = (c.CUSTOMER_ID, c.PRODUCT_ID, c.CATEGORY, c.BRAND)
"""Whose and what's biases are told."""
RATED: Final = "rated"
"""The label: List(Struct) of (customer_id, product_id, rating) that came after the cutoff."""


@dataclass(frozen=True)
class Known:
    """Every rating that was known at a cutoff."""

    facts: Facts

    @cached_property
    def rows(self) -> pl.DataFrame:
        """One row a rating: KEYS, rating, happened_at."""
        assert self.facts.history is not None, "ratings are read from timelines"
        rated = (pl.col(c.EVENT) == c.PRODUCT_REVIEWED) & pl.col(c.RATING).is_not_null()
        return self.facts.history.timeline.filter(rated).select(*KEYS, c.RATING, c.HAPPENED_AT)

    @cached_property
    def ratings(self) -> Ratings:
        """MissingDataError where there is none."""
        if self.rows.is_empty():
            raise MissingDataError("Nobody has rated anything yet.", "Load reviews with ratings and customers.")
        customers, products = (self.number(self.rows, key) for key in KEYS[:2])
        ages = (self.facts.as_of.moment - self.rows[c.HAPPENED_AT]).dt.total_microseconds() / DAY_MICROSECONDS
        stars = self.rows[c.RATING].to_numpy().astype(np.float64)
        return Ratings(customers, products, stars, ages.to_numpy().astype(np.float64))

    @property
    def sizes(self) -> tuple[int, int]:
        """How many customers rated, and how many products were."""
        customers, products = (int(numbers.max(initial=NOBODY)) + 1 for numbers in self.ratings[:2])
        return customers, products

    def number(self, frame: pl.DataFrame, key: str) -> Numbers:
        """Each row's number by its value of a key among the rated, NOBODY where that was never rated."""
        values = self.rows[key].drop_nulls().unique().sort()
        numbered = pl.DataFrame({key: values, "number": np.arange(len(values), dtype=np.int64)})
        found = frame.select(key).join(numbered, on=key, how="left", maintain_order="left")["number"]
        return found.fill_null(NOBODY).to_numpy().astype(np.int64)

    def described(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs (customer_id, product_id) with the product's category and brand."""
        assert self.facts.history is not None, "the catalogue is part of it"
        products = self.facts.history.catalogue.select(c.PRODUCT_ID, c.CATEGORY, c.BRAND)
        return pairs.join(products, on=c.PRODUCT_ID, how="left", maintain_order="left")

    def keys(self, pairs: pl.DataFrame) -> list[tuple[Numbers, Numbers]]:
        """For each of KEYS the numbers in the ratings and in the pairs."""
        there = self.described(pairs)
        return [(self.number(self.rows, key), self.number(there, key)) for key in KEYS]


def came(examples: Iterable[Example]) -> list[pl.DataFrame]:
    """What each example's label holds: customer_id, product_id, rating, one row a rating."""
    return [
        example.truth.select(pl.col(RATED)).explode(RATED).drop_nulls().unnest(RATED).select(*RATED_COLUMNS)
        if len(example.truth) and example.truth[RATED].list.len().sum()
        else pl.DataFrame(schema=RATED_COLUMNS)
        for example in examples
    ]


def lesson(known: Known, later: pl.DataFrame) -> Lesson:
    """A past moment's ratings and those that came after it."""
    raters, things = (known.number(later, key) for key in KEYS[:2])
    stars = later[c.RATING].to_numpy().astype(np.float64)
    return Lesson(known.ratings, *known.sizes, Ratings(raters, things, stars, np.zeros(len(stars))))


def unrated(facts: Facts, days: float, most: int) -> pl.DataFrame:
    """What each entity bought in the last days and did not rate, the newest first: customer_id, product_id."""
    assert facts.history is not None, "purchases are read from timelines"
    mine = facts.entities.implode()
    events = facts.history.timeline.filter(pl.col(c.CUSTOMER_ID).is_in(mine), pl.col(c.PRODUCT_ID).is_not_null())
    age = (facts.as_of.moment - pl.col(c.HAPPENED_AT)).dt.total_microseconds() / DAY_MICROSECONDS
    bought = events.filter((pl.col(c.EVENT) == c.ORDER_COMPLETED) & (age <= days))
    rated = events.filter(pl.col(c.EVENT) == c.PRODUCT_REVIEWED).select(c.CUSTOMER_ID, c.PRODUCT_ID)
    left = bought.join(rated, on=[c.CUSTOMER_ID, c.PRODUCT_ID], how="anti")
    newest = left.group_by(c.CUSTOMER_ID, c.PRODUCT_ID).agg(pl.col(c.HAPPENED_AT).max())
    ordered = newest.sort(c.CUSTOMER_ID, c.HAPPENED_AT, c.PRODUCT_ID, descending=[False, True, False])
    return ordered.group_by(c.CUSTOMER_ID, maintain_order=True).head(most).select(c.CUSTOMER_ID, c.PRODUCT_ID)
