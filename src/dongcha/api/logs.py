"""The log: a line a thing that happened, as JSON or as text, without secrets and without ways to reach a person."""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final

import orjson

_HIDDEN: Final = (
    ("[key]", re.compile(r"\bdck_[\w-]{4,}")),
    ("[credentials]", re.compile(r"(?<=\b[Bb]earer )\S+|(?<=\b[Bb]asic )\S+")),
    ("?[query]", re.compile(r"(?<=[\w/])\?[\w.~%-]+=\S*")),
    ("[e-mail]", re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})*")),
    ("[token]", re.compile(r"(?<![\w-])[\w-]{43,}(?![\w-])")),
    ("[number]", re.compile(r"(?<![\w.:+-])\+?\(?\d(?:[\s().-]{0,2}\d){6,18}(?![\w:])")),
)


def clean(text: str) -> str:
    """The text without keys, tokens, e-mails, phone numbers and what stands in an address after its path.

    >>> clean("dck_0a1b_xyz from ann@example.com, +44 7624 508075, Bearer abc")
    '[key] from [e-mail], [number], Bearer [credentials]'
    """
    for stands_for, pattern in _HIDDEN:
        text = pattern.sub(stands_for, text)
    return text


class Lines(logging.Formatter):
    """One line a record; its `fields` are what was measured, made by our own code of nothing that a client wrote."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = dict(getattr(record, "fields", {}))
        if record.exc_info:
            fields["traceback"] = clean(self.formatException(record.exc_info))
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = clean(record.getMessage())
        if self._as_json:
            line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": message, **fields}
            return orjson.dumps(line, default=str).decode()
        told = " ".join(f"{k}={v}" for k, v in fields.items() if k != "traceback" and v not in ("", None))
        traceback = f"\n{fields['traceback']}" if "traceback" in fields else ""
        return f"{at[11:19]} {record.levelname.lower():7} {message} {told}".rstrip() + traceback


def start_logging(*, as_json: bool) -> None:
    """Send every record of this process, information and worse, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(as_json=as_json))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # These tell addresses, or every event of a socket.
    for noisy in ("httpx", "engineio", "socketio", "watchfiles", "multipart", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
