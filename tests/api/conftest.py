"""A service over an empty workspace, with a door for each scope to knock at."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.testclient import TestClient

import dongcha
from dongcha.access.scopes import Caller, Role, Scope
from dongcha.api.app import create_app
from dongcha.api.guard import require
from dongcha.assemble import Shop
from dongcha.errors import (
    BusyError,
    ConflictError,
    ContractError,
    InputError,
    MissingDataError,
    StoreError,
    UnknownError,
    UsageError,
)

PASSWORD = "a quiet sentence"
HERE = "http://127.0.0.1:8600"
ERRORS = {
    kind.__name__: kind
    for kind in (
        UsageError,
        UnknownError,
        ConflictError,
        InputError,
        MissingDataError,
        BusyError,
        StoreError,
        ContractError,
    )
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return dongcha.open(tmp_path)


@pytest.fixture
def app(shop: Shop) -> FastAPI:
    """The real application, and routes that only these tests have."""
    app = create_app(shop)
    for scope in Scope:
        _add_door(app, scope)

    @app.get("/test/raise/{name}")
    def raises(name: str) -> None:
        if name in ERRORS:
            raise ERRORS[name]("/srv/secret/lake is off: ann@example.com.", "Mend it.")
        raise RuntimeError("postgres://user:hunter2@db for ann@example.com, +44 7624 508075")

    @app.post("/test/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    return app


def _add_door(app: FastAPI, scope: Scope) -> None:
    @app.api_route(f"/test/{scope}", methods=["GET", "POST"], name=scope, include_in_schema=False)
    async def door(caller: Annotated[Caller, Depends(require(scope))]) -> dict[str, Any]:
        return {"name": caller.name, "masked": caller.masked}


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url=HERE, raise_server_exceptions=False)


@pytest.fixture
def key(shop: Shop) -> Callable[..., dict[str, str]]:
    """Make a key; returns the header that carries it."""

    def make(*scopes: Scope, **options: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {shop.access.keys.add('test', scopes, actor='test', **options)[1]}"}

    return make


@pytest.fixture
def logged_in(shop: Shop, client: TestClient) -> Callable[[Role], TestClient]:
    """The client, logged in as a person of that role."""

    def login(role: Role) -> TestClient:
        shop.access.people.add("ann", role, PASSWORD, actor="test")
        assert client.post("/v1/session", json={"name": "ann", "password": PASSWORD}).status_code == 200
        return client

    return login
