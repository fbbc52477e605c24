"""Who is meant: all ids of one customer, and every row of the lake that is about them."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import UsageError
from dongcha.features.identities import people
from dongcha.warehouse.erased import owner, owners_in
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import CONTRACT, table

if TYPE_CHECKING:
    import ibis.expr.types as ir

ABOUT: Final = tuple(name for name, told in CONTRACT.items() if c.CUSTOMER_ID in told.schema)
"""The tables whose rows may be about a customer."""
_IDENTIFY: Final = (c.EMAIL, c.PHONE, c.NAME)
_TEXTS: Final = {c.REVIEWS: c.REVIEW_ID, c.MESSAGES: c.MESSAGE_ID}


@dataclass(frozen=True)
class Person:
    """One customer, as far as is needed to find what is about them wherever it lies."""

    id: str
    ids: tuple[str, ...]
    """Their own and those that lead to it, as the shop knows now: anonymous, or given up."""
    orders: tuple[str, ...]
    conversations: tuple[str, ...]
    texts: tuple[str, ...]
    """Ids of their reviews and of the lines of their conversations, as TEXT_ID."""
    called: tuple[str, ...]
    """Names, e-mail addresses and telephone numbers."""

    @property
    def owners(self) -> list[str]:
        """Whatever a row of theirs names as its owner."""
        named = {c.CUSTOMER_ID: self.ids, c.ORDER_ID: self.orders, c.CONVERSATION_ID: self.conversations}
        return [owner(column, value) for column, values in named.items() for value in values]


def find(lake: Lake, customer_id: str) -> Person:
    """The person; also one of whom the lake holds nothing. Raises UsageError where the id is only another's alias.

    A line of an order or a conversation that names no customer is about whom the order or conversation is.
    """
    ids = (customer_id, *_aliases(lake, customer_id))
    themselves = [owner(c.CUSTOMER_ID, value) for value in ids]
    orders = _named(lake, themselves, [c.ORDER_ID])
    conversations = _named(lake, themselves, [c.CONVERSATION_ID])
    called = _named(lake, themselves, _IDENTIFY, [c.CUSTOMERS])
    whole = Person(customer_id, ids, orders, conversations, (), called)
    said = {name: _named(lake, whole.owners, [key], [name]) for name, key in _TEXTS.items()}
    return replace(whole, texts=tuple(f"{name}/{text}" for name, texts in said.items() for text in texts))


def keys_of(lake: Lake, person: Person) -> Iterator[tuple[str, pl.DataFrame]]:
    """Table → the keys of the rows that are about the person, for every loaded table."""
    for name in _loaded(lake):
        yield name, lake.engine.to_polars(rows_of(lake, name, person.owners).select(*table(name).key))


def rows_of(lake: Lake, name: str, owners: Sequence[str]) -> ir.Table:
    """The rows of a loaded table that are about one of these."""
    import ibis

    rows = lake.read(name)
    wanted = ibis.memtable(pl.DataFrame({"owner": list(owners)}, schema={"owner": pl.String}))
    return rows.filter(reduce(operator.or_, (who.isin(wanted.owner) for who in owners_in(rows))))


def _aliases(lake: Lake, customer_id: str) -> list[str]:
    if c.IDENTITIES not in _loaded(lake):
        return []
    rows = lake.read(c.IDENTITIES)
    told = lake.engine.to_polars(rows.select(c.MESSAGE_ID, c.ALIAS_ID, c.CUSTOMER_ID, c.HAPPENED_AT, c.KNOWN_AT))
    leads_to = dict(people(told).rows())
    if customer_id in leads_to:
        who = leads_to[customer_id]
        raise UsageError(f"'{customer_id}' is only another id of '{who}'.", f"Erase that: dongcha erase {who}")
    return sorted(alias for alias, person in leads_to.items() if person == customer_id)


def _loaded(lake: Lake) -> list[str]:
    return [name for name in ABOUT if lake.version(name) is not None]


def _named(lake: Lake, owners: Sequence[str], columns: Sequence[str], names: Sequence[str] = ABOUT) -> tuple[str, ...]:
    """What stands in these columns of the rows that are about one of these, in any of these tables; sorted."""
    found: set[str] = set()
    for name in _loaded(lake):
        there = [column for column in columns if name in names and column in table(name).schema]
        if there:
            rows = lake.engine.to_polars(rows_of(lake, name, owners).select(*there).distinct())
            found.update(value for column in there for value in rows[column].drop_nulls())
    return tuple(sorted(found))
