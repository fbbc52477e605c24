"""Values of a JSON message as text that the contract reads back exactly."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from dongcha.as_of import EPOCH

Row = dict[str, str | None]
"""Field of the contract → its value as text; what is not told is null or absent."""

MILLIS_FROM: Final = 100_000_000_000
"""A number of at least this many is milliseconds since 1970 (as seconds, it would be in the year 5138)."""

PLAIN: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")


class Refused(Exception):
    """A message that can't become rows: the field, its value as text, and why."""

    def __init__(self, column: str | None, value: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def as_id(value: Any) -> str | None:
    """An id: a text that is not blank, or a whole number; null for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    text = value.replace("\x00", "").strip() if isinstance(value, str) else ""
    return text or None


def as_text(value: Any) -> str | None:
    """Any value as a text without null characters, what is nested as JSON; null for null and for a blank."""
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text.replace("\x00", "").strip() or None


def as_number(value: Any) -> str | None:
    """A finite number, or a text that Python would read as one, in its shortest writing; null for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or (isinstance(value, str) and "_" in value):
        return None
    if isinstance(value, str):
        # Money is decimal: digits that a double would lose are kept where they are written plainly.
        return value.strip() if PLAIN.fullmatch(value.strip()) else repr(number)
    return repr(value)


def number_of(name: str, value: Any) -> str | None:
    """A number as text, null where none was given. Raises Refused for what is no number."""
    number = as_number(value)
    if number is None and as_text(value) is not None:
        raise Refused(name, as_text(value), f"{name} is not a finite number")
    return number


def as_moment(value: Any) -> datetime | None:
    """An ISO 8601 time (UTC where it names no offset), or (milli)seconds since 1970; null for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return EPOCH + timedelta(seconds=value / 1000 if abs(value) >= MILLIS_FROM else value)
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_date(value: Any) -> str | None:
    """The day that a time names where it was written, as 1990-05-01; null for anything else."""
    try:
        return datetime.fromisoformat(value.strip()).date().isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def iso(moment: datetime) -> str:
    """A moment in UTC as the loader reads it, to the microsecond."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds") + "Z"


def packed(fields: Mapping[str, Any]) -> str | None:
    """What is left of a message as one JSON object; null where nothing is."""
    return orjson.dumps(fields).decode() if fields else None


def first(fields: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that was given."""
    return next((fields[k] for k in names if fields.get(k) is not None), None)


def given(fields: Any) -> dict[str, Any]:
    """What was given: SDKs send null for what was not; nothing where this is no object."""
    return {k: v for k, v in fields.items() if v is not None} if isinstance(fields, dict) else {}
