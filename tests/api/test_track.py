"""Events in by Segment's API: exactly 200, or the status and the reason; nothing large is held."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dongcha
from dongcha.access.scopes import Scope
from dongcha.api.app import create_app
from dongcha.api.bodies import BadBody, Room, parsed
from dongcha.api.routes.track import Limits
from dongcha.assemble import Shop
from dongcha.errors import BusyError
from dongcha.sources.segment import TYPES

VIEW = {"type": "track", "userId": "u", "event": "Product Viewed", "properties": {"product_id": "p"}}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    # Nothing is flushed meanwhile: what was taken is seen in the inbox.
    monkeypatch.setenv("DONGCHA_INBOX__FLUSH_SECONDS", "3600")
    monkeypatch.setenv("DONGCHA_INBOX__MOST_WAITING", "50")
    return dongcha.new(tmp_path / "shop")


@pytest.fixture
def key(shop: Shop) -> str:
    return str(shop.access.keys.add("website", [Scope.INGEST], actor="test")[1])


@pytest.fixture
def client(shop: Shop, key: str) -> Iterator[TestClient]:
    with TestClient(create_app(shop), base_url="http://localhost") as client:
        client.auth = (key, "")
        yield client


def taken(shop: Shop) -> list[dict[str, Any]]:
    return [json.loads(m.body) for m in shop.inbox.waiting(1000) if not m.refused]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("track", {"event": "x", "properties": {"a": 1}}),
        ("identify", {"traits": {"email": "a@x"}}),
        ("page", {"name": "Home"}),
        ("screen", {"name": "Home"}),
        ("group", {"groupId": "g"}),
        ("alias", {"previousId": "anon"}),
    ],
)
def test_each_call_is_taken_as_its_kind_whatever_type_it_says(
    client: TestClient, shop: Shop, kind: str, sent: dict[str, Any]
) -> None:
    answer = client.post(f"/v1/{kind}", json={**sent, "userId": "u", "type": "other"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [m["type"] for m in taken(shop)] == [kind]


def test_a_wrong_message_does_not_sink_its_batch(client: TestClient, shop: Shop) -> None:
    long = {**VIEW, "messageId": "long", "properties": {"text": "a" * (33 << 10)}}
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    batch = [VIEW, {"type": "click"}, 5, long, {**VIEW, "messageId": "deep", "properties": {"a": deep}}]
    assert client.post("/v1/batch", json={"batch": batch}).status_code == 200
    waiting = shop.inbox.waiting(10)
    assert [m.refused for m in waiting] == ["", "", "", "the message is over 32 KB", "the message is nested too deeply"]
    assert max(len(m.body) for m in waiting) < 1000


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("track", b"{", 400, "not JSON"),
        ("track", b"\xff\xfe", 400, "not JSON"),
        ("track", b"[" * 100_000, 400, "not JSON"),
        ("track", b"[]", 400, "not a JSON object"),
        ("track", b"{}", 400, "Event is missing"),
        ("batch", b'{"batch": 3}', 400, "no list called batch"),
        ("batch", json.dumps({"batch": [5] * 2501}).encode(), 413, "over 2,500 events"),
        ("track", json.dumps({**VIEW, "messageId": "a" * 101}).encode(), 400, "over 100 characters"),
        ("track", json.dumps({**VIEW, "properties": {"a": "b" * (33 << 10)}}).encode(), 413, "over 32 KB"),
        ("batch", json.dumps({"batch": [VIEW] * 6000}).encode(), 413, "over 500 KB"),
    ],
)
def test_a_body_that_cannot_be_taken_is_answered_with_the_reason(
    client: TestClient, path: str, body: bytes, status: int, reason: str
) -> None:
    shop: Shop = client.app.state.shop  # type: ignore[attr-defined]
    answer = client.post(f"/v1/{path}", content=body)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
    # What the SDKs read, so that they do not take a refusal for an outage and send it again.
    assert answer.json().keys() >= {"code", "message"}
    assert shop.inbox.backlog() == 0


def test_gzip_is_unpacked_and_a_bomb_is_not(client: TestClient, shop: Shop) -> None:
    packed = {"Content-Encoding": "gzip"}
    whole = gzip.compress(json.dumps({"batch": [VIEW]}).encode())
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < Limits().body
    assert client.post("/v1/batch", content=whole, headers=packed).status_code == 200
    assert client.post("/v1/batch", content=bomb, headers=packed).status_code == 413
    assert client.post("/v1/batch", content=whole[:-9], headers=packed).status_code == 400
    assert client.post("/v1/batch", content=whole + whole, headers=packed).status_code == 400
    assert client.post("/v1/batch", content=b"plain", headers=packed).status_code == 400
    assert client.post("/v1/batch", content=whole, headers={"Content-Encoding": "br"}).status_code == 415
    assert len(taken(shop)) == 1


def test_a_body_without_a_length_is_cut_off_at_the_limit(client: TestClient) -> None:
    answer = client.post("/v1/batch", content=iter([b" " * 100_000] * 100))
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


@pytest.mark.parametrize("auth", [None, ("other", ""), ("", "KEY")])
def test_without_a_known_key_nothing_is_taken(
    client: TestClient, shop: Shop, key: str, auth: tuple[str, str] | None
) -> None:
    client.auth = auth and tuple(part.replace("KEY", key) for part in auth)  # type: ignore[assignment]
    answer = client.post("/v1/batch", json={"batch": [VIEW]})
    assert (answer.status_code, shop.inbox.backlog()) == (401, 0)
    assert key not in answer.text


def test_the_key_may_be_in_the_body_as_write_key_and_is_not_kept(client: TestClient, shop: Shop, key: str) -> None:
    client.auth = None
    assert client.post("/v1/track", json={**VIEW, "writeKey": key}).status_code == 200
    assert client.post("/v1/batch", json={"batch": [VIEW], "writeKey": "other"}).status_code == 401
    assert [m for m in taken(shop) if "writeKey" in m] == []
    assert client.post("/v1/track", json=VIEW, headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_full_inbox_answers_429_and_when_to_come_again(client: TestClient, shop: Shop) -> None:
    for n in range(50):
        client.post("/v1/track", json={**VIEW, "messageId": f"{n}"})
    answer = client.post("/v1/track", json=VIEW)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    shop.inbox.settle(shop.inbox.waiting(10))
    assert client.post("/v1/track", json=VIEW).status_code == 200


def test_the_same_message_twice_is_acknowledged_twice_and_kept_once(client: TestClient, shop: Shop) -> None:
    for _ in range(2):
        assert client.post("/v1/batch", json={"batch": [{**VIEW, "messageId": "a"}]}).status_code == 200
    assert len(taken(shop)) == 1


def test_an_event_received_a_second_ago_is_among_the_customer_s_recent_ones(client: TestClient, shop: Shop) -> None:
    client.post("/v1/track", json=VIEW)
    (event,) = shop.inbox.recent("u")
    assert (event["event"], event["product_id"], event["happened_at"]) == ("Product Viewed", "p", event["known_at"])
    shop.flush()
    assert shop.inbox.recent("u") == [event]


def test_a_purchase_of_a_second_ago_is_lines_of_an_order(client: TestClient, shop: Shop) -> None:
    bought = [{"product_id": "p", "price": 2.5, "quantity": 3}, {"product_id": "q"}]
    order = {"type": "track", "userId": "u", "event": "Order Completed"}
    client.post("/v1/track", json={**order, "properties": {"order_id": "o", "products": bought}})
    lines = [row for row in shop.inbox.recent("u") if row["table"] == "orders"]
    assert [(k["order_id"], k["line"], k["product_id"], k["price"], k["quantity"]) for k in lines] == [
        ("o", 1, "p", 2.5, 3.0)
    ]


def test_bodies_that_are_being_read_are_bounded() -> None:
    room = Room(1000)
    with room.taken(600), pytest.raises(BusyError), room.taken(600):
        pass
    with room.taken(1000):
        pass


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: json.dumps(t).encode()))
def test_any_bytes_are_a_json_value_or_a_bad_body(body: bytes) -> None:
    try:
        value = parsed(body)
    except BadBody as bad:
        status = bad.status
    else:
        status = 200
        json.dumps(value).encode("utf-8")
    assert status in {200, 400}


def test_what_only_pythons_writer_lets_through_is_mended() -> None:
    assert parsed(b'{"a": NaN, "b": "\\ud800", "c": 123456789012345678901234567890}') == {
        "a": None,
        "b": "?",
        "c": 1.2345678901234568e29,
    }


def test_the_server_starts_without_a_learning_library() -> None:
    look = (
        "import sys, dongcha.api.app; print([k for k in ('torch', 'lightgbm', 'sklearn', 'scipy') if k in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["batch", *TYPES])
def test_what_the_description_of_the_api_allows_is_answered_as_it_says(client: TestClient, key: str, kind: str) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", client.app)[f"/v1/{kind}"]["POST"]

    @settings(max_examples=8, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"})

    check()
