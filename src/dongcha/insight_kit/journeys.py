"""Timelines as visits: what each began and ended with, as (event, kind of product) pairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.features.next_events import acted, begins, micros_of, most_told, voted
from dongcha.features.numbering import FEW, numbered, placed
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.pretrained import day_of, history_of
from dongcha.insight_kit.vocabulary import DAY_MICROSECONDS
from dongcha.models.ranking.next_guesses import Crowd, SaidByAll
from dongcha.models.ranking.next_step import Array, Codes, Steps

BETWEEN: Final = " · "
MOST: Final = 300
"""Pairs told apart, the commonest."""
ROW: Final = "row"
PAIR: Final = "pair"


@dataclass(frozen=True)
class Kinds:
    """The kinds of products by their codes, in the order of their names; and which kind each product is of, -1 none."""

    names: list[str]
    products: pl.Series
    codes: Codes

    @classmethod
    def of(cls, kinds: pl.DataFrame) -> Kinds:
        """`kinds`: product_id, category of the whole catalogue."""
        codes, names = numbered(kinds[c.CATEGORY])
        return cls(names, kinds[c.PRODUCT_ID], codes)

    def of_products(self, products: pl.Series) -> Codes:
        """The kind of each, -1 for none."""
        if len(products) < FEW:
            return np.array([self._of.get(product, -1) for product in products.to_list()], dtype=np.int64)
        places = placed(products, self.products)
        return np.where(places < 0, -1, self.codes[np.maximum(places, 0)]) if len(self.codes) else places

    def of_pairs(self, pairs: tuple[str, ...]) -> Codes:
        """The kind that each pair names."""
        places = {name: place for place, name in enumerate(self.names)}
        return np.array([places.get(pair.partition(BETWEEN)[2], -1) for pair in pairs], dtype=np.int64)

    @cached_property
    def _of(self) -> dict[str, int]:
        return dict(zip(self.products.to_list(), self.codes.tolist(), strict=True))


@dataclass(frozen=True)
class Journeys:
    """Every known customer's visits before a cutoff; row k of the crowd is `customers[k]`."""

    customers: pl.Series
    pairs: tuple[str, ...]
    """The pairs as they are written, by their code; visits with rarer pairs are left out."""
    crowd: Crowd

    @classmethod
    def of(
        cls, facts: Facts, kinds: Kinds, pairs: tuple[str, ...] | None = None, all_said: SaidByAll | None = None
    ) -> Journeys:
        """As of the facts' cutoff, in these pairs' codes or the commonest ones'.

        `all_said`: what everybody did, where the facts hold the timelines of few.
        """
        lines = _Lines.of(history_of(facts).timeline, kinds)
        visits = lines.visits()
        pairs = pairs if pairs is not None else visits.commonest()
        crowd = Crowd(visits.steps(pairs), lines.steps(), kinds.of_pairs(pairs), day_of(facts.as_of), all_said)
        return cls(pl.Series(c.CUSTOMER_ID, lines.customers, dtype=pl.String), pairs, crowd)

    def rows(self, entities: pl.Series) -> Codes:
        """The row of each entity, shape (entities,); -1 for one who has none."""
        return placed(entities, self.customers)


@dataclass(frozen=True)
class _Visits:
    """Visits by row and oldest first: the pairs that each began and ended with, as places in `said`."""

    rows: Codes
    days: Array
    first: Codes
    last: Codes
    said: list[str]
    count: int

    def commonest(self) -> tuple[str, ...]:
        """The pairs that visits begin with."""
        counted = Counter(dict(zip(self.said, np.bincount(self.first, minlength=len(self.said)).tolist(), strict=True)))
        begun = sorted((-times, pair) for pair, times in counted.items() if times)
        return tuple(pair for _, pair in begun[:MOST])

    def steps(self, pairs: tuple[str, ...]) -> Steps:
        """In the codes of these pairs; a visit that ends with a rarer one counts as if it ended as it began."""
        places = {pair: place for place, pair in enumerate(pairs)}
        codes = np.array([places.get(pair, -1) for pair in self.said], dtype=np.int64)
        first, last = codes[self.first], codes[self.last]
        keep, last = first >= 0, np.where(last >= 0, last, first)
        return Steps(self.rows[keep], self.days[keep], first[keep], last[keep], len(pairs), self.count)


@dataclass(frozen=True)
class _Lines:
    """A timeline in codes: everything a row holds is of shape (lines,), by customer and oldest first."""

    customers: list[str]
    rows: Codes
    moments: Codes
    events: Codes
    names: list[str]
    """The events' by their codes."""
    kinds: Codes
    kind_names: list[str]

    @classmethod
    def of(cls, timeline: pl.DataFrame, kinds: Kinds) -> _Lines:
        rows, customers = numbered(timeline[c.CUSTOMER_ID])
        events, names = numbered(timeline[c.EVENT])
        told = kinds.of_products(timeline[c.PRODUCT_ID])
        return cls(customers, rows, micros_of(timeline[c.HAPPENED_AT]), events, names, told, kinds.names)

    def steps(self) -> Steps:
        """Every single line that is about a product of some kind, in the kinds' codes."""
        keep = self.kinds >= 0
        kinds, days = self.kinds[keep], self.moments[keep] / DAY_MICROSECONDS
        return Steps(self.rows[keep], days, kinds, kinds, max(len(self.kind_names), 1), len(self.customers))

    def visits(self) -> _Visits:
        lines = acted(self.rows, self.moments, self.events, self.names)
        rows, moments = self.rows[lines], self.moments[lines]
        new = (np.diff(rows, prepend=-1) != 0) | (np.diff(moments, prepend=-1) != 0)
        at = np.flatnonzero(new)
        kinds = most_told(np.cumsum(new) - 1, self.kinds[lines], len(at)) if len(at) else np.empty(0, np.int64)
        pair = self.events[lines][at] * (len(self.kind_names) + 1) + kinds + 1
        start = np.flatnonzero(begins(rows[at], moments[at]))
        ends = np.append(start[1:], len(at))[: len(start)] - 1
        told, places = np.unique(pair, return_inverse=True)
        days = moments[at][start] / DAY_MICROSECONDS
        said = [self._written(one) for one in told.tolist()]
        return _Visits(rows[at][start], days, places[start], places[ends], said, len(self.customers))

    def _written(self, pair: int) -> str:
        """As people read it: "Order Completed · Coffee & Tea"; the event alone where no kind is known."""
        event, kind = divmod(pair, len(self.kind_names) + 1)
        return self.names[event] + (BETWEEN + self.kind_names[kind - 1] if kind else "")


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
