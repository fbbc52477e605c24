"""The five kinds of answer, and how each is kept in the ledger: one row per (entity, name, rank)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import ContractError

ROW_SCHEMA = {
    c.ENTITY_ID: pl.String(),
    c.NAME: pl.String(),
    c.RANK: pl.Int64(),
    c.VALUE: pl.Float64(),
    c.TEXT: pl.String(),
}


FELT: Final = "felt"
"""The unit of a polarity: from -1, bad, to 1, good."""
PRAISED: Final = 1 / 3
"""From this polarity on a thing is praised, from its negative down blamed; between them hardly anything was said."""


@dataclass(frozen=True)
class Output(ABC):
    """One named column of an insight's answer.

    `unit` is what the number counts (`probability`, `money`, `days`, …); `lowest` and `highest` bound it.
    Names are unique over the whole catalogue, since audiences are chosen by them.
    """

    name: str
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    english: str = ""
    chinese: str = ""

    def title(self, language: str) -> str:
        """What people call it."""
        return (self.chinese if language == "zh" else self.english) or self.name

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()

    @property
    @abstractmethod
    def dtype(self) -> pl.DataType:
        """The column's type in an answer."""

    @abstractmethod
    def to_rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        """The ledger's rows for this column of `answer` (columns as ROW_SCHEMA)."""

    @abstractmethod
    def from_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The column again (entity_id + this column) from its ledger rows."""

    def check(self, answer: pl.DataFrame) -> None:
        """Raise ContractError where the column is missing, mistyped or out of its declared range."""
        if self.name not in answer.columns:
            raise ContractError(f"The answer lacks the declared column '{self.name}'.", f"It has {answer.columns}.")
        if answer.schema[self.name] != self.dtype:
            raise ContractError(f"'{self.name}' is {answer.schema[self.name]}; a {self.kind} is {self.dtype}.")
        self._check_range(answer)

    def _check_range(self, answer: pl.DataFrame) -> None:
        numbers = self.to_rows(answer)[c.VALUE].drop_nulls()
        if not numbers.is_finite().all():
            raise ContractError(f"'{self.name}' holds a number that is not finite.", "Leave it null where unknown.")
        if self.lowest is not None and (numbers < self.lowest).any():
            raise ContractError(f"'{self.name}' goes below its declared {self.lowest}: {numbers.min()!r}.")
        if self.highest is not None and (numbers > self.highest).any():
            raise ContractError(f"'{self.name}' goes above its declared {self.highest}: {numbers.max()!r}.")

    def _rows(self, answer: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
        defaults = {c.NAME: pl.lit(self.name), c.RANK: pl.lit(0), c.VALUE: pl.lit(None), c.TEXT: pl.lit(None)}
        made = [e.cast(ROW_SCHEMA[k]).alias(k) for k, e in {**defaults, **columns}.items()]
        return answer.select(c.ENTITY_ID, *made)


@dataclass(frozen=True)
class Value(Output):
    """One number per entity."""

    @property
    def dtype(self) -> pl.DataType:
        return pl.Float64()

    def to_rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        return self._rows(answer, value=pl.col(self.name))

    def from_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select(c.ENTITY_ID, pl.col(c.VALUE).alias(self.name))


@dataclass(frozen=True)
class Group(Output):
    """The name of the one group an entity belongs to."""

    @property
    def dtype(self) -> pl.DataType:
        return pl.String()

    def to_rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        return self._rows(answer, text=pl.col(self.name))

    def from_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select(c.ENTITY_ID, pl.col(c.TEXT).alias(self.name))


@dataclass(frozen=True)
class _Listed(Output):
    """Several (label, number) pairs per entity, in order; rank counts from 1.

    `of`: the id column whose values the labels are, such as product_id; empty where labels are words.
    """

    of: str = ""

    @property
    def dtype(self) -> pl.DataType:
        return pl.List(pl.Struct({c.LABEL: pl.String(), c.VALUE: pl.Float64()}))

    def to_rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        longer = answer.select(
            c.ENTITY_ID, pl.col(self.name), pl.int_ranges(1, pl.col(self.name).list.len() + 1).alias(c.RANK)
        )
        longer = longer.explode(self.name, c.RANK, empty_as_null=False)
        pair = pl.col(self.name).struct
        return self._rows(longer, rank=pl.col(c.RANK), value=pair.field(c.VALUE), text=pair.field(c.LABEL))

    def from_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        pair = pl.struct(pl.col(c.TEXT).alias(c.LABEL), c.VALUE).alias(self.name)
        return rows.sort(c.ENTITY_ID, c.RANK).group_by(c.ENTITY_ID, maintain_order=True).agg(pair)


@dataclass(frozen=True)
class Ranking(_Listed):
    """Things in order of preference, each with its score: label = the thing's id."""


@dataclass(frozen=True)
class Series(_Listed):
    """A number over time: label = the ISO 8601 moment, in order."""


@dataclass(frozen=True)
class Vector(Output):
    """A fixed number of coordinates."""

    size: int = 0

    @property
    def dtype(self) -> pl.DataType:
        return pl.Array(pl.Float64(), self.size)

    def to_rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        listed = answer.select(c.ENTITY_ID, pl.col(self.name).arr.to_list())
        longer = listed.with_columns(pl.int_ranges(1, pl.lit(self.size + 1)).alias(c.RANK)).explode(self.name, c.RANK)
        return self._rows(longer, rank=pl.col(c.RANK), value=pl.col(self.name))

    def from_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        listed = rows.sort(c.ENTITY_ID, c.RANK).group_by(c.ENTITY_ID, maintain_order=True).agg(c.VALUE)
        return listed.select(c.ENTITY_ID, pl.col(c.VALUE).list.to_array(self.size).alias(self.name))


def listed_pairs(name: str, labels: Sequence[str], values: np.ndarray, lengths: Sequence[int]) -> pl.Series:
    """The column of a ranking: row k has the next `lengths[k]` of the labels with their values, best first."""
    import pyarrow as pa

    pairs = [pa.array(labels, pa.large_string()), pa.array(values, pa.float64())]
    starts = pa.array(np.cumsum([0, *lengths]), pa.int64())
    return pl.Series(name, pa.LargeListArray.from_arrays(starts, pa.StructArray.from_arrays(pairs, [c.LABEL, c.VALUE])))


def flat(answer: pl.DataFrame) -> pl.DataFrame:
    """The answer with lists and vectors as JSON text, for formats that have no nested columns."""
    made = []
    for name, kind in answer.schema.items():
        if isinstance(kind, pl.List):
            parts = pl.col(name).list.eval(pl.element().struct.json_encode())
        elif isinstance(kind, pl.Array):
            parts = pl.col(name).arr.to_list().cast(pl.List(pl.String))
        else:
            continue
        made.append(pl.format("[{}]", parts.list.join(",")).alias(name))
    return answer.with_columns(made)


def to_rows(outputs: Sequence[Output], answer: pl.DataFrame) -> pl.DataFrame:
    """The whole answer as ledger rows."""
    return pl.concat([output.to_rows(answer) for output in outputs])


def from_rows(outputs: Sequence[Output], rows: pl.DataFrame) -> pl.DataFrame:
    """An answer again from its ledger rows: entity_id (sorted) + one column per output."""
    answer = rows.select(c.ENTITY_ID).unique().sort(c.ENTITY_ID)
    for output in outputs:
        column = output.from_rows(rows.filter(pl.col(c.NAME) == output.name))
        answer = answer.join(column, on=c.ENTITY_ID, how="left", maintain_order="left")
    return answer
