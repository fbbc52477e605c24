"""The server as a process: what it loads, where it listens, what it logs, how it ends."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import PASSWORD

import dongcha
from dongcha.access.scopes import Role, Scope
from dongcha.api.logs import Lines, clean
from dongcha.assemble import Shop
from dongcha.cli.service import serve_shop
from dongcha.errors import UsageError

HEAVY = ("torch", "lightgbm", "sklearn", "scipy", "pandas")


def test_the_service_starts_without_what_only_training_needs(tmp_path: Path) -> None:
    look = (
        "import sys, dongcha\n"
        "from starlette.testclient import TestClient\n"
        "from dongcha.api.app import create_app\n"
        f"app = create_app(dongcha.open({str(tmp_path)!r}))\n"
        "with TestClient(app, base_url='http://127.0.0.1') as client:\n"
        "    paths = ('/healthz', '/readyz', '/metrics', '/openapi.json', '/v1/session', '/v1/jobs')\n"
        "    statuses = {client.get(path).status_code for path in paths}\n"
        f"print(statuses, [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{200} []", done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_elsewhere_needs_a_key_or_a_person(shop: Shop, host: str) -> None:
    with pytest.raises(UsageError, match="dongcha keys add"):
        serve_shop(shop, host, 0)


def test_a_taken_port_is_told_with_another(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="--port"):
        serve_shop(shop, "127.0.0.1", taken.getsockname()[1])


class Server:
    """`dongcha serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "dongcha.cli.main", "serve", "--port", "0", "--json-logs", "-w", str(folder)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.first = self.process.stderr.readline()
        self.port = int(self.first.split("127.0.0.1:")[1].split()[0])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def end(self) -> list[str]:
        """SIGTERM; the lines it logged."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=120)
        return [line for line in errors.splitlines() if line.startswith("{")]


def test_sigterm_waits_for_what_is_under_way_and_no_secret_is_logged(shop: Shop, tmp_path: Path) -> None:
    key, secret = shop.access.keys.add("test", [Scope.READ], actor="test")
    shop.access.people.add("ann", Role.ADMIN, PASSWORD, actor="test")
    server = Server(tmp_path)
    try:
        quick = server.connect()
        quick.request("GET", "/v1/session?of=ann@example.com&phone=%2B447624508075&key=" + secret)
        assert quick.getresponse().status == 401
        quick = server.connect()
        quick.request("GET", "/v1/session", headers={"Authorization": f"Bearer {secret}", "X-Request-Id": secret})
        assert quick.getresponse().status == 200
        quick = server.connect()
        quick.request("GET", "/v1/nothing/ann@example.com", headers={"Cookie": f"dongcha_session={secret}"})
        assert quick.getresponse().status == 404
        body = json.dumps({"name": "ann", "password": PASSWORD}).encode()
        slow = server.connect()
        slow.putrequest("POST", "/v1/session")
        slow.putheader("Content-Type", "application/json")
        slow.putheader("Content-Length", str(len(body)))
        slow.endheaders(body[:10])
        # The server has this request before it is told to stop: one that came later on the same loop is answered.
        quick = server.connect()
        quick.request("GET", "/healthz")
        assert quick.getresponse().status == 200
        server.process.send_signal(signal.SIGTERM)
        slow.send(body[10:])
        answer = slow.getresponse()
        assert answer.status == 200
        token = answer.headers["set-cookie"].split(";")[0].split("=")[1]
    finally:
        lines = server.end()
    told = [json.loads(line) for line in lines]
    answered = [line for line in told if line["message"] == "answered"]
    assert [line["status"] for line in answered] == [401, 200, 404, 200, 200]
    assert answered[1]["key"] == key.key_id
    everything = "\n".join(lines)
    for hidden in (secret, token, PASSWORD, "ann@example.com", "7624508075", secret.split("_", 2)[2]):
        assert hidden not in everything
    assert dongcha.open(tmp_path).access.keys.listed()[0]["requests"] == 1, "counts are written at the end"


def test_what_breaks_is_logged_without_what_reaches_a_person() -> None:
    import logging

    try:
        raise ValueError("no row for ann@example.com, +44 7624 508075, dck_0a1b_xyz")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed for %s", ("bob@x.org",), sys.exc_info())
    for as_json in (True, False):
        line = Lines(as_json=as_json).format(record)
        assert "ValueError" in line
        assert not any(hidden in line for hidden in ("ann@", "7624", "dck_", "bob@"))


def test_what_opens_a_page_s_socket_is_not_logged() -> None:
    line = clean('127.0.0.1:0 - "WebSocket /socket.io/?client_id=88f35702-6cf2&tab_id=0c12" [accepted]')
    assert line == '127.0.0.1:0 - "WebSocket /socket.io/?[query] [accepted]'


@pytest.mark.parametrize(
    "plain", ["took 12.5 ms", "2026-03-01T12:00:00", "version v3 of churn", "1,234 rows", "so? yes"]
)
def test_what_is_harmless_is_logged_as_it_is(plain: str) -> None:
    assert clean(plain) == plain


def test_figures_name_routes_and_never_customers(client: TestClient, key: Callable[..., dict[str, str]]) -> None:
    header = key(Scope.READ)
    client.get("/test/raise/UnknownError")
    client.get("/v1/nothing/ann@example.com")
    for n in range(50):
        client.get(f"/nowhere/{n}")
    client.request("BREW", "/healthz")
    text = client.get("/metrics", headers=header).text
    assert 'dongcha_requests_total{method="GET",route="/test/raise/{name}",status="404"} 1.0' in text
    assert 'dongcha_requests_total{method="GET",route="(none)",status="404"} 51.0' in text
    assert 'method="(other)"' in text
    assert 'dongcha_request_seconds_bucket{le="0.1",route="/test/raise/{name}"}' in text
    assert "dongcha_job_running 0.0" in text
    assert "process_resident_memory_bytes" in text
    assert "ann@" not in text
    assert client.get("/metrics").status_code == 401


def test_a_gauge_that_cannot_be_read_hides_no_other(client: TestClient) -> None:
    metrics = client.app.state.metrics  # type: ignore[attr-defined]
    metrics.watch("test_broken", "Broken.", lambda: 1 / 0)
    metrics.watch("test_whole", "Whole.", lambda: 7)
    text = client.get("/metrics").text
    assert "test_whole 7.0" in text
    assert "test_broken" not in text


def test_readiness_says_what_is_not_ready_and_no_path(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/readyz").json() == {
        "ready": True,
        "parts": {
            "settings": "ready", "access": "ready", "disk": "ready", "inbox": "ready",
            "live": "nothing is published yet",
        },
    }, "a shop that was never run takes events all the same"  # fmt: skip
    (tmp_path / "access.db").write_bytes(b"damaged" * 1000)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["parts"]["access"] == "not to be used: StoreError"
    assert str(tmp_path) not in answer.text
    assert client.get("/healthz").status_code == 200, "the process itself is well"
    assert client.get("/v1/session").status_code == 503, "no key can be read, so nobody gets in"
