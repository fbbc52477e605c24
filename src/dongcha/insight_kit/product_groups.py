"""What kind of thing a product is: its category, or a family told from its name where the shop keeps no categories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.models.grouping.families import Families

ENOUGH_CATEGORIES: Final = 0.5
"""Where a smaller share of the catalogue has a category, the others get a family by their names."""


@dataclass(frozen=True)
class ProductGroups:
    """A catalogue's way of grouping products, learnt once; `families` has no words where categories do."""

    families: Families

    @classmethod
    def fit(cls, catalogue: pl.DataFrame) -> ProductGroups:
        """Learn from a catalogue (columns as `features.sequence.CATALOGUE`), whatever the order of its rows."""
        named = catalogue.filter(pl.col(c.CATEGORY).is_null())[c.NAME].drop_nulls()
        if len(named) <= (1 - ENOUGH_CATEGORIES) * len(catalogue):
            return cls(Families(()))
        return cls(_families(tuple(named.sort())))

    def of(self, catalogue: pl.DataFrame) -> pl.DataFrame:
        """product_id, category (its own, else its family's word, else null), by product."""
        own = catalogue.select(c.PRODUCT_ID, c.CATEGORY)
        if not self.families.words:
            return own
        family = pl.Series("family", self.families.of(catalogue[c.NAME].to_list()), dtype=pl.String)
        return own.with_columns(pl.coalesce(c.CATEGORY, family).alias(c.CATEGORY))

    def save(self, folder: Path) -> None:
        """As JSON."""
        self.families.save(folder)

    @classmethod
    def load(cls, folder: Path) -> ProductGroups:
        """Read what `save` wrote."""
        return cls(Families.load(folder))


@lru_cache(maxsize=16)
def _families(names: tuple[str, ...]) -> Families:
    """Every contender of a fold, and its judge, ask for the same."""
    return Families.fit(names)
