"""What a route asks for: the open shop, and who is calling."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from typing import Annotated, Any, Final, cast

from fastapi import Depends, HTTPException, Request

from dongcha.access.scopes import Caller, Scope
from dongcha.assemble import Shop

KEYS: Final = "DONGCHA_KEYS"
"""Until `access` hands out keys: the environment variable that lists them, apart by commas."""


def the_shop(request: Request) -> Shop:
    """The workspace this server is open on."""
    return cast(Shop, request.app.state.shop)


OpenShop = Annotated[Shop, Depends(the_shop)]


def secret_of(request: Request) -> str | None:
    """The key of a request: a bearer token, or the user name of basic auth, as Segment's SDKs send it."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def admit(shop: Shop, secret: str | None, scope: Scope) -> Caller:
    """Who has this key, where it allows the scope; 401 or 403 otherwise."""
    known = [key for key in os.environ.get(KEYS, "").split(",") if key]
    if secret is None or secret not in known:
        raise HTTPException(401, "The key is missing or not known.", {"WWW-Authenticate": "Basic"})
    caller = Caller(secret[:4], "environment", frozenset({Scope.INGEST}))
    if scope not in caller.scopes:
        raise HTTPException(403, f"The key does not allow '{scope}'.")
    return caller


def require(scope: Scope) -> Callable[..., Any]:
    """A dependency that gives the Caller behind a request, or answers 401 or 403."""

    def caller(request: Request, shop: OpenShop) -> Caller:
        return admit(shop, secret_of(request), scope)

    return caller
