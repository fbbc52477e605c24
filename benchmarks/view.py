"""The serving view at size: made-up customers, written as `dongcha publish` writes them, read by many ids and rules.

    python -m benchmarks.view [--customers 200000] [--seed 7] [--json]

One line a reading: median and 99th percentile in milliseconds over 200 different ones, in this process, by one thread.
`write` is the writing alone, seconds and megabytes: the portraits themselves are made by `profiles/portraits.py`, whose
cost `dongcha publish` prints. Portraits are of about the size that the simulated shop's have. Beside `get` stands what
it is to be held against, the same row by primary key from a table of two columns (`floor`), and beside `search` what
most would write, LIKE '%…%' over the same columns (`like`).
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from dongcha.warehouse.rules import Kind
from dongcha.warehouse.view import View
from dongcha.warehouse.view_file import Writer, replacing

GIVEN: Final = ("Ann", "Oscar", "Béa", "Nora", "Li", "王", "Ünal", "Maria", "Noah", "Ibrahim", "Zoë", "陈")
FAMILY: Final = ("Lee", "Moore", "Müller", "O'Brien", "Wei", "伟明", "Öz", "Silva", "Harrison", "Davies", "静")
CITIES: Final = ("Leeds", "Köln", "上海", "Lyon", "Porto", "Osaka")
NUMBERS: Final = ("churn_probability", "lifetime_value", "satisfaction", "days")
READ: Final = 200


def customers(count: int, seed: int) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    draw = np.random.default_rng(seed)
    for number in range(count):
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number // len(GIVEN) % len(FAMILY)]
        known = {
            "name": f"{given} {family}",
            "email": f"{number}@mail.example",
            "city": CITIES[number % len(CITIES)],
            "country": "GB",
        }
        orders = [{"order_id": f"o{number}-{k}", "value": 12.5, "lines": 2} for k in range(6)]
        texts = [{"text": "It came late, but is well made. " * 4, "rating": 4.0, "tone": 0.1} for _ in range(3)]
        found = {"customer_id": f"c{number:08}", "customer": known, "orders": orders, "texts": texts}
        told = dict(zip(NUMBERS, draw.random(len(NUMBERS)).tolist(), strict=True))
        reasons = [{"feature": "recency_days", "value": 3.25, "typical": 40.5, "effect": -0.125}] * 5
        answers = {
            "numbers": {"answer": told | {"segment": f"group {number % 8}"}, "reasons": reasons},
            "vector": {"answer": {"vector": draw.random(64).tolist()}, "reasons": []},
        }
        events = {"happened_at": [f"2024-05-{k % 28 + 1:02}T10:00:00" for k in range(60)], "event": ["Viewed"] * 60}
        yield found, answers, events


def write(file: Path, count: int, seed: int) -> None:
    kinds = {**dict.fromkeys(NUMBERS, Kind.NUMBER), "segment": Kind.TEXT}
    with replacing(file) as new, Writer(new, kinds) as writer:
        for found, answers, events in customers(count, seed):
            writer.add_customer(found, answers, events)
        runs = {
            name: {"entity": "customer_id", "version": "v1", "as_of": "2024-06-01"} for name in ("numbers", "vector")
        }
        writer.finish({"run": "made up", "runs": runs, "outputs": kinds, "groups": {}, "overview": {}})


def timed(read: Callable[[int], object]) -> dict[str, float]:
    times = []
    for number in range(READ):
        began = time.perf_counter()
        read(number)
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    return {"p50_ms": round(statistics.median(times), 3), "p99_ms": round(times[int(0.99 * READ)], 3)}


def readings(view: View, count: int, seed: int) -> dict[str, Callable[[int], object]]:
    draw = np.random.default_rng(seed + 1)
    ids = [f"c{number:08}" for number in draw.integers(0, count, READ)]
    bounds = draw.random(READ).tolist()
    words = [f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}" for _ in range(READ)]
    low = draw.integers(0, count - 60, READ).tolist()
    plain = sqlite3.connect(":memory:")
    plain.execute("CREATE TABLE t (id TEXT PRIMARY KEY, told BLOB) WITHOUT ROWID")
    plain.executemany("INSERT INTO t VALUES (?, ?)", ((one, json.dumps(view.get(one))) for one in set(ids)))
    names = sqlite3.connect(f"{view.file.as_uri()}?mode=ro&immutable=1", uri=True)
    like = "SELECT count(*) FROM customers WHERE " + " OR ".join(
        f"{k} LIKE ?1" for k in ("customer_id", "name", "email")
    )
    return {
        "get": lambda k: view.get(ids[k]),
        "floor: row by primary key, JSON read": lambda k: json.loads(
            plain.execute("SELECT told FROM t WHERE id = ?", (ids[k],)).fetchone()[0]
        ),
        "answer": lambda k: view.answer("numbers", ids[k]),
        "timeline": lambda k: view.timeline(ids[k]),
        "search, two words of a name": lambda k: view.search(words[k]),
        "like: '%name%' over id, name, e-mail": lambda k: names.execute(like, (f"%{words[k]}%",)).fetchone(),
        "search, an id": lambda k: view.search(ids[k]),
        "first page by a number": lambda k: view.search(sort=NUMBERS[k % 4], descending=k % 2 == 0),
        "page at a random place": lambda k: view.search(sort=NUMBERS[k % 4], offset=low[k]),
        "rule, count and first page": lambda k: view.search(
            where=f"churn_probability > {bounds[k]} and segment == 'group {k % 8}'", sort="lifetime_value"
        ),
        "rule, count alone": lambda k: view.search(where=f"not (lifetime_value <= {bounds[k]})", limit=0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        view = View(Path(folder, "serving.db"))
        began = time.perf_counter()
        write(view.file, options.customers, options.seed)
        size = view.file.stat().st_size
        made = {"seconds": round(time.perf_counter() - began, 1), "mb": round(size / 1e6, 1)}
        print(json.dumps({"customers": options.customers, "write": made}), flush=True)
        for name, read in readings(view, options.customers, options.seed).items():
            found = timed(read)
            told = f"{name:38} p50 {found['p50_ms']:9.3f} ms   p99 {found['p99_ms']:9.3f} ms"
            print(json.dumps({"reading": name, **found}) if options.json else told, flush=True)
        view.close()


if __name__ == "__main__":
    main()
