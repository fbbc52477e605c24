"""The inbox in PostgreSQL: for several servers over one lake."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dongcha.as_of import micros
from dongcha.errors import BusyError, SettingsError
from dongcha.warehouse.inbox.message import MOST_BYTES, MOST_SETTLED, Message, mark, moment, quoted

if TYPE_CHECKING:
    import psycopg

TABLES: Final = """
CREATE TABLE IF NOT EXISTS dongcha_seen (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mark BYTEA NOT NULL UNIQUE, received_at BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS dongcha_kept (
    place BIGINT PRIMARY KEY, id TEXT NOT NULL, customer TEXT NOT NULL, received_at BIGINT NOT NULL,
    body BYTEA NOT NULL, refused TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS dongcha_kept_by_customer ON dongcha_kept (customer);
CREATE TABLE IF NOT EXISTS dongcha_settled (one INT PRIMARY KEY CHECK (one = 1), place BIGINT NOT NULL);
INSERT INTO dongcha_settled VALUES (1, 0) ON CONFLICT DO NOTHING;
"""
ADD: Final = """
WITH given AS (
    SELECT * FROM unnest(%b::bytea[], %b::text[], %b::text[], %b::bigint[], %b::bytea[], %b::text[])
    WITH ORDINALITY AS t (mark, id, customer, received_at, body, refused, nth)
), kept AS (
    INSERT INTO dongcha_seen (mark, received_at) SELECT mark, received_at FROM given ORDER BY nth
    ON CONFLICT (mark) DO NOTHING RETURNING place, mark
), first AS (
    SELECT DISTINCT ON (given.mark) place, nth, id, customer, given.received_at, body, refused
    FROM given JOIN kept ON kept.mark = given.mark ORDER BY given.mark, nth
), put AS (
    INSERT INTO dongcha_kept SELECT place, id, customer, received_at, body, refused FROM first
)
SELECT nth FROM first
"""
WAITS: Final = "place > (SELECT place FROM dongcha_settled)"
TURN: Final = 0x646F6E67
"""The advisory lock that writers take in turn, so that places become visible in their order."""


class PostgresStore:
    """Messages in two tables of the database that `url` names. Each thread has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._own = threading.local()
        self._all: list[psycopg.Connection[Any]] = []
        with self._writing() as db:
            for statement in TABLES.split(";")[:-1]:
                db.execute(statement)

    def add(self, messages: Sequence[Message]) -> list[bool]:
        rows = [(mark(m.id), m.id, m.customer, micros(m.received_at), m.body, m.refused) for m in messages]
        if not rows:
            return []
        with self._writing() as db:
            found = db.execute(ADD, [list(k) for k in zip(*rows, strict=True)])
        kept = {nth for (nth,) in found.fetchall()}
        return [nth in kept for nth in range(1, len(messages) + 1)]

    def waiting(self, most: int) -> list[Message]:
        # The server sends no more than is taken: sizes are added up where the bodies are.
        oldest = f"SELECT place, octet_length(body) AS size FROM dongcha_kept WHERE {WAITS} ORDER BY place LIMIT %s"
        sized = f"SELECT place, sum(size) OVER (ORDER BY place) AS upto FROM ({oldest}) AS oldest"
        which = f"JOIN ({sized}) AS sized USING (place) WHERE upto <= {MOST_BYTES} ORDER BY place"
        return self._read(which, most) or self._read(f"WHERE {WAITS} ORDER BY place LIMIT %s", 1)

    def settle(self, last: int) -> None:
        with self._writing() as db:
            db.execute("UPDATE dongcha_settled SET place = greatest(place, %s)", (last,))
            db.execute("DELETE FROM dongcha_kept WHERE place <= %s", (last - MOST_SETTLED,))

    def recent(self, customer: str) -> list[Message]:
        return self._read("WHERE customer = %s ORDER BY place", customer)

    def backlog(self) -> int:
        """Ids seen before leave gaps between places: this may say more than wait, until they are settled."""
        with self._connected() as db:
            asked = "SELECT (SELECT max(place) FROM dongcha_kept) - place FROM dongcha_settled"
            found = db.execute(asked).fetchone()
        return max(0, int((found and found[0]) or 0))

    def places(self, customers: Sequence[str]) -> list[int]:
        settled = "place <= (SELECT place FROM dongcha_settled)"
        asked = f"SELECT place FROM dongcha_kept WHERE customer = %b OR ({settled} AND position(%b::bytea IN body) > 0)"
        with self._connected() as db:
            return sorted({place for who in customers for (place,) in db.execute(asked, (who, quoted(who))).fetchall()})

    def drop(self, places: Sequence[int]) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM dongcha_kept WHERE place = ANY(%s)", (list(places),))

    def scrub(self) -> None:
        # Written anew: an ordinary vacuum leaves the bytes of deleted rows in the file.
        with self._connected() as db:
            db.execute("VACUUM (FULL) dongcha_kept")

    def forget(self, before: datetime, most: int) -> int:
        old = """
            DELETE FROM {0} WHERE place IN (
                SELECT place FROM {0} WHERE place <= (SELECT place FROM dongcha_settled) ORDER BY place LIMIT %s
            ) AND received_at < %s
        """
        with self._writing() as db:
            db.execute(old.format("dongcha_kept"), (most, micros(before)))
            forgotten = db.execute(old.format("dongcha_seen"), (most, micros(before)))
        return forgotten.rowcount

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()

    def _read(self, which: str, value: int | str) -> list[Message]:
        asked = f"SELECT id, customer, received_at, body, refused, place FROM dongcha_kept {which}"
        with self._connected() as db:
            rows = db.execute(asked, (value,)).fetchall()
        return [Message(i, who, moment(at), bytes(body), why, place) for i, who, at, body, why, place in rows]

    @contextmanager
    def _writing(self) -> Iterator[psycopg.Connection[Any]]:
        # In a pipeline the whole transaction goes there and back once.
        with self._connected() as db, db.pipeline(), db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (TURN,))
            yield db

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg

        try:
            yield self._connection()
        except psycopg.Error as error:
            # Without the text of libpq, which may quote the connection's parameters.
            what = error.diag.message_primary or type(error).__name__
            self._own.connection = None
            raise BusyError(f"The inbox's database can't be used: {what}.", "Is the server up?") from None

    def _connection(self) -> psycopg.Connection[Any]:
        try:
            import psycopg
        except ImportError:
            raise SettingsError(
                "inbox.url names a PostgreSQL server, and psycopg is not installed.", "pip install 'dongcha[postgres]'"
            ) from None
        there: psycopg.Connection[Any] | None = getattr(self._own, "connection", None)
        if there is None or there.closed:
            there = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
            # Whatever the server's default, a commit that returned is on the disk.
            there.execute("SET synchronous_commit = on")
            self._own.connection = there
            self._all.append(there)
        return there
