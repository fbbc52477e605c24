"""How fast the service answers, beside a FastAPI route that gives the same bytes from memory.

    python -m benchmarks.serve WORKSPACE [--seconds 5] [--clients 1 8 64] [--only profile …] [--port 18200] [--json]
    python -m benchmarks.serve --products 10000 100000

WORKSPACE was published (`dongcha run` or `dongcha publish`) and has no keys, so that this machine may read it. Two
servers, one process each: ours, and the floor, which is FastAPI with one route and no guard. Each task is sent to one
and then the other, by wrk with one thread where it is installed, else by Python threads, which cost more themselves.
Tasks: `profile` is a customer's portrait told as a story; `recommendations`, `next-action`, `reasons` as of the newest
scoring; `risk` judges an order of one to four lines that is being placed, at request time; `search` is the first
letters of a name, sorted by a number, a page of 50; `audience` a rule with a random threshold, its count and a page of
20. Customers are drawn at random with a fixed seed. The floor sends the median answer of each task. p50 and p99 in
milliseconds; `wrong` counts answers that were not 200. With --products the recommendations of made shops with so many
products are asked for; those that are made at request time are measured by `benchmarks.serve_live`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from benchmarks.serve_live import made
from dongcha.warehouse.view import FILE, View

HOST: Final = "127.0.0.1"
DRAWN: Final = 500
MADE_CUSTOMERS: Final = 2_000
JSON: Final = {"Content-Type": "application/json"}
Request = tuple[str, str, str]
"""Method, path, body."""

WRK: Final = """
local wanted, k = {}, 0
for line in io.lines(os.getenv("WANTED")) do wanted[#wanted + 1] = line end
function request()
  k = k % #wanted + 1
  local method, path, body = wanted[k]:match("^(%S+) (%S+) ?(.*)$")
  return wrk.format(method, path, {["Content-Type"] = "application/json"}, body)
end
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format("MEASURED %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


# -- what is asked


def tasks(view: View, seed: int) -> dict[str, list[Request]]:
    """Task → requests, for customers drawn at random. Request-time answers and their catalogues have a place here."""
    draw = random.Random(seed)
    total, outputs = view.search(limit=0).total, view.about["outputs"]
    rows = [view.search(offset=draw.randrange(total), limit=1).rows[0] for _ in range(min(DRAWN, 2 * total))]
    paths = [f"/v1/customers/{quote(row['customer_id'], safe='')}" for row in rows]
    numbers = [name for name, kind in outputs.items() if kind == "number"]
    asked: dict[str, list[Request]] = {"profile": [("GET", path, "") for path in paths]}
    for name, insight in (("recommendations", "recommendation"), ("next-action", "next_action")):
        there = [row["customer_id"] for row in rows if view.answer(insight, row["customer_id"])]
        if there:
            asked[name] = [("GET", f"/v1/customers/{quote(one, safe='')}/{name}", "") for one in there]
    begun = [quote((row["name"] or row["customer_id"])[:3]) for row in rows]
    if numbers:
        sorts = [f"&sort={draw.choice(numbers)}&descending=true" for _ in rows]
        asked["search"] = [("GET", f"/v1/customers?text={b}{s}", "") for b, s in zip(begun, sorts, strict=True)]
        bounds = [(name, draw.choice(rows)[name] or 0.0) for name in draw.choices(numbers, k=DRAWN)]
        rules = [{"rule": f"{name} > {bound:.4f}", "limit": 20} for name, bound in bounds]
        asked["audience"] = [("POST", "/v1/audiences", _packed(rule)) for rule in rules]
    if "risk" in view.about["runs"]:
        orders = [_order(draw, row["customer_id"], list(view.product_names)) for row in rows]
        asked["risk"] = [("POST", "/v1/risk/orders", _packed({"orders": [order]})) for order in orders]
    return asked


def _order(draw: random.Random, customer_id: str, products: Sequence[str]) -> dict[str, Any]:
    """An order of one to four lines that is being placed now."""
    lines = [
        {"product_id": draw.choice(products), "quantity": draw.choice([1, 1, 1, 2, 3]), "price": draw.randrange(5, 200)}
        for _ in range(draw.randrange(1, 5))
    ]
    named = {"order_id": f"asked-{draw.randrange(10**9)}", "customer_id": customer_id}
    return {**named, "lines": lines, "channel": "web", "payment": "card"}


def _packed(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


# -- who answers


def serve_ours(folder: str, port: int) -> None:
    import uvicorn

    import dongcha
    from dongcha.api.app import create_app

    uvicorn.run(create_app(dongcha.open(folder)), host=HOST, port=port, log_level="warning", access_log=False)


def serve_floor(folder: str, port: int) -> None:
    """The same bytes from memory, with nothing looked up and nobody guarded against."""
    import uvicorn
    from fastapi import FastAPI, Response

    bodies = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    @app.api_route("/{task}", methods=["GET", "POST"])
    async def floor(task: str) -> Response:
        return Response(bodies[task], media_type="application/json")

    uvicorn.run(app, host=HOST, port=port, log_level="warning", access_log=False)


@contextmanager
def server(kind: str, folder: Path, port: int) -> Iterator[float]:
    """A server in a process of its own, until the block ends; gives the seconds until it answered."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serve", "--be", kind, str(folder), "--port", str(port)]
    )
    try:
        while not _is_there(port):
            if process.poll() is not None or time.perf_counter() - started > 300:
                raise SystemExit(f"The {kind} server did not start.")
            time.sleep(0.02)
        yield time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _is_there(port: int) -> bool:
    try:
        answer("GET", "/healthz", "", port)
    except OSError:
        return False
    return True


def answer(method: str, path: str, body: str, port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    connection.request(method, path, body, JSON)
    got = connection.getresponse()
    read = got.status, got.read()
    connection.close()
    return read


# -- the measuring


def measure(wanted: Sequence[Request], port: int, clients: int, seconds: float) -> dict[str, float]:
    """Requests per second, p50 and p99 in milliseconds, and how many were not answered 200."""
    if shutil.which("wrk"):
        return _by_wrk(wanted, port, clients, seconds)
    with ThreadPoolExecutor(clients) as pool:
        ends = time.perf_counter() + seconds
        parts = list(pool.map(lambda k: _by_hand(wanted, port, k, ends), range(clients)))
    times = sorted(took for part, _ in parts for took in part)
    p50, p99 = (1000 * times[int(share * (len(times) - 1))] for share in (0.5, 0.99))
    return {"rps": len(times) / seconds, "p50": p50, "p99": p99, "wrong": sum(wrong for _, wrong in parts)}


def _by_wrk(wanted: Sequence[Request], port: int, clients: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        script, asked = Path(folder, "ask.lua"), Path(folder, "wanted")
        script.write_text(WRK, "utf-8")
        asked.write_text("".join(f"{' '.join(request)}\n" for request in wanted), "utf-8")
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "60s", "-s", script]
        done = subprocess.run(
            [*command, f"http://{HOST}:{port}"],
            env={**os.environ, "WANTED": str(asked)},
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"MEASURED (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    assert found is not None, done.stdout
    requests, took, p50, p99, wrong = map(int, found.groups())
    return {"rps": requests / (took / 1e6), "p50": p50 / 1e3, "p99": p99 / 1e3, "wrong": wrong}


def _by_hand(wanted: Sequence[Request], port: int, start: int, ends: float) -> tuple[list[float], int]:
    connection, times, wrong = http.client.HTTPConnection(HOST, port, timeout=120), [], 0
    while (began := time.perf_counter()) < ends:
        method, path, body = wanted[(start + len(times)) % len(wanted)]
        connection.request(method, path, body, JSON)
        got = connection.getresponse()
        got.read()
        wrong += got.status != 200
        times.append(time.perf_counter() - began)
    connection.close()
    return times, wrong


def run(folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    view, port = View(folder / FILE), options.port
    asked = {name: wanted for name, wanted in tasks(view, 7).items() if not options.only or name in options.only}
    yield {
        "customers": view.overview["customers"],
        "file_mb": round(view.file.stat().st_size / 1e6, 1),
        "run": view.run,
    }
    with tempfile.TemporaryDirectory() as kept, server("ours", folder, port) as until_there:
        yield {"seconds_until_it_answers": round(until_there, 2)}
        for name, wanted in asked.items():
            bodies = sorted((answer(*request, port)[1] for request in wanted[:50]), key=len)
            Path(kept, name).write_bytes(bodies[len(bodies) // 2])
        with server("floor", Path(kept), port + 1):
            for name, wanted in asked.items():
                size = Path(kept, name).stat().st_size / 1024
                for clients in options.clients:
                    ours = measure(wanted, port, clients, options.seconds)
                    floor = measure([(wanted[0][0], f"/{name}", "")], port + 1, clients, options.seconds)
                    yield {"task": name, "kb": round(size, 1), "clients": clients, "ours": ours, "floor": floor}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--products", type=int, nargs="+", default=[])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--port", type=int, default=18200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--be", choices=["ours", "floor"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be:
        (serve_ours if options.be == "ours" else serve_floor)(str(options.workspace), options.port)
        return
    if options.workspace:
        tell(run(options.workspace, options), options)
    for products in options.products:
        with tempfile.TemporaryDirectory() as folder:
            shop = made(Path(folder) / "shop", products, MADE_CUSTOMERS)
            shop.score("recommendation")
            print(json.dumps({"products": products}), flush=True)
            options.only = ["recommendations"]
            tell(run(shop.folder, options), options)


def tell(lines: Iterator[dict[str, Any]], options: argparse.Namespace) -> None:
    for line in lines:
        print(json.dumps(line) if options.json or "task" not in line else _row(line), flush=True)


def _row(line: dict[str, Any]) -> str:
    sides = (
        f"{side:5} {line[side]['rps']:8,.0f}/s  p50 {line[side]['p50']:7.2f}  p99 {line[side]['p99']:8.2f} ms"
        f"  wrong {line[side]['wrong']}"
        for side in ("ours", "floor")
    )
    return f"{line['task']:16} {line['kb']:6.1f} kB {line['clients']:3} clients | " + " | ".join(sides)


if __name__ == "__main__":
    main()
