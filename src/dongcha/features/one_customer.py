"""The declared features and the timeline of one customer at any moment, in milliseconds.

The same expressions that a snapshot runs over everybody, written once as SQL for SQLite and asked of one customer's few
rows: planning alone takes DuckDB a hundred times longer than SQLite takes for all of it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.declare import lookup, with_parts
from dongcha.features.point_in_time import BUYER, DECIMALS, EPOCH, Snapshot, completed
from dongcha.features.sales import NOT_A_SALE
from dongcha.features.sequence import own_schema, parts

if TYPE_CHECKING:
    import ibis.expr.types as ir

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
"""Table → rows of one customer, of products those that the rows name; columns as the contract's, any may be absent."""

NOW: Final = 7_777_777_777_777_777
"""Stands for the moment in the SQL until it is made a parameter; no other number of it looks like this."""
TOLD: Final = "told"
MARKET: Final = "\x00everybody else"
"""The customer in whose name all others' purchases of a product stand, where a feature compares prices."""
FRESH: Final = "table"
"""The key by which a row that was not there when the market was counted says which table it is of."""
MARKETS: Final = {c.PRODUCT_ID: pl.String(), "paid": pl.Float64(), "items": pl.Float64()}


@dataclass(frozen=True)
class Recipe:
    """SQL for SQLite; the moment is `:now`, in microseconds since 1970, as are the moments in the rows."""

    tables: dict[str, list[str]]
    grains: list[str]
    """Each gives customer_id and the features of one grain."""
    parts: list[str]
    """All features of the grains: the columns of the table `told`, of one row."""
    features: list[str]
    final: str
    """What the features come to, from that row."""
    timeline: list[str]

    @classmethod
    def of(cls, facts: Snapshot, features: Iterable[str]) -> Recipe:
        """For these features and the timeline, of the tables that are loaded; takes seconds."""
        tables = tuple(sorted(facts.versions))
        return _recipe(tables, tuple(facts.available(features)), lambda: cls._made(facts, features))

    @classmethod
    def _made(cls, facts: Snapshot, features: Iterable[str]) -> Recipe:
        asked = _Asked(facts)
        wanted = [lookup(name) for name in facts.available(features)]
        needed = with_parts([lookup(BUYER), *wanted]) if wanted else []
        grains = asked.aggregates(needed)
        told = {name: kind for grain in grains for name, kind in grain.schema().items() if name != c.CUSTOMER_ID}
        final = completed(_named(TOLD, told), needed).select(*(f.name for f in wanted)) if wanted else None
        lines = [_sql(part) for part in parts(asked)]
        return cls(
            {name: list(table.columns) for name, table in asked.seen.items()},
            [_sql(grain) for grain in grains],
            list(told),
            [feature.name for feature in wanted],
            "" if final is None else _sql(final),
            lines,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        return cls(**json.loads(text))


_made: dict[tuple[tuple[str, ...], tuple[str, ...]], Recipe] = {}


def _recipe(tables: tuple[str, ...], features: tuple[str, ...], make: Callable[[], Recipe]) -> Recipe:
    """The contract's tables have the same columns everywhere, so the names decide what the recipe is."""
    if (tables, features) not in _made:
        _made[tables, features] = make()
    return _made[tables, features]


class OneCustomer:
    """A recipe made ready: asked with one customer's rows and a moment. Any thread may ask."""

    def __init__(self, recipe: Recipe, market: Mapping[str, tuple[float, float]]) -> None:
        """`market`: product → what everybody paid for it and how many were bought, as `market_of` found it.

        It counts this customer's rows but the FRESH ones.
        """
        self.recipe, self.market = recipe, market
        self._own = threading.local()

    def features(self, rows: Rows, customer_id: str, as_of: AsOf) -> dict[str, float | None]:
        """Every feature of the recipe as of a moment, of whoever they are; null where it does not apply.

        Rows at or after the moment, or known only after it, say nothing.
        """
        if not self.recipe.final:
            return {}
        asked = self._asked(known_before(rows, as_of), as_of)
        told: dict[str, Any] = {}
        for sql in self.recipe.grains:
            for row in asked(sql):
                if row[c.CUSTOMER_ID] == customer_id:
                    told |= row
        asked.fill(TOLD, [told])
        found = next(iter(asked(self.recipe.final)))
        return {name: _finite(found[name]) for name in self.recipe.features}

    def timeline(self, rows: Rows, as_of: AsOf) -> list[tuple[Any, ...]]:
        """What they did, in no order: columns as `features.sequence.own_schema`, moments in microseconds since 1970."""
        asked = self._asked(known_before(rows, as_of), as_of, market=False)
        columns = own_schema()
        return [tuple(row[name] for name in columns) for sql in self.recipe.timeline for row in asked(sql)]

    def _asked(self, rows: Rows, as_of: AsOf, *, market: bool = True) -> _Desk:
        if not hasattr(self._own, "desk"):
            self._own.desk = _Desk(self.recipe)
        desk: _Desk = self._own.desk
        desk.now = micros(as_of.moment)
        for name in self.recipe.tables:
            others = self._others(rows) if market and name == c.ORDERS else []
            desk.fill(name, [*rows.get(name, ()), *others])
        return desk

    def _others(self, rows: Rows) -> list[Row]:
        """One line for each product that was bought: what all others paid for it, and how many they bought."""
        others: dict[str, tuple[float, float]] = {}
        for row in rows.get(c.ORDERS, ()):
            product = str(row.get(c.PRODUCT_ID))
            if product in self.market:
                paid, items = others.get(product, self.market[product])
                own = 0.0 if row.get(FRESH) or not _sold(row) else float(row[c.QUANTITY])
                others[product] = paid - own * float(row.get(c.PRICE) or 0), items - own
        line = {c.CUSTOMER_ID: MARKET, c.ORDER_ID: MARKET, c.HAPPENED_AT: 0}
        return [
            {**line, c.PRODUCT_ID: product, c.QUANTITY: items, c.PRICE: paid / items}
            for product, (paid, items) in others.items()
            if items > 0
        ]


def _sold(row: Row) -> bool:
    """As `features.sales.sale_lines` has it."""
    return (row.get(c.QUANTITY) or 0) > 0 and (row.get(c.STATUS) or "").lower() not in NOT_A_SALE


def known_before(rows: Rows, as_of: AsOf) -> Rows:
    """The rows that a snapshot at this moment would hold."""
    now = micros(as_of.moment)

    def there(row: Row) -> bool:
        known = row.get(c.KNOWN_AT)
        return micros(row[c.HAPPENED_AT]) < now and (known is None or micros(known) <= now)

    return {name: [row for row in some if name == c.PRODUCTS or there(row)] for name, some in rows.items()}


def market_of(facts: Snapshot) -> pl.DataFrame:
    """What everybody together paid for each product, and how many they bought: columns as MARKETS."""
    if not facts.has(c.ORDERS):
        return pl.DataFrame(schema=MARKETS)
    from dongcha.features import sales

    lines = sales.sale_lines(facts.table(c.ORDERS))
    bought = lines.filter(lines[sales.PURCHASED], lines[c.PRODUCT_ID].notnull())
    found = bought.group_by(c.PRODUCT_ID).aggregate(paid=bought[sales.GROSS].sum(), items=bought[c.QUANTITY].sum())
    told = facts.lake.engine.to_polars(found).select(pl.col(name).cast(kind) for name, kind in MARKETS.items())
    return told.sort(c.PRODUCT_ID)


def micros(moment: Any) -> int:
    """A moment in microseconds since 1970; a number is one already."""
    if isinstance(moment, datetime):
        since = moment - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return int(moment)


class _Desk:
    """One thread's database in memory, its tables filled anew for every question."""

    def __init__(self, recipe: Recipe) -> None:
        self.now = 0
        self.columns = {**recipe.tables, TOLD: recipe.parts}
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        _teach(self.connection)
        for name, columns in self.columns.items():
            named = ", ".join(f'"{column}"' for column in columns) or '"nothing"'
            self.connection.execute(f'CREATE TABLE "{name}" ({named})')

    def fill(self, name: str, rows: Sequence[Row]) -> None:
        """Make these all the rows of a table."""
        columns = self.columns[name]
        self.connection.execute(f'DELETE FROM "{name}"')
        if rows and columns:
            values = [tuple(_plain(row.get(column)) for column in columns) for row in rows]
            self.connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})', values)

    def __call__(self, sql: str) -> list[dict[str, Any]]:
        found = self.connection.execute(sql, {"now": self.now})
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]


def _plain(value: Any) -> Any:
    """As SQLite keeps it."""
    if isinstance(value, datetime):
        return micros(value)
    return float(value) if isinstance(value, Decimal) else value


def _finite(value: Any) -> float | None:
    if value is None or not np.isfinite(number := float(value)):
        return None
    return round(number, DECIMALS)


class _Asked(Snapshot):
    """A snapshot of tables that have names and columns, but no rows yet, and of a moment that is yet to be told."""

    def __init__(self, facts: Snapshot) -> None:
        super().__init__(facts.lake, facts.as_of, facts.versions)
        self.facts, self.seen = facts, dict[str, "ir.Table"]()

    @property
    def dialect(self) -> str:
        return "sqlite"

    @property
    def moment(self) -> Any:
        import ibis

        return ibis.literal(NOW, "int64")

    def table(self, name: str) -> ir.Table:
        if name not in self.seen:
            self.seen[name] = _named(name, self.facts.table(name).schema())
        return self.seen[name]


def _named(name: str, schema: Any) -> ir.Table:
    import ibis

    return ibis.table(schema, name=name)


def _sql(expression: ir.Table) -> str:
    """SQLite's SQL; medians, covariances and the value at a maximum, which it lacks, are ours (`_teach`)."""
    import ibis.expr.operations as ops
    from ibis.backends.sql.compilers.sqlite import SQLiteCompiler

    ours = (ops.Median, ops.Covariance)

    class Compiler(SQLiteCompiler):  # type: ignore[misc, unused-ignore]
        UNSUPPORTED_OPS = tuple(op for op in SQLiteCompiler.UNSUPPORTED_OPS if op not in ours)

        def visit_Median(self, op: Any, *, arg: Any, where: Any) -> Any:
            return self.agg.median_of(arg, where=where)

        def visit_Covariance(self, op: Any, *, left: Any, right: Any, how: str, where: Any) -> Any:
            return self.agg[f"covariance_{how}"](left, right, where=where)

        def _visit_arg_reduction(self, func: str, op: Any, *, arg: Any, key: Any, where: Any) -> Any:
            return self.agg[f"arg_{func}_of"](arg, key, where=where)

    made = Compiler().to_sqlglot(expression.unbind())
    return str(made.sql(dialect="sqlite")).replace(str(NOW), ":now")


class _Gathered:
    """An aggregate over the rows in which no argument is null."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def step(self, *row: Any) -> None:
        if None not in row:
            self.rows.append(row)


class _Median(_Gathered):
    def finalize(self) -> float | None:
        return float(np.median(self.rows)) if self.rows else None


class _Covariance(_Gathered):
    ddof = 1

    def finalize(self) -> float | None:
        if len(self.rows) <= self.ddof:
            return None
        table = np.array([(row[0], row[-1]) for row in self.rows], dtype=np.float64)
        return float((table - table.mean(axis=0)).prod(axis=1).sum() / (len(table) - self.ddof))


class _PopulationCovariance(_Covariance):
    ddof = 0


class _ArgMax(_Gathered):
    def finalize(self) -> Any:
        return max(self.rows, key=lambda row: row[1])[0] if self.rows else None


class _ArgMin(_Gathered):
    def finalize(self) -> Any:
        return min(self.rows, key=lambda row: row[1])[0] if self.rows else None


def _teach(connection: sqlite3.Connection) -> None:
    """The functions that Ibis counts on, and the aggregates that SQLite lacks."""
    from ibis.backends.sqlite import udf

    udf.register_all(connection)
    ours: dict[tuple[str, int], type[Any]] = {
        ("median_of", 1): _Median,
        ("covariance_sample", 2): _Covariance,
        ("covariance_pop", 2): _PopulationCovariance,
        # Ibis's own divides by zero where there is one row.
        ("_ibis_var_sample", 1): _Covariance,
        ("_ibis_var_pop", 1): _PopulationCovariance,
        ("arg_max_of", 2): _ArgMax,
        ("arg_min_of", 2): _ArgMin,
    }
    for (name, arguments), made in ours.items():
        connection.create_aggregate(name, arguments, made)
