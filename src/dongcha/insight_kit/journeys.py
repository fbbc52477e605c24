"""Timelines as visits: what each began and ended with, as (event, kind of product) pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.features.next_events import STARTS, actions, voted, with_visits
from dongcha.insight_kit.vocabulary import days_of
from dongcha.models.ranking.next_step import Codes, Steps

BETWEEN: Final = " · "
MOST: Final = 400
"""Pairs told apart, the commonest."""
ROW: Final = "row"
PAIR: Final = "pair"


@dataclass(frozen=True)
class Journeys:
    """Every known customer's visits before a cutoff; row k is `customers[k]`."""

    customers: pl.Series
    pairs: tuple[str, ...]
    """The pairs as they are written, by their code; visits with rarer pairs are left out."""
    steps: Steps

    @classmethod
    def of(cls, timeline: pl.DataFrame, kinds: pl.DataFrame, pairs: tuple[str, ...] | None = None) -> Journeys:
        """From a timeline as `features.sequence.timeline` gives it; `kinds`: product_id, category."""
        visits = _visits(timeline, kinds)
        pairs = pairs if pairs is not None else _commonest(visits)
        coded = visits.select(c.CUSTOMER_ID, "day", _coded("first", pairs), _coded("last", pairs))
        coded = coded.filter(pl.col("first") >= 0)
        coded = coded.with_columns(pl.when(pl.col("last") >= 0).then("last").otherwise("first").alias("last"))
        customers = timeline[c.CUSTOMER_ID].unique().sort()
        row = customers.search_sorted(coded[c.CUSTOMER_ID]).to_numpy().astype(np.int64)
        columns = (coded[name].to_numpy().astype(np.int64) for name in ("first", "last"))
        return cls(customers, pairs, Steps(row, coded["day"].to_numpy(), *columns, len(pairs), len(customers)))

    def rows(self, entities: pl.Series) -> Codes:
        """The row of each entity, shape (entities,); -1 for one who has none."""
        found = pl.DataFrame({c.ENTITY_ID: entities}).join(
            pl.DataFrame({c.ENTITY_ID: self.customers, ROW: np.arange(len(self.customers))}),
            on=c.ENTITY_ID,
            how="left",
            maintain_order="left",
        )
        return found[ROW].fill_null(-1).to_numpy().astype(np.int64)


def written(events: pl.Expr, categories: pl.Expr) -> pl.Expr:
    """A pair as people read it: "Order Completed · Coffee & Tea"; the event alone where no kind is known."""
    return pl.concat_str(events, categories, separator=BETWEEN, ignore_nulls=True)


def pair_of(truth: pl.DataFrame, kinds: pl.DataFrame) -> pl.Series:
    """Row by row with the truth (columns event, products), the pair that came; null where nothing did."""
    numbered = truth.select(c.EVENT, PRODUCTS_BOUGHT).with_row_index(ROW)
    lines = numbered.explode(PRODUCTS_BOUGHT).rename({PRODUCTS_BOUGHT: c.PRODUCT_ID})
    kind = voted(lines.join(kinds, on=c.PRODUCT_ID, how="left"), [ROW])
    told = numbered.join(kind, on=ROW, how="left", maintain_order="left")
    some = pl.when(pl.col(c.EVENT).is_not_null()).then(written(pl.col(c.EVENT), pl.col(c.CATEGORY)))
    return told.select(some.alias(PAIR))[PAIR]


def _visits(timeline: pl.DataFrame, kinds: pl.DataFrame) -> pl.DataFrame:
    """customer_id, day (days since 1970), first, last (written pairs), by customer, oldest first."""
    by = [c.CUSTOMER_ID, c.HAPPENED_AT, c.EVENT]
    moments = with_visits(voted(actions(timeline).join(kinds, on=c.PRODUCT_ID, how="left"), by))
    moments = moments.with_columns(written(pl.col(c.EVENT), pl.col(c.CATEGORY)).alias(PAIR))
    visit = pl.col(STARTS).cum_sum().alias("visit")
    grouped = moments.with_columns(visit).group_by("visit", c.CUSTOMER_ID, maintain_order=True)
    visits = grouped.agg(
        pl.col(c.HAPPENED_AT).first(), pl.col(PAIR).first().alias("first"), pl.col(PAIR).last().alias("last")
    )
    return visits.with_columns(pl.Series("day", days_of(visits[c.HAPPENED_AT])))


def _commonest(visits: pl.DataFrame) -> tuple[str, ...]:
    counted = visits["first"].value_counts(name="n").sort("n", "first", descending=[True, False]).head(MOST)
    return tuple(counted["first"].to_list())


def _coded(column: str, pairs: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).replace_strict(list(pairs), list(range(len(pairs))), default=-1, return_dtype=pl.Int64)
