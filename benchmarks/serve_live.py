"""How fast live recommendations are, and whether a swap of versions under load fails a request.

    python -m benchmarks.serve_live [--products 10000 100000] [--customers 2000] [--seconds 5] [--swaps 20]
        [--opening 100000]

A shop of random purchases is made (a Zipf law over products), the judge over counted rankers is learnt on it, and the
published files are served by uvicorn in a process of its own, on loopback. Clients are threads that ask one customer
after another over connections they keep. The simplest peer runs beside: the same server and route answering a stored
list. While champions are swapped, by another process, no request may fail. Beside latency and rate stands what the
server's processor spent on one answer, which says the same on a busy machine. `--opening`: so many customers' rows are
written and opened too, and what that takes is told.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

import numpy as np
import polars as pl

import dongcha
from dongcha.assemble import Shop
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.live import live_folder, write_shop
from dongcha.jobs.hand_over import SHOP, hand_over
from dongcha.jobs.study import Study
from dongcha.warehouse.tables import table

PORT = int(os.environ.get("SERVE_LIVE_PORT", "18250"))
START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 300
ORDERS = 15
CLIENTS = (1, 8, 64)
PATH = "/v1/live/customers/{}/recommendations"
STORED = "/stored/{}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--products", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--opening", type=int, default=0, help="customers")
    parser.add_argument("--serve", type=Path)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
        return
    for products in asked.products:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder) / "shop", products, asked)
    if asked.opening:
        with tempfile.TemporaryDirectory() as folder:
            opening(Path(folder) / "shop", max(asked.products), asked.opening)


def measure(folder: Path, products: int, asked: argparse.Namespace) -> None:
    shop = made(folder, products, asked.customers)
    size = sum(file.stat().st_size for file in live_folder(shop.desk.models.folder).rglob("*") if file.is_file())
    print(f"{products:,} products, {asked.customers:,} customers; {size / 1e6:.0f} MB published", flush=True)
    began = perf_counter()
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.serve_live", "--serve", str(folder)])
    try:
        ready()
        print(f"  serving after {perf_counter() - began:.1f} s", flush=True)
        ask(http.client.HTTPConnection("127.0.0.1", PORT), PATH.format("c0"))
        for what, path in (("live", PATH), ("stored list", STORED)):
            for clients in CLIENTS:
                before = processor_seconds()
                result = load(path, clients, asked.seconds, asked.customers)
                told(f"{what}, {clients} clients", result, processor_seconds() - before)
        swaps(folder, asked)
    finally:
        server.terminate()
        server.wait()


def swaps(folder: Path, asked: argparse.Namespace) -> None:
    """Champions change places while eight clients ask."""
    seen: set[str] = set()
    stop = threading.Event()
    worker = Loads(PATH, 8, 3600.0, asked.customers, stop)
    worker.start()
    script = (
        "import sys, dongcha; shop = dongcha.open(sys.argv[1])\n"
        "for line in sys.stdin: print(shop.promote('recommendation', line.strip(), why='bench'), flush=True)"
    )
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as promoter:
        assert promoter.stdin is not None
        assert promoter.stdout is not None
        for k in range(asked.swaps):
            version = ("v2", "v1")[k % 2]
            promoter.stdin.write(version + "\n")
            promoter.stdin.flush()
            assert promoter.stdout.readline().strip() == version
            deadline = monotonic() + 60
            while (now := answering()) != version and monotonic() < deadline:
                sleep(0.02)
            seen.add(now)
        promoter.stdin.close()
    stop.set()
    worker.join()
    told(f"live, 8 clients, {asked.swaps} swaps ({' and '.join(sorted(seen))} answered)", worker.result)


def processor_seconds() -> float:
    """What the server has used of the processor so far."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("process_cpu_seconds_total "))


def opening(folder: Path, products: int, customers: int) -> None:
    """What the rows of many customers take to write and to open, and one of them to be found."""
    shop = filled(folder, products, customers)
    rows = live_folder(shop.desk.models.folder) / SHOP
    facts = Snapshot(shop.lake, shop.as_of())
    began = perf_counter()
    write_shop(facts, shop.desk.plan.horizon, rows, {"as_of": str(facts.as_of)})
    size = sum(file.stat().st_size for file in rows.rglob("*") if file.is_file())
    print(f"{customers:,} customers: written in {perf_counter() - began:.1f} s, {size / 1e6:.0f} MB", flush=True)
    script = (
        "import sys, pathlib; from time import perf_counter\n"
        "from dongcha.insight_kit.live import LiveShop\n"
        "told = lambda: dict(line.split(':') for line in open('/proc/self/status'))\n"
        "memory = lambda: int(told()['RssAnon'].split()[0]) / 1024  # without the mapped files\n"
        "had, began = memory(), perf_counter(); shop = LiveShop.open(pathlib.Path(sys.argv[1]))\n"
        "print(f'  opened in {perf_counter() - began:.2f} s, {memory() - had:.0f} MB'); began = perf_counter()\n"
        "for k in range(1000): shop.facts(f'c{k}', shop.rows(f'c{k}'), shop.as_of).history.timeline\n"
        "print(f'  all features and the timeline of one in {(perf_counter() - began):.2f} ms')"
    )
    subprocess.run([sys.executable, "-c", script, str(rows)], check=True)


def answering() -> str:
    """Which version answers now, asked over a connection of its own."""
    return str(ask(http.client.HTTPConnection("127.0.0.1", PORT), PATH.format("c1"))["version"])


def filled(folder: Path, products: int, customers: int) -> Shop:
    """A shop of random purchases."""
    shop = dongcha.new(folder)
    draw = np.random.default_rng(0)
    lines = customers * ORDERS
    popular = 1 / np.arange(1, products + 1) ** 0.8
    item = draw.choice(products, lines, p=popular / popular.sum())
    days = np.sort(draw.uniform(0, DAYS, lines))
    orders = pl.DataFrame(
        {
            "order_id": [f"o{k}" for k in range(lines)],
            "line": np.ones(lines, dtype=np.int64),
            "customer_id": [f"c{k}" for k in draw.integers(0, customers, lines)],
            "product_id": [f"p{k}" for k in item],
            "quantity": np.ones(lines),
            "price": np.round(draw.lognormal(3, 0.5, lines), 2),
            "happened_at": [START + timedelta(days=float(day)) for day in days],
        }
    )
    catalogue = pl.DataFrame(
        {
            "product_id": [f"p{k}" for k in range(products)],
            "name": [f"thing {k % 977} of kind {k % 53}" for k in range(products)],
            "category": [f"kind {k % 53}" for k in range(products)],
            "price": np.round(draw.lognormal(3, 0.5, products), 2),
            "happened_at": [START] * products,
        }
    )
    for frame, name in ((orders, "orders"), (catalogue, "products")):
        put(shop, frame, name)
    return shop


def made(folder: Path, products: int, customers: int) -> Shop:
    """A shop with two published versions of recommendation."""
    shop = filled(folder, products, customers)
    insight = shop.insights["recommendation"]
    study = Study(shop.desk, insight, shop.as_of())
    contender = study.fitted("judged_counts", study.as_of)
    facts = study.lesson(study.as_of)[1]
    for version in ("v1", "v2"):
        shop.desk.models.save(insight, version, contender)
        hand_over(study, version, contender, facts)
        card = {"insight": "recommendation", "version": version, "as_of": study.as_of.moment, "card": "{}"}
        shop.ledger.write("cards", [{**card, "run_id": version, "made_at": shop.clock()}])
    shop.promote("recommendation", "v1", why="bench")
    return shop


def put(shop: Shop, frame: pl.DataFrame, name: str) -> None:
    schema = table(name).schema
    lacking = [pl.lit(None).alias(column) for column in schema if column not in frame.columns]
    whole = frame.with_columns(lacking).with_columns(pl.col("happened_at").alias("known_at"))
    shop.lake.folder.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=shop.lake.folder)) / "staged.parquet"
    whole.select(pl.col(column).cast(kind) for column, kind in schema.items()).write_parquet(staged)
    shop.lake.commit(name, [staged])
    shutil.rmtree(staged.parent)


def serve(folder: Path) -> None:
    import uvicorn

    from dongcha.api.app import create_app

    app = create_app(dongcha.open(folder))
    stored = {"recommendations": [{"label": f"p{k}", "value": 1.0} for k in range(10)]}

    @app.get("/stored/{customer_id}")
    def from_store(customer_id: str) -> dict[str, Any]:
        return {"customer_id": customer_id, "version": "stored", **stored}

    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")


def ready() -> None:
    for _ in range(600):
        try:
            ask(http.client.HTTPConnection("127.0.0.1", PORT), "/healthz")
        except OSError:
            sleep(0.1)
        else:
            return
    raise SystemExit("the server did not come up")


def ask(connection: http.client.HTTPConnection, path: str) -> Any:
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise OSError(f"{response.status}: {body[:200]!r}")
    return json.loads(body)


class Loads(threading.Thread):
    """Clients that ask until told to stop."""

    def __init__(self, path: str, clients: int, seconds: float, customers: int, stop: threading.Event) -> None:
        super().__init__()
        self.path, self.clients, self.seconds, self.customers, self.stop = path, clients, seconds, customers, stop
        self.result: tuple[list[float], list[str], float] = ([], [], 0.0)

    def run(self) -> None:
        waits: list[float] = []
        failed: list[str] = []
        began = perf_counter()

        def client(number: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", PORT)
            draw = np.random.default_rng(number)
            while not self.stop.is_set() and perf_counter() - began < self.seconds:
                started = perf_counter()
                try:
                    ask(connection, self.path.format(f"c{draw.integers(self.customers)}"))
                    waits.append(perf_counter() - started)
                except (OSError, http.client.HTTPException) as error:
                    failed.append(repr(error))
                    connection = http.client.HTTPConnection("127.0.0.1", PORT)

        threads = [threading.Thread(target=client, args=(k,)) for k in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.result = (waits, failed, perf_counter() - began)


def load(path: str, clients: int, seconds: float, customers: int) -> tuple[list[float], list[str], float]:
    worker = Loads(path, clients, seconds, customers, threading.Event())
    worker.run()
    return worker.result


def told(what: str, result: tuple[list[float], list[str], float], used: float = float("nan")) -> None:
    waits, failed, seconds = result
    p50, p99 = np.percentile(np.array(waits) * 1000, [50, 99]) if waits else (np.nan, np.nan)
    print(
        f"  {what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {len(waits) / seconds:.0f}/s, "
        f"{used * 1000 / max(len(waits), 1):.2f} ms of the processor each, {len(failed)} failed of "
        f"{len(waits) + len(failed)}{': ' + failed[0] if failed else ''}",
        flush=True,
    )


if __name__ == "__main__":
    main()
