"""Events in, by Segment's HTTP API: its SDKs, and RudderStack's, work with the host changed and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from dongcha.access.scopes import Caller, Scope
from dongcha.api.bodies import BadBody, Room, read_json
from dongcha.api.flusher import Flusher
from dongcha.api.guard import SHOWN, authorize, the_shop
from dongcha.api.refusals import Refusal, answer, request_id
from dongcha.api.segment_schema import ANSWERS, takes
from dongcha.assemble import Shop
from dongcha.errors import BusyError, DongchaError
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

    @classmethod
    def of(cls, caller: Caller | None) -> Limits:
        """What a caller may send at once: more where their key has been given larger messages."""
        largest = (caller and caller.message_bytes) or cls.message
        return cls(largest, cls.body * max(largest, cls.message) // cls.message)


@asynccontextmanager
async def _flushing(app: FastAPI) -> AsyncIterator[None]:
    flusher = Flusher(app.state.shop)
    flusher.start()
    try:
        yield
    finally:
        await asyncio.to_thread(flusher.stop)
        await asyncio.to_thread(app.state.shop.inbox.close)


class Taken(BaseModel):
    """The events are kept, or in quarantine with the reason."""

    success: bool


router = APIRouter(tags=["events"], lifespan=_flushing, responses=ANSWERS, dependencies=SHOWN)


TAKES: Final = {
    "batch": "Take many messages. One that is wrong goes to quarantine with the reason; the others are kept.",
    "track": "Take one thing that somebody did.",
    "identify": "Take what somebody is: traits, and the anonymous id that they had before.",
    "page": "Take a page that somebody looked at.",
    "screen": "Take a screen of an app that somebody looked at.",
    "group": "Take a group that somebody joined.",
    "alias": "Take that one id is another; an id that is said to be itself is nobody else any more.",
}


def _route(kind: str) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def take(request: Request) -> JSONResponse:
        return await _taken(request, None if kind == "batch" else kind)

    return take


for _kind, _said in TAKES.items():
    router.add_api_route(
        f"/v1/{_kind}",
        _route(_kind),
        methods=["POST"],
        name=_kind,
        description=_said,
        response_model=Taken,
        openapi_extra=takes(_kind),
    )


async def _taken(request: Request, kind: str | None) -> JSONResponse:
    try:
        await _keep(request, the_shop(request), kind)
    except (Refusal, Refused, DongchaError) as error:
        return _refused(request, error)
    return JSONResponse({"success": True})


async def _keep(request: Request, shop: Shop, kind: str | None) -> None:
    """Durable in the inbox when this returns."""
    # Segment's SDK also writes the key into the body; who sends it there alone is known once that is read.
    caller = await authorize(request, Scope.INGEST) if "authorization" in request.headers else None
    limits = Limits.of(caller)
    body = await read_json(request, limits.body, ROOM)
    if not isinstance(body, dict):
        raise BadBody(400, "The body is not a JSON object.", "See docs/ingest.md.")
    if caller is None:
        key = body.get("writeKey")
        limits = Limits.of(await authorize(request, Scope.INGEST, key if isinstance(key, str) else None))
    received = [body] if kind else spread(body)
    if len(received) > limits.messages:
        raise BadBody(413, f"The batch has over {limits.messages:,} events.", "Send fewer events at once.")
    messages = _messages(received, kind, limits, shop)
    if messages:
        await asyncio.wrap_future(shop.inbox.submit(messages))


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


def _refused(request: Request, error: Refusal | Refused | DongchaError) -> JSONResponse:
    """The refusal, with what the SDKs read: without `code` RudderStack's takes every refusal for an outage."""
    if isinstance(error, Refused):
        error = Refusal(400, f"{error.reason[0].upper()}{error.reason[1:]}.", "See docs/ingest.md.")
    elif isinstance(error, BusyError):
        error = Refusal(429, error.what, error.mend, {"Retry-After": str(error.retry_after_seconds)})
    refused = answer(error, request_id(request))
    if refused.status_code >= 500:
        request.scope["state"]["error"] = error
    told = orjson.loads(refused.body)
    told |= {"code": str(refused.status_code), "message": f"{told['error']} {told['mend']}".strip()}
    headers = {name: value for name, value in refused.headers.items() if name in ("retry-after", "www-authenticate")}
    return JSONResponse(told, refused.status_code, headers)
