"""What can be quoted: passages of documents, products, reviews, and of what staff told several customers alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.answers.plain import plain
from dongcha.features.point_in_time import Snapshot
from dongcha.features.texts import STAFF
from dongcha.models.text.sentences import joined, passages, sentences
from dongcha.privacy.redaction import redacted

SOURCE_ID: Final = "source_id"
KEY: Final = "key"
PASSAGES: Final[dict[str, pl.DataType]] = {
    c.TABLE: pl.String(),
    SOURCE_ID: pl.String(),
    c.TITLE: pl.String(),
    c.URL: pl.String(),
    c.TEXT: pl.String(),
    KEY: pl.String(),
}
"""`text` is what is quoted, `key` what is searched."""
MOST_REVIEWS: Final = 20_000
MOST_MESSAGES: Final = 100_000
"""Older ones are passed over."""
TOLD_TO: Final = 3
"""A sentence of staff is known by the index once so many customers were told it: it is nobody's own (k-anonymity)."""
QUESTIONS_KEPT: Final = 20


def all_passages(facts: Snapshot) -> pl.DataFrame:
    """Every passage that the index may hold, columns as PASSAGES, in the order of the tables and their keys.

    Nothing in it names a customer: reviews come redacted and without their author, staff's sentences only where three
    customers or more were told the same.
    """
    readers = {c.DOCUMENTS: _documents, c.PRODUCTS: _products, c.REVIEWS: _reviews, c.MESSAGES: _replies}
    rows = [row for table, read in readers.items() if facts.has(table) for row in read(facts)]
    return pl.DataFrame(rows, schema=PASSAGES, orient="row")


Row = tuple[str, str, str, str, str, str]


def _documents(facts: Snapshot) -> Iterator[Row]:
    for row in _read(facts, c.DOCUMENTS, c.DOCUMENT_ID):
        title = plain(row[c.TITLE] or "")
        for text in passages(plain(row[c.TEXT])):
            yield c.DOCUMENTS, row[c.DOCUMENT_ID], title, row[c.URL] or "", text, f"{title}\n{title}\n{text}"


def _products(facts: Snapshot) -> Iterator[Row]:
    for row in _read(facts, c.PRODUCTS, c.PRODUCT_ID):
        name = plain(row[c.NAME] or "")
        price = "" if row[c.PRICE] is None else f"{float(row[c.PRICE]):,.2f} {row[c.CURRENCY] or ''}".strip()
        told = [name, row[c.CATEGORY], row[c.BRAND], price]
        facts_line = " · ".join(plain(part) for part in told if part)
        text = "\n".join(part for part in (facts_line, plain(row[c.DESCRIPTION] or "")) if part)
        if text:
            yield c.PRODUCTS, row[c.PRODUCT_ID], name, "", text, text


def _reviews(facts: Snapshot) -> Iterator[Row]:
    names, products = _customers(facts), _product_names(facts)
    for row in _read(facts, c.REVIEWS, c.REVIEW_ID, most=MOST_REVIEWS):
        own = [names.get(row[c.CUSTOMER_ID] or "", "")]
        said = joined([part for part in (plain(row[c.TITLE] or ""), plain(row[c.TEXT] or "")) if part])
        of = plain(products.get(row[c.PRODUCT_ID] or "", ""))
        for text in passages(redacted(said, own)):
            yield c.REVIEWS, row[c.REVIEW_ID], of, "", text, f"{of}\n{text}"


def _replies(facts: Snapshot) -> Iterator[Row]:
    """Sentences that staff told several customers, searched by what those had asked."""
    names, told = _customers(facts), _Told()
    asked: dict[str, str] = {}
    last: dict[str, tuple[str, str, str, str]] = {}
    lines = _read(facts, c.MESSAGES, c.MESSAGE_ID)
    for row in sorted(lines, key=lambda row: (row[c.HAPPENED_AT], row[c.MESSAGE_ID]))[-MOST_MESSAGES:]:
        text = redacted(plain(row[c.TEXT]), [names.get(row[c.CUSTOMER_ID] or "", "")])
        conversation = row[c.CONVERSATION_ID]
        customer = row[c.CUSTOMER_ID] or f"in {conversation}"
        if row[c.SENDER].lower() not in STAFF:
            if conversation in last:
                told.add(*last.pop(conversation))
            asked[conversation] = text
        elif conversation in asked:
            # The last line before the customer speaks again answers; those before it greet, or ask back.
            last[conversation] = (text, customer, asked[conversation], row[c.MESSAGE_ID])
    for reply in last.values():
        told.add(*reply)
    yield from told.rows()


class _Told:
    """Each sentence of staff: whom it was told, what they had asked, and the message that it first stood in."""

    def __init__(self) -> None:
        self.by_sentence: dict[str, tuple[set[str], dict[str, None], str]] = {}

    def add(self, reply: str, customer: str, question: str, message_id: str) -> None:
        for sentence in sentences(reply):
            customers, questions, _ = self.by_sentence.setdefault(sentence, (set(), {}, message_id))
            customers.add(customer)
            questions[question] = None

    def rows(self) -> Iterator[Row]:
        for sentence, (customers, questions, first) in self.by_sentence.items():
            if len(customers) >= TOLD_TO:
                key = "\n".join([sentence, *list(questions)[:QUESTIONS_KEPT]])
                yield c.MESSAGES, first, "", "", sentence, key


def _read(facts: Snapshot, table: str, key: str, most: int | None = None) -> list[dict[str, Any]]:
    rows = facts.lake.engine.to_polars(facts.table(table))
    if most is not None:
        rows = rows.sort(c.HAPPENED_AT, key).tail(most)
    return rows.sort(key).to_dicts()


def _customers(facts: Snapshot) -> dict[str, str]:
    return _named(facts, c.CUSTOMERS, c.CUSTOMER_ID)


def _product_names(facts: Snapshot) -> dict[str, str]:
    return _named(facts, c.PRODUCTS, c.PRODUCT_ID)


def _named(facts: Snapshot, table: str, key: str) -> dict[str, str]:
    if not facts.has(table):
        return {}
    rows = facts.table(table)
    found = facts.lake.engine.to_polars(rows.select(key, c.NAME)).drop_nulls()
    return dict(zip(found[key], found[c.NAME], strict=True))
