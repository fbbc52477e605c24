"""What a request is answered when it is refused: one shape for every route, and no word of what lies inside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from dongcha.errors import (
    AccessError,
    BusyError,
    ConflictError,
    DongchaError,
    InputError,
    MissingDataError,
    StoreError,
    ThrottledError,
    UnknownError,
    UsageError,
)

STATUSES: Final[tuple[tuple[type[DongchaError], int], ...]] = (
    (UnknownError, 404),
    (ConflictError, 409),
    (UsageError, 400),
    (InputError, 400),
    (MissingDataError, 409),
    (BusyError, 429),
    (StoreError, 503),
    (ThrottledError, 429),
    (AccessError, 403),
)
"""The first that fits; anything else is our own fault, 500."""
RETRY_STORE_SECONDS: Final = 5
REPORT: Final = "Look for the request_id in the server's log."


class Problem(BaseModel):
    """Why a request was refused."""

    error: str
    """What was wrong."""
    mend: str
    """What the asker can do about it; may be empty."""
    request_id: str
    """By which the server's log names the request."""


class Refusal(Exception):
    """A refusal that has no other home than HTTP."""

    def __init__(self, status: int, what: str, mend: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what)
        self.status, self.what, self.mend, self.headers = status, what, mend, headers


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "The request is off; `mend` says how to write it.",
        401: "No key, or none that is known.",
        403: "The key or the person may not.",
        404: "There is no such thing.",
        409: "Not in the state the workspace is in: something is not loaded, never ran, or runs already.",
        413: "Too large.",
        415: "Not a kind of content that is read here.",
        422: "The request has not the declared shape.",
        429: "Too often; Retry-After says how many seconds to wait.",
        500: "Our own fault; the server's log has it under the request_id.",
        503: "A store cannot be reached; Retry-After says how many seconds to wait.",
    }.items()
}
"""Documented for every route."""


def problem(
    request_id: str, status: int, what: str, mend: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer to a refused request."""
    content = {"error": what, "mend": mend, "request_id": request_id}
    return JSONResponse(content, status, dict(headers or {}))


def add_handlers(app: FastAPI) -> None:
    """Answer every error in one shape."""
    for kind in (Refusal, DongchaError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer)


def request_id(request: Request) -> str:
    """The id that the request goes by in the log."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def answer(error: Exception, request_id: str) -> JSONResponse:
    """The answer to any error; one that is nobody's but ours says nothing of itself, and neither does a store's."""
    if isinstance(error, Refusal):
        return problem(request_id, error.status, error.what, error.mend, error.headers)
    if isinstance(error, HTTPException):
        return problem(request_id, error.status_code, str(error.detail), "", error.headers)
    if isinstance(error, RequestValidationError):
        wrong = [f"{'.'.join(map(str, e['loc']))[:200]}: {e['msg'][:200]}" for e in error.errors()[:5]]
        return problem(request_id, 422, "; ".join(wrong), "/docs tells the shape of every request.")
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    if status == 500 or not isinstance(error, DongchaError):
        return problem(request_id, 500, "Something broke inside.", REPORT)
    if status == 503:
        return problem(request_id, 503, "A store cannot be reached.", REPORT, {"Retry-After": str(RETRY_STORE_SECONDS)})
    headers = {}
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(max(1, math.ceil(error.wait_seconds)))
    elif isinstance(error, BusyError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return problem(request_id, status, error.what, error.mend, headers)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    refused = answer(error, request_id(request))
    if refused.status_code == 405:
        # Each method is a route of its own, which knows of no other.
        methods = request.app.openapi()["paths"].get(getattr(request.scope.get("route"), "path", ""), {})
        refused.headers["Allow"] = ", ".join(sorted(map(str.upper, methods))) or refused.headers.get("Allow", "")
    if refused.status_code >= 500:
        request.scope["state"]["error"] = error
    return refused
