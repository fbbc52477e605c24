"""What customers did one thing after another, as of a cutoff: for insights that read more than features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from dongcha import columns as c

Progress = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)."""


def unwatched(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class History:
    """Timelines, catalogue, traits and texts at a cutoff, each found when first asked for.

    `scratch`: a folder of the workspace in which a long training may keep what it has, so that it goes on after a kill.
    """

    find_timeline: Callable[[], pl.DataFrame]
    find_catalogue: Callable[[], pl.DataFrame]
    find_traits: Callable[[], pl.DataFrame]
    find_said: Callable[[], pl.DataFrame]
    scratch: Path | None = None
    progress: Progress = unwatched

    @cached_property
    def timeline(self) -> pl.DataFrame:
        """Columns as `features.sequence.TIMELINE`: all known customers' events, by customer, oldest first."""
        return self.find_timeline()

    @cached_property
    def catalogue(self) -> pl.DataFrame:
        """Columns as `features.sequence.CATALOGUE`: one row per product, by product."""
        return self.find_catalogue()

    @cached_property
    def traits(self) -> pl.DataFrame:
        """As `features.traits.traits`: customer_id and one String column per trait, by customer."""
        return self.find_traits()

    @cached_property
    def said(self) -> pl.DataFrame:
        """Columns as `features.texts.TEXTS`: everything that customers said, by text_id, with its own rating."""
        return self.find_said()

    @cached_property
    def products(self) -> pl.Series:
        """The products' ids, in the order in which rankers number them."""
        return self.catalogue[c.PRODUCT_ID]
