"""What customers said, one row a text, as it could be known before a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.features.point_in_time import Snapshot

if TYPE_CHECKING:
    import ibis.expr.types as ir

TEXTS: Final[dict[str, pl.DataType]] = {
    c.TEXT_ID: pl.String(),
    c.TABLE: pl.String(),
    c.HAPPENED_AT: pl.Datetime("us", "UTC"),
    c.CUSTOMER_ID: pl.String(),
    c.PRODUCT_ID: pl.String(),
    c.CONVERSATION_ID: pl.String(),
    c.TEXT: pl.String(),
    c.RATING: pl.Float64(),
}
SAYS: Final = (c.REVIEWS, c.MESSAGES)
"""The tables in which customers say something."""
STAFF: Final = ("agent", "staff", "support", "assistant", "bot", "system", "admin", "seller", "客服", "机器人", "商家")
"""Senders, in lower case, whose messages are not a customer's."""


def texts(facts: Snapshot) -> pl.DataFrame:
    """Every text of a customer, columns as TEXTS, by text_id: "reviews/<id>" or "messages/<id>".

    A review's title stands before its text; a review that says nothing, and what staff say, is left out. Only reviews
    have a rating, in the shop's own scale, null where none was given. Times are UTC.
    """
    parts = [facts.lake.engine.to_polars(_READ[table](facts)) for table in SAYS if facts.has(table)]
    made = [part.select(pl.col(name).cast(kind) for name, kind in TEXTS.items()) for part in parts]
    found = pl.concat(made) if made else pl.DataFrame(schema=TEXTS)
    found = found.with_columns(pl.col(c.TEXT).str.strip_chars())
    return found.filter(pl.col(c.TEXT) != "").sort(c.TEXT_ID)


def reviews(facts: Snapshot) -> pl.DataFrame:
    """Every review, columns as TEXTS, by text_id; one of stars alone has an empty text."""
    rows = facts.lake.engine.to_polars(_reviews(facts))
    return rows.select(pl.col(name).cast(kind) for name, kind in TEXTS.items()).sort(c.TEXT_ID)


def _reviews(facts: Snapshot) -> ir.Table:
    rows = facts.table(c.REVIEWS)
    title, text = rows[c.TITLE].fill_null(""), rows[c.TEXT].fill_null("")
    return _shaped(rows, c.REVIEWS, c.REVIEW_ID, text=title + "\n" + text, rating=rows[c.RATING].cast("float64"))


def _messages(facts: Snapshot) -> ir.Table:
    rows = facts.table(c.MESSAGES)
    return _shaped(rows.filter(rows[c.SENDER].lower().notin(STAFF)), c.MESSAGES, c.MESSAGE_ID)


_READ: Final = {c.REVIEWS: _reviews, c.MESSAGES: _messages}


def _shaped(rows: ir.Table, table: str, key: str, **columns: Any) -> ir.Table:
    import ibis

    absent = {c.PRODUCT_ID: ibis.null("string"), c.CONVERSATION_ID: ibis.null("string"), c.RATING: ibis.null("float64")}
    there = {name: rows[name] for name in TEXTS if name in rows.columns}
    named = {c.TEXT_ID: ibis.literal(f"{table}/") + rows[key], c.TABLE: ibis.literal(table)}
    return rows.select(**{**absent, **there, **named, **columns}).select(*TEXTS)
