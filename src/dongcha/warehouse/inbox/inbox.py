"""The one way into the inbox: many callers share a commit, and nobody fills the memory or the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dongcha.errors import BusyError
from dongcha.warehouse.inbox.message import Message, Store

MOST_PENDING_BYTES: Final = 16 << 20
"""Bodies handed in and not committed yet: beyond them callers are told to come again, so memory stays bounded."""
COMMIT_BYTES: Final = 4 << 20
"""About how much one commit takes, so that nobody waits behind a very large one."""
SETTLED_AT_ONCE: Final = 1_000
FORGOTTEN_AT_ONCE: Final = 2_000
SOON_SECONDS: Final = 1
LATER_SECONDS: Final = 10

Reader = Callable[[Message], list[dict[str, Any]]]


@dataclass
class _Work:
    """What the writer is to do: keep messages, or run a turn of something else between two commits."""

    messages: Sequence[Message]
    done: Future[Any]
    bytes: int = 0
    other: Callable[[], Any] | None = None


class Inbox:
    """Messages accepted and not in the lake yet.

    A message is durable and known by its id before `add` returns. One thread writes: whatever was handed in while it
    committed goes into its next commit together.
    """

    def __init__(self, store: Store, *, most_waiting: int, read: Reader) -> None:
        """`read`: how a message is shown as rows, which a floor above knows."""
        self.store = store
        self.most_waiting = most_waiting
        self._read = read
        self._todo: deque[_Work] = deque()
        self._pending = 0
        self._backlog = store.backlog()
        self._changed = threading.Condition()
        self._closing = False
        self._writer: threading.Thread | None = None

    def submit(self, messages: Sequence[Message]) -> Future[list[bool]]:
        """Hand messages in; the future tells, once all are durable, which of them were new.

        Raises BusyError, with the seconds to wait, where too much is pending or too many messages wait for the lake.
        """
        size = sum(len(message.body) for message in messages)
        with self._changed:
            if self._pending + size > MOST_PENDING_BYTES:
                raise BusyError("Too many events at once.", "Send them again soon.", SOON_SECONDS)
            if self._backlog + len(messages) > self.most_waiting:
                # What another process settled meanwhile is not counted yet.
                self._backlog = self.store.backlog()
            if self._backlog + len(messages) > self.most_waiting:
                raise BusyError(
                    f"Over {self.most_waiting:,} events wait for the lake.", "Send them again later.", LATER_SECONDS
                )
            return self._hand(_Work(messages, Future(), size))

    def add(self, messages: Sequence[Message]) -> list[str]:
        """Keep messages durably; returns the ids of those that were new. Raises BusyError as `submit`."""
        new = self.submit(messages).result()
        return [message.id for message, is_new in zip(messages, new, strict=True) if is_new]

    def recent(self, customer_id: str) -> list[dict[str, Any]]:
        """What was received of a customer lately, in the lake or not yet, as rows of the contract, oldest first.

        Each has its `table`, times as aware datetimes and numbers as floats. It reaches back as far as messages are
        kept: half a million of them, or `remember_days`.
        """
        rows = [row for message in self.store.recent(customer_id) for row in self._read(message)]
        return sorted(rows, key=lambda row: row["happened_at"])

    def waiting(self, most: int) -> list[Message]:
        """The messages that have waited longest, in the order of acceptance."""
        return self.store.waiting(most)

    def backlog(self) -> int:
        """How many messages wait for the lake."""
        self._backlog = self.store.backlog()
        return self._backlog

    def settle(self, messages: Sequence[Message]) -> None:
        """These, the oldest that wait, are in the lake: let them go, a part at a time so that senders need not wait."""
        places = [message.place for message in messages]
        for last in [*places[SETTLED_AT_ONCE - 1 :: SETTLED_AT_ONCE], *places[-1:]]:
            self._between(lambda last=last: self.store.settle(last))  # type: ignore[misc]
        self._backlog = self.store.backlog()

    def places(self, customers: Sequence[str]) -> list[int]:
        """The places of what is kept about these customers, in the lake or not."""
        return self.store.places(customers)

    def drop(self, places: Sequence[int]) -> None:
        """Let go of these messages, in the lake or not; sent again, they are still known as seen."""
        self._between(lambda: self.store.drop(places))
        self._backlog = self.store.backlog()

    def scrub(self) -> None:
        """Leave nothing on the disk of messages that were let go; senders wait meanwhile."""
        self._between(self.store.scrub)

    def forget(self, before: datetime) -> None:
        """Forget the ids received before a moment: a message sent again after that is taken for a new one."""
        while self._between(lambda: self.store.forget(before, FORGOTTEN_AT_ONCE)) == FORGOTTEN_AT_ONCE:
            pass

    def close(self) -> None:
        """Commit what was handed in, and let go of the store."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._writer is not None:
            self._writer.join()
        self.store.close()

    def _between(self, other: Callable[[], Any]) -> Any:
        with self._changed:
            work = self._hand(_Work((), Future(), other=other))
        return work.result()

    def _hand(self, work: _Work) -> Future[Any]:
        if self._closing:
            raise BusyError("The server is stopping.", "Send them again soon.", SOON_SECONDS)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
            self._writer.start()
        # A sender who hangs up can't call back what is to be written.
        work.done.set_running_or_notify_cancel()
        self._todo.append(work)
        self._pending += work.bytes
        self._changed.notify_all()
        return work.done

    def _write(self) -> None:
        while batch := self._next():
            if batch[0].other is not None:
                _settled(batch, batch[0].other)
            else:
                _settled(batch, lambda batch=batch: self.store.add([m for w in batch for m in w.messages]))  # type: ignore[misc]
            with self._changed:
                self._pending -= sum(work.bytes for work in batch)
                self._backlog += sum(len(work.messages) for work in batch)

    def _next(self) -> list[_Work]:
        """What goes into one commit: everything handed in so far, up to COMMIT_BYTES; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._todo or self._closing)
            batch: list[_Work] = []
            size = 0
            while self._todo and (not batch or (size < COMMIT_BYTES and self._todo[0].other is None)):
                batch.append(self._todo.popleft())
                size += batch[-1].bytes
                if batch[-1].other is not None:
                    break
            return batch


def _settled(batch: Sequence[_Work], act: Callable[[], Any]) -> None:
    """Do it and tell everybody who waits for it, whatever comes of it."""
    try:
        found = act()
    except BaseException as error:
        for work in batch:
            work.done.set_exception(error)
        return
    if batch[0].other is not None:
        batch[0].done.set_result(found)
        return
    begin = 0
    for work in batch:
        work.done.set_result(found[begin : begin + len(work.messages)])
        begin += len(work.messages)


def open_inbox(folder: Path, url: str, *, most_waiting: int, read: Reader) -> Inbox:
    """The inbox of a workspace: in the database that `url` names, else in its file `inbox.db`."""
    from dongcha.warehouse.inbox.postgres import PostgresStore
    from dongcha.warehouse.inbox.sqlite import SqliteStore

    store: Store = PostgresStore(url) if url else SqliteStore(folder / "inbox.db")
    return Inbox(store, most_waiting=most_waiting, read=read)
