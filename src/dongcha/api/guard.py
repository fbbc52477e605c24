"""What a route asks for: the open shop, and who is calling."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Annotated, Any, Final, cast
from urllib.parse import urlsplit

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, Request, Response, Security
from fastapi.openapi.models import APIKey, HTTPBase
from fastapi.security.base import SecurityBase

from dongcha.access.people import LONGEST
from dongcha.access.scopes import THIS_MACHINE, Caller, Person, Scope, caller_of
from dongcha.access.throttle import Buckets, neighbourhood
from dongcha.api.door import SAFE
from dongcha.api.refusals import Refusal
from dongcha.assemble import Shop

COOKIE: Final = "dongcha_session"
COOKIE_OVER_HTTPS: Final = "__Host-dongcha_session"
HASHES_AT_ONCE: Final = 2
"""Dear hashes at the same time; more callers wait without holding a thread, so that guessing does not stop the rest."""


def the_shop(request: Request) -> Shop:
    """The workspace this server is open on."""
    return cast(Shop, request.app.state.shop)


async def _open_shop(request: Request) -> Shop:
    # Not a plain function: FastAPI would send each request through a thread for it.
    return the_shop(request)


OpenShop = Annotated[Shop, Depends(_open_shop)]


class _Told(SecurityBase):
    """A way to say who one is, for the OpenAPI document; `identify` is what reads it."""

    def __init__(self, name: str, model: Any) -> None:
        self.scheme_name, self.model = name, model

    async def __call__(self) -> None:
        return None


_BEARER: Final = _Told("key", HTTPBase(scheme="bearer", description="A key: dongcha keys add NAME --scope read."))
_BASIC: Final = _Told("write_key", HTTPBase(scheme="basic", description="A key as the user name, no password."))
_SESSION: Final = _Told(
    "session",
    APIKey.model_validate({"in": "cookie", "name": COOKIE, "description": "A person logged in by /v1/session."}),
)


SHOWN: Final = (Security(_BEARER), Security(_BASIC))
"""For routes that call `authorize` themselves: dependencies that say in the document that a key is needed."""


@lru_cache
def require(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency that gives the caller, who may do this; others are answered 401, 403 or 429.

    `caller: Annotated[Caller, Depends(require(Scope.READ))]`
    """

    async def allowed(
        request: Request,
        _bearer: Annotated[None, Security(_BEARER)],
        _basic: Annotated[None, Security(_BASIC)],
        _session: Annotated[None, Security(_SESSION)],
    ) -> Caller:
        return await authorize(request, scope)

    return allowed


async def authorize(request: Request, scope: Scope, secret: str | None = None) -> Caller:
    """The caller, who may do this; raises the refusal otherwise. `secret`: a key that the body carried."""
    caller = await identify(request, secret)
    if caller is None:
        raise Refusal(
            401,
            "No key, or none that is known.",
            "Send Authorization: Bearer KEY; make one with dongcha keys add NAME.",
            {"WWW-Authenticate": "Bearer"},
        )
    if scope not in caller.scopes:
        raise Refusal(403, f"This needs the scope '{scope}'.", f"It has: {', '.join(sorted(caller.scopes))}.")
    shop = the_shop(request)
    rate = shop.settings.serve.rate if caller.rate is None else caller.rate
    if caller is not THIS_MACHINE and (wait := buckets(request).wait(caller.key_id or f"person {caller.name}", rate)):
        raise Refusal(
            429,
            f"More than {rate:g} requests a second.",
            "Wait, or ask for a key with a higher rate.",
            {"Retry-After": str(max(1, math.ceil(wait)))},
        )
    return caller


async def identify(request: Request, secret: str | None = None) -> Caller | None:
    """Who is calling, by key or by session; on this machine, where there are no keys yet, everybody."""
    caller = await _identify(request, secret)
    request.state.caller = caller
    return caller


async def _identify(request: Request, secret: str | None) -> Caller | None:
    access = the_shop(request).access
    if access.unguarded:
        return THIS_MACHINE
    secret = secret or secret_of(request)
    if secret is not None:
        caller = access.keys.cached(secret)
        return caller or await run_sync(access.check, secret, address(request), limiter=hashing(request))
    person = await session_of(request)
    if person is None:
        return None
    if request.method not in SAFE and not _own_page(request):
        raise Refusal(403, "A change by cookie must come from our own page.", "Programs use a key.")
    return caller_of(person)


async def session_of(request: Request) -> Person | None:
    """Who is logged in; None for nobody."""
    token = token_of(request)
    return None if token is None else await run_sync(the_shop(request).access.people.session, token)


def secret_of(request: Request) -> str | None:
    """The key of an Authorization header: `Bearer KEY`, or `Basic` with the key as the user name as Segment's SDKs do.

    A header that is neither holds an empty key, which nobody has: it is no reason to look at the cookie.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, value = header.partition(" ")
    if kind.casefold() == "bearer":
        return value.strip()
    if kind.casefold() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def token_of(request: Request) -> str | None:
    """The session's token, as the cookie carries it."""
    secure = request.url.scheme in ("https", "wss")
    return request.cookies.get(COOKIE_OVER_HTTPS if secure else COOKIE)


def enter(request: Request, response: Response, token: str) -> None:
    """Give the browser a session's token, in a cookie that no script and no other site's form can use."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE_OVER_HTTPS if secure else COOKIE,
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def leave(response: Response) -> None:
    """Take the cookie back; the session itself is ended by `People.close_session`."""
    for name in (COOKIE, COOKIE_OVER_HTTPS):
        response.delete_cookie(name, path="/", secure=name == COOKIE_OVER_HTTPS, httponly=True, samesite="lax")


def address(request: Request) -> str:
    """Whence the request comes, as one host."""
    return neighbourhood(request.client.host) if request.client else ""


def hashing(request: Request) -> CapacityLimiter:
    """How many dear hashes are worked at once."""
    return cast(CapacityLimiter, _kept(request, "hashing", lambda: CapacityLimiter(HASHES_AT_ONCE)))


def buckets(request: Request) -> Buckets:
    """How often each caller has asked of late."""
    return cast(Buckets, _kept(request, "buckets", Buckets))


def _kept(request: Request, name: str, make: Callable[[], Any]) -> Any:
    state = request.app.state
    if not hasattr(state, name):
        setattr(state, name, make())
    return getattr(state, name)


def _own_page(request: Request) -> bool:
    """Whether the browser says that a page of this very server asked; who says nothing is not believed."""
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get("host")
    return request.headers.get("sec-fetch-site") == "same-origin"
