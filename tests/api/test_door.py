"""The door: other names, other sites and other machines."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.api.conftest import HERE

import dongcha
from dongcha.access.scopes import Scope
from dongcha.api import door
from dongcha.api.app import create_app

Key = Callable[..., dict[str, str]]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8600", 200),
        ("127.0.0.1", 200),
        ("[::1]:8600", 200),
        ("LOCALHOST", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.168.1.5:8600", 403),
        ("", 403),
        ("[", 403),
        ("127.0.0.1@evil.example", 403),
    ],
)
def test_an_unguarded_workspace_answers_to_loopback_names_only(client: TestClient, host: str, status: int) -> None:
    assert client.get("/test/read", headers={"Host": host}).status_code == status


def test_an_unguarded_workspace_is_not_passed_on_by_a_proxy(client: TestClient, app: FastAPI) -> None:
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"):
        assert client.get("/test/read", headers={name: "203.0.113.9"}).status_code == 403
    far = TestClient(app, base_url=HERE, client=("203.0.113.9", 5))
    assert far.get("/test/read").status_code == 403


def test_an_unguarded_workspace_takes_no_change_from_another_sites_page(client: TestClient) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/test/ingest", headers=headers).status_code == 403
    assert client.post("/test/ingest", headers={"Origin": HERE}).status_code == 200
    assert client.post("/test/ingest").status_code == 200


def test_another_sites_page_opens_no_socket(app: FastAPI, client: TestClient) -> None:
    @app.websocket("/test/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    with client.websocket_connect(HERE.replace("http", "ws") + "/test/socket", headers={"Origin": HERE}):
        pass
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(
            HERE.replace("http", "ws") + "/test/socket", headers={"Origin": "https://evil.example"}
        ),
    ):
        pass


def test_a_guarded_server_goes_by_its_own_names(tmp_path: Path) -> None:
    (tmp_path / "dongcha.toml").write_text('[serve]\nhosts = ["insight.example"]\n', "utf-8")
    shop = dongcha.open(tmp_path)
    _, secret = shop.access.keys.add("test", [Scope.READ], actor="test")
    client = TestClient(create_app(shop), base_url=HERE, headers={"Authorization": f"Bearer {secret}"})
    hosts = ("insight.example", "Insight.Example:443", "127.0.0.1:8600", "other.example")
    assert [client.get("/v1/session", headers={"Host": host}).status_code for host in hosts] == [200, 200, 200, 421]
    assert client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200, "probes go by address"


def test_other_origins_get_nothing_unless_they_are_named(client: TestClient, key: Key, tmp_path: Path) -> None:
    header = key(Scope.INGEST)
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    closed = client.options("/test/ingest", headers=asked)
    assert closed.status_code == 405
    assert "access-control-allow-origin" not in closed.headers
    (tmp_path / "dongcha.toml").write_text('[serve]\norigins = ["https://shop.example"]\n', "utf-8")
    opened = TestClient(create_app(dongcha.open(tmp_path)), base_url=HERE)
    assert opened.options("/v1/session", headers=asked).headers["access-control-allow-origin"] == "https://shop.example"
    assert opened.options("/v1/session", headers={**asked, "Origin": "https://evil.example"}).status_code == 400
    answer = opened.get("/v1/session", headers={**header, "Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["*", "shop.example", "https://shop.example/path", "https://*.example"])
def test_an_origin_that_is_none_is_told(tmp_path: Path, origin: str) -> None:
    (tmp_path / "dongcha.toml").write_text(f'[serve]\norigins = ["{origin}"]\n', "utf-8")
    with pytest.raises(dongcha.SettingsError, match="not an origin"):
        create_app(dongcha.open(tmp_path))


def test_a_body_larger_than_a_megabyte_is_refused_however_it_comes(client: TestClient) -> None:
    assert client.post("/test/echo", content=b"x" * (1 << 20)).json() == 1 << 20
    assert client.post("/test/echo", content=b"x" * ((1 << 20) + 1)).status_code == 413
    chunks = (b"x" * 65536 for _ in range(17))
    assert client.post("/test/echo", content=chunks).status_code == 413


def test_a_body_that_trickles_is_given_up(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BODY_SECONDS", 0.05)
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"1000")]
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/session", "raw_path": b"/v1/session",
        "query_string": b"", "root_path": "", "scheme": "http", "headers": headers, "client": ("127.0.0.1", 1),
    }  # fmt: skip
    sent: list[Any] = []

    async def trickle() -> dict[str, Any]:
        await anyio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(app, scope, trickle, send)
    assert sent[0]["status"] == 400


def test_headers_that_browsers_heed_are_on_every_answer(client: TestClient) -> None:
    for path in ("/healthz", "/nowhere", "/test/raise/other", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers
        assert "access-control-allow-origin" not in headers
    assert "strict-transport-security" in client.get("https://127.0.0.1/healthz").headers
    assert client.get("/v1/session").headers["cache-control"] == "no-store"


def test_the_page_of_the_api_needs_nobody_elses_server(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) >= 2
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert {client.get(asset).status_code for asset in assets} == {200}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("UsageError", 400),
        ("UnknownError", 404),
        ("InputError", 400),
        ("MissingDataError", 409),
        ("ConflictError", 409),
        ("BusyError", 429),
        ("StoreError", 503),
        ("ContractError", 500),
        ("other", 500),
    ],
)
def test_errors_have_their_status_and_one_shape(client: TestClient, error: str, status: int) -> None:
    answer = client.get(f"/test/raise/{error}")
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "mend", "request_id"}
    if status < 500:
        assert answer.json()["mend"] == "Mend it."
    else:
        assert "secret" not in answer.text
        assert "hunter2" not in answer.text
    assert ("retry-after" in answer.headers) == (status in (429, 503))


def test_what_broke_inside_is_in_the_log_with_the_id_that_was_answered(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "dongcha.api"):
        answer = client.get("/test/raise/other")
    (record,) = [record for record in caplog.records if record.name == "dongcha.api"]
    assert record.fields["request_id"] == answer.json()["request_id"]  # type: ignore[attr-defined]
    assert record.fields["route"] == "/test/raise/{name}"  # type: ignore[attr-defined]
    assert record.exc_info is not None
    assert record.exc_info[0] is RuntimeError


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123", True), ("x" * 65, False), ("a b", False), ("ann@example.com", False), ("é", False), ("", False)],
)
def test_a_harmless_request_id_is_kept(client: TestClient, given: str, kept: bool) -> None:
    answered = client.get("/healthz", headers={"X-Request-Id": given.encode()}).headers["x-request-id"]
    assert (answered == given) == kept
    assert answered
