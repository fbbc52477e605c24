"""How customers are looked for in the serving view: words and a rule, said in SQL with question marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dongcha import columns as c
from dongcha.warehouse.rules import Kind, in_sql
from dongcha.warehouse.view_file import ANSWERED, spaced


def condition(outputs: Mapping[str, str], text: str, looked_for_in: Sequence[str], where: str) -> tuple[str, list[Any]]:
    """The SQL after FROM, and the values of its question marks; `outputs`: output name → number or text."""
    parts: list[str] = []
    values: list[Any] = []
    if text.strip():
        parts.append("place IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(f"{{{' '.join(looked_for_in)}}} : ({_words(text)})")
    if where.strip():
        kinds = {c.ENTITY_ID: Kind.TEXT, **{name: Kind(kind) for name, kind in outputs.items()}}
        said, constants = in_sql(where, kinds, {c.ENTITY_ID: c.CUSTOMER_ID})
        parts.append(f"{ANSWERED} AND ({said})")
        values += constants
    return f" WHERE {' AND '.join(parts)}" if parts else "", values


def _words(text: str) -> str:
    """Each word as the beginning of a phrase, in the language of SQLite's full-text search."""
    words = [" ".join(spaced(word).split()) for word in sayable(text).split()]
    return " AND ".join('"' + word.replace('"', '""') + '" *' for word in words)


def sayable(text: str) -> str:
    """Without what SQLite cannot be given: zero characters, and half a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
