"""The one place that cuts time: what could be known about customers strictly before a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property, reduce
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, micros
from dongcha.errors import MissingDataError
from dongcha.features.declare import Feature, Grain, lookup, with_parts
from dongcha.features.identities import current, people, resolved
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import ALWAYS

if TYPE_CHECKING:
    import ibis.expr.types as ir

BUYER: Final = "orders"
"""The feature that says who is a buyer: it is never zero for one."""
DOES: Final = (c.ORDERS, c.EVENTS, c.REVIEWS, c.MESSAGES)
"""The tables whose rows are things that a customer did."""
DECIMALS: Final = 6
"""Threads add in no fixed order; what that changes lies far behind this decimal, so equal facts give equal numbers."""


class Crowd(StrEnum):
    """Whom features are computed for."""

    BUYERS = "buyers"
    """Who bought at least once before the cutoff."""
    KNOWN = "known"
    """Who did anything before the cutoff, or registered at a known moment before it."""


def whole_table(lake: Lake, name: str, version: int | None = None) -> ir.Table:
    """Every row of a table, whenever it happened: for this file and for labels only."""
    return lake.read(name, version)


class Snapshot:
    """The lake as it was known at `as_of`: rows that happened before it and were known by then.

    The tables' versions are pinned, so that what is loaded meanwhile changes nothing.
    """

    def __init__(self, lake: Lake, as_of: AsOf, versions: Mapping[str, int] | None = None) -> None:
        """Look at `lake` as of a moment; `versions` repeats an earlier look, default: the newest versions."""
        self.lake = lake
        self.as_of = as_of
        self.versions = dict(lake.versions() if versions is None else versions)
        self._grains: dict[str, ir.Table] = {}
        self._only: tuple[str, str] | None = None

    def within(self, first: str, last: str) -> Snapshot:
        """The same look at those customers alone whose ids lie between two, both included, in the order of bytes.

        What is told of products from it, and features that are relative to other customers, are of these alone.
        """
        narrowed = Snapshot(self.lake, self.as_of, self.versions)
        narrowed._only = (first, last)
        return narrowed

    @property
    def dialect(self) -> str:
        """What the engine is called that runs this snapshot's expressions."""
        return str(self.lake.engine.connection.name)

    @property
    def moment(self) -> Any:
        """The cutoff in microseconds since 1970."""
        return micros(self.as_of.moment)

    def has(self, table: str) -> bool:
        """Whether the table was loaded."""
        return table in self.versions

    def table(self, name: str) -> ir.Table:
        """The table's rows with `happened_at` before the cutoff, known by the cutoff; customers one row each.

        `customer_id` is who was known by the cutoff to be behind the row's own id, by the table identities. Every
        call reads the files afresh: rows that two grains share would be kept whole in memory, while each grain's own
        reader takes only the columns it needs. Raises MissingDataError where the table is not loaded.
        """
        if not self.has(name):
            raise MissingDataError(f"The table '{name}' is not loaded.", _load(name))
        rows = self.told(name)
        links = self.links
        if name == c.CUSTOMERS:
            return current(rows, links)
        return rows if links is None else resolved(rows, links)

    @cached_property
    def links(self) -> ir.Table | None:
        """Which alias is which customer, as known by the cutoff: alias_id, person; None where there is no link."""
        import ibis

        if not self.has(c.IDENTITIES):
            return None
        told = self.told(c.IDENTITIES).select(c.MESSAGE_ID, c.ALIAS_ID, c.CUSTOMER_ID, c.HAPPENED_AT, c.KNOWN_AT)
        found = people(self.lake.engine.to_polars(told))
        return None if found.is_empty() else ibis.memtable(found)

    def told(self, name: str) -> ir.Table:
        """The table's rows as they were told, those that happened before the cutoff and were known by it."""
        rows = whole_table(self.lake, name, self.versions[name])
        known = rows[c.KNOWN_AT].isnull() | (rows[c.KNOWN_AT] <= self.as_of.moment)
        rows = rows.filter(rows[c.HAPPENED_AT] < self.as_of.moment, known)
        if self._only is None or c.CUSTOMER_ID not in rows.columns:
            return rows
        return rows.filter(rows[c.CUSTOMER_ID].between(*self._only))

    def grain(self, grain: Grain) -> ir.Table:
        """The snapshot's rows at this grain."""
        if grain.name not in self._grains:
            self._grains[grain.name] = grain.build(self)
        return self._grains[grain.name]

    def available(self, names: Iterable[str | Feature]) -> list[str]:
        """Those of the features about customers whose tables are loaded, in the given order."""
        asked = [feature for feature in map(_feature, names) if feature.entity == c.CUSTOMER_ID]
        return [feature.name for feature in asked if all(map(self.has, feature.tables))]

    def features(self, names: Sequence[str | Feature], crowd: Crowd = Crowd.BUYERS) -> pl.DataFrame:
        """`customer_id` (String, sorted) and one Float64 column per feature; one row per customer of the crowd.

        Null means that the feature does not apply. Raises MissingDataError where a feature's table is not loaded.
        """
        wanted = [_feature(name) for name in names]
        for feature in wanted:
            self._require(feature)
        rows = self.lake.engine.to_polars(self.plan(wanted, crowd))
        numbers = [_finite(pl.col(feature.name)) for feature in wanted]
        return rows.select(pl.col(c.CUSTOMER_ID).cast(pl.String), *numbers).sort(c.CUSTOMER_ID)

    def plan(self, wanted: Sequence[Feature], crowd: Crowd = Crowd.BUYERS) -> ir.Table:
        """The one expression that computes the features: each grain aggregated once, then joined to the crowd."""
        buyers = crowd is Crowd.BUYERS
        parts = with_parts([lookup(BUYER), *wanted] if buyers else wanted)
        aggregates = self.aggregates(parts)
        rows = _side_by_side(aggregates if buyers else [self._known(), *aggregates])
        rows = rows.filter(rows[BUYER] > 0) if buyers else rows
        return completed(rows, parts).select(c.CUSTOMER_ID, *(feature.name for feature in wanted))

    def aggregates(self, parts: Sequence[Feature]) -> list[ir.Table]:
        """For each grain of these features one table: customer_id and what is told from that grain."""
        taken = [feature for feature in parts if feature.grain is not None]
        return [self._aggregate(grain, group) for grain, group in _by_grain(taken)]

    def _known(self) -> ir.Table:
        """Every known customer once. An undated row of customers is no sign that somebody was there by the cutoff."""
        did = [self.table(name) for name in DOES if self.has(name)]
        if self.has(c.CUSTOMERS):
            rows = self.table(c.CUSTOMERS)
            registered = rows[c.CREATED_AT] < self.as_of.moment
            did.append(rows.filter(registered | (rows[c.HAPPENED_AT] > ALWAYS)))
        named = [rows.filter(rows[c.CUSTOMER_ID].notnull()).select(c.CUSTOMER_ID) for rows in did]
        return reduce(lambda some, more: some.union(more), named).distinct()

    def _aggregate(self, grain: Grain, features: Sequence[Feature]) -> ir.Table:
        rows = self.grain(grain)
        return rows.group_by(c.CUSTOMER_ID).aggregate(**{f.name: f.expression(rows) for f in features})

    def _require(self, feature: Feature) -> None:
        missing = sorted(table for table in feature.tables if not self.has(table))
        if missing:
            raise MissingDataError(
                f"The feature '{feature.name}' is told from the table '{missing[0]}', which is not loaded.",
                _load(missing[0]),
            )


def _load(table: str) -> str:
    return f"Load it with: dongcha load FILE --as {table}."


def _feature(name: str | Feature) -> Feature:
    return name if isinstance(name, Feature) else lookup(name)


def _by_grain(features: Sequence[Feature]) -> list[tuple[Grain, list[Feature]]]:
    """The features by grain, the buyers' own grain first: the others are joined to it."""
    first = lookup(BUYER).grain
    ordered = sorted(features, key=lambda f: (f.grain != first, f.grain.name if f.grain else ""))
    return [(grain, list(group)) for grain, group in groupby(ordered, key=lambda f: f.grain) if grain is not None]


def _side_by_side(aggregates: Sequence[ir.Table]) -> ir.Table:
    """The other aggregates joined to the first, the crowd."""
    crowd, *others = aggregates
    joined = reduce(lambda rows, other: rows.left_join(other, c.CUSTOMER_ID), others, crowd)
    names = [name for table in aggregates for name in table.columns if name != c.CUSTOMER_ID]
    return joined.select(c.CUSTOMER_ID, *names)


def completed(rows: ir.Table, parts: Sequence[Feature]) -> ir.Table:
    """The aggregates with what stands for no row at all, and all that is combined from them; `parts`: parts first."""
    absent = {f.name: rows[f.name].fill_null(f.absent) for f in parts if f.grain is not None and f.absent is not None}
    return _with_derived(rows.mutate(**absent), [feature for feature in parts if feature.grain is None])


def _with_derived(rows: ir.Table, features: Sequence[Feature]) -> ir.Table:
    """Add what is combined from other features, as many at a time as have all their parts."""
    while features:
        ready = [feature for feature in features if set(feature.of) <= set(rows.columns)]
        rows = rows.mutate(**{f.name: f.expression(*(rows[part] for part in f.of)) for f in ready})
        features = [feature for feature in features if feature not in ready]
    return rows


def _finite(column: pl.Expr) -> pl.Expr:
    number = column.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number.round(DECIMALS))
