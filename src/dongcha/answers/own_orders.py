"""The asking customer's own orders: read by id, never searched, so that nobody else's can be found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.answers.finder import Passage
from dongcha.answers.plain import plain
from dongcha.answers.say import say, status_word
from dongcha.features.point_in_time import DOES, Snapshot
from dongcha.models.text.bm25 import content

MOST: Final = 3
_THING: Final = r"(?:order|parcel|package|delivery|shipment|purchase|refund|return|money|tracking|invoice|receipt)s?"
_ABOUT_OWN: Final = re.compile(
    rf"\b(?:my|our|mine)\b(?:\s[\w'’]+){{0,3}}?\s{_THING}\b"
    rf"|\b(?:did|have|had) (?:i|we) (?:\w+ )?(?:order|ordered|buy|bought|return|returned|pay|paid|spend|spent)\b"
    rf"|\bi (?:have |had |just |already |last )?(?:ordered|bought|returned|purchased|sent back)\b"
    rf"|\b(?:last|latest|recent|previous) {_THING}\b|\border (?:status|history)\b"
    r"|\bwhere(?:'s| is| are) my\b|\bwhen will my\b"
    r"|我的?.{0,8}(?:订单|包裹|快递|物流|退款|发票|货)|我.{0,6}(?:买了|买的|下单|下的单|退了|退的|退回)"
    r"|(?:上次|上一个|最近|最后).{0,4}(?:订单|买|单)|(?:订单|包裹|快递|退款).{0,6}(?:到哪|到了吗|到账|状态|发货了|什么时候到)",
    re.IGNORECASE,
)
_LAST: Final = re.compile(r"\b(?:last|latest|most recent)\b|上次|上一|最近一|最后", re.IGNORECASE)
_BACK: Final = re.compile(r"\brefund|\breturned|\bmoney back\b|\bsent back\b|退款|退了|退回|退的", re.IGNORECASE)
_CAME_BACK: Final = "return|refund|退"
_NUMBER: Final = re.compile(
    r"(?<![\w-])(?=[\w-]*\d{3})(?=[\w-]*[A-Za-z]|[\w-]*\d{6})[A-Za-z0-9][\w-]{3,39}(?![\w-])", re.ASCII
)
"""An order's number as shops write them; a year, a date or a sum is none."""


def asks_about_own(question: str) -> bool:
    """Whether somebody asks about their own orders, by the phrases people use, or names an order's number.

    >>> [asks_about_own(text) for text in ("Where is my parcel?", "我的快递到哪了", "How do returns over 1000 work?")]
    [True, True, False]
    """
    return bool(_ABOUT_OWN.search(question) or _NUMBER.search(question))


def is_known(facts: Snapshot, customer_id: str) -> bool:
    """Whether the customer is registered, or did anything, before the cutoff."""
    tables = (facts.table(name) for name in (c.CUSTOMERS, *DOES) if facts.has(name))
    theirs = (rows.filter(rows[c.CUSTOMER_ID] == customer_id).limit(1) for rows in tables)
    return any(len(facts.lake.engine.to_polars(rows)) for rows in theirs)


def own_orders(facts: Snapshot, customer_id: str, question: str, language: str) -> tuple[list[Passage], str]:
    """The customer's orders that the question means, newest first, at most three; and what to say where there is none.

    By number, else returned ones, else those with a product that is named, else the last ones. A number that is not
    among the customer's own is answered alike whether another customer has it or nobody does.
    """
    lines = _lines(facts, customer_id)
    if lines.is_empty():
        return [], say("no_orders", language)
    numbers = {number.lower() for number in _NUMBER.findall(question)}
    meant = lines.filter(pl.col(c.ORDER_ID).str.to_lowercase().is_in(list(numbers)))
    if numbers and meant.is_empty():
        return [], say("no_such_order", language)
    if meant.is_empty() and _BACK.search(question):
        came_back = pl.col(c.STATUS).fill_null("").str.contains(f"(?i){_CAME_BACK}") | (pl.col(c.QUANTITY) < 0)
        meant = lines.filter(pl.col(c.ORDER_ID).is_in(lines.filter(came_back)[c.ORDER_ID].implode()))
        if meant.is_empty():
            return [], say("no_returns", language)
    bought = lines.filter(pl.col(c.QUANTITY) > 0)
    if meant.is_empty():
        meant = _with_named_product(bought, question)
    newest = next((rows for rows in (meant, bought) if len(rows)), lines)
    dated = newest.group_by(c.ORDER_ID).agg(pl.col(c.HAPPENED_AT).max()).sort(c.HAPPENED_AT, c.ORDER_ID)
    ids = dated[c.ORDER_ID].to_list()[::-1][: 1 if _LAST.search(question) else MOST]
    return [_passage(lines.filter(pl.col(c.ORDER_ID) == order), language) for order in ids], ""


def _lines(facts: Snapshot, customer_id: str) -> pl.DataFrame:
    """The customer's order lines alone, with the products' names: the filter is part of what the engine is asked."""
    if not facts.has(c.ORDERS):
        return pl.DataFrame()
    orders = facts.table(c.ORDERS)
    lines = facts.lake.engine.to_polars(orders.filter(orders[c.CUSTOMER_ID] == customer_id))
    if not facts.has(c.PRODUCTS):
        return lines.with_columns(pl.lit(None, pl.String).alias(c.NAME))
    products = facts.table(c.PRODUCTS)
    named = products.filter(products[c.PRODUCT_ID].isin(lines[c.PRODUCT_ID].drop_nulls().unique().to_list() or [""]))
    return lines.join(
        facts.lake.engine.to_polars(named.select(c.PRODUCT_ID, c.NAME)), on=c.PRODUCT_ID, how="left"
    ).sort(c.HAPPENED_AT, c.ORDER_ID, c.LINE)


def _with_named_product(lines: pl.DataFrame, question: str) -> pl.DataFrame:
    asked = set(content(question))
    named = [bool(asked & set(content(name or ""))) for name in lines[c.NAME]]
    return lines.filter(pl.Series(named, dtype=pl.Boolean))


def _passage(lines: pl.DataFrame, language: str) -> Passage:
    order, day = lines[c.ORDER_ID][0], lines[c.HAPPENED_AT][0].date()
    told = "；".join(_told(lines, language)) if language == "zh" else ", ".join(_told(lines, language))
    value = pl.col(c.QUANTITY) * pl.col(c.PRICE).cast(pl.Float64) - pl.col(c.DISCOUNT).cast(pl.Float64).fill_null(0)
    currency = next((code for code in lines[c.CURRENCY] if code), "")
    total = f"{lines.select(value.sum()).item():,.2f} {currency}".strip()
    status = ", ".join(dict.fromkeys(status_word(each, language) for each in lines[c.STATUS]))
    text = say("order", language, order=order, date=day, lines=told, total=total, status=status)
    return Passage(c.ORDERS, order, "", "", text)


def _told(lines: pl.DataFrame, language: str) -> Sequence[str]:
    return [
        say(
            "returned_line" if row[c.QUANTITY] < 0 else "line",
            language,
            quantity=f"{abs(row[c.QUANTITY]):g}",
            product=plain(row[c.NAME] or row[c.PRODUCT_ID] or "?"),
        )
        for row in lines.iter_rows(named=True)
    ]
