"""Who was erased and until when, as keyed digests: what is sent or loaded again does not bring them back."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dongcha import columns as c
from dongcha.as_of import micros
from dongcha.errors import StoreError
from dongcha.warehouse.inbox.message import moment

if TYPE_CHECKING:
    import ibis.expr.types as ir

FILE: Final = "erased.db"
KINDS: Final = {
    c.CUSTOMER_ID: "customer",
    c.ANONYMOUS_ID: "customer",
    c.ALIAS_ID: "customer",
    c.ORDER_ID: "order",
    c.CONVERSATION_ID: "conversation",
}
"""What the ids in a column are ids of."""
_OWNERS: Final = (c.CUSTOMER_ID, c.ANONYMOUS_ID, c.ORDER_ID, c.CONVERSATION_ID)
"""A row is about the first of these that it names: without a customer, about whom its order or conversation is."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS erased (mark BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
"""
_AT_ONCE: Final = 500


def owner(column: str, value: str) -> str:
    """Whom or what an id in this column names, one text for ids of every kind: "customer/c42", "order/o7"."""
    return f"{KINDS[column]}/{value}"


def owners_of(row: Mapping[str, object]) -> list[str]:
    """Whom a row is about: one, or the two whom a link between ids names; none where it names nobody."""
    columns = (c.ALIAS_ID, c.CUSTOMER_ID) if c.ALIAS_ID in row else _OWNERS
    named = [owner(column, str(row[column])) for column in columns if row.get(column) is not None]
    return named if c.ALIAS_ID in row else named[:1]


def owners_in(rows: ir.Table) -> list[ir.Value]:
    """`owners_of` as expressions over a table; none where its rows are about nobody."""
    import ibis

    def named(column: str) -> ir.Value:
        return ibis.literal(f"{KINDS[column]}/") + rows[column]

    if c.ALIAS_ID in rows.columns:
        return [named(c.ALIAS_ID), named(c.CUSTOMER_ID)]
    there = [named(column) for column in _OWNERS if column in rows.columns]
    return [ibis.coalesce(*there)] if c.CUSTOMER_ID in rows.columns else []


class Erased:
    """The list, in one file that several processes read and write.

    Ids can be guessed by who has the file and tries them all: its key keeps it from being compared with any other list.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def add(self, owners: Iterable[str], until: datetime) -> None:
        """What these did up to a moment is erased; on the disk when this returns."""
        if not self.file.exists():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        with self._opened() as db:
            db.execute("INSERT OR IGNORE INTO secret VALUES (1, ?)", (secrets.token_bytes(32),))
            key = _key(db)
            rows = [(_mark(key, who), micros(until)) for who in owners]
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT INTO erased VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)", rows
            )
            db.execute("COMMIT")

    def among(self, owners: Iterable[str]) -> dict[str, datetime]:
        """Those of them that were erased → up to which moment (UTC)."""
        if not self:
            return {}
        with self._opened() as db:
            key = _key(db)
            marks = {_mark(key, who): who for who in owners}
            return {marks[mark]: moment(until) for mark, until in _found(db, list(marks))}

    @property
    def latest(self) -> datetime | None:
        """Up to which moment (UTC) the newest erasure reached; None where there was none."""
        if not self:
            return None
        with self._opened() as db:
            until = db.execute("SELECT max(until) FROM erased").fetchone()[0]
        return None if until is None else moment(until)

    def name(self, who: str) -> str:
        """The digest by which somebody on the list is spoken of, 32 hexadecimal digits."""
        with self._opened() as db:
            return _mark(_key(db), who).hex()

    def __bool__(self) -> bool:
        """Whether anybody was ever erased."""
        return self.file.exists()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.file, timeout=30, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = FULL")
                db.executescript(_TABLES)
                yield db
        except sqlite3.Error as error:
            mend = "Without it erased customers may come back: restore it from a copy."
            raise StoreError(f"{self.file} can't be used: {error}.", mend) from None


def _key(db: sqlite3.Connection) -> bytes:
    row = db.execute("SELECT key FROM secret").fetchone()
    return bytes(row[0]) if row else b""


def _mark(key: bytes, who: str) -> bytes:
    return blake2b(who.encode("utf-8", "replace"), key=key, digest_size=16).digest()


def _found(db: sqlite3.Connection, marks: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    for start in range(0, len(marks), _AT_ONCE):
        some = marks[start : start + _AT_ONCE]
        yield from db.execute(f"SELECT mark, until FROM erased WHERE mark IN ({', '.join('?' * len(some))})", some)
