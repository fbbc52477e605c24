"""From words to numbers: which product, event, category … has which code, learnt from timelines of the past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.features.next_events import micros_of
from dongcha.features.numbering import FEW, placed
from dongcha.models.behaviour.timelines import (
    BOUGHT,
    BRAND,
    CATEGORY,
    CHANNEL,
    KIND,
    PRICE,
    PRODUCT,
    RATING,
    Codes,
    Timelines,
)

FILE: Final = "vocabulary.json"
WORDS: Final = {
    PRODUCT: (c.PRODUCT_ID, 2_000_000),
    KIND: (c.EVENT, 100),
    CATEGORY: (c.CATEGORY, 1_000),
    BRAND: (c.BRAND, 5_000),
    CHANNEL: (c.CHANNEL, 50),
}
"""Field → its column, and how many values are told apart at most, the commonest; any other has no code."""
PRICE_BUCKETS: Final = 10
STARS: Final = 6
"""Ratings are rounded to 0 … 5."""
DAY_MICROSECONDS: Final = 86_400_000_000


@dataclass(frozen=True)
class Vocabulary:
    """Field → its words, whose places are their codes; and the edges of the price buckets.

    A field in which nothing varies is left out: it would tell nothing.
    """

    words: dict[str, tuple[str, ...]]
    price_edges: tuple[float, ...]
    rated: bool

    @classmethod
    def fit(cls, timeline: pl.DataFrame) -> Vocabulary:
        """Learn from a timeline as `features.sequence.timeline` gives it."""
        words = {field: _commonest(timeline[column], most) for field, (column, most) in WORDS.items()}
        told = {field: found for field, found in words.items() if len(found) > 1 or field == PRODUCT}
        prices = timeline[c.PRICE].drop_nulls().to_numpy()
        inner = np.linspace(0, 1, PRICE_BUCKETS + 1)[1:-1]
        edges = np.unique(np.quantile(prices, inner)) if len(prices) else np.empty(0)
        return cls(told, tuple(edges.tolist()), bool(timeline[c.RATING].is_not_null().any()))

    @property
    def products(self) -> tuple[str, ...]:
        """The products' ids by code."""
        return self.words[PRODUCT]

    def timelines(self, timeline: pl.DataFrame, customers: pl.Series) -> Timelines:
        """Row k is what `customers[k]` did, whatever the order of the frame's customers; unknown words have no code."""
        rows = placed(timeline[c.CUSTOMER_ID], customers)
        order = np.argsort(rows, kind="stable")[np.count_nonzero(rows < 0) :]
        mine = timeline if len(order) == len(timeline) and (rows[:-1] <= rows[1:]).all() else timeline[order]
        lengths = np.bincount(rows[order], minlength=len(customers))
        fields = {field: self._coded(field, mine[WORDS[field][0]]) for field in self.words}
        sizes = {field: len(words) for field, words in self.words.items()}
        if self.price_edges:
            fields[PRICE], sizes[PRICE] = _bucketed(mine[c.PRICE], self.price_edges), len(self.price_edges) + 1
        if self.rated:
            stars = np.rint(mine[c.RATING].to_numpy())
            fields[RATING] = np.where(np.isnan(stars), STARS, np.clip(stars, 0, STARS - 1)).astype(np.int64)
            sizes[RATING] = STARS
        fields[BOUGHT], sizes[BOUGHT] = (mine[c.EVENT] != c.ORDER_COMPLETED).cast(pl.Int64).to_numpy(), 1
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return Timelines(starts, fields, sizes, days_of(mine[c.HAPPENED_AT]))

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        return {field: {word: place for place, word in enumerate(words)} for field, words in self.words.items()}

    def _coded(self, field: str, column: pl.Series) -> Codes:
        words = self.words[field]
        if len(column) < FEW:
            places = self._places[field]
            return np.array([places.get(word, len(words)) for word in column.to_list()], dtype=np.int64)
        codes = column.replace_strict(list(words), list(range(len(words))), default=len(words), return_dtype=pl.Int64)
        return codes.fill_null(len(words)).to_numpy()

    def save(self, folder: Path) -> None:
        """As JSON."""
        told = {"words": self.words, "price_edges": self.price_edges, "rated": self.rated}
        (folder / FILE).write_text(json.dumps(told, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Read what `save` wrote."""
        told = json.loads((folder / FILE).read_text("utf-8"))
        words = {field: tuple(found) for field, found in told["words"].items()}
        return cls(words, tuple(told["price_edges"]), told["rated"])


def days_of(moments: pl.Series) -> np.ndarray:
    """Days since 1970 with their fractions, float64."""
    return np.asarray(micros_of(moments) / DAY_MICROSECONDS, dtype=np.float64)


def _commonest(column: pl.Series, most: int) -> tuple[str, ...]:
    """The commonest values, in the order of their names, so that row order has no effect."""
    name = column.name
    counted = column.drop_nulls().value_counts(name="n").sort("n", name, descending=[True, False]).head(most)
    return tuple(counted[name].sort().to_list())


def _bucketed(prices: pl.Series, edges: tuple[float, ...]) -> Codes:
    known = prices.to_numpy()
    codes = np.searchsorted(np.array(edges), known, side="right")
    return np.where(np.isnan(known), len(edges) + 1, codes).astype(np.int64)
