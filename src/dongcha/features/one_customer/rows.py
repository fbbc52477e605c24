"""One customer's rows: those that are stored, and those that came in since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import polars as pl
import polars.selectors as cs

from dongcha import columns as c
from dongcha.as_of import EPOCH, AsOf

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
"""Table → rows of one customer, of products those that the rows name; columns as the contract's, any may be absent."""

FRESH: Final = "table"
"""The key by which a row that was not there when the market was counted says which table it is of."""


class OwnRows(Rows):
    """Rows by table, each table's read when it is asked for: most answers need few of them or none."""

    def __init__(
        self,
        tables: Sequence[str],
        stored: Callable[[str], pl.DataFrame],
        described: Callable[[set[str], Sequence[str] | None], tuple[Sequence[str], list[tuple[Any, ...]]]],
        fresh: Mapping[str, Sequence[Row]],
    ) -> None:
        """`tables`: all but products. `stored`: this customer's rows of one of them, `as_kept`.

        `described`: the rows about these products, columns as asked or all there are. `fresh`: rows that no stored row
        is the same as, by table.
        """
        self.tables, self.stored, self.fresh = tables, stored, fresh
        self._described = described

    def __getitem__(self, name: str) -> Sequence[Row]:
        if name == c.PRODUCTS:
            columns, found = self._described(self._named, None)
            return [dict(zip(columns, row, strict=True)) for row in found]
        if name not in self.tables:
            raise KeyError(name)
        return [*self.stored(name).to_dicts(), *self.fresh.get(name, ())]

    def __iter__(self) -> Iterator[str]:
        return iter((*self.tables, c.PRODUCTS))

    def __len__(self) -> int:
        return len(self.tables) + 1

    def products(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """What is stored of the products that any row names, as SQLite keeps values."""
        return self._described(self._named, columns)[1]

    @cached_property
    def _named(self) -> set[str]:
        named: set[str | None] = {row.get(c.PRODUCT_ID) for rows in self.fresh.values() for row in rows}
        for stored in map(self.stored, self.tables):
            if c.PRODUCT_ID in stored.columns:
                named.update(stored[c.PRODUCT_ID].to_list())
        return {one for one in named if one}


def as_kept(frame: pl.DataFrame) -> pl.DataFrame:
    """A table of the contract in types that SQLite knows: moments in microseconds since 1970, money as floats."""
    return frame.with_columns(cs.datetime().to_physical(), cs.decimal().cast(pl.Float64))


def stored_values(frame: pl.DataFrame, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows with these columns, of a table `as_kept`."""
    return list(zip(*(frame[name].to_list() for name in columns), strict=True))


def fresh_values(rows: Sequence[Row], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The same of rows that came in since, in whatever types."""
    return [tuple(_plain(row.get(name)) for name in columns) for row in rows]


def known_before(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], as_of: AsOf
) -> Sequence[tuple[Any, ...]]:
    """Those rows, as SQLite keeps values, that a snapshot at this moment would hold."""
    now = micros(as_of.moment)
    happened, known = columns.index(c.HAPPENED_AT), columns.index(c.KNOWN_AT)
    return [row for row in rows if row[happened] < now and (row[known] is None or row[known] <= now)]


def micros(moment: Any) -> int:
    """A moment in microseconds since 1970; a number is one already."""
    if isinstance(moment, datetime):
        since = moment - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return int(moment)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return micros(value)
    return float(value) if isinstance(value, Decimal) else value
