"""Timelines as visits: what each began and ended with, as (event, kind of product) pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.features.next_events import STARTS, actions, voted, with_visits
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.pretrained import day_of, history_of
from dongcha.insight_kit.vocabulary import days_of
from dongcha.models.ranking.next_guesses import Crowd, SaidByAll
from dongcha.models.ranking.next_step import Codes, Steps

BETWEEN: Final = " · "
MOST: Final = 300
"""Pairs told apart, the commonest."""
ROW: Final = "row"
PAIR: Final = "pair"


@dataclass(frozen=True)
class Kinds:
    """The pairs, the names of the kinds of products in the order of their codes, and each pair's kind, -1 for none."""

    pairs: tuple[str, ...]
    names: list[str]
    kind_of: Codes

    @classmethod
    def of(cls, kinds: pl.DataFrame, pairs: tuple[str, ...]) -> Kinds:
        """`kinds`: product_id, category of the whole catalogue."""
        names = kinds[c.CATEGORY].drop_nulls().unique().sort().to_list()
        return cls(
            pairs, names, np.array([_place(names, pair.partition(BETWEEN)[2]) for pair in pairs], dtype=np.int64)
        )


@dataclass(frozen=True)
class Journeys:
    """Every known customer's visits before a cutoff; row k of the crowd is `customers[k]`."""

    customers: pl.Series
    pairs: tuple[str, ...]
    """The pairs as they are written, by their code; visits with rarer pairs are left out."""
    crowd: Crowd

    @classmethod
    def of(cls, facts: Facts, kinds: pl.DataFrame, pairs: tuple[str, ...] | None = None) -> Journeys:
        """As of the facts' cutoff, in these pairs' codes or the commonest ones'; `kinds`: product_id, category."""
        timeline = history_of(facts).timeline
        visits = _visits(timeline, kinds)
        pairs = pairs if pairs is not None else _commonest(visits)
        return _journeys(facts, visits, kinds, Kinds.of(kinds, pairs))

    @classmethod
    def among(cls, facts: Facts, kinds: pl.DataFrame, named: Kinds, all_said: SaidByAll) -> Journeys:
        """Those of the few whose timelines the facts hold; `kinds`: at least of their products."""
        return _journeys(facts, _visits(history_of(facts).timeline, kinds), kinds, named, all_said)

    def rows(self, entities: pl.Series) -> Codes:
        """The row of each entity, shape (entities,); -1 for one who has none."""
        found = pl.DataFrame({c.ENTITY_ID: entities}).join(
            pl.DataFrame({c.ENTITY_ID: self.customers, ROW: np.arange(len(self.customers))}),
            on=c.ENTITY_ID,
            how="left",
            maintain_order="left",
        )
        return found[ROW].fill_null(-1).to_numpy().astype(np.int64)


def _journeys(
    facts: Facts, visits: pl.DataFrame, kinds: pl.DataFrame, named: Kinds, all_said: SaidByAll | None = None
) -> Journeys:
    timeline = history_of(facts).timeline
    customers = timeline[c.CUSTOMER_ID].unique().sort()
    steps, lines = _steps(visits, named.pairs, customers), _lines(timeline, kinds, named.names, customers)
    return Journeys(customers, named.pairs, Crowd(steps, lines, named.kind_of, day_of(facts.as_of), all_said))


def written(events: pl.Expr, categories: pl.Expr) -> pl.Expr:
    """A pair as people read it: "Order Completed · Coffee & Tea"; the event alone where no kind is known."""
    return pl.concat_str(events, categories, separator=BETWEEN, ignore_nulls=True)


def pair_of(truth: pl.DataFrame, kinds: pl.DataFrame) -> pl.Series:
    """Row by row with the truth (columns event, products), the pair that came; null where nothing did."""
    numbered = truth.select(c.EVENT, PRODUCTS_BOUGHT).with_row_index(ROW)
    lines = numbered.explode(PRODUCTS_BOUGHT, empty_as_null=True).rename({PRODUCTS_BOUGHT: c.PRODUCT_ID})
    kind = voted(lines.join(kinds, on=c.PRODUCT_ID, how="left"), [ROW])
    told = numbered.join(kind, on=ROW, how="left", maintain_order="left")
    some = pl.when(pl.col(c.EVENT).is_not_null()).then(written(pl.col(c.EVENT), pl.col(c.CATEGORY)))
    return told.select(some.alias(PAIR))[PAIR]


def _steps(visits: pl.DataFrame, pairs: tuple[str, ...], customers: pl.Series) -> Steps:
    coded = visits.select(c.CUSTOMER_ID, "day", _coded("first", pairs), _coded("last", pairs))
    coded = coded.filter(pl.col("first") >= 0)
    last = pl.when(pl.col("last") >= 0).then("last").otherwise("first")
    return _rows_of(coded.with_columns(last.alias("last")), customers, len(pairs))


def _lines(timeline: pl.DataFrame, kinds: pl.DataFrame, names: list[str], customers: pl.Series) -> Steps:
    """Every single line that is about a product of some kind, in the kinds' codes."""
    told = timeline.select(c.CUSTOMER_ID, c.HAPPENED_AT, c.PRODUCT_ID).join(
        kinds.drop_nulls(), on=c.PRODUCT_ID, how="inner", maintain_order="left"
    )
    code = pl.col(c.CATEGORY).replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)
    coded = told.select(c.CUSTOMER_ID, code.alias("first"), code.alias("last"))
    day = pl.Series("day", days_of(told[c.HAPPENED_AT]))
    return _rows_of(coded.with_columns(day), customers, max(len(names), 1))


def _rows_of(coded: pl.DataFrame, customers: pl.Series, things: int) -> Steps:
    """`coded`: customer_id, day, first, last, by customer, oldest first."""
    row = pl.DataFrame({c.CUSTOMER_ID: customers, ROW: np.arange(len(customers))})
    rows = coded.select(c.CUSTOMER_ID).join(row, on=c.CUSTOMER_ID, how="left", maintain_order="left")[ROW].to_numpy()
    first, last = (coded[name].to_numpy().astype(np.int64) for name in ("first", "last"))
    return Steps(rows.astype(np.int64), coded["day"].to_numpy(), first, last, things, len(customers))


def _place(names: list[str], name: str) -> int:
    return names.index(name) if name in names else -1


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
