"""`access.db`: one SQLite file that several processes read and write; what was changed, by whom, stays in it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dongcha.errors import StoreError

FILE: Final = "access.db"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY, name TEXT NOT NULL, scopes TEXT NOT NULL, hash TEXT NOT NULL,
    made_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT, last_used_at TEXT, rate REAL, message_bytes INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS usage (
    key_id TEXT NOT NULL, day TEXT NOT NULL, requests INTEGER NOT NULL, refused INTEGER NOT NULL,
    PRIMARY KEY (key_id, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, made_at TEXT NOT NULL, last_login_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, person TEXT NOT NULL, began_at TEXT NOT NULL, seen_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
    made_at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
"""


class AccessStore:
    """The file, opened once a process; any thread may use it. Only its owner may read it (mode 0600)."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        file = folder / FILE
        try:
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{file} cannot be used: {error}.", "Look at its rights and its disk; without it every key is lost."
            ) from None

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What a query finds."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def version(self) -> int:
        """A number that differs once another process has changed the file."""
        with self._lock:
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def note(self, actor: str, action: str, subject: str, **detail: Any) -> None:
        """Write a row of the audit; within `change` it belongs to that transaction. Never hand it a secret."""
        row = (self.clock().isoformat(), actor, action, subject, json.dumps(detail, default=str, ensure_ascii=False))
        with self._lock:
            self._db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._db.close()


def moment(text: str | None) -> datetime | None:
    """A moment as the file holds it."""
    return None if text is None else datetime.fromisoformat(text)
