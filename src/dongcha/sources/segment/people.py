"""What an identify tells of a customer: traits that the contract has a column for, and the others."""

from __future__ import annotations

from typing import Any, Final

from dongcha import columns as c
from dongcha.sources.segment.values import Row, as_date, as_moment, as_text, given, iso, packed
from dongcha.warehouse.tables import CONTRACT, Column, Kind

_TRAITS: Final[dict[str, Column]] = {
    name.replace("_", "").casefold(): column
    for column in CONTRACT[c.CUSTOMERS].own_columns
    if column.name != c.CUSTOMER_ID
    for name in (column.name, *column.also_called)
}


def traits_of(traits: dict[str, Any]) -> Row:
    """The traits that the contract knows in its own columns, where they can be read; all others as extras."""
    row: Row = {}
    left: dict[str, Any] = {}
    address = traits.get("address")
    flat = {**given(address), **traits}
    for name, value in flat.items():
        column = _TRAITS.get(name.replace("_", "").casefold())
        text = None if column is None or column.name in row else _trait(column, value)
        if column is not None and text is not None:
            row[column.name] = text
        elif name in traits and name != "address":
            left[name] = value
    if isinstance(address, dict):
        unread = {k: v for k, v in given(address).items() if k.replace("_", "").casefold() not in _TRAITS}
        left |= {"address": unread} if unread else {}
    whole = " ".join(t for k in ("firstName", "lastName") if (t := as_text(_either(traits, k))))
    if c.NAME not in row and whole:
        row[c.NAME] = whole
    return {**row, c.EXTRAS: packed(left)}


def _either(traits: dict[str, Any], name: str) -> Any:
    return traits.get(name, traits.get({"firstName": "first_name", "lastName": "last_name"}[name]))


def _trait(column: Column, value: Any) -> str | None:
    match column.kind:
        case Kind.TIME:
            moment = as_moment(value)
            return None if moment is None else iso(moment)
        case Kind.DATE:
            return as_date(value)
        case Kind.FLAG:
            return str(value).lower() if isinstance(value, bool) else None
    return as_text(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
