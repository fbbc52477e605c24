"""The recipe made: what features and timelines are, as SQL for SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.features.declare import Feature, lookup, with_parts
from dongcha.features.point_in_time import BUYER, Snapshot, completed
from dongcha.features.sequence import parts

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOW: Final = 7_777_777_777_777_777
"""Stands for the moment in the SQL until it is made a parameter; no other number of it looks like this."""
TOLD: Final = "told"
MARKETS: Final = {c.PRODUCT_ID: pl.String(), "paid": pl.Float64(), "items": pl.Float64()}


@dataclass(frozen=True)
class Question:
    """SQL for SQLite, and the tables that it reads; the moment is `:now`, in microseconds since 1970 as in the rows."""

    sql: str
    tables: list[str]


@dataclass(frozen=True)
class Recipe:
    """All that can be asked about one customer's rows."""

    tables: dict[str, list[str]]
    """Table → its columns that some question reads, in their order."""
    grains: list[Question]
    """Each gives customer_id and what is told from the rows of one grain."""
    parts: list[str]
    """All that the grains tell: the columns of the table `told`, of one row."""
    features: dict[str, list[int]]
    """Feature → which grains it is told from."""
    final: str
    """What the features come to, from that row."""
    timeline: list[Question]
    """Each gives what one table adds to the timeline: columns as `features.sequence.own_schema`."""

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
        questions, timeline = [_question(grain) for grain in grains], [_question(part) for part in parts(asked)]
        place = {name: k for k, grain in enumerate(grains) for name in grain.columns if name != c.CUSTOMER_ID}
        return cls(
            {name: _read(table.columns, [*questions, *timeline]) for name, table in asked.seen.items()},
            questions,
            list(told),
            {feature.name: sorted({place[one.name] for one in _told_from(feature)}) for feature in wanted},
            "" if final is None else _sql(final),
            timeline,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` gave."""
        told = json.loads(text)
        for name in ("grains", "timeline"):
            told[name] = [Question(one["sql"], one["tables"]) for one in told[name]]
        return cls(**{field.name: told[field.name] for field in fields(cls)})


_made: dict[tuple[tuple[str, ...], tuple[str, ...]], Recipe] = {}


def _recipe(tables: tuple[str, ...], features: tuple[str, ...], make: Callable[[], Recipe]) -> Recipe:
    """The contract's tables have the same columns everywhere, so the names decide what the recipe is."""
    if (tables, features) not in _made:
        _made[tables, features] = make()
    return _made[tables, features]


def market_of(facts: Snapshot) -> pl.DataFrame:
    """What everybody together paid for each product, and how many they bought: columns as MARKETS, by product."""
    if not facts.has(c.ORDERS):
        return pl.DataFrame(schema=MARKETS)
    from dongcha.features import sales

    lines = sales.sale_lines(facts.table(c.ORDERS))
    bought = lines.filter(lines[sales.PURCHASED], lines[c.PRODUCT_ID].notnull())
    found = bought.group_by(c.PRODUCT_ID).aggregate(paid=bought[sales.GROSS].sum(), items=bought[c.QUANTITY].sum())
    told = facts.lake.engine.to_polars(found).select(pl.col(name).cast(kind) for name, kind in MARKETS.items())
    return told.sort(c.PRODUCT_ID)


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


def _told_from(feature: Feature) -> list[Feature]:
    """The feature itself, or those that it is combined from, each with a grain."""
    return [part for part in with_parts([feature]) if part.grain is not None]


def _read(columns: Iterable[str], questions: Iterable[Question]) -> list[str]:
    """Those columns that some question names, and what says whose a row is and when it was so."""
    text, always = " ".join(question.sql for question in questions), (c.CUSTOMER_ID, c.HAPPENED_AT, c.KNOWN_AT)
    return [name for name in columns if name in always or f'"{name}"' in text]


def _named(name: str, schema: Mapping[str, Any] | Any) -> ir.Table:
    import ibis

    return ibis.table(schema, name=name)


def _question(expression: ir.Table) -> Question:
    import ibis.expr.operations as ops

    return Question(_sql(expression), sorted({table.name for table in expression.op().find(ops.UnboundTable)}))


def _sql(expression: ir.Table) -> str:
    """SQLite's SQL; medians, covariances and the value at a maximum, which it lacks, are ours (`desk`)."""
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
