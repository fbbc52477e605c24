"""A server answers and takes events all the while other processes load, train, score and erase."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.insights.conftest import open_simulated
from tests.traces import traces

import dongcha
from dongcha.sources.simulate import simulate

WHO, OTHER = "qx7canary-id", "c000001"
WAIT_SECONDS = 30
PAUSE_SECONDS = 0.3


class Server:
    """`dongcha serve` in a process of its own, which logs into a file, so that nobody need read it meanwhile."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "dongcha.cli.main", "serve", "--port", "0", "--json-logs", "-w", str(folder)]
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stderr=out)
        while not (first := log.read_text("utf-8").partition("\n"))[1]:
            time.sleep(0.1)
        self.port = int(first[0].split("127.0.0.1:")[1].split()[0])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def end(self) -> list[dict[str, object]]:
        """SIGTERM; what it logged."""
        self.process.terminate()
        self.process.wait(120)
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]


@dataclass
class Visitor:
    """Asks one thing again and again, as long as the server is watched, and keeps every answer's status."""

    server: Server
    method: str
    path: str
    body: dict[str, object] | None = None
    statuses: list[int | str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def visit(self, stop: threading.Event) -> None:
        connection = self.server.connect()
        while not stop.is_set():
            name = f"{id(self)}-{len(self.statuses)}"
            named = {"messageId": name} if self.path == "/v1/track" else {}
            text = None if self.body is None else json.dumps({**self.body, **named}).encode()
            try:
                connection.request(self.method, self.path, text, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
                if answer.status == 200:
                    self.acknowledged.append(name)
            except (OSError, http.client.HTTPException) as error:
                self.statuses.append(repr(error))
                connection = self.server.connect()
            time.sleep(PAUSE_SECONDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of forty, in which churn has answered, and in which somebody is about to leave."""
    folder = tmp_path_factory.mktemp("beside") / "shop"
    open_simulated(simulate(40, days=240, seed=3), folder, "events", "reviews", "messages", "documents")
    settings = folder / "dongcha.toml"
    settings.write_text(settings.read_text("utf-8").replace("= 90", "= 40").replace("folds = 2", "folds = 1"), "utf-8")
    shop = dongcha.open(folder)
    file = folder.parent / "known.jsonl"
    bought = [
        {"order_id": f"q{day}", "line": 1, "customer_id": WHO, "product_id": "p00001", "quantity": 1, "price": 5,
         "happened_at": f"2023-04-{day:02}"}
        for day in range(1, 20)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in bought), "utf-8")
    shop.load(file, "orders")
    shop.train("churn")
    shop.score("churn")
    shop.engine.connection.disconnect()
    return folder


def beside(folder: Path, *words: str) -> None:
    """A command in another process, to its end."""
    command = [sys.executable, "-m", "dongcha.cli.main", *words, "-w", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)


def get(server: Server, path: str) -> tuple[int, dict[str, object]]:
    connection = server.connect()
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def knows(server: Server) -> list[str]:
    """The routes that still tell of them."""
    own = [f"/v1/customers/{WHO}{route}" for route in ("", "/timeline", "/reasons/churn")]
    telling = [path for path in own if get(server, path)[0] != 404]
    telling += [path for path in [f"/v1/customers?text={WHO}"] if get(server, path)[1]["total"]]
    live = f"/v1/live/customers/{WHO}/churn"
    return telling + [path for path in [live] if get(server, path)[1]["basis"] != "none"]


def test_no_request_fails_no_event_is_lost_and_who_was_erased_is_gone(folder: Path) -> None:
    server, stop = Server(folder, folder.parent / "log"), threading.Event()
    track = {"type": "track", "event": "Product Viewed", "userId": OTHER, "properties": {"product_id": "p00002"}}
    others = Visitor(server, "POST", "/v1/track", track)
    visitors = [
        others,
        Visitor(server, "POST", "/v1/track", {**track, "userId": WHO, "timestamp": "2023-05-01T00:00:00Z"}),
        Visitor(server, "POST", "/v1/ask", {"question": "How do I return something?"}),
        *(
            Visitor(server, "GET", path)
            for path in (
                f"/v1/customers/{OTHER}",
                f"/v1/live/customers/{OTHER}/churn",
                f"/v1/live/customers/{WHO}/churn",
                "/v1/customers?text=c0000",
                "/",
                "/data",
            )
        ),
    ]
    threads = [threading.Thread(target=visitor.visit, args=(stop,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    try:
        assert len(knows(server)) == 5
        new = {
            "order_id": "new",
            "line": 1,
            "customer_id": OTHER,
            "quantity": 1,
            "price": 5,
            "happened_at": "2023-08-01",
        }
        file = folder.parent / "new.jsonl"
        file.write_text(json.dumps(new), "utf-8")
        beside(folder, "load", str(file), "--as", "orders")
        beside(folder, "score", "churn")
        beside(folder, "erase", WHO, "--yes")
        until = time.monotonic() + WAIT_SECONDS
        while (telling := knows(server)) and time.monotonic() < until:
            time.sleep(0.5)
        assert not telling
        # Whatever the others see goes on.
        time.sleep(1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        logged = server.end()
    for visitor in visitors:
        assert set(visitor.statuses) == {200}, (visitor.path, visitor.statuses)
    # A page that could not be read answers 200 and says so. (What NiceGUI tells of visitors who hung up is not ours.)
    assert [line for line in logged if "StoreError" in str(line) or "FileNotFound" in str(line)] == []
    beside(folder, "flush")
    shop = dongcha.open(folder)
    events = shop.lake.engine.to_polars(shop.lake.read("events"))
    assert events["message_id"].is_unique().all()
    assert set(others.acknowledged) <= set(events["message_id"])
    shop.inbox.scrub()
    shop.inbox.close()
    assert traces(folder, WHO) == []
