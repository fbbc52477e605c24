"""From the inbox to the lake: every message once, whatever breaks off where, and nothing is lost in silence."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.errors import BusyError
from dongcha.jobs.flush import Flushed, flush, flush_all, flush_waiting
from dongcha.sources.segment import customer_of, deeds_of
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.inbox import Inbox, Message, open_inbox
from dongcha.warehouse.lake import Commit, Lake

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
Sent = dict[str, Any]


class Broken(Exception):
    """The plug was pulled."""


class Breaking(Lake):
    """A lake whose process dies at its n-th write."""

    left = 1 << 30

    def _write_or_die(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Broken

    def commit(self, name: str, staged: Sequence[Path]) -> Commit:
        self._write_or_die()
        return super().commit(name, staged)

    def quarantine(self, file: str, name: str, refused: pl.DataFrame, rows: tuple[int, int] | None = None) -> None:
        self._write_or_die()
        super().quarantine(file, name, refused, rows)


class BreakingAtTheEnd(Inbox):
    """An inbox whose process dies when everything is in the lake, before it lets the messages go."""

    def settle(self, messages: Sequence[Message]) -> None:
        raise Broken


def an_inbox(folder: Path) -> Inbox:
    folder.mkdir(parents=True, exist_ok=True)
    return open_inbox(folder, "", most_waiting=10_000, read=deeds_of)


def a_lake(folder: Path, kind: type[Lake] = Lake) -> Any:
    return kind(folder / "lake", Engine(folder / "scratch"))


def add(inbox: Inbox, *messages: Sent, at: datetime = NOW) -> None:
    texts = [orjson.dumps({"userId": "u", **m}) for m in messages]
    inbox.add(
        [Message(m["messageId"], customer_of(orjson.loads(t)), at, t) for m, t in zip(messages, texts, strict=True)]
    )


def track(name: str, event: str = "Product Viewed", **properties: Any) -> Sent:
    return {"type": "track", "messageId": name, "event": event, "properties": properties}


def order(name: str, order_id: str, price: float) -> Sent:
    return track(name, "Order Completed", order_id=order_id, products=[{"product_id": "p", "price": price}])


def identify(name: str, minute: int, **traits: Any) -> Sent:
    when = (NOW - timedelta(hours=1) + timedelta(minutes=minute)).isoformat()
    return {"type": "identify", "messageId": name, "timestamp": when, "traits": traits}


MESSAGES = (
    track("m1", product_id="p"),
    order("m2", "o1", 5),
    {"type": "click", "messageId": "m3"},
    identify("m4", 1, plan="free", email="a@x"),
    order("m5", "o1", 6),
    order("m6", "o2", -1),
    track("m7", "Product Reviewed", product_id="p", rating=4),
    track("m8", "Product Reviewed", product_id="p", rating=9),
    {**identify("m9", 2, seats=3), "anonymousId": "anon"},
    track("m10", "Order Refunded", order_id="o1", total=5),
)


def content(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    tables = {}
    for name in lake.tables():
        rows = lake.engine.to_polars(lake.engine.read(lake.files(name)))
        tables[name] = rows.sort(rows.columns).rows()
    return {**tables, "quarantine": lake.quarantined().sort(c.FILE, c.TABLE, c.ROW, c.COLUMN).rows()}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    folder = tmp_path_factory.mktemp("whole")
    inbox = an_inbox(folder)
    add(inbox, *MESSAGES)
    lake = a_lake(folder)
    done = flush_all(lake, inbox, NOW, 7)
    # m3, m6 (its lines; the event is in) and m8 are refused.
    assert done == Flushed(10, {"customers": 2, "events": 4, "orders": 2, "reviews": 1, "identities": 1}, quarantined=3)
    assert inbox.backlog() == 0
    inbox.close()
    return content(lake)


def test_what_is_refused_is_in_quarantine_with_its_place_and_reason(
    expected: dict[str, list[tuple[Any, ...]]],
) -> None:
    told = [(table, row, column, reason) for _, table, row, column, _, reason, _ in expected["quarantine"]]
    assert told == [
        ("events", 3, "type", "type is none of track, identify, page, screen, group, alias"),
        ("orders", 6, "price", "price is below 0"),
        ("reviews", 8, "rating", "rating is above 5"),
    ]


@pytest.mark.parametrize("step", range(1, 8))
def test_a_flush_that_breaks_off_anywhere_is_as_if_it_had_not(
    step: int, tmp_path: Path, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    inbox = an_inbox(tmp_path)
    # What was received in another batch before is read in one with the rest after the crash.
    add(inbox, *MESSAGES[:4])
    broken = a_lake(tmp_path, Breaking)
    broken.left = step if step < 3 else 1 << 30
    if step < 3:
        with pytest.raises(Broken):
            flush(broken, inbox)
    add(inbox, *MESSAGES[4:])
    broken.left = step - 2 if step >= 3 else 1 << 30
    if step >= 3:
        with pytest.raises(Broken):
            flush(broken, inbox)
    flush_all(a_lake(tmp_path), inbox, NOW, 7)
    assert content(a_lake(tmp_path)) == expected
    inbox.close()


def test_a_crash_between_the_last_commit_and_letting_go_repeats_and_changes_nothing(
    tmp_path: Path, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    inbox = an_inbox(tmp_path)
    add(inbox, *MESSAGES)
    lake = a_lake(tmp_path)
    with pytest.raises(Broken):
        flush(lake, BreakingAtTheEnd(inbox.store, most_waiting=99, read=deeds_of))
    versions = lake.versions()
    assert flush(lake, inbox).rows == {}
    assert lake.versions() == versions
    assert content(lake) == expected
    inbox.close()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what a handle is open on is told by /proc")
def test_what_a_flush_wrote_is_synced_before_the_messages_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[Path] = set()
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.add(Path(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    inbox, lake = an_inbox(tmp_path), a_lake(tmp_path)
    add(inbox, *MESSAGES, at=datetime.now(UTC))
    with pytest.raises(Broken):
        flush(lake, BreakingAtTheEnd(inbox.store, most_waiting=99, read=deeds_of))
    written = {path for name in (*lake.tables(), "quarantine") for path in (lake.folder / name).rglob("*.*")}
    assert {path for path in written if path.suffix in {".parquet", ".json"}} <= synced
    # A second try commits nothing, and syncs what the first may not have come to.
    synced.clear()
    flush(lake, inbox)
    assert {Path(file) for file in lake.files(c.EVENTS)} <= synced
    inbox.close()


def test_a_lake_that_another_holds_is_waited_for_and_the_inbox_goes_on_taking(tmp_path: Path) -> None:
    inbox, lake = an_inbox(tmp_path), a_lake(tmp_path)
    add(inbox, track("m1"))
    holds, may_go = threading.Event(), threading.Event()

    def load() -> None:
        with a_lake(tmp_path).writing():
            holds.set()
            may_go.wait()

    loader = threading.Thread(target=load)
    loader.start()
    holds.wait()
    with pytest.raises(BusyError):
        flush(lake, inbox, patience_seconds=0.05)
    add(inbox, track("m2"))
    may_go.set()
    loader.join()
    assert flush(lake, inbox).rows == {"events": 2}
    inbox.close()


def test_traits_gather_in_order_whether_they_come_in_one_flush_or_many(tmp_path: Path) -> None:
    steps = (
        identify("a", 1, plan="free", email="a@x"),
        identify("b", 3, plan="pro", city="York"),
        # Late: it changes what was known from then on only where nothing newer says otherwise.
        identify("c", 2, plan="trial", seats=3),
        identify("d", 3, seats=5),
    )
    one, many = tmp_path / "one", tmp_path / "many"
    for folder, groups in ((one, [steps]), (many, [[step] for step in steps])):
        inbox = an_inbox(folder)
        for group in groups:
            add(inbox, *group)
            flush(a_lake(folder), inbox)
        inbox.close()
    lake = a_lake(many)
    rows = lake.engine.to_polars(lake.engine.read(lake.files(c.CUSTOMERS))).sort(c.HAPPENED_AT)
    assert rows.select(c.EMAIL, c.CITY).rows() == [("a@x", None), (None, None), (None, "York")]
    assert [orjson.loads(extras) for extras in rows[c.EXTRAS]] == [
        {"plan": "free"},
        {"plan": "trial", "seats": 3},
        {"plan": "pro", "seats": 5},
    ]
    assert content(a_lake(one)) == content(lake)


def test_small_files_are_put_together_and_no_row_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dongcha.jobs.flush.MOST_FILES", 2)
    inbox, lake = an_inbox(tmp_path), a_lake(tmp_path)
    for n in range(4):
        add(inbox, track(f"m{n}"))
        flush(lake, inbox)
    assert len(lake.files(c.EVENTS)) <= 2
    assert lake.rows(c.EVENTS) == 4
    inbox.close()


def test_a_stream_without_end_does_not_keep_a_flush_from_ending(tmp_path: Path) -> None:
    class Sending(Inbox):
        """Somebody sends again whenever messages are let go."""

        def settle(self, messages: Sequence[Message]) -> None:
            super().settle(messages)
            add(self, track(f"after {messages[-1].id}"))

    inbox = Sending(an_inbox(tmp_path).store, most_waiting=99, read=deeds_of)
    add(inbox, track("m1"), track("m2"))
    assert flush_waiting(a_lake(tmp_path), inbox).messages == 2
    assert [message.id for message in inbox.waiting(9)] == ["after m2"]
    inbox.close()
