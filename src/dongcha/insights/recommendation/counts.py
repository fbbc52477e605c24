"""What the rankers are told as of a cutoff: who took what when, over the catalogue's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.history import History
from dongcha.insight_kit.vocabulary import days_of
from dongcha.models.ranking.sequences import Sequences

BOUGHT: Final = (c.ORDER_COMPLETED,)
LOOKED_AT: Final = (c.PRODUCT_VIEWED, c.PRODUCT_ADDED, c.WISHLIST_ADDED)


@dataclass(frozen=True)
class Counts:
    """Everybody's purchases and looks as of a cutoff, as sequences over the catalogue."""

    history: History
    today: float
    """The cutoff, in days since 1970."""

    @cached_property
    def customers(self) -> pl.Series:
        """Who has a timeline, sorted."""
        return self.history.timeline[c.CUSTOMER_ID].unique().sort()

    @cached_property
    def bought(self) -> Sequences:
        """What each of `customers` bought, oldest first; one empty row more at the end, for who is not among them."""
        return self._sequences(BOUGHT)

    @cached_property
    def looked_at(self) -> Sequences:
        """What each of `customers` looked at, put into the cart or wished for; the same rows."""
        return self._sequences(LOOKED_AT)

    @cached_property
    def categories(self) -> np.ndarray:
        """Each product's category number, int64, -1 where it has none."""
        category = self.history.catalogue[c.CATEGORY]
        return category.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1

    def traits(self, entities: pl.Series) -> np.ndarray:
        """What the entities are, shape (entities, traits), int64: each value's number, -1 where it is not known."""
        mine = pl.DataFrame({c.CUSTOMER_ID: entities.cast(pl.String)})
        found = mine.join(self._coded_traits, on=c.CUSTOMER_ID, how="left", maintain_order="left").drop(c.CUSTOMER_ID)
        return found.fill_null(-1).to_numpy().astype(np.int64).reshape(len(entities), found.width)

    @cached_property
    def _coded_traits(self) -> pl.DataFrame:
        """customer_id + each trait's value as a number, Int64, from 0."""
        return self.history.traits.with_columns(pl.exclude(c.CUSTOMER_ID).rank("dense").cast(pl.Int64) - 1)

    def rows(self, entities: pl.Series) -> np.ndarray:
        """The entities' rows in `bought` and `looked_at`."""
        place = self.customers.search_sorted(entities.cast(pl.String)).to_numpy().astype(np.int64)
        place = np.minimum(place, max(len(self.customers) - 1, 0))
        known = entities.is_in(self.customers.implode()).to_numpy()
        return np.where(known, place, len(self.customers))

    def numbers_of(self, products: Sequence[str]) -> np.ndarray:
        """The catalogue's number of each of these products, -1 where it is gone; ascending as they are."""
        mine, theirs = self.history.products, pl.Series(products, dtype=pl.String)
        places = np.minimum(mine.search_sorted(theirs).to_numpy().astype(np.int64), max(len(mine) - 1, 0))
        return np.where(theirs.is_in(mine.implode()).to_numpy(), places, -1)

    def since(self, days: float) -> Sequences:
        """What was bought in the last `days`."""
        assert self.bought.days is not None
        keep = self.bought.days >= self.today - days
        lengths = np.bincount(self.bought.rows()[keep], minlength=len(self.bought))
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return Sequences(self.bought.items[keep], starts, self.bought.catalogue, self.bought.days[keep])

    def _sequences(self, events: Sequence[str]) -> Sequences:
        numbers = pl.DataFrame(
            {c.PRODUCT_ID: self.history.products, "item": np.arange(len(self.history.products), dtype=np.int64)}
        )
        numbered = pl.DataFrame({c.CUSTOMER_ID: self.customers, "row": np.arange(len(self.customers))})
        mine = self.history.timeline.filter(pl.col(c.EVENT).is_in(list(events)))
        mine = mine.join(numbers, on=c.PRODUCT_ID, how="inner", maintain_order="left")
        mine = mine.join(numbered, on=c.CUSTOMER_ID, how="inner", maintain_order="left")
        rows = len(self.customers) + 1
        lengths = np.bincount(mine["row"].to_numpy(), minlength=rows)
        return Sequences(
            mine["item"].to_numpy(),
            np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            len(self.history.products),
            days_of(mine[c.HAPPENED_AT]),
            np.full(rows, self.today),
        )
