"""The simplest server that could take the same events: FastAPI and an INSERT. What `benchmarks.ingest` measures beside.

    python -m benchmarks.plain_server FILE_OR_URL PORT

A message is a row, its id the key; a request is a transaction, committed durably before the answer. It checks nothing,
bounds nothing and never lets anything go.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI

CREATE = "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body {kind} NOT NULL)"


def plain_app(where: str) -> FastAPI:
    app = FastAPI()
    own = threading.local()
    postgres = where.startswith("postgresql://")

    def connection() -> Any:
        if not hasattr(own, "there"):
            own.there = _postgres(where) if postgres else _sqlite(where)
        return own.there

    connection().execute(CREATE.format(kind="BYTEA" if postgres else "BLOB"))
    connection().commit()
    sign = "%s" if postgres else "?"
    insert = f"INSERT INTO events VALUES ({sign}, {sign}) ON CONFLICT DO NOTHING"

    @app.post("/v1/batch")
    def batch(body: dict[str, Any]) -> dict[str, bool]:
        rows = [(m["messageId"], orjson.dumps(m)) for m in body["batch"]]
        there = connection()
        there.cursor().executemany(insert, rows)
        there.commit()
        return {"success": True}

    return app


def _sqlite(file: str) -> sqlite3.Connection:
    there = sqlite3.connect(file, timeout=30)
    there.execute("PRAGMA journal_mode = WAL")
    there.execute("PRAGMA synchronous = FULL")
    return there


def _postgres(url: str) -> Any:
    import psycopg

    return psycopg.connect(url)


if __name__ == "__main__":
    uvicorn.run(plain_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
