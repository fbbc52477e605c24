"""Who gets in, and for what."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import HERE, PASSWORD

from dongcha.access.scopes import Role, Scope
from dongcha.assemble import Shop

Key = Callable[..., dict[str, str]]
LogIn = Callable[[Role], TestClient]


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_an_unguarded_workspace_is_this_machines(client: TestClient) -> None:
    assert client.get("/test/admin").json() == {"name": "this machine", "masked": False}
    assert client.get("/v1/session").json()["scopes"] == sorted(Scope)
    assert client.get("/test/ingest", headers=basic("any-write-key")).status_code == 200


def test_the_first_key_shuts_the_door_at_once(client: TestClient, key: Key) -> None:
    assert client.get("/test/read").status_code == 200
    header = key(Scope.READ)
    assert client.get("/test/read").status_code == 401
    assert client.get("/test/read", headers=header).status_code == 200


def test_the_first_person_does_too(client: TestClient, shop: Shop) -> None:
    shop.access.people.add("ann", Role.VIEWER, PASSWORD, actor="test")
    assert client.get("/test/read").status_code == 401


@pytest.mark.parametrize("held", list(Scope))
def test_a_scope_opens_its_own_door_only(client: TestClient, key: Key, held: Scope) -> None:
    header = key(held)
    answers = {scope: client.get(f"/test/{scope}", headers=header).status_code for scope in Scope}
    assert answers == {scope: 200 if scope is held else 403 for scope in Scope}


def test_a_key_comes_as_bearer_or_as_the_user_name(client: TestClient, key: Key) -> None:
    header = key(Scope.INGEST)
    secret = header["Authorization"].split()[1]
    assert client.get("/test/ingest", headers=header).status_code == 200
    assert client.get("/test/ingest", headers=basic(secret)).status_code == 200
    assert client.get("/test/ingest", headers=basic("", secret)).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer dck_aaaaaaaaaaaa_x", "Basic", "Basic !!!", "Basic /w==", "Digest x", "x" * 9000],
)
def test_what_is_no_key_is_answered_401_and_how(client: TestClient, key: Key, header: str) -> None:
    key(Scope.READ)
    answer = client.get("/test/read", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()) == {"error", "mend", "request_id"}
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_key_that_was_revoked_or_expired_or_rotated_away_is_answered_401(
    client: TestClient, shop: Shop, key: Key
) -> None:
    header = key(Scope.READ)
    assert client.get("/test/read", headers=header).status_code == 200
    made, secret = shop.access.keys.rotate("test", actor="test", overlap=timedelta())
    assert client.get("/test/read", headers=header).status_code == 401
    new = {"Authorization": f"Bearer {secret}"}
    assert client.get("/test/read", headers=new).status_code == 200
    shop.access.keys.revoke(made.key_id, actor="test")
    assert client.get("/test/read", headers=new).status_code == 401


def test_a_key_has_its_own_rate(client: TestClient, key: Key) -> None:
    slow, fast = key(Scope.READ, rate=1), key(Scope.READ, rate=0)
    answers = [client.get("/test/read", headers=slow) for _ in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200
    assert refused
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert {client.get("/test/read", headers=fast).status_code for _ in range(20)} == {200}


def test_requests_are_counted_per_key(client: TestClient, shop: Shop, key: Key) -> None:
    header = key(Scope.READ)
    for door in ("read", "read", "admin"):
        client.get(f"/test/{door}", headers=header)
    shop.access.flush()
    (row,) = shop.access.keys.listed()
    assert (row["requests"], row["refused"]) == (3, 1)
    assert row["last_used_at"] is not None


# -- people


def test_a_login_opens_what_the_role_may(logged_in: LogIn) -> None:
    client = logged_in(Role.VIEWER)
    assert client.get("/test/read").json() == {"name": "ann", "masked": True}
    assert client.get("/test/ask").status_code == 403
    assert client.get("/test/admin").status_code == 403


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient, shop: Shop) -> None:
    shop.access.people.add("ann", Role.ADMIN, PASSWORD, actor="test")
    login = {"name": "ann", "password": PASSWORD}
    plain = client.post("/v1/session", json=login).headers["set-cookie"]
    assert plain.startswith("dongcha_session=")
    assert {"httponly", "samesite=lax", "path=/"} <= set(plain.casefold().split("; "))
    over_https = client.post("https://127.0.0.1:8600/v1/session", json=login).headers["set-cookie"]
    assert over_https.startswith("__Host-dongcha_session=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= set(over_https.casefold().split("; "))


def test_a_wrong_name_is_answered_like_a_wrong_password(client: TestClient, shop: Shop) -> None:
    shop.access.people.add("ann", Role.ADMIN, PASSWORD, actor="test")
    answers = [client.post("/v1/session", json={"name": name, "password": "wrong"}) for name in ("ann", "bob")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["error"] == answers[1].json()["error"]
    assert not answers[0].cookies


def test_guessing_passwords_is_answered_429(client: TestClient, shop: Shop) -> None:
    shop.access.people.add("ann", Role.ADMIN, PASSWORD, actor="test")
    statuses = [client.post("/v1/session", json={"name": "ann", "password": "x"}).status_code for _ in range(7)]
    assert statuses[:5] == [401] * 5
    assert 429 in statuses


def test_logging_out_ends_the_session_for_whoever_has_the_cookie(logged_in: LogIn) -> None:
    client = logged_in(Role.ADMIN)
    stolen = dict(client.cookies)
    assert client.delete("/v1/session", headers={"Origin": HERE}).status_code == 204
    client.cookies.update(stolen)
    assert client.get("/test/read").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": HERE}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": HERE + ".evil.example"}, 403),
    ],
)
def test_a_change_by_cookie_comes_from_our_own_page(logged_in: LogIn, headers: dict[str, str], status: int) -> None:
    client = logged_in(Role.ADMIN)
    assert client.post("/test/admin", headers=headers).status_code == status


def test_a_key_in_the_header_is_not_helped_by_a_cookie(logged_in: LogIn) -> None:
    client = logged_in(Role.ADMIN)
    assert client.get("/test/admin", headers={"Authorization": "Bearer nothing"}).status_code == 401
    assert client.get("/test/admin", headers={"Authorization": ""}).status_code == 401


def test_a_removed_person_is_out_at_once(logged_in: LogIn, shop: Shop) -> None:
    client = logged_in(Role.ADMIN)
    shop.access.people.remove("ann", actor="test")
    assert client.get("/test/read").status_code == 401
