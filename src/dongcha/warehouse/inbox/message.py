"""What an inbox holds, and what is asked of any place that keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Protocol

import orjson

from dongcha.as_of import EPOCH

MOST_BYTES: Final = 16 << 20
"""Bodies that are read at once, whatever their number."""
MOST_SETTLED: Final = 500_000
"""Messages that are kept for `recent` after they came into the lake, the newest."""


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message: its id (what makes it one and the same when it is sent again), whom it is about, its text.

    `refused` is why it can't be let in, where that showed at the door: it waits to be told to quarantine. `place` is
    its number in the order of acceptance, given by the store; 0 before.
    """

    id: str
    customer: str
    received_at: datetime
    body: bytes
    refused: str = ""
    place: int = 0


class Store(Protocol):
    """Where messages are kept. Every method is one transaction; one that returned has reached the disk."""

    def add(self, messages: Sequence[Message]) -> list[bool]:
        """Keep those whose id was not seen before, in this order; True for each that was kept."""

    def waiting(self, most: int) -> list[Message]:
        """The oldest messages that wait, in the order of acceptance, up to MOST_BYTES of bodies.

        None that was accepted before one of them comes up later.
        """

    def settle(self, last: int) -> None:
        """Everything up to this place is in the lake: it waits no more. The newest MOST_SETTLED are kept to be read."""

    def recent(self, customer: str) -> list[Message]:
        """What is kept of one customer, in the lake or not, in the order of acceptance."""

    def backlog(self) -> int:
        """How many messages wait, at most: a number that is quick to tell."""

    def places(self, customers: Sequence[str]) -> list[int]:
        """Of what is kept, the messages about these customers, and the settled ones whose text names one of them."""

    def drop(self, places: Sequence[int]) -> None:
        """Let go of these messages, waiting or not; their ids stay known, as digests."""

    def scrub(self) -> None:
        """Leave nothing on the disk of messages that were let go. Writers wait meanwhile, some seconds at the most."""

    def forget(self, before: datetime, most: int) -> int:
        """Forget up to `most` settled messages received before a moment, ids too; returns how many ids it forgot."""

    def close(self) -> None:
        """Let go of the files or connections."""


def mark(message_id: str) -> bytes:
    """The id as it is remembered: 16 bytes, whatever its length."""
    return blake2b(message_id.encode("utf-8", "replace"), digest_size=16).digest()


def quoted(customer: str) -> bytes:
    """A customer's id as it stands in a message's JSON."""
    return orjson.dumps(customer)


def moment(micros: int) -> datetime:
    """The moment so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=micros)


def within_bytes(messages: Iterable[Message]) -> list[Message]:
    """The first messages whose bodies together have at most MOST_BYTES, and at least one."""
    kept: list[Message] = []
    size = 0
    for message in messages:
        size += len(message.body)
        if kept and size > MOST_BYTES:
            break
        kept.append(message)
    return kept
