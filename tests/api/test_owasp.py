"""What the OWASP API Security Top 10 (2023) warns of, tried on every route there is; docs/security.md has the table."""

import importlib
import pkgutil
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import HERE, PASSWORD

import dongcha
from dongcha.access.scopes import Role, Scope
from dongcha.api import routes
from dongcha.api.app import create_app
from dongcha.assemble import Shop
from dongcha.jobs import background

ROOT = Path(__file__).parents[2]
Key = Callable[..., dict[str, str]]

PUBLIC = {
    ("get", "/healthz"), ("get", "/readyz"), ("post", "/v1/session"), ("get", "/v1/session"), ("delete", "/v1/session"),
}  # fmt: skip
"""What may be asked without being known; `/v1/session` says 401 itself."""
OPEN_BODIES = re.compile(r"/v1/(batch|track|identify|page|screen|group|alias)")
"""Segment's payloads: what is unknown there is kept as properties, and never read as ours."""


@pytest.fixture
def real(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The application as it ships; a job that is started ends at once."""
    monkeypatch.setattr(background, "COMMAND", ("/bin/true",))
    return TestClient(create_app(shop), base_url=HERE, raise_server_exceptions=False)


def document() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return dict(create_app(dongcha.open(folder)).openapi())


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def ask(client: TestClient, method: str, path: str, **options: Any) -> int:
    return client.request(method, re.sub(r"\{[^}]+\}", "x", path), json={}, **options).status_code


def bodies(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of every JSON body, and of everything within."""

    def within(schema: dict[str, Any], seen: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
        if (name := schema.get("$ref", "").rpartition("/")[2]) and name not in seen:
            schema, seen = told["components"]["schemas"][name], (*seen, name)
        yield schema
        parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
        for part in [*parts, schema.get("items")]:
            if isinstance(part, dict):
                yield from within(part, seen)

    for _, path, operation in operations(told):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for schema in within(content.get("schema", {})):
            yield path, schema


def test_1_5_every_route_is_shut_without_a_key_and_to_keys_of_other_scopes(real: TestClient, key: Key) -> None:
    """API1 and API5: no object and no function is reached by guessing its address."""
    keys = {scope: key(scope, rate=0) for scope in Scope}
    everything = real.get("/openapi.json").json()
    for method, path, operation in operations(everything):
        if (method, path) in PUBLIC:
            continue
        assert ask(real, method, path) == 401, f"{method} {path} is open"
        assert operation.get("security"), f"{method} {path} does not say that it needs a key"
        refused = [scope for scope, header in keys.items() if ask(real, method, path, headers=header) == 403]
        assert len(refused) == len(Scope) - 1, f"{method} {path} is refused to {refused}"


def test_1_5_a_person_reaches_what_their_role_may(real: TestClient, shop: Shop) -> None:
    """API5: a viewer starts nothing, whatever method or path they try."""
    for role in Role:
        shop.access.people.add(role.value, role, PASSWORD, actor="test")
        assert real.post("/v1/session", json={"name": role.value, "password": PASSWORD}).status_code == 200
        answer = real.post("/v1/jobs", json={"kind": "run"}, headers={"Origin": HERE})
        assert answer.status_code == (202 if role is Role.ADMIN else 403)


def test_2_a_session_is_nobodys_who_makes_one_up(real: TestClient, shop: Shop) -> None:
    """API2: neither a forged token nor one from before a login opens a session, and none is ever in an address."""
    shop.access.people.add("ann", Role.ADMIN, PASSWORD, actor="test")
    real.cookies.set("dongcha_session", "chosen-by-an-attacker")
    assert real.get("/v1/session").status_code == 401
    given = real.post("/v1/session", json={"name": "ann", "password": PASSWORD}).cookies["dongcha_session"]
    assert given != "chosen-by-an-attacker"
    assert len(given) >= 43
    real.cookies.clear()
    assert real.get(f"/v1/session?dongcha_session={given}").status_code == 401


def test_3_no_body_is_read_for_more_than_it_declares() -> None:
    """API3: mass assignment. What is not declared is refused; only Segment's events may carry anything."""
    told = document()
    loose = {
        f"{path}: {schema.get('title')}"
        for path, schema in bodies(told)
        if schema.get("properties") and schema.get("additionalProperties") is not False and not OPEN_BODIES.match(path)
    }
    assert loose == set()


@pytest.mark.parametrize("extra", [{"role": "admin"}, {"scopes": ["admin"]}, {"masked": False}])
def test_3_nobody_names_their_own_rights(real: TestClient, shop: Shop, extra: dict[str, Any]) -> None:
    """API3: rights come from the workspace, never from what is sent."""
    shop.access.people.add("ann", Role.VIEWER, PASSWORD, actor="test")
    assert real.post("/v1/session", json={"name": "ann", "password": PASSWORD, **extra}).status_code == 422
    assert real.post("/v1/session", json={"name": "ann", "password": PASSWORD}).json()["scopes"] == ["read"]


def test_3_every_answer_is_declared() -> None:
    """API3: what leaves is what the document says, so that no column slips out with a row."""
    for method, path, operation in operations(document()):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if status.startswith("2") and content is not None:
                assert content.get("schema"), f"{method} {path} answers anything"


def test_4_every_number_that_is_asked_for_has_a_most() -> None:
    """API4: nobody asks for a million rows at once."""
    for method, path, operation in operations(document()):
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            for part in [schema, *schema.get("anyOf", ())]:
                if part.get("type") in ("integer", "number"):
                    assert {"maximum", "exclusiveMaximum"} & set(part), f"{method} {path} {parameter['name']}"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"name":' * 20_000,
        b'{"name": "' + b"x" * 900_000 + b'", "password": "x"}',
        b'{"name": 1' + b"0" * 100_000 + b"}",
        b"\xff\xfe\x00",
        b'{"name": "\\ud800", "password": "\\u0000"}',
        b"",
    ],
    ids=["nested lists", "nested objects", "long text", "long number", "no text", "lone surrogate", "nothing"],
)
def test_4_a_hostile_body_is_refused_and_breaks_nothing(real: TestClient, shop: Shop, body: bytes) -> None:
    """API4: bodies made to exhaust a parser."""
    shop.access.people.add("ann", Role.VIEWER, PASSWORD, actor="test")
    answer = real.post("/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert len(answer.content) < 5000
    assert real.get("/healthz").status_code == 200


def test_7_no_route_takes_an_address_to_fetch() -> None:
    """API7: server-side request forgery has nothing to forge: where the server calls is in dongcha.toml alone."""
    told = document()
    asked = {
        (path, name)
        for path, schema in bodies(told)
        for name, part in schema.get("properties", {}).items()
        if part.get("format") in ("uri", "url") or re.search(r"url|uri|webhook|callback|host", name, re.IGNORECASE)
    }
    asked |= {
        (path, parameter["name"])
        for _, path, operation in operations(told)
        for parameter in operation.get("parameters", ())
        if re.search(r"url|uri|webhook|callback|host", parameter["name"], re.IGNORECASE)
    }
    assert {(path, name) for path, name in asked if not OPEN_BODIES.match(path)} == set()


def test_8_what_is_wrong_inside_stays_inside(real: TestClient, tmp_path: Path, key: Key) -> None:
    """API8: no path, no stack, no version of a server in any refusal."""
    header = key(*Scope)
    (tmp_path / "jobs").write_text("a file where a folder should be", "utf-8")
    answer = real.post("/v1/jobs", json={"kind": "run"}, headers=header)
    assert answer.status_code == 500
    assert answer.json()["error"] == "Something broke inside."
    assert str(tmp_path) not in answer.text
    assert "Traceback" not in answer.text
    assert "server" not in answer.headers


def test_9_every_route_is_in_the_document(real: TestClient) -> None:
    """API9: nothing answers that the inventory does not tell, and all of it is one version."""
    told = {(method, path) for method, path, _ in operations(real.get("/openapi.json").json())}
    there = {
        (method.lower(), route.path)
        for found in pkgutil.iter_modules(routes.__path__)
        for route in importlib.import_module(f"{routes.__name__}.{found.name}").router.routes
        for method in getattr(route, "methods", None) or ()
    }
    assert there == told
    assert {path.split("/")[1] for _, path in told} <= {"v1", "healthz", "readyz", "metrics"}


def test_the_table_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", page)
    assert len(named) > 20
    for file, test in named:
        assert re.search(rf"^def {test}\b" if test else "", (ROOT / file).read_text("utf-8"), re.MULTILINE), (
            file,
            test,
        )
    assert all(f"API{n}:2023" in page for n in range(1, 11))
