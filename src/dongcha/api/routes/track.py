"""Events in, by Segment's HTTP API: its SDKs, and RudderStack's, work with the host changed and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import orjson
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from dongcha.access.scopes import Caller, Scope
from dongcha.api.bodies import BadBody, Room, read_json
from dongcha.api.flusher import Flusher
from dongcha.api.guard import admit, secret_of, the_shop
from dongcha.api.segment_schema import ANSWERS, takes
from dongcha.assemble import Shop
from dongcha.errors import BusyError, StoreError
from dongcha.sources.segment import Refused, customer_of, message_id, rows_of, spread
from dongcha.warehouse.inbox import Message

SHOWN_BYTES: Final = 200
ROOM: Final = Room()


@dataclass(frozen=True)
class Limits:
    """The largest message and the largest body, in bytes, and the most messages in a body."""

    message: int = 32 << 10
    body: int = 500_000
    messages: int = 2_500


def limits_of(caller: Caller | None) -> Limits:
    """What a caller may send at once; the seam for keys that are allowed more."""
    return getattr(caller, "limits", None) or Limits()


@asynccontextmanager
async def _flushing(app: FastAPI) -> AsyncIterator[None]:
    flusher = Flusher(app.state.shop)
    flusher.start()
    try:
        yield
    finally:
        await asyncio.to_thread(flusher.stop)
        await asyncio.to_thread(app.state.shop.inbox.close)


router = APIRouter(tags=["events"], lifespan=_flushing, responses=ANSWERS)


@router.post("/v1/batch", openapi_extra=takes("batch"))
async def batch(request: Request) -> JSONResponse:
    """Take a batch of messages. A message that is wrong goes to quarantine with the reason; the others are kept."""
    return await _taken(request, None)


@router.post("/v1/track", openapi_extra=takes("track"))
async def track(request: Request) -> JSONResponse:
    """Take one thing that somebody did."""
    return await _taken(request, "track")


@router.post("/v1/identify", openapi_extra=takes("identify"))
async def identify(request: Request) -> JSONResponse:
    """Take what somebody is: traits, and the anonymous id that they had before."""
    return await _taken(request, "identify")


@router.post("/v1/page", openapi_extra=takes("page"))
async def page(request: Request) -> JSONResponse:
    """Take a page that somebody looked at."""
    return await _taken(request, "page")


@router.post("/v1/screen", openapi_extra=takes("screen"))
async def screen(request: Request) -> JSONResponse:
    """Take a screen of an app that somebody looked at."""
    return await _taken(request, "screen")


@router.post("/v1/group", openapi_extra=takes("group"))
async def group(request: Request) -> JSONResponse:
    """Take a group that somebody joined."""
    return await _taken(request, "group")


@router.post("/v1/alias", openapi_extra=takes("alias"))
async def alias(request: Request) -> JSONResponse:
    """Take that one id is another; an id that is said to be itself is nobody else any more."""
    return await _taken(request, "alias")


async def _taken(request: Request, kind: str | None) -> JSONResponse:
    # Not as a dependency: those that are not async take a thread each, which costs more than all the rest here.
    shop = the_shop(request)
    try:
        secret = secret_of(request)
        caller = admit(shop, secret, Scope.INGEST) if secret is not None else None
        limits = limits_of(caller)
        body = await read_json(request, limits.body, ROOM)
        if not isinstance(body, dict):
            raise BadBody(400, "The body is not a JSON object.", "See docs/ingest.md.")
        if caller is None:
            key = body.get("writeKey")
            limits = limits_of(admit(shop, key if isinstance(key, str) else None, Scope.INGEST))
        received = [body] if kind else spread(body)
        if len(received) > limits.messages:
            raise BadBody(413, f"The batch has over {limits.messages:,} events.", "Send fewer events at once.")
        messages = _messages(received, kind, limits, shop)
        if messages:
            await asyncio.wrap_future(shop.inbox.submit(messages))
    except BadBody as bad:
        return _error(bad.status, bad.what, bad.mend)
    except Refused as refused:
        return _error(400, f"{refused.reason[0].upper()}{refused.reason[1:]}.", "See docs/ingest.md.")
    except BusyError as busy:
        return _error(429, busy.what, busy.mend, {"Retry-After": str(busy.retry_after_seconds)})
    except StoreError as broken:
        return _error(503, broken.what, broken.mend)
    except HTTPException as denied:
        return _error(denied.status_code, str(denied.detail), "Send a key that may.", dict(denied.headers or {}))
    return JSONResponse({"success": True})


def _messages(received: Sequence[Any], kind: str | None, limits: Limits, shop: Shop) -> list[Message]:
    """What goes into the inbox. A message sent alone is refused here, since there is nobody else to keep."""
    now = shop.clock()
    messages = []
    for fields in received:
        message = {**fields, "type": kind} if kind else fields
        if isinstance(message, dict):
            message.pop("writeKey", None)
        text, refused = _text(message, limits)
        own = message_id(message, text) or str(uuid4())
        if kind and refused:
            raise BadBody(413, f"{refused[0].upper()}{refused[1:]}.", "Send less of it.")
        if kind:
            rows_of(message, now, own)
        body = text[:SHOWN_BYTES] if refused else text
        messages.append(Message(own, customer_of(message), now, body, refused))
    return messages


def _text(message: Any, limits: Limits) -> tuple[bytes, str]:
    """The message as it is kept, and why it is not: an empty text where it is."""
    try:
        text = orjson.dumps(message)
    except orjson.JSONEncodeError:
        # Deeper than what is written can be read again.
        return repr(message)[: limits.message].encode(), "the message is nested too deeply"
    return text, f"the message is over {limits.message >> 10} KB" if len(text) > limits.message else ""


def _error(status: int, what: str, mend: str, headers: dict[str, str] | None = None) -> JSONResponse:
    # `code` and `message` are what the SDKs read: without them RudderStack's takes every refusal for an outage.
    told = {"error": what, "mend": mend, "code": str(status), "message": f"{what} {mend}".strip()}
    return JSONResponse(told, status, headers)
