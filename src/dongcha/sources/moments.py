"""Dates and times as people write them, brought to UTC."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import polars as pl

from dongcha.errors import InputError

CLOCK: Final = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?)?"
ZONE: Final = r"\s*(Z|z|UTC|GMT|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?"
YEAR_FIRST: Final = rf"^(\d{{4}})[-/.年](\d{{1,2}})[-/.月](\d{{1,2}})日?{CLOCK}{ZONE}$"
YEAR_LAST: Final = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){CLOCK}{ZONE}$"
COMPACT: Final = r"^((?:19|20)\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2}))?$"
UNIX: Final = r"^(\d{9,10})(?:\.\d+)?$"
UNIX_MILLIS: Final = r"^(\d{12,13})$"
EXCEL: Final = r"^(\d{5}(?:\.\d+)?)$"
EXCEL_DAY_ZERO: Final = datetime(1899, 12, 30)
ORDERS: Final = ("dmy", "mdy")


@dataclass(frozen=True)
class Style:
    """How one column writes its times: which of day and month comes first, and the zone of those without an offset."""

    day_first: bool
    time_zone: str


@dataclass
class Writing:
    """What a column's values tell of how it writes its times, batch by batch."""

    _days_first: bool = False
    _months_first: bool = False
    _example: str | None = None
    _offsets: Counter[str] = field(default_factory=Counter)
    _without: int = 0

    def look(self, values: pl.Series) -> None:
        """Take in more of the column's values."""
        known = values.drop_nulls()
        parts = known.str.extract_groups(YEAR_LAST).struct.unnest()
        first, second = (parts[k].cast(pl.Int64, strict=False) for k in parts.columns[:2])
        written = known.filter(first.is_not_null())
        if self._example is None and len(written):
            self._example = written[0]
        self._days_first |= bool((first > 12).any())
        self._months_first |= bool((second > 12).any())
        offsets = known.str.extract(r"\d{1,2}:\d{2}.*?(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$")
        self._without += offsets.null_count()
        self._offsets.update(dict(offsets.drop_nulls().value_counts().rows()))

    def style(self, column: str, time_zone: str, date_order: str | None) -> Style:
        """How the column is to be read.

        Raises InputError where days and months cannot be told apart and `date_order` does not say.
        """
        if date_order is not None:
            if date_order not in ORDERS:
                raise InputError(
                    f"date_order={date_order} is not known.", "Write --set date_order=dmy or --set date_order=mdy."
                )
            return Style(date_order == "dmy", time_zone)
        if self._example is not None and self._days_first == self._months_first:
            raise InputError(
                f"'{column}' writes dates like {self._example}: day or month first?",
                "Say it with --set date_order=dmy or --set date_order=mdy.",
            )
        return Style(not self._months_first, time_zone)

    def notice(self, column: str, time_zone: str) -> str:
        """What is worth telling of the offsets; an empty text where nothing is."""
        told = ", ".join(f"{offset} ({count:,})" for offset, count in self._offsets.most_common(5))
        if self._offsets and self._without:
            return f"'{column}' mixes times with an offset ({told}) and {self._without:,} without, read in {time_zone}"
        if len(self._offsets) > 1:
            return f"'{column}' has {len(self._offsets)} offsets: {told}; all are kept in UTC"
        return ""


def parse(text: pl.Expr, style: Style) -> pl.Expr:
    """A moment in UTC, microseconds; null where the text is none, or names a moment the zone's clocks skipped."""
    last = ("day", "month", "year") if style.day_first else ("month", "day", "year")
    return pl.coalesce(
        _written(text, YEAR_FIRST, ("year", "month", "day"), style.time_zone),
        _written(text, YEAR_LAST, last, style.time_zone),
        _compact(text, style.time_zone),
        _counted(text, UNIX_MILLIS, 1_000),
        _counted(text, UNIX, 1_000_000),
        _excel(text, style.time_zone),
    )


def _written(text: pl.Expr, pattern: str, places: tuple[str, ...], zone: str) -> pl.Expr:
    part = {name: text.str.extract(pattern, place) for place, name in enumerate(places, start=1)}
    hour, minute, second, fraction, half, offset = (text.str.extract(pattern, place) for place in range(4, 10))
    local = _joined(part["year"], part["month"], part["day"], _hour_of_24(hour, half), minute, second, fraction)
    shift = _offset_minutes(offset)
    aware = (local - pl.duration(minutes=shift)).dt.replace_time_zone("UTC")
    return pl.when(offset.is_not_null()).then(aware).otherwise(_in_zone(local, zone))


def _joined(
    year: pl.Expr, month: pl.Expr, day: pl.Expr, hour: pl.Expr, minute: pl.Expr, second: pl.Expr, fraction: pl.Expr
) -> pl.Expr:
    two = [k.fill_null("0").str.zfill(2) for k in (month, day, hour, minute, second)]
    micro = fraction.fill_null("0").str.slice(0, 6).str.pad_end(6, "0")
    written = pl.format("{}-{}-{} {}:{}:{}.{}", year, *two, micro)
    return written.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")


def _hour_of_24(hour: pl.Expr, half: pl.Expr) -> pl.Expr:
    number = hour.cast(pl.Int64, strict=False)
    afternoon = half.str.to_lowercase() == "pm"
    turned = pl.when(afternoon).then(number % 12 + 12).otherwise(number % 12)
    return pl.when(half.is_null()).then(number).otherwise(turned).cast(pl.String)


def _offset_minutes(offset: pl.Expr) -> pl.Expr:
    digits = offset.str.replace_all(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    return pl.when(offset.str.starts_with("-")).then(-1).otherwise(1) * (60 * hours + minutes)


def _in_zone(local: pl.Expr, zone: str) -> pl.Expr:
    moved = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return moved.dt.convert_time_zone("UTC")


def _compact(text: pl.Expr, zone: str) -> pl.Expr:
    parts = [text.str.extract(COMPACT, place) for place in range(1, 7)]
    return _in_zone(_joined(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], pl.lit("0")), zone)


def _counted(text: pl.Expr, pattern: str, micros: int) -> pl.Expr:
    count = text.str.extract(pattern, 1).cast(pl.Int64, strict=False) * micros
    return pl.from_epoch(count, "us").dt.replace_time_zone("UTC")


def _excel(text: pl.Expr, zone: str) -> pl.Expr:
    days = text.str.extract(EXCEL, 1).cast(pl.Float64, strict=False)
    moment = pl.lit(EXCEL_DAY_ZERO).cast(pl.Datetime("us")) + pl.duration(milliseconds=(days * 86_400_000).round())
    return _in_zone(moment, zone)
