"""Around every request: its id, its line in the log, its figures, the security headers, and the last resort."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dongcha.access.scopes import Caller
from dongcha.api.logs import clean
from dongcha.api.metrics import Metrics
from dongcha.api.refusals import answer

log = logging.getLogger("dongcha.api")

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
_FOR_DATA: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# NiceGUI writes its pages' scripts and styles inline, and Vue compiles their templates in the browser.
_FOR_PAGES: Final = (
    b"content-security-policy",
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    b"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
)
_NOT_KEPT: Final = (b"cache-control", b"no-store")


class Around:
    """The outermost layer; nothing leaves without it.

    `count` is told the id of each caller's key and whether the request was refused.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, count: Callable[[str, bool], None]) -> None:
        self._app = app
        self._metrics = metrics
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, whatever happens within."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A state of its own: the server's is shared by every request.
        state = scope["state"] = {**scope.get("state", {}), "request_id": _request_id(scope)}
        status = 0
        began = time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _with_ours(scope, list(message.get("headers", ())))}
            await send(message)

        self._metrics.under_way.inc()
        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # the last resort: whatever it is, the client is answered and the log has it
            state["error"] = error
            if not status:
                await answer(error, state["request_id"])(scope, receive, sent)
        finally:
            self._metrics.under_way.dec()
            self._tell(scope, state, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, state: dict[str, Any], status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "(none)"
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self._metrics.answered(method, route, status, seconds)
        caller: Caller | None = state.get("caller")
        if caller is not None and caller.key_id:
            self._count(caller.key_id, status in (403, 429))
        error: BaseException | None = state.get("error")
        fields = {
            "request_id": state["request_id"],
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "key": "" if caller is None else caller.key_id,
        }
        level = logging.ERROR if error is not None else logging.INFO
        log.log(level, "failed" if error is not None else "answered", extra={"fields": fields}, exc_info=error)


def _request_id(scope: Scope) -> str:
    """The client's own where it is harmless, else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _ID.fullmatch(given) and clean(given) == given else secrets.token_hex(8)


def _with_ours(scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    there = {name.lower(): value for name, value in headers}
    is_page = there.get(b"content-type", b"").startswith(b"text/html")
    headers += [(b"x-request-id", scope["state"]["request_id"].encode()), *_ALWAYS]
    if b"content-security-policy" not in there:
        headers.append(_FOR_PAGES if is_page else _FOR_DATA)
    if b"cache-control" not in there and (is_page or scope["path"].startswith("/v1")):
        headers.append(_NOT_KEPT)
    if scope["scheme"] == "https":
        headers.append(_HSTS)
    return headers
