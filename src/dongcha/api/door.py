"""Who may come in at all: requests to our own names, and changes that no other web page began."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dongcha.api.refusals import problem

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PROBES: Final = frozenset({"/healthz", "/readyz"})
BODY_SECONDS: Final = 60.0
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Door:
    """Before any route.

    - As long as the workspace is unguarded, only this machine gets in: by a loopback name (a page elsewhere that
      makes its own name point here, DNS rebinding, is refused) and through no proxy.
    - With `hosts` only these names and loopback ones are answered.
    - A body must be whole within a minute.
    - A change that comes with the Origin of another site, or from one by what the browser says, is refused.
    """

    def __init__(
        self, app: ASGIApp, unguarded: Callable[[], bool], hosts: tuple[str, ...], origins: tuple[str, ...]
    ) -> None:
        self._app = app
        self._unguarded = unguarded
        self._hosts = frozenset(host.casefold() for host in hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refuse(scope, Headers(scope=scope))
        if refused is None:
            await self._app(scope, _in_time(receive) if scope["path"].startswith("/v1/") else receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
        else:
            await problem(scope.get("state", {}).get("request_id", ""), *refused)(scope, receive, send)

    def _refuse(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if scope["path"] not in PROBES:
            if self._unguarded():
                if not (is_loopback(name_of(host)) and _from_here(scope, headers)):
                    return 403, "Without a key, only this machine is served.", "Make one: dongcha keys add NAME."
            elif self._hosts and name_of(host) not in self._hosts and not is_loopback(name_of(host)):
                return 421, "This server does not go by that name.", "Add it to hosts in [serve] of dongcha.toml."
        if scope["type"] == "websocket" or scope["method"] not in SAFE:
            origin = headers.get("origin")
            if origin is None:
                foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
            else:
                foreign = urlsplit(origin).netloc != host and origin not in self._origins
            if foreign:
                return 403, "Another site's page asked for this.", "Add it to origins in [serve] of dongcha.toml."
        return None


def _in_time(receive: Receive) -> Receive:
    """`receive`, which gives up on a body that is not whole in time; what comes after the body may take forever."""
    until = asyncio.get_running_loop().time() + BODY_SECONDS
    whole = False

    async def received() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        async with asyncio.timeout_at(until):
            message = await receive()
        whole = not message.get("more_body", False)
        return message

    return received


def name_of(host: str) -> str:
    """The name in a Host header, without its port and brackets, in lower case."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Whether a host's name or address is this machine's own.

    >>> [is_loopback(name) for name in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "localhost.example.com")]
    [True, True, True, False, False]
    """
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _from_here(scope: Scope, headers: Headers) -> bool:
    """Whether the request came from this machine itself, not through a proxy that stands on it."""
    if any(name in headers for name in FORWARDED):
        return False
    address = (scope.get("client") or ("",))[0]
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True  # a socket file, or a test within the process
