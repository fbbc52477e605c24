"""The body of a request, read and unpacked within limits: what is too large is never held."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson
from fastapi import Request

from dongcha.api.refusals import Refusal
from dongcha.errors import BusyError

MOST_READING_BYTES: Final = 64 << 20
"""Room for bodies that are being read, of all requests together."""
GZIP: Final = 16 + zlib.MAX_WBITS


class BadBody(Refusal):
    """A body that can't be taken."""


class Room:
    """How much is being read at once. One event loop asks, so it needs no lock."""

    def __init__(self, most: int = MOST_READING_BYTES) -> None:
        self.left = most

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Hold room for a body; BusyError where there is none."""
        if size > self.left:
            raise BusyError("Too many requests at once.", "Send it again soon.")
        self.left -= size
        try:
            yield
        finally:
            self.left += size


async def read_json(request: Request, most: int, room: Room) -> Any:
    """The JSON value of a body of at most `most` bytes, packed with gzip or not; also as unpacked.

    Raises BadBody: 413 too large, 415 packed otherwise, 400 no JSON. BusyError where too much is being read.
    """
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing not in {"identity", "gzip", "x-gzip", ""}:
        raise BadBody(415, f"The body is packed with {packing}.", "Send it plain or with gzip.")
    if int(request.headers.get("content-length") or 0) > most:
        raise _too_large(most)
    with room.taken(most):
        body = await _read(request, most)
        if "gzip" in packing:
            body = _unzipped(body, most)
        return parsed(body)


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _unzipped(body: bytes, most: int) -> bytes:
    """What a gzip body unpacks to, which is stopped where it grows beyond `most`: a bomb takes no more than that."""
    member = zlib.decompressobj(GZIP)
    try:
        out = member.decompress(body, most + 1)
    except zlib.error:
        raise BadBody(
            400, "The body is not gzip, though its header says so.", "Pack it, or leave the header."
        ) from None
    if len(out) > most:
        raise _too_large(most)
    if not member.eof or member.unused_data:
        raise BadBody(400, "The gzip body breaks off, or goes on after its end.", "Send it whole.")
    return out


def parsed(body: bytes) -> Any:
    """The JSON value; what only Python's own writer lets through (NaN, half a surrogate pair) is mended.

    Raises BadBody (400) where it is no JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        value = json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BadBody(400, "The body is not JSON.", "Send one JSON object.") from None


def _too_large(most: int) -> BadBody:
    return BadBody(413, f"The body is over {most // 1000} KB.", "Send fewer events at once.")
