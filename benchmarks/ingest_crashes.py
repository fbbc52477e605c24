"""Do acknowledged events survive? Both official SDKs send while the server is killed and restarted at random.

    python -m benchmarks.ingest_crashes --events 100000 --kills 20

Each SDK (segment-analytics-python, rudder-sdk-python), unchanged but for the host, sends its events to a real server,
which is killed with SIGKILL at random moments and started again at once, in the middle of requests and of flushes.
Then what the SDK reported as delivered is looked for in the lake: each event once, each order's lines once, and each
customer's last trait the one that was sent last.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

CUSTOMERS: Final = 97
ORDER_EVERY: Final = 10
IDENTIFY_EVERY: Final = 25
SERVER: Final = """
import sys, uvicorn, dongcha
from dongcha.api.app import create_app
uvicorn.run(create_app(dongcha.open(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""
START_SECONDS: Final = 120.0


class Server:
    """The server of a workspace in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, port: int, flush_seconds: float = 0.3) -> None:
        self.folder, self.port = folder, port
        self.environment = {**os.environ, "DONGCHA_INBOX__FLUSH_SECONDS": str(flush_seconds)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it listens."""
        command = [sys.executable, "-c", SERVER, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment)
        until = time.monotonic() + START_SECONDS
        while wait and not self.listens():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.05)

    def listens(self) -> bool:
        """Whether it can be reached."""
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, how: signal.Signals) -> None:
        """SIGKILL, or SIGTERM for a graceful end."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()


@dataclass
class Sent:
    """What an SDK took, and what it gave up."""

    events: list[str] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    """Order id → message id."""
    traits: dict[str, int] = field(default_factory=dict)
    """Customer → the last number noted of them."""
    given_up: set[str] = field(default_factory=set)
    taken: int = 0


@dataclass(frozen=True)
class Survived:
    """How many events an SDK delivered, and how many of them the lake lacks or holds more than once."""

    sdk: str
    events: int
    kills: int
    given_up: int
    lost: int
    doubled: int
    orders_wrong: int
    traits_wrong: int
    seconds: float


def write_key(folder: Path) -> str:
    """A key of the workspace that may send as fast as it can."""
    import dongcha
    from dongcha.access.scopes import Scope

    access = dongcha.open(folder).access
    return str(access.keys.add("sender", [Scope.INGEST], actor="benchmark", rate=0)[1])


def segment(port: int, key: str, on_error: Callable[..., None]) -> Any:
    """Segment's client."""
    from segment.analytics.client import Client

    url = f"http://127.0.0.1:{port}"
    return Client(key, host=url, on_error=on_error, max_queue_size=2000, max_retries=50, upload_interval=0.1)


def rudder(port: int, key: str, on_error: Callable[..., None]) -> Any:
    """RudderStack's client; its module-level `dataPlaneUrl` is this `host`."""
    from rudderstack.analytics.client import Client

    url = f"http://127.0.0.1:{port}"
    return Client(key, host=url, on_error=on_error, max_queue_size=2000, max_retries=50, upload_interval=0.1)


SDKS: Final = {"segment": segment, "rudder": rudder}


def survive(folder: Path, sdk: str, *, events: int, kills: int, seed: int, port: int) -> Survived:
    """Send through one SDK while the server is killed; compare what was delivered with the lake."""
    import dongcha

    began = time.monotonic()
    dongcha.new(folder)
    server, key, sent = Server(folder, port), write_key(folder), Sent()
    server.start()
    marks = sorted(random.Random(seed).sample(range(events), kills))
    killer = threading.Thread(target=_kill, args=(server, sent, marks, random.Random(seed + 1)))
    killer.start()
    try:
        _send(SDKS[sdk](port, key, lambda _, batch: sent.given_up.update(m["messageId"] for m in batch)), sent, events)
        killer.join()
    finally:
        server.end(signal.SIGTERM)
    return _compared(folder, sdk, sent, kills, time.monotonic() - began)


def _send(client: Any, sent: Sent, events: int) -> None:
    for n in range(events):
        sent.taken = n + 1
        who = f"c{n % CUSTOMERS}"
        if n % IDENTIFY_EVERY == 0:
            _taken(client.identify, who, {"n": n})
            sent.traits[who] = n
        elif n % ORDER_EVERY == 1:
            order = {"order_id": f"o{n}", "products": [{"product_id": "p", "price": 2.5, "quantity": n % 7 + 1}]}
            sent.orders[f"o{n}"] = _taken(client.track, who, "Order Completed", order)
            sent.events.append(sent.orders[f"o{n}"])
        else:
            sent.events.append(_taken(client.track, who, "Product Viewed", {"product_id": f"p{n % 50}"}))
    client.shutdown()


def _taken(call: Callable[..., tuple[bool, dict[str, Any]]], *what: Any) -> str:
    """Hand it to the SDK, which refuses while its queue is full; returns the message's id."""
    queue = call.__self__.queue  # type: ignore[attr-defined]
    while True:
        while queue.full():
            time.sleep(0.01)
        taken, message = call(*what)
        if taken:
            return str(message["messageId"])


def _kill(server: Server, sent: Sent, marks: list[int], rng: random.Random) -> None:
    for mark in marks:
        while sent.taken <= mark:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.5))
        server.end(signal.SIGKILL)
        server.start()


def _compared(folder: Path, sdk: str, sent: Sent, kills: int, seconds: float) -> Survived:
    import dongcha
    from dongcha.as_of import AsOf
    from dongcha.features.point_in_time import Snapshot

    shop = dongcha.open(folder)
    shop.flush()
    shop.inbox.close()
    lake = shop.lake
    there = Counter(lake.engine.to_polars(lake.engine.read(lake.files("events")))["message_id"].to_list())
    lines = lake.engine.to_polars(lake.engine.read(lake.files("orders")))
    ordered = dict(zip(lines["order_id"], lines["quantity"], strict=True))
    delivered = [message for message in sent.events if message not in sent.given_up]
    orders = {order: message for order, message in sent.orders.items() if message not in sent.given_up}
    late = AsOf.parse("2100-01-01")
    traits = lake.engine.to_polars(Snapshot(lake, late).table("customers").select("customer_id", "extras"))
    noted = {who: json.loads(extras)["n"] for who, extras in traits.rows()}
    return Survived(
        sdk=sdk,
        events=sent.taken,
        kills=kills,
        given_up=len(sent.given_up),
        lost=sum(there[message] == 0 for message in delivered),
        doubled=sum(n > 1 for n in there.values()) + len(there.keys() - set(sent.events)),
        orders_wrong=sum(ordered.get(o) != int(o[1:]) % 7 + 1 for o in orders) + len(lines) - len(ordered),
        traits_wrong=sum(noted.get(who) != n for who, n in sent.traits.items()) if not sent.given_up else 0,
        seconds=round(seconds, 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000, help="through each SDK")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--sdk", choices=sorted(SDKS), action="append")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--port", type=int, default=18140)
    asked = parser.parse_args()
    for sdk in asked.sdk or sorted(SDKS):
        with tempfile.TemporaryDirectory() as folder:
            shop = Path(folder) / "shop"
            found = survive(shop, sdk, events=asked.events, kills=asked.kills, seed=asked.seed, port=asked.port)
        print(json.dumps(asdict(found)), flush=True)


if __name__ == "__main__":
    main()
