"""What every kind of file becomes: batches of text, each row with the number it has in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

BATCH_ROWS: Final = 50_000

Progress = Callable[[int, int], None]
"""Called with (done, of): bytes of a text file, rows of a Parquet file."""


@dataclass(frozen=True)
class Batch:
    """Some records: `rows` has one String column per column of the file; `broken` holds what was no record.

    `numbers` (Int64, one per row) counts as a person would in that kind of file: the line of a text file on which the
    record starts (a csv's header is line 1), the sheet's row number, or 1, 2, … in Parquet and in a JSON array.
    `refused` (String, one per row) says why a layout will not have a row, null where it will.
    """

    rows: pl.DataFrame
    numbers: pl.Series
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    """(row, the text, why it is no record)."""
    refused: pl.Series | None = None

    def __len__(self) -> int:
        """How many rows were read, whole or broken."""
        return len(self.numbers) + len(self.broken)


@dataclass
class Source:
    """A file that can be read: all its columns, its batches, and what was assumed about it."""

    columns: list[str]
    batches: Iterator[Batch]
    notices: list[str] = field(default_factory=list)


def as_numbers(numbers: Sequence[int] | range) -> pl.Series:
    """Row numbers as a batch holds them."""
    return pl.Series(numbers, dtype=pl.Int64)


def unique_names(header: Sequence[str]) -> list[str]:
    """The columns' names, trimmed and made unique; a nameless column is called by its place."""
    bare = [raw.strip().strip("\ufeff") or f"column_{place}" for place, raw in enumerate(header, start=1)]
    taken = set(bare)
    names: list[str] = []
    for name in bare:
        unique, twin = name, 1
        while unique in names or (twin > 1 and unique in taken):
            twin += 1
            unique = f"{name}_{twin}"
        names.append(unique)
    return names


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as String, written so that it can be read back exactly; a whole float loses its `.0`."""
    return frame.select(_column_as_text(frame[name]) for name in frame.columns)


def _column_as_text(values: pl.Series) -> pl.Series:
    match values.dtype:
        case pl.Float32() | pl.Float64():
            return _float_as_text(values)
        case pl.Datetime() as kind:
            return values.dt.strftime("%Y-%m-%d %H:%M:%S%.6f" + ("%:z" if kind.time_zone else ""))
        case pl.Duration():
            return values.dt.to_string("iso")
        case pl.Binary():
            return _bytes_as_text(values)
        case kind if kind.is_nested():
            return _nested_as_text(values)
    return values.cast(pl.String)


def _nested_as_text(values: pl.Series) -> pl.Series:
    """The values as JSON; null where there is none."""
    packed = values.to_frame("v").select(pl.struct("v").struct.json_encode().str.slice(len('{"v":')).str.head(-1))
    return packed.to_series().alias(values.name).set(values.is_null(), None)


def _bytes_as_text(values: pl.Series) -> pl.Series:
    """The bytes as UTF-8 where all are, else each in hexadecimal digits."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError:
        return values.bin.encode("hex")


def _float_as_text(values: pl.Series) -> pl.Series:
    known = values.drop_nulls()
    whole = bool((known.is_finite() & (known.abs() < 2**53)).all()) and bool((known == known.round()).all())
    return (values.cast(pl.Int64) if whole else values).cast(pl.String)
