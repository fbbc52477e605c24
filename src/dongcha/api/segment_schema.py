"""What the event routes take and answer, in the words of OpenAPI: bodies are read by hand, within limits."""

from __future__ import annotations

from typing import Any, Final

from dongcha.sources.segment import LONGEST_MESSAGE_ID

Schema = dict[str, Any]

_NO_NULL: Final = "^[^\\x00]*$"
_TELLING: Final = "^[^\\x00]*[A-Za-z0-9][^\\x00]*$"
"""What is neither blank nor holds the null character, which no text of the tables may."""
_ID: Final[Schema] = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": _TELLING}]}
_TEXT: Final[Schema] = {"type": "string", "pattern": _TELLING}
_NAME: Final[Schema] = {"type": ["string", "null"]}
_OBJECT: Final[Schema] = {"type": ["object", "null"]}
TIMES: Final = (
    "`timestamp` (when it happened) and `sentAt` (when it was sent), both by the sender's clock, are ISO 8601 times or "
    "seconds since 1970; what would lie over a day in the future is refused."
)
_COMMON: Final[dict[str, Schema]] = {
    "userId": _ID,
    "anonymousId": _ID,
    "messageId": {"type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_MESSAGE_ID, "pattern": _NO_NULL},
    "context": _OBJECT,
    "writeKey": {"description": "The key, a text, where no header has it."},
}
_SOMEBODY: Final[Schema] = {"anyOf": [{"required": ["userId"]}, {"required": ["anonymousId"]}]}
_OWN: Final[dict[str, tuple[dict[str, Schema], list[str]]]] = {
    "track": ({"event": _TEXT, "properties": _OBJECT}, ["event"]),
    "identify": ({"traits": _OBJECT}, []),
    "page": ({"name": _NAME, "properties": _OBJECT}, []),
    "screen": ({"name": _NAME, "properties": _OBJECT}, []),
    "group": ({"groupId": _ID, "traits": _OBJECT}, ["groupId"]),
    "alias": ({"previousId": _ID}, ["previousId", "userId"]),
}
ANSWERS: Final[dict[int | str, Schema]] = {
    400: {"description": "No JSON, or a message that can't become rows; the reason is told."},
    401: {"description": "The key is missing or not known."},
    403: {"description": "The key does not allow sending events."},
    413: {"description": "The body, the batch or the message is too large."},
    415: {"description": "The body is packed with anything but gzip."},
    429: {"description": "Too much at once; Retry-After says when to come again."},
    503: {"description": "The inbox can't be used."},
}


def takes(kind: str) -> dict[str, Any]:
    """The body of a route, for `openapi_extra`."""
    content = {"application/json": {"schema": _schema(kind)}}
    return {"requestBody": {"required": True, "description": TIMES, "content": content}}


def _schema(kind: str) -> Schema:
    if kind == "batch":
        batch = {"type": "array", "items": {"type": "object"}}
        shared = {"description": "Of every message that has none of its own."}
        own = {"context": shared, "writeKey": _COMMON["writeKey"]}
        return {"type": "object", "required": ["batch"], "properties": {"batch": batch, **own}}
    own, required = _OWN[kind]
    return {"type": "object", "properties": {**_COMMON, **own}, "required": required, **_SOMEBODY}
