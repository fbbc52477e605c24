"""From the inbox to the lake: exactly once, in the order of acceptance, whatever crashes in between.

A batch is the oldest messages that wait. Their rows are merged into the lake table by table, by key; what can't become
rows goes to quarantine under the message's place; only then are the messages let go. A crash before that leaves them
waiting, and the same messages give the same rows, so that merging them again changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl

from dongcha import columns as c
from dongcha.jobs.ingest import staging, stamped
from dongcha.jobs.known_traits import with_known
from dongcha.sources.conform import LONGEST_SHOWN, REFUSALS, Conformer
from dongcha.sources.formats.batch import Batch, as_numbers
from dongcha.sources.matching import match
from dongcha.sources.segment import Refused, Row, Told, as_moment, rows_of
from dongcha.warehouse.erased import Erased, owner, owners_of
from dongcha.warehouse.inbox import Inbox, Message
from dongcha.warehouse.lake import LOCK_SECONDS, QUARANTINE, Lake
from dongcha.warehouse.tables import CONTRACT, table

LOG: Final = logging.getLogger("dongcha.flush")
FILE: Final = "inbox"
"""What quarantine calls the source of a refused message; the row is its place in the inbox."""
AT_ONCE: Final = 20_000
MOST_FILES: Final = 100
"""A table of more files than this is tidied: every flush adds some small ones."""
PATIENCE_SECONDS: Final = 1.0

Placed = tuple[int, Row]
"""A row, and the place of the message that it came from."""


@dataclass(frozen=True)
class Flushed:
    """What a flush did: messages moved, rows per table (new or changed), messages quarantined.

    `erased`: messages about somebody who was erased after they happened; they are let go, and nothing of them is kept.
    """

    messages: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    erased: int = 0


def flush(
    lake: Lake,
    inbox: Inbox,
    *,
    most: int = AT_ONCE,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Flushed:
    """Move the oldest messages that wait, up to `most`, into the lake.

    Raises BusyError where another process holds the lake for longer than `patience_seconds`; then nothing has changed.
    """
    if not inbox.backlog():
        return Flushed()
    # The lake's pen is also what makes two flushers take turns.
    with lake.writing(patience_seconds):
        messages = inbox.waiting(most)
        if not messages:
            return Flushed()
        rows, refused = _read(messages)
        erased = _without_erased(lake.erased, messages, rows, refused)
        if erased:
            inbox.drop(sorted(erased))
        known_at = max(message.received_at for message in messages)
        span = (messages[0].place, messages[-1].place)
        done: dict[str, int] = {}
        for name in CONTRACT:
            if name in rows or name in refused:
                done[name], bad = _committed(lake, name, rows.get(name, []), known_at)
                refused[name] = [*refused.get(name, []), *bad]
                if refused[name]:
                    _quarantine(lake, name, refused[name], span, messages)
                lake.tidy(name, MOST_FILES)
        for name in [*done, QUARANTINE]:
            # Also what an earlier try committed and did not come to sync: it was written after these were received.
            lake.sync(name, messages[0].received_at)
        inbox.settle(messages)
    told = {place for found in refused.values() for place, *_ in found}
    return Flushed(len(messages), {k: n for k, n in done.items() if n}, len(told), len(erased))


Refusal = tuple[int, str | None, str | None, str]


def _without_erased(
    erased: Erased, messages: Sequence[Message], rows: dict[str, list[Placed]], refused: dict[str, list[Refusal]]
) -> set[int]:
    """Take out what is about somebody who was erased after it happened; the places of those messages.

    When a refused message happened can't be told: it counts from when it was received.
    """
    if not erased:
        return set()
    at = {message.place: message for message in messages}
    owners = {name: [owners_of(row) for _, row in placed] for name, placed in rows.items()}
    senders = {message.place: owner(c.CUSTOMER_ID, message.customer) for message in messages}
    named = {who for some in owners.values() for whom in some for who in whom} | set(senders.values())
    until = erased.among(named)
    gone: set[int] = set()
    for name, placed in rows.items():
        for (place, row), whom in zip(placed, owners[name], strict=True):
            happened = as_moment(row[c.HAPPENED_AT])
            if happened and any(who in until and happened <= until[who] for who in whom):
                gone.add(place)
    for found in refused.values():
        gone |= {p for p, *_ in found if senders[p] in until and at[p].received_at <= until[senders[p]]}
    for name in list(rows):
        rows[name] = [(place, row) for place, row in rows[name] if place not in gone]
    for name in list(refused):
        refused[name] = [refusal for refusal in refused[name] if refusal[0] not in gone]
    return gone


def _read(messages: Sequence[Message]) -> tuple[dict[str, list[Placed]], dict[str, list[Refusal]]]:
    """Table → rows in order, and table → refusals; a message of which nothing can be read is one of events."""
    rows: dict[str, list[Placed]] = {}
    refused: dict[str, list[Refusal]] = {}
    for message in messages:
        try:
            for told in _rows(message):
                rows.setdefault(told.table, []).append((message.place, told.row))
        except Refused as why:
            shown = (why.value or message.body.decode("utf-8", "replace"))[:LONGEST_SHOWN]
            refused.setdefault(c.EVENTS, []).append((message.place, why.column, shown, why.reason))
    return rows, refused


def _rows(message: Message) -> list[Told]:
    if message.refused:
        raise Refused(None, None, message.refused)
    try:
        return rows_of(orjson.loads(message.body), message.received_at, message.id)
    except Refused:
        raise
    except Exception as error:
        # A fault of ours must not hold up everything that waits behind it.
        LOG.exception("Message %d of the inbox could not be read.", message.place)
        raise Refused(None, None, f"the message could not be read: {type(error).__name__}") from None


def _committed(lake: Lake, name: str, placed: list[Placed], known_at: datetime) -> tuple[int, list[Refusal]]:
    """Merge rows into a table; how many are new or changed, and what the contract refuses of them."""
    if name == c.CUSTOMERS:
        placed = with_known(lake, placed)
    if not placed:
        return 0, []
    contract = table(name)
    columns = [k.name for k in contract.columns]
    texts = pl.DataFrame([pl.Series(k, [row.get(k) for _, row in placed], pl.String) for k in columns])
    conformer = Conformer(contract, match(FILE, contract, columns, {}, {}), FILE, "UTC", known_at)
    looked, _ = conformer.look(Batch(texts, as_numbers([place for place, _ in placed])))
    conformer.learn()
    good, refused = conformer.conform(looked)
    # Of rows with one key the one that was accepted last counts.
    newest = good.unique(contract.key, keep="last", maintain_order=True).select(list(contract.schema))
    bad = [(int(row[0]), row[1], row[2], str(row[3])) for row in refused.rows()]
    if newest.is_empty():
        return 0, bad
    with staging(lake) as folder:
        file = folder / f"{name}.parquet"
        newest.write_parquet(file, compression="lz4")
        done = lake.commit(name, [file])
    return done.new + done.changed, bad


def _quarantine(
    lake: Lake, name: str, refused: Sequence[Refusal], span: tuple[int, int], messages: Sequence[Message]
) -> None:
    """Put the refusals of these messages in the place of what was refused of them before."""
    at: dict[int, Any] = {message.place: message.received_at for message in messages}
    frame = pl.DataFrame(list(refused), schema=REFUSALS, orient="row")
    times = pl.Series([at[place] for place in frame[c.ROW]], dtype=pl.Datetime("us", "UTC"))
    told = stamped(frame, FILE, name, messages[-1].received_at).with_columns(times.alias(c.LOADED_AT))
    lake.quarantine(FILE, name, told, span)


def flush_all(lake: Lake, inbox: Inbox, now: datetime, remember_days: int) -> Flushed:
    """Flush what waits, then forget the ids that are older than `remember_days`; raises as `flush_waiting`."""
    total = flush_waiting(lake, inbox)
    inbox.forget(now - timedelta(days=remember_days))
    return total


def flush_waiting(lake: Lake, inbox: Inbox) -> Flushed:
    """Flush all that waits when this begins. What comes in meanwhile may go on waiting: a steady stream has no end.

    Raises BusyError where another process holds the lake for long; what was moved until then stays moved.
    """
    total, left = Flushed(), inbox.backlog()
    while left > 0 and (done := flush(lake, inbox, patience_seconds=LOCK_SECONDS)).messages:
        left -= done.messages
        rows = {k: total.rows.get(k, 0) + done.rows.get(k, 0) for k in {**total.rows, **done.rows}}
        total = Flushed(
            total.messages + done.messages, rows, total.quarantined + done.quarantined, total.erased + done.erased
        )
    return total
