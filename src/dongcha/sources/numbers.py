"""Numbers as people write them, read exactly: signs of money, thousands, decimal commas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from dongcha.warehouse.tables import MONEY_DECIMALS, MONEY_DIGITS

MONEY_SIGNS: Final = r"^\s*[¥￥$€£₹]?\s*|\s*(?:[¥￥$€£₹]|元|[A-Z]{3})?\s*$"
BRACKETED: Final = r"^\((.*)\)$"
PLAIN: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
GROUPED: Final = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
COMMA_DECIMAL: Final = r"^[+-]?(\d{1,3}(\.\d{3})*|\d+),\d{1,2}$"
LARGEST_MONEY: Final = 10 ** (MONEY_DIGITS - MONEY_DECIMALS)


def bare(text: pl.Expr) -> pl.Expr:
    """The text without signs of money; brackets round a number make it negative."""
    return text.str.replace_all(MONEY_SIGNS, "").str.replace(BRACKETED, "-$1").str.replace("−", "-", literal=True)


@dataclass
class Commas:
    """What a column's values tell of its decimal mark, batch by batch: some can only be read one way."""

    _commas: bool = False
    _points: bool = False

    def look(self, values: pl.Series) -> None:
        """Take in more of the column's values."""
        known = values.drop_nulls().to_frame("v").select(bare(pl.col("v"))).to_series()
        self._commas |= bool(known.str.contains(COMMA_DECIMAL).any())
        self._points |= bool((known.str.contains(r"\.\d{1,2}$|\.\d{4,}$") | known.str.contains(GROUPED)).any())

    @property
    def decimal(self) -> bool:
        """Whether the column writes 1.234,50: some value can only be read so, and none only the other way."""
        return self._commas and not self._points


def number(text: pl.Expr, decimal_commas: bool) -> pl.Expr:
    """A plain number as text; null where it is none."""
    written = bare(text)
    if decimal_commas:
        written = written.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        written = (
            pl.when(written.str.contains(GROUPED))
            .then(written.str.replace_all(",", "", literal=True))
            .otherwise(written)
        )
    return pl.when(written.str.contains(PLAIN)).then(written)


def as_float(text: pl.Expr) -> pl.Expr:
    """A finite double, or null."""
    value = text.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def as_money(text: pl.Expr) -> pl.Expr:
    """A decimal of the contract, rounded to its decimals; null where it has too many digits before the point."""
    fits = as_float(text).abs() < LARGEST_MONEY
    return pl.when(fits).then(text.cast(pl.Decimal(MONEY_DIGITS, MONEY_DECIMALS), strict=False))


def as_integer(text: pl.Expr) -> pl.Expr:
    """A whole number, also written 3.0; null where it is not whole or too large."""
    value = as_float(text)
    return pl.when((value == value.round()) & (value.abs() < 2**53)).then(value.cast(pl.Int64, strict=False))
