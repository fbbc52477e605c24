"""How many events a second are taken durably, how long an acknowledgement takes, and is the memory bounded?

    python -m benchmarks.ingest [--seconds 10] [--connections 32] [--batches 1 20 100] [--overload-seconds 600] [--json]

For each size of batch, in turn on the same machine: the floor (the bodies that as many connections send at once,
appended to a file and synced together), our server and a plain FastAPI + INSERT server (`benchmarks/plain_server.py`),
both on SQLite and, where Debian's package is there, on PostgreSQL. Ours runs as it is shipped: it checks,
de-duplicates, and its flusher moves events into the lake meanwhile. Then our server alone is sent more than it can
take, from many connections that do not wait when told to, and its memory is watched.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.ingest_crashes import Server, write_key
from benchmarks.postgres_server import postgres, why_not

PORT: Final = 18145
ID: Final = "%036d"
EVENT: Final = {
    "type": "track",
    "messageId": "ID",
    "anonymousId": "507f191e-810c-19729de8-60ea-7b2f",
    "userId": "customer-4711",
    "event": "Product Viewed",
    "timestamp": "2024-03-01T12:00:00.000Z",
    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}, "ip": "203.0.113.7"},
    "properties": {"product_id": "p-1029", "name": "A kettle", "price": 24.5, "category": "kitchen", "brand": "Hearth"},
}
OVERLOAD_CONNECTIONS: Final = 128
OVERLOAD_WAITING: Final = 50_000
WARM_SECONDS: Final = 2.0
_ids = itertools.count()


@dataclass
class Load:
    """What the senders saw: answers by status, and how long each took that was exactly 200 (seconds)."""

    answers: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    sent: int = 0
    """Requests answered with 200, those of the warm-up too."""


def a_body(events: int) -> bytes:
    """A batch of events that nobody sent before."""
    one = json.dumps(EVENT).replace('"ID"', f'"{ID}"')
    return ('{"batch":[' + ",".join(one % next(_ids) for _ in range(events)) + "]}").encode()


async def send(key: str, events: int, connections: int, seconds: float) -> Load:
    """Keep every connection busy for a while; the first WARM_SECONDS are not counted."""
    load, user = Load(), base64.b64encode(f"{key}:".encode()).decode()
    told = ("Host: localhost", f"Authorization: Basic {user}", "Content-Type: application/json")
    head = "\r\n".join(("POST /v1/batch HTTP/1.1", *told))
    begin = time.perf_counter() + WARM_SECONDS
    await asyncio.gather(*(_sender(head, events, begin, begin + seconds, load) for _ in range(connections)))
    return load


async def _sender(head: str, events: int, begin: float, end: float, load: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    while (now := time.perf_counter()) < end:
        body = a_body(events)
        writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        status = await _answer(reader)
        load.sent += status == 200
        if now >= begin:
            load.answers[status] += 1
            if status == 200:
                load.took.append(time.perf_counter() - now)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(k.split(b":")[1]) for k in head.lower().split(b"\r\n") if k.startswith(b"content-length"))
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def floor(folder: Path, events: int, connections: int, seconds: float) -> tuple[float, float]:
    """Events a second and the 99th percentile (ms) of appending what all connections send at once, and syncing it."""
    bodies = b"".join(a_body(events) for _ in range(connections))
    took = []
    with (folder / "floor").open("wb", buffering=0) as file:
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            file.write(bodies)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - now)
    return events * connections * len(took) / sum(took), 1000 * _p99(took)


def _p99(took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=100)[98] if len(took) > 1 else float("nan")


@contextmanager
def ours(folder: Path, url: str, most_waiting: int = 1_000_000) -> Iterator[tuple[int, str]]:
    """Our server on a new workspace, flushing as often as it does by default; its process, and a key."""
    import dongcha

    dongcha.new(folder)
    server, key = Server(folder, PORT, flush_seconds=5.0), write_key(folder)
    server.environment |= {"DONGCHA_INBOX__URL": url, "DONGCHA_INBOX__MOST_WAITING": str(most_waiting)}
    server.start()
    assert server.process is not None
    try:
        yield server.process.pid, key
    finally:
        server.end(signal.SIGTERM)


@contextmanager
def plain(folder: Path, url: str) -> Iterator[tuple[int, str]]:
    """The plain server on a new file, or on the database; its process, and any key."""
    command = [sys.executable, "-m", "benchmarks.plain_server", url or str(folder), str(PORT)]
    with subprocess.Popen(command) as running:
        while not Server(folder, PORT).listens():
            time.sleep(0.1)
        try:
            yield running.pid, "any"
        finally:
            running.terminate()


def measure(asked: argparse.Namespace, folder: Path, url: str) -> list[dict[str, Any]]:
    """One row per server, store and size of batch."""
    rows = []
    for n, events in enumerate(asked.batches):
        if not asked.skip_floor:
            rate, p99 = floor(folder, events, asked.connections, min(asked.seconds, 5.0))
            told = {"events_per_second": round(rate), "p99_ms": round(p99, 1)}
            rows.append({"server": "floor", "store": "file", "batch": events, **told})
        for store in ["sqlite", *(["postgres"] if url else [])]:
            where = url if store == "postgres" else ""
            for name, opened in (("dongcha", ours), ("plain", plain)):
                with opened(folder / f"{name}-{store}-{n}", where) as (process, key):
                    before = cpu_seconds(process)
                    load = asyncio.run(send(key, events, asked.connections, asked.seconds))
                    spent = cpu_seconds(process) - before
                told = {
                    "events_per_second": round(events * len(load.took) / asked.seconds),
                    "p99_ms": round(1000 * _p99(load.took), 1),
                    "cpu_us_per_event": round(1e6 * spent / max(1, events * load.sent), 1),
                    "refused": load.answers.total() - len(load.took),
                }
                rows.append({"server": name, "store": store, "batch": events, **told})
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def cpu_seconds(process: int) -> float:
    """What a process has used of the processor so far, which says more than the clock on a busy machine."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def overload(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Send more than can be taken; memory of the server (MB) at the start, by quarters of the time, and at most."""
    with ours(folder / "overload", "", OVERLOAD_WAITING) as (process, key):
        status = Path(f"/proc/{process}/status")
        sender = [sys.executable, "-m", "benchmarks.ingest", "--send-only", str(asked.overload_seconds), key]
        samples = []
        with subprocess.Popen(sender, stdout=subprocess.PIPE, text=True) as sending:
            while sending.poll() is None:
                line = next(k for k in status.read_text("utf-8").splitlines() if k.startswith("VmRSS"))
                samples.append(int(line.split()[1]) / 1024)
                time.sleep(0.5)
            assert sending.stdout is not None
            answers = json.loads(sending.stdout.read())
        disk = (folder / "overload" / "inbox.db").stat().st_size / 1e6
    quarters = [samples[k * (len(samples) - 1) // 4] for k in range(5)]
    told = {"seconds": asked.overload_seconds, "answers": answers, "memory_mb": [round(q) for q in quarters]}
    return {**told, "memory_mb_highest": round(max(samples)), "inbox_mb": round(disk)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="per measurement")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 20, 100])
    parser.add_argument("--overload-seconds", type=float, default=600.0, help="0: leave that part out")
    parser.add_argument("--skip-floor", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--send-only", nargs=2, metavar=("SECONDS", "KEY"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.send_only:
        seconds, key = asked.send_only
        load = asyncio.run(send(key, 100, OVERLOAD_CONNECTIONS, float(seconds)))
        print(json.dumps(load.answers))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if why := why_not():
            print(f"without PostgreSQL: {why}", file=sys.stderr)
            rows = measure(asked, folder, "")
        else:
            with postgres() as url:
                rows = measure(asked, folder, url)
        under_load = overload(asked, folder) if asked.overload_seconds else None
    if asked.json:
        print(json.dumps({"measured": rows, "overload": under_load}))
        return
    for row in rows:
        told = "{server:8} {store:9} batch {batch:4} {events_per_second:8,} events/s  p99 {p99_ms:7.1f} ms"
        print(
            told.format(**row),
            f" {row['cpu_us_per_event']:6.1f} µs of processor an event" if "cpu_us_per_event" in row else "",
        )
    if under_load:
        print(json.dumps(under_load))


if __name__ == "__main__":
    main()
