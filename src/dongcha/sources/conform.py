"""Rows of text made rows of the contract; what cannot be is refused with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.sources import moments, numbers
from dongcha.sources.matching import DATE_ORDER, TIME_ZONE, Matching, hint
from dongcha.sources.moments import Style
from dongcha.sources.read import Batch
from dongcha.warehouse.tables import ALWAYS, Column, Kind, Table

REFUSE: Final = "__refuse__"
"""A column with which a layout refuses a row, saying why."""
NOTHING: Final = ("", "na", "n/a", "nan", "null", "none", "#n/a", "nat", "-")
YES: Final = ("true", "t", "yes", "y", "1", "on", "是", "有")
NO: Final = ("false", "f", "no", "n", "0", "off", "否", "无")
LONGEST_SHOWN: Final = 200
LONGEST_ID: Final = 1_000
CONTENT: Final = "__content__"

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
    """Turns batches of one file into rows of one table; how dates and decimals are written is learnt from the first."""

    table: Table
    matching: Matching
    source: str
    time_zone: str
    notices: list[str] = field(default_factory=list)
    _styles: dict[str, Style] = field(default_factory=dict)
    _commas: dict[str, bool] = field(default_factory=dict)
    _learnt: bool = False

    def conform(self, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of the table (with ROW and CONTENT beside) and refusals (columns as REFUSALS), of one batch."""
        raw = self._texts(batch.rows)
        if not self._learnt and len(raw):
            self._learn(raw)
        typed = raw.with_columns(self._typed(column).alias(_out(column)) for column in self.table.columns)
        refused = self._refusals(typed)
        broken = pl.DataFrame(
            [(n, None, t[:LONGEST_SHOWN], why) for n, t, why in batch.broken], schema=REFUSALS, orient="row"
        )
        good = typed.join(refused.select(c.ROW).unique(), on=c.ROW, how="anti")
        return self._finished(good), pl.concat([broken, refused])

    def _texts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The file's columns under the table's names, trimmed, nothing made null; extras packed; content for ids."""
        there = [pl.col(name) for name in self.matching.extras if name in rows.columns and name != REFUSE]
        fields = {k: pl.col(v) if v in rows.columns else pl.lit(None) for k, v in self.matching.columns.items()}
        constants = {k: pl.lit(v) for k, v in self.matching.constants.items()}
        everything = [pl.col(k).fill_null("\x00") for k in rows.columns if k not in (c.ROW, REFUSE)]
        refuse = pl.col(REFUSE) if REFUSE in rows.columns else pl.lit(None)
        texts = {k: _trimmed(v, self.table.column(k).kind) for k, v in {**fields, **constants}.items()}
        packed = pl.struct(there).struct.json_encode() if there else pl.lit(None)
        if c.EXTRAS not in texts:
            texts[c.EXTRAS] = packed
        return rows.select(
            c.ROW,
            refuse.cast(pl.String).alias(REFUSE),
            pl.concat_str(everything, separator="\x1f").alias(CONTENT)
            if self._needs_content
            else pl.lit(None).alias(CONTENT),
            *(texts.get(k.name, pl.lit(None)).cast(pl.String).alias(k.name) for k in self.table.columns),
        )

    @property
    def _needs_content(self) -> bool:
        return any(name != c.LINE for name in self.matching.made)

    def _learn(self, raw: pl.DataFrame) -> None:
        self._learnt = True
        zone = hint(self.matching.hints, TIME_ZONE, self.time_zone) or self.time_zone
        order = hint(self.matching.hints, DATE_ORDER, None)
        for column in self.table.columns:
            values = raw[column.name]
            if column.kind in (Kind.TIME, Kind.DATE):
                style, notices = moments.style_of(column.name, values, zone, order)
                self._styles[column.name] = style
                self.notices += notices
            elif column.kind in (Kind.MONEY, Kind.NUMBER, Kind.INTEGER):
                self._commas[column.name] = numbers.has_decimal_commas(values)
                if self._commas[column.name]:
                    self.notices.append(f"'{column.name}' is read with decimal commas")

    def _typed(self, column: Column) -> pl.Expr:
        text = pl.col(column.name)
        match column.kind:
            case Kind.TIME if column.name in self._styles:
                return moments.parse(text, self._styles[column.name])
            case Kind.DATE if column.name in self._styles:
                return moments.parse(text, Style(self._styles[column.name].day_first, "UTC")).dt.date()
            case Kind.MONEY | Kind.NUMBER | Kind.INTEGER:
                written = numbers.number(text, self._commas.get(column.name, False))
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
