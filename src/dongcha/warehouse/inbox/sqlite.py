"""The inbox in one SQLite file: durable by its write-ahead log, which is synced before a commit returns."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from dongcha.as_of import micros
from dongcha.errors import BusyError, StoreError
from dongcha.warehouse.inbox.message import MOST_SETTLED, Message, mark, moment, quoted, within_bytes

BUSY_SECONDS: Final = 30
SCRUBS: Final = 100
SCRUB_SECONDS: Final = 0.1
TABLES: Final = """
CREATE TABLE IF NOT EXISTS seen (
    place INTEGER PRIMARY KEY AUTOINCREMENT, mark BLOB NOT NULL UNIQUE, received_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS kept (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL, customer TEXT NOT NULL, received_at INTEGER NOT NULL,
    body BLOB NOT NULL, refused TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS kept_by_customer ON kept (customer);
CREATE TABLE IF NOT EXISTS settled (one INTEGER PRIMARY KEY CHECK (one = 1), place INTEGER NOT NULL);
INSERT OR IGNORE INTO settled VALUES (1, 0);
"""


class SqliteStore:
    """Messages in a SQLite file. Each thread has a connection of its own; readers never wait for the writer."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._own = threading.local()
        self._all: list[sqlite3.Connection] = []
        with _told(self.file):
            self._connection.executescript(TABLES)

    def add(self, messages: Sequence[Message]) -> list[bool]:
        with self._writing() as db:
            return [self._kept(db, message) for message in messages]

    @staticmethod
    def _kept(db: sqlite3.Connection, message: Message) -> bool:
        received = micros(message.received_at)
        seen = db.execute("INSERT OR IGNORE INTO seen (mark, received_at) VALUES (?, ?)", (mark(message.id), received))
        if seen.rowcount:
            row = (seen.lastrowid, message.id, message.customer, received, message.body, message.refused)
            db.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?)", row)
        return bool(seen.rowcount)

    def waiting(self, most: int) -> list[Message]:
        return self._read("WHERE place > (SELECT place FROM settled) ORDER BY place LIMIT ?", most)

    def settle(self, last: int) -> None:
        with self._writing() as db:
            db.execute("UPDATE settled SET place = max(place, ?)", (last,))
            db.execute("DELETE FROM kept WHERE place <= ?", (last - MOST_SETTLED,))

    def recent(self, customer: str) -> list[Message]:
        return self._read("WHERE customer = ? ORDER BY place", customer)

    def backlog(self) -> int:
        with _told(self.file):
            # Places follow each other without a gap, since an id seen before is given none.
            asked = "SELECT (SELECT max(place) FROM kept) - place FROM settled"
            found = self._connection.execute(asked).fetchone()
        return max(0, int(found[0] or 0))

    def places(self, customers: Sequence[str]) -> list[int]:
        asked = """
            SELECT place FROM kept WHERE customer = ?1
            UNION SELECT place FROM kept WHERE place <= (SELECT place FROM settled) AND instr(body, ?2)
        """
        with _told(self.file):
            ran = [self._connection.execute(asked, (who, quoted(who))) for who in customers]
            return sorted({place for rows in ran for (place,) in rows})

    def drop(self, places: Sequence[int]) -> None:
        with _told(self.file):
            # What is deleted is overwritten with zeros.
            self._connection.execute("PRAGMA secure_delete = ON")
        with self._writing() as db:
            db.executemany("DELETE FROM kept WHERE place = ?", [(place,) for place in places])
        with _told(self.file):
            self._connection.execute("PRAGMA secure_delete = OFF")

    def scrub(self) -> None:
        # Free pages hold what was let go before; the log holds old pages until it is emptied.
        with _told(self.file):
            self._connection.execute("VACUUM")
        for _ in range(SCRUBS):
            with _told(self.file):
                busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return
            time.sleep(SCRUB_SECONDS)
        raise BusyError(f"The log of {self.file} is being read all the time.", "Stop what reads it, then repeat.")

    def forget(self, before: datetime, most: int) -> int:
        old = """
            DELETE FROM {0} WHERE place IN (
                SELECT place FROM {0} WHERE place <= (SELECT place FROM settled) ORDER BY place LIMIT ?
            ) AND received_at < ?
        """
        with self._writing() as db:
            db.execute(old.format("kept"), (most, micros(before)))
            return db.execute(old.format("seen"), (most, micros(before))).rowcount

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()

    def _read(self, which: str, value: int | str) -> list[Message]:
        asked = f"SELECT id, customer, received_at, body, refused, place FROM kept {which}"
        with _told(self.file):
            rows = self._connection.execute(asked, (value,))
            return within_bytes(Message(i, who, moment(at), body, why, at_) for i, who, at, body, why, at_ in rows)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        db = self._connection
        with _told(self.file):
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @property
    def _connection(self) -> sqlite3.Connection:
        there: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if there is None:
            there = sqlite3.connect(
                self.file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=32
            )
            there.execute("PRAGMA journal_mode = WAL")
            # FULL syncs the log at every commit; NORMAL would lose acknowledged messages when the power fails.
            there.execute("PRAGMA synchronous = FULL")
            self._own.connection = there
            self._all.append(there)
        return there


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error) or "full" in str(error):
            raise BusyError(f"The inbox {file} can't be written now: {error}.", "Try again soon.") from None
        raise StoreError(f"The inbox {file} can't be used: {error}.", "Look at the folder's rights.") from None
    except sqlite3.DatabaseError as error:
        mend = "Move it away; what it held and the lake does not is lost."
        raise StoreError(f"The inbox {file} is damaged: {error}.", mend) from None
