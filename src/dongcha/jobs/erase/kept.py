"""What an erasure deletes from the tables that are kept: quarantine, ledger, and the older versions of all of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.jobs.erase.person import ABOUT, Person
from dongcha.jobs.flush import FILE as INBOX
from dongcha.warehouse.lake import QUARANTINE, Lake
from dongcha.warehouse.ledger import ABOUT_ENTITIES, SCORES, Ledger

_NAMED: Final[dict[str, pl.DataType]] = {c.INSIGHT: pl.String(), c.ENTITY_ID: pl.String()}


def leave_quarantine(lake: Lake, person: Person, places: Collection[int]) -> int:
    """Delete refused rows that name them, and those of their messages; returns how many.

    A refusal is not kept with the row's customer: it is found by ids, names, addresses and numbers in what it quotes.
    """
    with lake.writing():
        told = lake.quarantined()
        texts = [f"{value or ''}\n{reason}" for value, reason in told.select(c.VALUE, c.REASON).rows()]
        names = finder(person)
        theirs = [
            bool(names.search(text)) or (file == INBOX and row in places)
            for text, (file, row) in zip(texts, told.select(c.FILE, c.ROW).rows(), strict=True)
        ]
        if any(theirs):
            lake.keep_quarantined(told.filter(~pl.Series(theirs, dtype=pl.Boolean)))
    return sum(theirs)


def finder(person: Person) -> re.Pattern[str]:
    """Finds whatever names them, where it stands as a word of its own."""
    named = sorted({*person.ids, *person.orders, *person.conversations, *person.called}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, named))})(?!\w)")


def leave_ledger(ledger: Ledger, entities: Mapping[str, str], person: Person) -> dict[str, int]:
    """Delete what was concluded about them, their texts and their orders."""
    return {f"ledger/{name}": rows for name, rows in ledger.delete(_named(ledger, entities, person)).items()}


def concluded(ledger: Ledger, entities: Mapping[str, str], person: Person) -> bool:
    """Whether anything was concluded about them."""
    named = _named(ledger, entities, person)
    return not ledger.read(SCORES).join(named.lazy(), on=list(_NAMED), how="semi").head(1).collect().is_empty()


def _named(ledger: Ledger, entities: Mapping[str, str], person: Person) -> pl.DataFrame:
    """(insight, entity_id) of all that may be about them; of an insight that is gone, whatever has such an id."""
    of_kind = {c.CUSTOMER_ID: person.ids, c.TEXT_ID: person.texts, c.ORDER_ID: person.orders, c.SUBJECT_ID: ()}
    all_ids = (*person.ids, *person.texts, *person.orders)
    insights = {
        name
        for table in ABOUT_ENTITIES
        for name in ledger.read(table).select(c.INSIGHT).unique().collect()[c.INSIGHT].to_list()
    }
    rows = [(name, value) for name in sorted(insights) for value in of_kind.get(entities.get(name, ""), all_ids)]
    return pl.DataFrame(rows, schema=_NAMED, orient="row")


def settle_present(lake: Lake, ledger: Ledger) -> None:
    """Delete the files of older versions of every table that may be about customers."""
    lake.settle_present([*ABOUT, QUARANTINE])
    ledger.settle_present()


def forget_past(lake: Lake, ledger: Ledger) -> None:
    """Delete what their logs tell of those versions."""
    lake.forget_past([*ABOUT, QUARANTINE])
    ledger.forget_past()
