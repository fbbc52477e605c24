"""The serving view's file: what its tables are, and how a new one is written and put in the old one's place, whole."""

from __future__ import annotations

import os
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import orjson
from filelock import FileLock

from dongcha import columns as c
from dongcha.errors import StoreError
from dongcha.warehouse.rules import Kind, quoted

FORMAT: Final = 2
"""Raise when the tables below change: a file of another format is not read but made again."""
SEARCHED: Final = (c.CUSTOMER_ID, c.NAME, c.EMAIL, c.CITY, c.COUNTRY)
"""What the words of a search are looked for in."""
ANSWERED: Final = "is_answered_for"
"""Whether some insight answers for the customer: an audience is chosen among those."""
DID: Final = ("orders", "spend", "recency_days")
"""Features of the portrait's summary by which customers can be sorted too."""
PRODUCT: Final = (c.PRODUCT_ID, c.NAME, c.CATEGORY, c.BRAND, c.PRICE)
TYPES: Final = {Kind.NUMBER: "REAL", Kind.TEXT: "TEXT"}

# A search reads narrow rows only, so that what a customer's page shows lies in tables of its own. `place` is the
# customer's number in the order of ids, and the same in all of them.
_TABLES: Final = """
CREATE TABLE about (told BLOB NOT NULL);
CREATE TABLE pages (name TEXT PRIMARY KEY, told BLOB NOT NULL);
CREATE TABLE customers (place INTEGER PRIMARY KEY, {searched}, {answered} INTEGER NOT NULL{numbers});
CREATE VIRTUAL TABLE words USING fts5 (
    {words}, content = '', prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 2"
);
CREATE TABLE portraits (place INTEGER PRIMARY KEY, told BLOB NOT NULL);
CREATE TABLE timelines (place INTEGER PRIMARY KEY, events BLOB NOT NULL);
CREATE TABLE answers (insight TEXT, place INTEGER, entity_id TEXT NOT NULL, told BLOB NOT NULL,
    PRIMARY KEY (insight, place));
CREATE TABLE products ({products}, PRIMARY KEY (product_id));
"""
_ONE_A_WORD: Final = re.compile(r"([\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff])")


def spaced(text: str) -> str:
    """The text with Chinese and Japanese characters as words of their own: those are searched one by one.

    >>> spaced("王伟 Ann").split()
    ['王', '伟', 'Ann']
    """
    return _ONE_A_WORD.sub(r" \1 ", text)


def packed(columns: Mapping[str, Any]) -> bytes:
    """Columns of lists as compressed JSON: a timeline says the same few words again and again."""
    return zlib.compress(orjson.dumps(columns), 1)


def unpacked(blob: bytes) -> dict[str, list[Any]]:
    """What `packed` was given, moments as ISO 8601 text."""
    return dict(orjson.loads(zlib.decompress(blob)))


class Writer:
    """Fills a new view, customers in the order of their ids; `outputs`: output name → what can be compared with it."""

    def __init__(self, file: Path, outputs: Mapping[str, Kind]) -> None:
        self._outputs = dict(outputs)
        self._did = [name for name in DID if name not in outputs]
        self._connection = sqlite3.connect(file, isolation_level=None)
        # Half a file is thrown away, so it needs no journal; `replacing` waits for the disk once, at the end.
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;")
        made = _TABLES.format(
            searched=", ".join(f"{name} TEXT" for name in SEARCHED),
            answered=ANSWERED,
            numbers="".join(f", {quoted(name)} {TYPES[kind]}" for name, kind in self._kinds.items()),
            words=", ".join(SEARCHED),
            products=", ".join(f"{name} {'REAL' if name == c.PRICE else 'TEXT'}" for name in PRODUCT),
        )
        self._connection.executescript(made + "BEGIN;")
        self.customers = 0

    @property
    def _kinds(self) -> dict[str, Kind]:
        """Every number and text that stands beside a customer's name, in the table's order."""
        return {**dict.fromkeys(self._did, Kind.NUMBER), **self._outputs}

    def add_customer(
        self,
        found: Mapping[str, Any],
        answers: Mapping[str, Mapping[str, Any]],
        timeline: Mapping[str, Any] | None,
    ) -> None:
        """One more: the portrait without its answers, insight → answer and reasons, and the latest events."""
        self.customers += 1
        place, known = self.customers, {**found["customer"], c.CUSTOMER_ID: found[c.CUSTOMER_ID]}
        searched = [known.get(name) for name in SEARCHED]
        flat = {name: value for told in answers.values() for name, value in told["answer"].items()}
        did = found.get("summary") or {}
        self._insert(
            "customers", (place, *searched, bool(answers), *map(did.get, self._did), *map(flat.get, self._outputs))
        )
        self._insert("words", [spaced(text or "") for text in searched], f"rowid, {', '.join(SEARCHED)}", place)
        self._insert("portraits", (place, orjson.dumps(found)))
        if timeline is not None:
            self._insert("timelines", (place, packed(timeline)))
        for insight, told in answers.items():
            self._insert("answers", (insight, place, found[c.CUSTOMER_ID], orjson.dumps(told)))

    def add_answers(self, insight: str, answers: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Every answer of an insight about what is no customer: id → answer and reasons, in the order of ids."""
        rows = ((insight, place, entity, orjson.dumps(told)) for place, (entity, told) in enumerate(answers, 1))
        self._connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", rows)

    def add_products(self, products: Iterable[Mapping[str, Any]]) -> None:
        """Every product."""
        marks = ", ".join("?" * len(PRODUCT))
        rows = ([product[name] for name in PRODUCT] for product in products)
        self._connection.executemany(f"INSERT INTO products VALUES ({marks})", rows)

    def means(self) -> dict[str, float | None]:
        """The mean of each number that insights answer, over those customers who have it."""
        return {
            name: self._connection.execute(f"SELECT avg({quoted(name)}) FROM customers").fetchone()[0]
            for name, kind in self._outputs.items()
            if kind is Kind.NUMBER
        }

    def counts(self) -> dict[str, list[dict[str, Any]]]:
        """Each group that insights answer → its values, the most frequent first, with the number of customers."""
        return {name: self._counted(quoted(name)) for name, kind in self._outputs.items() if kind is Kind.TEXT}

    def _counted(self, column: str) -> list[dict[str, Any]]:
        rows = self._connection.execute(
            f"SELECT {column}, count(*) FROM customers WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return [{"group": value, "customers": customers} for value, customers in rows]

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write what the view says of itself, and the indexes by which it is searched and sorted.

        `pages` of it, name → what a page shows of the whole shop, lie apart, each read only where it is asked for.
        """
        pages = about.get("pages", {})
        about = {**{k: v for k, v in about.items() if k != "pages"}, "did": self._did}
        for name, told in pages.items():
            self._insert("pages", (name, orjson.dumps(told)))
        self._insert("about", (orjson.dumps({**about, "format": FORMAT}),))
        execute = self._connection.execute
        execute(f"CREATE UNIQUE INDEX by_id ON customers ({c.CUSTOMER_ID})")
        for number, name in enumerate((*SEARCHED[1:], *self._kinds)):
            # Highest first is what is asked for most; customers who are alike then follow in the order of ids.
            execute(f"CREATE INDEX by_{number} ON customers ({quoted(name)} DESC)")
        execute("INSERT INTO words (words) VALUES ('optimize')")
        execute("COMMIT")
        execute("ANALYZE")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _insert(self, table: str, values: Any, names: str = "", *before: Any) -> None:
        row = (*before, *values)
        into = f"{table} ({names})" if names else table
        self._connection.execute(f"INSERT INTO {into} VALUES ({', '.join('?' * len(row))})", row)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write a new file at, which takes the place of `file` at once, or not at all.

    Writers take turns. Who has the old file open reads it to the end. What a killed writer left is deleted.
    """
    with FileLock(file.with_name(f".{file.name}.lock"), is_singleton=True):
        new = file.with_name(f".{file.name}.new")
        new.unlink(missing_ok=True)
        try:
            yield new
            if new.exists():
                _sync(new)
                new.replace(file)
                _sync(file.parent)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{file} cannot be written: {error}.", "Make room on the disk, then: dongcha publish."
            ) from None
        finally:
            new.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
