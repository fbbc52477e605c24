"""Which column of a file fills which field of the contract."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dongcha import columns as c
from dongcha.errors import InputError, UsageError
from dongcha.warehouse.tables import Column, Kind, Table

DATE_ORDER: Final = "date_order"
TIME_ZONE: Final = "time_zone"
HINTS: Final = (DATE_ORDER, TIME_ZONE)
"""What `--set` may say about how to read, beside the table's own fields."""
MADE_UP: Final = (c.LINE, c.REVIEW_ID, c.MESSAGE_ID, c.EXPOSURE_ID, c.OUTCOME_ID, c.DOCUMENT_ID)
"""Parts of a key that are made where the file has none: the line's place in its order, else the row's content."""


@dataclass(frozen=True)
class Matching:
    """Field → column of the file; field → constant; the columns that are kept as extras; hints on how to read."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    extras: tuple[str, ...]
    hints: Mapping[str, str]
    made: tuple[str, ...]
    """Fields of the key that the file lacks and that are made."""


def match(
    file: str, table: Table, available: Sequence[str], mapped: Mapping[str, str], constants: Mapping[str, str]
) -> Matching:
    """Fill the table's fields: by `mapped`, by `constants`, else by name or a name it is also called.

    Raises UsageError for a field the table has not; InputError for a mapped column the file has not and for a required
    field that nothing fills, each with the mend.
    """
    for wanted in (*mapped, *(k for k in constants if k not in HINTS)):
        table.column(wanted)
    for field, given in mapped.items():
        if given not in available:
            raise InputError(f"{file} has no column '{given}' (for {field}).{_near(given, available)}", _has(available))
    found = dict(mapped)
    taken = set(mapped.values())
    for column in table.columns:
        name = _by_name(column, available, taken)
        if name is not None and column.name not in found and column.name not in constants:
            found[column.name] = name
            taken.add(name)
    made = _require(file, table, available, {*found, *constants})
    extras = tuple(name for name in available if name not in taken and name != c.EXTRAS)
    fixed = {k: v for k, v in constants.items() if k not in HINTS}
    return Matching(found, fixed, extras, {k: v for k, v in constants.items() if k in HINTS}, made)


def _by_name(column: Column, available: Sequence[str], taken: set[str]) -> str | None:
    wanted = [_plain(name) for name in (column.name, *column.also_called)]
    free = {_plain(name): name for name in reversed(available) if name not in taken}
    return next((free[name] for name in wanted if name in free), None)


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).casefold()


def _require(file: str, table: Table, available: Sequence[str], filled: set[str]) -> tuple[str, ...]:
    made = tuple(k for k in table.key if k in MADE_UP and k not in filled)
    missing = [k for k in table.columns if k.required and k.name not in filled and k.name not in made]
    if missing:
        name = missing[0].name
        raise InputError(
            f"{file}: nothing fills {table.name}.{name}, which every row needs.{_near(name, available)}",
            f"Say which column does: --map {name}=COLUMN{_or_set(missing[0])}. {_has(available)}",
        )
    return made


def _or_set(column: Column) -> str:
    return "" if column.kind is Kind.ID else f", or the same for all: --set {column.name}=VALUE"


def _near(name: str, available: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, available, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _has(available: Sequence[str]) -> str:
    shown = ", ".join(list(available)[:30])
    return f"The file has: {shown}{', …' if len(available) > 30 else ''}."


def hint(hints: Mapping[str, str], name: str, default: str | None) -> str | None:
    """What the user said about how to read, or the default; UsageError where it is empty."""
    if name in hints and not hints[name]:
        raise UsageError(f"--set {name}= is empty.", "Give it a value.")
    return hints.get(name, default)
