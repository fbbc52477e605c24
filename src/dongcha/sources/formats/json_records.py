"""JSON: one object a line, or one array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from dongcha.errors import InputError
from dongcha.sources.formats.batch import BATCH_ROWS, Batch, Progress, Source, as_numbers, unique_names
from dongcha.sources.formats.encoded import open_text, unheard

MOST_COLUMNS: Final = 1_000
SNIFFED_CHARACTERS: Final = 1 << 12
BLANK: Final = "\ufeff \t\r\n"

Record = tuple[int, str, Any]
"""(line or place, its text, what it says; no dict where it is no object)."""


def read_json(file: Path, zipped: bool, progress: Progress) -> Source:
    """Read a json, jsonl or ndjson file; twice, for a key may come first in the last object."""
    notices: list[str] = []
    columns: dict[str, None] = {}
    empty = True
    for _, _, item in _records(file, zipped, unheard, notices):
        empty = False
        if isinstance(item, dict):
            columns.update(dict.fromkeys(item))
            if len(columns) > MOST_COLUMNS:
                raise InputError(
                    f"{file} has objects of over {MOST_COLUMNS:,} different keys.", "Name facts by values, not by keys."
                )
    if empty:
        raise InputError(f"{file} holds no record.", "Write one JSON object a line, or an array of objects.")
    names = dict(zip(columns, unique_names(list(columns)), strict=True))
    return Source(list(names.values()), _batches(_records(file, zipped, progress, []), names), notices)


def _records(file: Path, zipped: bool, progress: Progress, notices: list[str]) -> Iterator[Record]:
    text = open_text(file, zipped, progress, notices)
    return _array(file, text.read()) if _begins(file, zipped) == "[" else _lines(text)


def _begins(file: Path, zipped: bool) -> str:
    """The first character that is not blank."""
    with open_text(file, zipped, unheard, []) as text:
        while start := text.read(SNIFFED_CHARACTERS):
            if start := start.lstrip(BLANK):
                return start[0]
    return ""


def _array(file: Path, content: str) -> Iterator[Record]:
    try:
        items = _loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}.", "Write one JSON object a line instead.") from None
    return ((number, "", item) for number, item in enumerate(items, start=1))


def _lines(lines: Iterable[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip(BLANK):
            continue
        try:
            yield number, line, _loads(line)
        except (ValueError, RecursionError):
            yield number, line, None


def _loads(content: str) -> Any:
    """JSON with its numbers left as written: 400 digits must not become infinity before they are looked at."""
    return json.loads(content.strip("\ufeff"), parse_int=str, parse_float=str, parse_constant=str)


def _batches(records: Iterator[Record], names: dict[str, str]) -> Iterator[Batch]:
    kept: list[dict[str, Any]] = []
    numbers: list[int] = []
    broken: list[tuple[int, str, str]] = []
    for number, text, item in records:
        if isinstance(item, dict) and item:
            kept.append(item)
            numbers.append(number)
        else:
            why = "the object is empty" if isinstance(item, dict) else "this is not a JSON object"
            broken.append((number, text or json.dumps(item, ensure_ascii=False), why))
        if len(kept) + len(broken) >= BATCH_ROWS:
            yield _batch(names, kept, numbers, broken)
            kept, numbers, broken = [], [], []
    if kept or broken:
        yield _batch(names, kept, numbers, broken)


def _batch(names: dict[str, str], kept: list[dict[str, Any]], numbers: list[int], broken: list[Any]) -> Batch:
    rows = pl.DataFrame([pl.Series(n, [_as_text(r.get(k)) for r in kept], pl.String) for k, n in names.items()])
    return Batch(rows, as_numbers(numbers), broken)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Half a surrogate pair is no character: it can be written in JSON and nowhere else.
    return text.encode("utf-8", "replace").decode("utf-8")
