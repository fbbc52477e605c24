"""What an identify adds to what was known: a customer's free traits gather, each as it was last told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
import polars as pl

from dongcha import columns as c
from dongcha.sources.formats.batch import as_text
from dongcha.sources.segment import Row, as_moment
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import CONTRACT, TIME_TYPE

Placed = tuple[int, Row]
Notes = dict[str, dict[datetime, Row]]
"""Customer → when it was noted → the row as text."""


def with_known(lake: Lake, placed: Sequence[Placed]) -> list[Placed]:
    """The rows of customers, each with the free traits that were noted of that customer before its moment.

    Only what lies before is taken up, so that a row says the same however often it is made. Rows of one customer and
    one moment, in the lake or here, become one: the later keeps what it does not say itself from the earlier.
    """
    notes = _noted(lake, sorted({str(row[c.CUSTOMER_ID]) for _, row in placed}))
    merged: dict[tuple[str, datetime], Placed] = {}
    for place, row in placed:
        who, at = str(row[c.CUSTOMER_ID]), as_moment(row[c.HAPPENED_AT])
        assert at is not None, "the normaliser writes every moment"
        of_who = notes.setdefault(who, {})
        before = max((moment for moment in of_who if moment <= at), default=None)
        extras = {} if before is None else _loads(of_who[before].get(c.EXTRAS))
        extras |= _loads(row.get(c.EXTRAS))
        whole = {**of_who.get(at, {}), **{k: v for k, v in row.items() if v is not None}}
        whole[c.EXTRAS] = orjson.dumps(extras).decode() if extras else None
        of_who[at] = whole
        merged[who, at] = (place, whole)
    return list(merged.values())


def _noted(lake: Lake, customers: Sequence[str]) -> Notes:
    files = lake.files(c.CUSTOMERS) if lake.version(c.CUSTOMERS) is not None else []
    if not files:
        return {}
    rows = lake.engine.read(files)
    columns = list(CONTRACT[c.CUSTOMERS].schema)
    found = lake.engine.to_polars(rows.filter(rows[c.CUSTOMER_ID].isin(customers)).select(*columns))
    texts = as_text(found.with_columns(pl.col(c.HAPPENED_AT).cast(TIME_TYPE)))
    notes: Notes = {}
    for row in texts.rows(named=True):
        at = as_moment(row[c.HAPPENED_AT])
        assert at is not None, "the lake holds no row without a moment"
        notes.setdefault(row[c.CUSTOMER_ID], {})[at] = row
    return notes


def _loads(text: str | None) -> dict[str, object]:
    """The free traits; none where a file's own column of that name held something else."""
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
