"""The inbox: durable before it is acknowledged, each id once, in order, and never without bounds."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.postgres_server import postgres, why_not

from dongcha.errors import BusyError
from dongcha.warehouse.inbox import Inbox, Message
from dongcha.warehouse.inbox import inbox as inbox_file
from dongcha.warehouse.inbox import message as message_file
from dongcha.warehouse.inbox import postgres as postgres_file
from dongcha.warehouse.inbox import sqlite as sqlite_file
from dongcha.warehouse.inbox.message import Store
from dongcha.warehouse.inbox.postgres import PostgresStore
from dongcha.warehouse.inbox.sqlite import SqliteStore

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def message(name: str, customer: str = "c", body: bytes = b"{}", at: datetime = NOON) -> Message:
    return Message(name, customer, at, body)


def an_inbox(store: Store, most_waiting: int = 1000) -> Inbox:
    return Inbox(store, most_waiting=most_waiting, read=lambda m: [{"id": m.id, "happened_at": m.received_at}])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server of its own; its URL."""
    if why := why_not():
        pytest.skip(why)
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same store, as often as it is asked."""
    if request.param == "sqlite":
        yield lambda: SqliteStore(tmp_path / "inbox.db")
        return
    url = request.getfixturevalue("server")
    PostgresStore(url).close()
    import psycopg

    with psycopg.connect(url, autocommit=True) as db:
        db.execute("TRUNCATE dongcha_seen, dongcha_kept RESTART IDENTITY")
        db.execute("UPDATE dongcha_settled SET place = 0")
    yield lambda: PostgresStore(url)


def test_what_was_acknowledged_is_there_when_the_store_is_opened_again(store: Callable[[], Store]) -> None:
    first = an_inbox(store())
    assert first.add([message("a", body=b'{"n": 1}'), message("b")]) == ["a", "b"]
    first.close()
    again = an_inbox(store())
    assert [(m.id, m.body, m.received_at) for m in again.waiting(10)] == [("a", b'{"n": 1}', NOON), ("b", b"{}", NOON)]
    again.close()


def test_an_id_is_kept_once_whether_it_waits_is_in_the_lake_or_comes_twice_at_once(
    store: Callable[[], Store],
) -> None:
    inbox = an_inbox(store())
    assert inbox.add([message("a"), message("a"), message("b")]) == ["a", "b"]
    assert inbox.add([message("b"), message("c")]) == ["c"]
    inbox.settle(inbox.waiting(10))
    assert inbox.add([message("c"), message("d")]) == ["d"]
    assert [m.id for m in inbox.waiting(10)] == ["d"]
    inbox.close()


def test_messages_come_out_in_the_order_they_were_accepted(store: Callable[[], Store]) -> None:
    inbox = an_inbox(store())
    for n in range(5):
        inbox.add([message(f"{n}-{k}") for k in range(3)])
    inbox.settle(inbox.waiting(4))
    assert inbox.backlog() == 11
    places = inbox.waiting(100)
    assert [m.id for m in places] == [f"{n}-{k}" for n in range(5) for k in range(3)][4:]
    assert [m.place for m in places] == sorted(m.place for m in places)
    inbox.close()


def test_recent_is_what_was_received_of_one_customer_in_the_lake_or_not(
    store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (sqlite_file, postgres_file):
        monkeypatch.setattr(place, "MOST_SETTLED", 2)
    inbox = an_inbox(store())
    inbox.add([message("a", "x"), message("b", "y"), message("c", "x")])
    inbox.settle(inbox.waiting(1))
    assert ([row["id"] for row in inbox.recent("x")], inbox.backlog()) == (["a", "c"], 2)
    inbox.settle(inbox.waiting(10))
    assert ([row["id"] for row in inbox.recent("x")], inbox.backlog()) == (["c"], 0)
    inbox.add([message("d", "x")])
    assert ([m.id for m in inbox.waiting(10)], inbox.backlog()) == (["d"], 1)
    inbox.close()


def test_ids_are_forgotten_by_age_but_never_while_they_wait(store: Callable[[], Store]) -> None:
    inbox = an_inbox(store())
    old, new = NOON - timedelta(days=9), NOON
    inbox.add([message("a", at=old), message("b", at=new), message("c", at=old)])
    inbox.settle(inbox.waiting(2))
    inbox.forget(NOON - timedelta(days=7))
    assert inbox.add([message("a"), message("b"), message("c")]) == ["a"]
    inbox.close()


def test_a_backlog_beyond_the_limit_is_told_to_come_again_until_it_is_settled(store: Callable[[], Store]) -> None:
    inbox = an_inbox(store(), most_waiting=3)
    inbox.add([message("a"), message("b")])
    with pytest.raises(BusyError) as busy:
        inbox.add([message("c"), message("d")])
    assert busy.value.retry_after_seconds >= 1
    # Another process may settle: the limit looks again before it refuses.
    other = an_inbox(store())
    other.settle(other.waiting(10))
    other.close()
    assert inbox.add([message("c"), message("d")]) == ["c", "d"]
    inbox.close()


def test_bodies_that_are_not_written_yet_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_file, "MOST_PENDING_BYTES", 1000)
    kept = threading.Event()

    class Slow(SqliteStore):
        def add(self, messages: object) -> list[bool]:
            kept.wait()
            return super().add(messages)  # type: ignore[arg-type]

    inbox = an_inbox(Slow(tmp_path / "inbox.db"))
    waiting = [inbox.submit([message(name, body=b"x" * 400)]) for name in "ab"]
    with pytest.raises(BusyError):
        inbox.submit([message("c", body=b"x" * 400)])
    kept.set()
    assert [future.result() for future in waiting] == [[True], [True]]
    assert inbox.add([message("c", body=b"x" * 400)]) == ["c"]
    inbox.close()


def test_only_so_many_bytes_are_read_at_once(store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (message_file, sys.modules[PostgresStore.__module__]):
        monkeypatch.setattr(module, "MOST_BYTES", 1000)
    inbox = an_inbox(store())
    inbox.add([message("big", body=b"x" * 3000), message("b", body=b"x" * 600), message("c", body=b"x" * 600)])
    assert [m.id for m in inbox.waiting(10)] == ["big"]
    inbox.settle(inbox.waiting(10))
    assert [m.id for m in inbox.waiting(10)] == ["b"]
    inbox.close()


def test_a_store_that_fails_tells_every_sender_and_goes_on(tmp_path: Path) -> None:
    class Failing(SqliteStore):
        broken = True

        def add(self, messages: object) -> list[bool]:
            if self.broken:
                raise BusyError("The disk is full.")
            return super().add(messages)  # type: ignore[arg-type]

    store = Failing(tmp_path / "inbox.db")
    inbox = an_inbox(store)
    with pytest.raises(BusyError, match="disk"):
        inbox.add([message("a")])
    store.broken = False
    assert inbox.add([message("a")]) == ["a"]
    inbox.close()


def test_many_senders_of_overlapping_messages_lose_none_and_double_none(store: Callable[[], Store]) -> None:
    """Two inboxes over one store, as two servers are: each id is new to exactly one sender."""
    inboxes = [an_inbox(store(), 10_000), an_inbox(store(), 10_000)]
    new: list[str] = []
    lock = threading.Lock()

    def send(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(10):
            found = inboxes[seed % 2].add([message(str(rng.randrange(150))) for _ in range(10)])
            with lock:
                new.extend(found)

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(new) == len(set(new))
    waiting = inboxes[0].waiting(10_000)
    assert sorted(m.id for m in waiting) == sorted(new)
    for inbox in inboxes:
        inbox.close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from dongcha.warehouse.inbox import Message, open_inbox
inbox = open_inbox(Path(sys.argv[1]), "", most_waiting=10**6, read=lambda m: [])
for n in range(10**6):
    inbox.add([Message(f"{n}-{k}", "c", datetime.now(UTC), b"x" * 100) for k in range(5)])
    print(n, flush=True)
"""


def test_a_killed_writer_has_kept_whatever_it_acknowledged(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(next(writer.stdout)) for _ in range(40)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout]
    inbox = an_inbox(SqliteStore(tmp_path / "inbox.db"))
    kept = [m.id for m in inbox.waiting(10**6)]
    assert kept[: 5 * len(acknowledged)] == [f"{n}-{k}" for n in acknowledged for k in range(5)]
    # A commit is whole or not there.
    assert len(kept) % 5 == 0
    inbox.close()


def test_what_is_about_a_customer_is_let_go_and_its_ids_stay_known(store: Callable[[], Store]) -> None:
    inbox = an_inbox(store())
    about = [message("a", "x"), message("b", "y"), message("c", "y", b'{"anonymousId":"x"}'), message("d", "xx")]
    inbox.add(about)
    assert inbox.places(["x"]) == [1], "what waits is told by whom it is about alone"
    inbox.settle(inbox.waiting(10)[:3])
    places = inbox.places(["x", "nobody"])
    assert places == [1, 3]
    inbox.drop(places)
    assert [m.id for m in (*inbox.store.recent("x"), *inbox.store.recent("y"), *inbox.waiting(10))] == ["b", "d"]
    assert inbox.add(about) == []
    inbox.close()


def test_nothing_of_what_was_let_go_is_left_on_the_disk(
    store: Callable[[], Store], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text, folder, name = b"qx7canary", tmp_path, "inbox.db*"
    if "postgres" in request.node.name:
        import psycopg

        with psycopg.connect(request.getfixturevalue("server"), autocommit=True) as db:
            shown = db.execute("SHOW data_directory").fetchone()
            assert shown is not None
            folder, name = Path(shown[0]) / "base", "*/*"
            db.execute("CHECKPOINT")
    inbox = an_inbox(store())
    other = an_inbox(store())
    inbox.add([message("a", "x", text * 3), message("b", "y"), message("c", "x", text * 3000)])
    other.waiting(10)
    if "postgres" in request.node.name:
        with psycopg.connect(request.getfixturevalue("server"), autocommit=True) as db:
            db.execute("CHECKPOINT")
    assert any(text in file.read_bytes() for file in folder.glob(name))
    inbox.drop(inbox.places(["x"]))
    inbox.scrub()
    if "postgres" in request.node.name:
        with psycopg.connect(request.getfixturevalue("server"), autocommit=True) as db:
            db.execute("CHECKPOINT")
    assert not [file for file in folder.glob(name) if file.is_file() and text in file.read_bytes()]
    assert [m.id for m in other.waiting(10)] == ["b"]
    inbox.close()
    other.close()
