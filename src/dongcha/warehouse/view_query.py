"""How customers are looked for in the serving view: words and a rule, said in SQL with question marks."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from dongcha import columns as c
from dongcha.errors import UsageError
from dongcha.warehouse.rules import Kind, in_sql, quoted
from dongcha.warehouse.view_file import ANSWERED, SEARCHED, spaced

MOST_MAPPED: Final = 1 << 30
"""Bytes of the file that are read through the machine's memory map, without copying."""

Row = dict[str, Any]


class Opened:
    """One version of the file, open in one thread."""

    def __init__(self, file: Path, identity: tuple[int, int]) -> None:
        self.identity = identity
        # The steps of a streamed answer may each be another thread's, one after the other.
        self.connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self.connection.execute(f"PRAGMA mmap_size = {MOST_MAPPED}")
        self.about: Row = orjson.loads(self.connection.execute("SELECT told FROM about").fetchone()[0])

    def one(self, sql: str, *values: Any) -> Any:
        """The first value of the first row, None where there is none."""
        row = self.connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    @property
    def columns(self) -> list[str]:
        """What stands in a customer's row of a list."""
        return [*SEARCHED, *self.about["did"], *self.about["outputs"]]


def page(
    view: Opened, condition: tuple[str, list[Any]], *, sort: str, descending: bool, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of the customers under a condition, and how many there are; UsageError where none sorts by that."""
    if sort not in view.columns:
        raise UsageError(f"Customers cannot be sorted by '{sort}'.", f"There are: {', '.join(view.columns)}.")
    said, values = condition
    total = view.one(f"SELECT count(*) FROM customers{said}", *values)
    way = ("DESC", "ASC") if descending else ("ASC", "DESC")
    order = f"place {way[0]}" if sort == c.CUSTOMER_ID else f"{quoted(sort)} {way[0]} NULLS LAST, place {way[1]}"
    rows = view.connection.execute(
        f"SELECT {', '.join(map(quoted, view.columns))} FROM customers{said} ORDER BY {order} LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return [dict(zip(view.columns, row, strict=True)) for row in rows], total


def sums(view: Opened, condition: tuple[str, list[Any]]) -> dict[str, float]:
    """The sum of each number over the customers under a condition."""
    numbers = [*view.about["did"], *(name for name, kind in view.about["outputs"].items() if kind == Kind.NUMBER)]
    if not numbers:
        return {}
    said, values = condition
    row = view.connection.execute(
        f"SELECT {', '.join(f'total({quoted(name)})' for name in numbers)} FROM customers{said}", values
    ).fetchone()
    return dict(zip(numbers, row, strict=True))


def condition(outputs: Mapping[str, str], text: str, looked_for_in: Sequence[str], where: str) -> tuple[str, list[Any]]:
    """The SQL after FROM, and the values of its question marks; `outputs`: output name → number or text."""
    parts: list[str] = []
    values: list[Any] = []
    if text.strip():
        parts.append("place IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(f"{{{' '.join(looked_for_in)}}} : ({_words(text)})")
    if where.strip():
        kinds = {c.ENTITY_ID: Kind.TEXT, **{name: Kind(kind) for name, kind in outputs.items()}}
        said, constants = in_sql(where, kinds, {c.ENTITY_ID: c.CUSTOMER_ID})
        parts.append(f"{ANSWERED} AND ({said})")
        values += constants
    return f" WHERE {' AND '.join(parts)}" if parts else "", values


def _words(text: str) -> str:
    """Each word as the beginning of a phrase, in the language of SQLite's full-text search."""
    words = [" ".join(spaced(word).split()) for word in sayable(text).split()]
    return " AND ".join('"' + word.replace('"', '""') + '" *' for word in words)


def sayable(text: str) -> str:
    """Without what SQLite cannot be given: zero characters, and half a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
