"""Rows of text made rows of the contract; what cannot be is refused with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.sources import moments, numbers
from dongcha.sources.formats.batch import Batch
from dongcha.sources.matching import DATE_ORDER, TIME_ZONE, Matching, hint
from dongcha.sources.moments import Style, Writing
from dongcha.sources.numbers import Commas
from dongcha.warehouse.tables import ALWAYS, Column, Kind, Table

REFUSE: Final = "__refuse__"
NOTHING: Final = ("", "na", "n/a", "nan", "null", "none", "#n/a", "nat", "-")
YES: Final = ("true", "t", "yes", "y", "1", "on", "是", "有")
NO: Final = ("false", "f", "no", "n", "0", "off", "否", "无")
LONGEST_SHOWN: Final = 200
LONGEST_ID: Final = 1_000
CONTENT: Final = "__content__"
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER: Final = timedelta(days=1)

REFUSALS: Final[dict[str, pl.DataType]] = {
    c.ROW: pl.Int64(),
    c.COLUMN: pl.String(),
    c.VALUE: pl.String(),
    c.REASON: pl.String(),
}
_WANTED: Final = {
    Kind.TIME: "a date or time, or not one that the clocks of {zone} showed",
    Kind.DATE: "a date",
    Kind.MONEY: "an amount of money with at most 14 digits before the point",
    Kind.NUMBER: "a finite number",
    Kind.INTEGER: "a whole number",
    Kind.FLAG: "yes or no",
    Kind.ID: "an id of at most 1,000 characters",
}


@dataclass
class Conformer:
    """Turns batches of one file into rows of one table.

    How dates and decimals are written may show in the last row only: every batch is first looked at, then conformed.
    """

    table: Table
    matching: Matching
    source: str
    time_zone: str
    loaded_at: datetime
    notices: list[str] = field(default_factory=list)
    _styles: dict[str, Style] = field(default_factory=dict)
    _writing: dict[str, Writing] = field(init=False)
    _commas: dict[str, Commas] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no evidence."""
        kinds = {column.name: column.kind for column in self.table.columns}
        self._writing = {name: Writing() for name, kind in kinds.items() if kind in (Kind.TIME, Kind.DATE)}
        self._commas = {name: Commas() for name, kind in kinds.items() if kind in _NUMBERS}
        self.time_zone = hint(self.matching.hints, TIME_ZONE, self.time_zone) or self.time_zone

    def look(self, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The batch's text under the table's names, for `conform`; and refusals (columns as REFUSALS) of the broken."""
        raw = self._texts(batch)
        for name, writing in self._writing.items():
            writing.look(raw[name])
        for name, commas in self._commas.items():
            commas.look(raw[name])
        broken = [(number, None, text[:LONGEST_SHOWN], why) for number, text, why in batch.broken]
        return raw, pl.DataFrame(broken, schema=REFUSALS, orient="row")

    def learn(self) -> None:
        """After the last `look`: settle how times and decimals are read. Raises InputError where that is not told."""
        order = hint(self.matching.hints, DATE_ORDER, None)
        for name, writing in self._writing.items():
            self._styles[name] = writing.style(name, self.time_zone, order)
            if told := writing.notice(name, self.time_zone):
                self.notices.append(told)
        self.notices += [f"'{k}' is read with decimal commas" for k, commas in self._commas.items() if commas.decimal]

    def conform(self, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of the table (with ROW and CONTENT beside) and refusals (columns as REFUSALS) of what was looked at."""
        typed = raw.with_columns(self._typed(column).alias(_out(column)) for column in self.table.columns)
        refused = self._refusals(typed)
        good = typed.join(refused.select(c.ROW).unique(), on=c.ROW, how="anti")
        return self._finished(good), refused

    def _texts(self, batch: Batch) -> pl.DataFrame:
        """The file's columns under the table's names, trimmed, nothing made null; extras packed; content for ids."""
        extras = [pl.col(name) for name in self.matching.extras]
        fields = {k: pl.col(v) for k, v in self.matching.columns.items()}
        constants = {k: pl.lit(v) for k, v in self.matching.constants.items()}
        texts = {k: _trimmed(v, self.table.column(k).kind) for k, v in {**fields, **constants}.items()}
        if c.EXTRAS not in texts and extras:
            texts[c.EXTRAS] = pl.struct(extras).struct.json_encode()
        content = pl.concat_str(pl.all().fill_null("\x00"), separator="\x1f") if self._needs_content else pl.lit(None)
        refused = pl.lit(batch.refused) if batch.refused is not None else pl.lit(None)
        beside = {c.ROW: pl.lit(batch.numbers), REFUSE: refused.cast(pl.String), CONTENT: content.cast(pl.String)}
        columns = {k.name: texts.get(k.name, pl.lit(None)).cast(pl.String) for k in self.table.columns}
        # Beside the file's own columns first: that gives a constant the batch's height.
        return batch.rows.with_columns(**beside, **columns).select(*beside, *columns)

    @property
    def _needs_content(self) -> bool:
        return any(name != c.LINE for name in self.matching.made)

    def _typed(self, column: Column) -> pl.Expr:
        text = pl.col(column.name)
        match column.kind:
            case Kind.TIME:
                return moments.parse(text, self._styles[column.name])
            case Kind.DATE:
                return moments.parse(text, Style(self._styles[column.name].day_first, "UTC")).dt.date()
            case Kind.MONEY | Kind.NUMBER | Kind.INTEGER:
                written = numbers.number(text, self._commas[column.name].decimal)
                return _NUMBERS[column.kind](written)
            case Kind.FLAG:
                lower = text.str.to_lowercase()
                return pl.when(lower.is_in(YES)).then(True).when(lower.is_in(NO)).then(False)
            case Kind.ID:
                return pl.when(text.str.len_chars() <= LONGEST_ID).then(text)
        return text

    def _refusals(self, typed: pl.DataFrame) -> pl.DataFrame:
        found = [self._refusals_of(typed, column) for column in self.table.columns]
        told = typed.filter(pl.col(REFUSE).is_not_null()).select(
            c.ROW,
            pl.lit(None, pl.String).alias(c.COLUMN),
            pl.lit(None, pl.String).alias(c.VALUE),
            pl.col(REFUSE).alias(c.REASON),
        )
        # A row that a layout refuses is told that reason alone.
        return pl.concat([told, *(part.join(told, on=c.ROW, how="anti") for part in found)])

    def _refusals_of(self, typed: pl.DataFrame, column: Column) -> pl.DataFrame:
        text, value = pl.col(column.name), pl.col(_out(column))
        reason = pl.lit(None, pl.String)
        if column.lowest is not None:
            reason = pl.when(value.cast(pl.Float64) < column.lowest).then(
                pl.lit(f"{column.name} is below {column.lowest:g}")
            )
        if column.highest is not None:
            above = pl.lit(f"{column.name} is above {column.highest:g}")
            reason = pl.when(value.cast(pl.Float64) > column.highest).then(above).otherwise(reason)
        if column.name == c.HAPPENED_AT:
            reason = pl.when(value > self.loaded_at + CLOCKS_DIFFER).then(pl.lit("happened_at lies in the future"))
            reason = reason.when(value < EARLIEST).then(pl.lit(f"happened_at is before {EARLIEST.year}"))
        wanted = _WANTED.get(column.kind, "text").format(zone=self.time_zone)
        reason = (
            pl.when(text.is_not_null() & value.is_null())
            .then(pl.lit(f"{column.name} is not {wanted}"))
            .otherwise(reason)
        )
        if column.required and column.name not in self.matching.made:
            reason = pl.when(text.is_null()).then(pl.lit(f"{column.name} is missing")).otherwise(reason)
        shown = text.str.slice(0, LONGEST_SHOWN)
        rows = typed.select(c.ROW, pl.lit(column.name).alias(c.COLUMN), shown.alias(c.VALUE), reason.alias(c.REASON))
        return rows.filter(pl.col(c.REASON).is_not_null())

    def _finished(self, good: pl.DataFrame) -> pl.DataFrame:
        values = {column.name: pl.col(_out(column)).cast(column.dtype) for column in self.table.columns}
        if self.table.describes:
            values[c.HAPPENED_AT] = values[c.HAPPENED_AT].fill_null(pl.lit(ALWAYS).cast(pl.Datetime("us", "UTC")))
        values[c.KNOWN_AT] = values[c.KNOWN_AT].fill_null(values[c.HAPPENED_AT])
        values[c.SOURCE] = values[c.SOURCE].fill_null(pl.lit(self.source))
        return good.select(c.ROW, CONTENT, **values)


_NUMBERS: Final = {Kind.MONEY: numbers.as_money, Kind.NUMBER: numbers.as_float, Kind.INTEGER: numbers.as_integer}


def _out(column: Column) -> str:
    return f"__{column.name}__"


def _trimmed(value: pl.Expr, kind: Kind) -> pl.Expr:
    text = value.cast(pl.String).str.strip_chars()
    nothing = ("",) if kind in (Kind.TEXT, Kind.ID, Kind.JSON) else NOTHING
    return pl.when(~text.str.to_lowercase().is_in(nothing)).then(text)
