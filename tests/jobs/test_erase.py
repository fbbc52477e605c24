"""Erasing a customer: nothing of them is left anywhere, nothing of anybody else is lost, and they do not come back."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from tests.insights.conftest import open_simulated
from tests.published_shop import DAY, IDS, published_shop, rows_of
from tests.small_shop import CameBack, order_lines, put
from tests.traces import traces
from typer.testing import CliRunner

import dongcha
from dongcha import columns as c
from dongcha.assemble import Shop
from dongcha.cli.main import app
from dongcha.errors import StoreError, UnknownError, UsageError
from dongcha.insight_kit.live import live_folder
from dongcha.jobs.erase import steps
from dongcha.jobs.flush import flush
from dongcha.jobs.hand_over import ORDERS
from dongcha.jobs.order_study import OrderStudy
from dongcha.sources.segment import customer_of
from dongcha.sources.simulate import simulate
from dongcha.warehouse.inbox import Message
from dongcha.warehouse.ledger import REASONS, SCORES

CANARY = "qx7canary"
"""Stands in everything that is about the customer who leaves: ids, name, address, texts."""
WHO = f"{CANARY}-id"
WORD = "qx7kettle"
"""Stands in six texts of theirs and in nobody else's: often enough to be a word of the shop for some model."""
BEGAN = datetime(2023, 5, 1, tzinfo=UTC)
LEARNT = ("churn", "sentiment", "topics")


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server reads older versions here: there is nobody to wait for."""
    monkeypatch.setattr(steps, "sleep", lambda seconds: None)


def facts(shop: Shop, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, less those in which one of these texts stands."""
    found = {}
    for name in shop.lake.tables():
        rows = shop.lake.engine.to_polars(shop.lake.read(name))
        told = [row for row in rows.rows() if not any(text in repr(row) for text in without)]
        found[name] = sorted(told, key=repr)
    return {name: told for name, told in found.items() if told}


def send(shop: Shop, *messages: Mapping[str, Any], at: datetime | None = None) -> list[str]:
    """Hand events in as the API does; the ids of those that were new."""
    texts = [(m, orjson.dumps(m)) for m in messages]
    received = at or shop.clock()
    return shop.inbox.add([Message(str(m["messageId"]), customer_of(m), received, text) for m, text in texts])


def track(name: str, who: Mapping[str, str], happened: datetime = BEGAN, **more: Any) -> dict[str, Any]:
    fields = {"type": "track", "event": "Product Viewed", "messageId": name, "timestamp": happened.isoformat()}
    return {**fields, **who, "properties": {"product_id": "p00001"}, **more}


def write(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    file = folder / f"{name}.jsonl"
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return file


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shop's own files lie, which are not the workspace's."""
    return tmp_path_factory.mktemp("files")


def plant(shop: Shop, outside: Path) -> None:
    """A customer who is in every table, known by files and by events, and has had rows refused."""
    when, them = BEGAN.isoformat(), {"customer_id": WHO, "happened_at": BEGAN.isoformat()}
    name = {"name": "Qx7canary Seven", "email": f"{CANARY}@mail.example", "phone": f"+44 {CANARY}"}
    line = {**them, "order_id": f"{CANARY}-order", "line": 1, "product_id": "p00001", "quantity": 1, "price": 9}
    said = {"conversation_id": f"{CANARY}-talk", "happened_at": when}
    tables: dict[str, list[dict[str, Any]]] = {
        "customers": [{**them, **name, "nickname": f"{CANARY}y"}],
        # The second line names no customer; the last is refused, and quoted in quarantine.
        "orders": [line, {**line, "line": 2, "customer_id": None}, {**line, "line": 2}, {**line, "quantity": WHO}],
        "reviews": [
            {**them, "review_id": f"{CANARY}-{k}", "rating": 2, "product_id": "p00001",
             "text": f"A {CANARY}{k} of a {WORD}, and the {WORD} leaks."}
            for k in range(6)
        ],
        "messages": [
            {**said, **them, "message_id": f"{CANARY}-m1", "sender": "customer", "text": f"My {CANARY} kettle leaks."},
            {**said, "message_id": "m2", "sender": "agent", "text": "Dear Qx7canary, we are sorry."},
        ],
        "exposures": [{**them, "exposure_id": f"{CANARY}-x", "campaign": "spring", "variant": "a"}],
        "outcomes": [{**them, "outcome_id": "u1", "order_id": f"{CANARY}-order", "name": "chargeback", "value": 1},
                     {"outcome_id": "u2", "order_id": f"{CANARY}-order", "name": "fraud", "happened_at": when}],
    }  # fmt: skip
    for table, rows in tables.items():
        shop.load(write(outside, table, rows), table)
    known, anonymous = {"userId": WHO}, {"anonymousId": f"{CANARY}-anon"}
    send(
        shop,
        {**track(f"{CANARY}-i", {**known, **anonymous}), "type": "identify", "traits": name},
        track("e1", anonymous, timestamp=(BEGAN + timedelta(days=1)).isoformat()),
        track("e2", known, properties={"note": f"{CANARY} again"}),
        track("e3", known, event="Order Completed", properties={"order_id": f"{CANARY}-2", "value": 5}),
        {"type": "none of ours", "messageId": "e4", **known},
    )
    shop.flush()
    send(shop, track("e5", known), track("e6", {"userId": "c000001"}))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, outside: Path) -> Shop:
    """A shop that was loaded, sent to, run, published, and asked, and somebody in it who is about to leave."""
    folder = tmp_path_factory.mktemp("trained") / "shop"
    shop = open_simulated(simulate(40, days=240, seed=3), folder, "events", "reviews", "messages", "documents")
    shutil.rmtree(folder / "raw")
    settings = folder / "dongcha.toml"
    settings.write_text(settings.read_text("utf-8").replace("= 90", "= 40").replace("folds = 2", "folds = 1"), "utf-8")
    shop = dongcha.open(folder)
    risk = shop.insights["risk"]
    shop.insights._insights = {name: shop.insights[name] for name in LEARNT}
    plant(shop, outside)
    assert not [outcome.failed or outcome.skipped for outcome in shop.run() if outcome.failed or outcome.skipped]
    # So few orders go bad that risk is not learnt here; what it would hand over is written all the same.
    book = OrderStudy(shop.desk, risk, shop.as_of()).book
    book.write(live_folder(shop.desk.models.folder) / ORDERS, {c.AS_OF: str(shop.as_of())})
    shop.ask("My kettle leaks.", WHO)
    shop.ask("How do I return something?")
    # What killed jobs left behind.
    for left in ("lake/incoming/x/part.parquet", "models/topics/.v9.draft/words.txt", ".scratch-999999999/spill.tmp",
                 "jobs/20240101T000000000000-0000/output.log", "live/.shop.draft/x", "lake/reviews/orphan.parquet",
                 "lake/reviews/_delta_log/_commit_x.json.tmp"):  # fmt: skip
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).write_text(f"about {WHO}\nall else\n", "utf-8")
    return shop


def test_nothing_is_left_of_them_and_all_is_left_of_everybody_else(trained: Shop) -> None:
    shop, folder = trained, trained.folder
    found = traces(folder, CANARY)
    assert any(trace.startswith("live/orders/") for trace in found)
    everywhere = {trace.split("/")[0] for trace in found}
    assert {"lake", "ledger", "live", "serving.db", "inbox.db", "jobs", ".scratch-999999999"} <= everywhere
    send(shop, track("e7", {"userId": "c000002"}))
    shop.flush()
    others, scores = facts(shop, CANARY, "Qx7canary", "'m2'"), shop.scores("churn")
    done = shop.erase(WHO)

    assert traces(folder, CANARY) == []
    assert {trace.split("/")[0] for trace in traces(folder, WORD)} <= {"models"}
    assert facts(shop) == others
    assert done.ids == 2
    assert {k: n for k, n in done.rows.items() if k.startswith("lake/")} == {
        "lake/customers": 1, "lake/events": 4, "lake/orders": 3, "lake/reviews": 6, "lake/messages": 2,
        "lake/exposures": 1, "lake/outcomes": 2, "lake/identities": 1,
    }  # fmt: skip
    assert done.rows["ledger/scores"] > 0
    assert done.rows["ledger/reasons"] > 0
    assert shop.scores("churn").sort(c.ENTITY_ID).equals(scores.filter(pl.col(c.ENTITY_ID) != WHO).sort(c.ENTITY_ID))
    assert shop.view.get(WHO) is None
    assert shop.view.get("c000001") is not None
    with pytest.raises(UnknownError):
        shop.profile(WHO)
    told = shop.ledger.audit().filter(action="erase").row(0, named=True)
    assert told["why"] == f"erased {done.name}"
    assert shop.ask("How do I return something?").sources


def test_the_next_run_learns_without_them_and_lets_go_what_learnt_from_them(trained: Shop) -> None:
    trained.insights._insights = {name: trained.insights[name] for name in ("sentiment", "topics")}
    for outcome in trained.run():
        assert outcome.trained is not None
        assert not outcome.trained.unchanged
        assert outcome.trained.champion == "v2", outcome.insight
        assert not (trained.folder / "models" / outcome.insight / "v1").exists()
    assert traces(trained.folder, CANARY) == []
    assert traces(trained.folder, WORD) == []
    with pytest.raises(StoreError, match="v1"):
        trained.rollback("topics")


@pytest.fixture
def shop(made_once: Path, tmp_path: Path) -> Shop:
    """A copy of the shop below."""
    shutil.copytree(made_once, tmp_path / "shop")
    return dongcha.open(tmp_path / "shop")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight customers of odd ids, in every kind of table, with ids that lead to them; no view is published."""
    made = published_shop(tmp_path_factory.mktemp("made") / "shop")
    links = [
        {"message_id": "l1", "alias_id": "anon-a", "customer_id": "a", "happened_at": DAY},
        {"message_id": "l2", "alias_id": "shared", "customer_id": "a", "happened_at": DAY},
        {"message_id": "l3", "alias_id": "shared", "customer_id": "z", "happened_at": DAY + timedelta(days=1)},
        {"message_id": "l4", "alias_id": "mistaken", "customer_id": "a", "happened_at": DAY},
        {"message_id": "l5", "alias_id": "mistaken", "customer_id": None, "happened_at": DAY + timedelta(days=1)},
        {"message_id": "l6", "alias_id": "z", "customer_id": "c 1", "happened_at": DAY},
    ]
    put(made.lake, rows_of("identities", links), "identities")
    seen = [
        {"message_id": f"e-{who}-{by}", "customer_id": who if by == "id" else None, "event": "Product Viewed",
         "anonymous_id": who if by == "anon" else None, "happened_at": DAY}
        for who in ("a", "anon-a", "shared", "mistaken", "stranger")
        for by in ("id", "anon")
    ]  # fmt: skip
    seen.append({"message_id": "by-z", "customer_id": "z", "anonymous_id": "anon-a", "event": "x", "happened_at": DAY})
    put(made.lake, rows_of("events", seen), "events")
    said = [
        {"message_id": f"m{k}", "conversation_id": talk, "customer_id": who, "sender": "x", "text": "?",
         "happened_at": DAY}
        for k, (talk, who) in enumerate([("t1", "a"), ("t1", None), ("t2", None), ("t1", "z")])
    ]  # fmt: skip
    put(made.lake, rows_of("messages", said), "messages")
    for staged in made.lake.folder.glob("tmp*"):
        shutil.rmtree(staged)
    return made.folder


def events(shop: Shop) -> set[str]:
    return set(shop.lake.engine.to_polars(shop.lake.read("events"))["message_id"])


def test_rows_under_ids_that_lead_to_them_go_and_those_of_ids_that_lead_elsewhere_stay(shop: Shop) -> None:
    before = events(shop)
    shop.erase("a")
    assert before - events(shop) == {"e-a-id", "e-a-anon", "e-anon-a-id", "e-anon-a-anon"}
    links = shop.lake.engine.to_polars(shop.lake.read("identities"))
    assert set(links["message_id"]) == {"l3", "l5", "l6"}


def test_lines_of_their_orders_and_talks_that_name_nobody_go_too(shop: Shop) -> None:
    more = order_lines([{"order_id": "o0-0", "line": 3, "happened_at": DAY}, {"order_id": "x", "happened_at": DAY}])
    put(shop.lake, more)
    shop.erase("a")
    kept = shop.lake.engine.to_polars(shop.lake.read("orders"))
    assert "o0-0" not in set(kept["order_id"])
    assert "x" in set(kept["order_id"])
    assert set(shop.lake.engine.to_polars(shop.lake.read("messages"))["message_id"]) == {"m2", "m3"}


@pytest.mark.parametrize("who", ['o\'brien "x"', "王伟"])
def test_ids_are_taken_as_they_are(shop: Shop, who: str) -> None:
    shop.publish()
    others = {name: shop.view.get(name) for name in IDS if name not in (who, "z")}
    shop.erase(who)
    assert {name: shop.view.get(name) for name in IDS if name not in (who, "z")} == others
    assert shop.view.get(who) is None
    assert traces(shop.folder, who) == []


def test_an_id_that_nobody_knows_is_refused_and_changes_nothing(shop: Shop) -> None:
    before = facts(shop)
    with pytest.raises(UnknownError, match="nobody-x"):
        shop.erase("nobody-x")
    assert facts(shop) == before
    assert traces(shop.folder, "nobody-x") == []


def test_another_id_of_somebody_is_refused_with_theirs(shop: Shop) -> None:
    with pytest.raises(UsageError, match="dongcha erase a"):
        shop.erase("anon-a")


def test_erasing_again_changes_nothing(shop: Shop) -> None:
    first = shop.erase("a")
    before, again = facts(shop), shop.erase("a")
    assert (again.ids, again.until, again.name) == (0, first.until, first.name)
    assert facts(shop) == before


class Killed(BaseException):
    """The process was killed."""


def test_what_a_killed_erasure_left_is_finished_by_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    send(shop, track("w1", {"userId": CANARY}), track("w2", {"anonymousId": f"{CANARY}-anon"}))
    send(shop, {**track("w3", {"userId": CANARY}), "type": "identify", "anonymousId": f"{CANARY}-anon"})
    others = facts(shop)
    for place, (name, step) in enumerate(steps.STEPS):
        # Each attempt comes one step further than the one before, and dies before it could note that.
        with monkeypatch.context() as patch:
            patch.setattr(steps, "STEPS", (*steps.STEPS[:place], (name, dying(step))))
            with pytest.raises(Killed):
                shop.erase(CANARY)
        assert steps.Journal(shop.folder).read() is not None, name
    # Whoever is to leave next, what was begun is finished first.
    shop.erase("a/b")
    assert traces(shop.folder, CANARY) == []
    shop.erase(CANARY)
    assert len(shop.ledger.audit().filter(action="erase")) == 2
    gone = facts(shop)
    assert gone["customers"] == [row for row in others["customers"] if "'a/b'" not in repr(row)]


def dying(step: steps.Step) -> steps.Step:
    def dies(place: steps.Place, begun: steps.Begun) -> dict[str, int]:
        step(place, begun)
        raise Killed

    return dies


def test_a_file_loaded_again_does_not_bring_them_back_and_what_happens_later_is_let_in(
    shop: Shop, outside: Path
) -> None:
    rows = [
        {"order_id": f"n{k}", "line": 1, "customer_id": who, "quantity": 1, "price": 1, "happened_at": when}
        for k, (who, when) in enumerate([("a", DAY), ("z", DAY), ("a", shop.clock() + timedelta(hours=1)), (None, DAY)])
    ]
    file = write(outside, "again", rows)
    shop.load(file, "orders")
    done = shop.erase("a")
    assert done.rows["lake/orders"] == 4, "two lines bought before, one before and one after the erasure"
    again = shop.load(file, "orders")
    assert (again.read, again.accepted, again.new, again.unchanged, again.erased) == (4, 4, 1, 2, 1)
    assert shop.lake.quarantined().is_empty()
    orders = shop.lake.engine.to_polars(shop.lake.read("orders"))
    assert orders.filter(customer_id="a")["order_id"].to_list() == ["n2"]
    # A table of their own rows alone.
    shop.load(write(outside, "review", [{"review_id": "r", "customer_id": "a", "happened_at": DAY}]), "reviews")


def test_an_event_sent_again_does_not_bring_them_back_and_a_new_one_is_let_in(shop: Shop) -> None:
    old = track("old", {"userId": CANARY})
    send(shop, old, track("refused", {"userId": CANARY}, event=None))
    shop.erase(CANARY)
    assert send(shop, old) == [], "its id is still known"
    sent_again = [
        {**old, "messageId": f"{CANARY}-2"},
        {"type": "broken", "messageId": "b", "userId": "z"},
        track("mine", {"userId": "z"}),
    ]
    send(shop, *sent_again)
    done = shop.flush()
    assert (done.messages, done.erased, done.quarantined) == (3, 1, 1)
    shop.inbox.scrub()
    assert traces(shop.folder, CANARY) == []
    send(shop, {**old, "messageId": "new", "timestamp": shop.clock().isoformat()})
    shop.flush()
    assert {"new", "mine"} <= events(shop)
    assert "old" not in events(shop)


def test_older_versions_are_gone_and_say_so(shop: Shop) -> None:
    version = shop.lake.version("orders")
    assert shop.lake.files("orders", version)
    shop.erase("a")
    with pytest.raises(StoreError, match="erasure"):
        shop.lake.files("orders", version)
    assert shop.doctor()


def test_a_shop_of_one_customer_can_be_left(tmp_path: Path, outside: Path) -> None:
    shop = dongcha.new(tmp_path / "shop")
    bought = {"order_id": "o", "customer_id": CANARY, "quantity": 1, "price": 1, "happened_at": DAY}
    file = write(outside, "only", [bought])
    shop.load(file, "orders")
    shop.publish()
    shop.erase(CANARY)
    assert traces(shop.folder, CANARY) == []
    assert shop.status()["tables"][0]["rows"] == 0
    assert shop.load(file, "orders").erased == 1
    line = {**bought, "line": 2, "customer_id": None}
    assert shop.load(write(outside, "line", [line]), "orders").erased == 1, "of an order of theirs"


def test_whoever_flushes_meanwhile_nothing_is_lost_doubled_or_brought_back(shop: Shop) -> None:
    others = [f"o{k}" for k in range(100)]
    stop = threading.Event()

    def flushing() -> None:
        mine = dongcha.open(shop.folder)
        while not stop.is_set() or mine.inbox.backlog():
            flush(mine.lake, mine.inbox, most=7, patience_seconds=60)
        mine.inbox.close()

    def sending() -> None:
        mine = dongcha.open(shop.folder)
        for k, name in enumerate(others):
            send(mine, track(name, {"userId": "z"}), track(f"x{k}", {"userId": CANARY}))
        stop.set()
        mine.inbox.close()

    threads = [threading.Thread(target=act) for act in (sending, flushing)]
    send(shop, track("first", {"userId": CANARY}))
    for thread in threads:
        thread.start()
    shop.erase(CANARY)
    for thread in threads:
        thread.join()
    rows = shop.lake.engine.to_polars(shop.lake.read("events"))
    assert rows["message_id"].is_unique().all()
    assert set(others) <= set(rows["message_id"])
    assert CANARY not in set(rows["customer_id"])
    shop.inbox.scrub()
    assert traces(shop.folder, CANARY) == []


def test_a_run_and_an_erasure_take_turns(shop: Shop) -> None:
    shop.insights._insights = {"came_back": CameBack()}
    shop.run(as_of="2024-05-01")
    began, done = threading.Event(), []

    def erasing() -> None:
        mine = dongcha.open(shop.folder)
        began.set()
        done.append(mine.erase("a"))
        mine.inbox.close()

    with shop.desk.working():
        thread = threading.Thread(target=erasing)
        thread.start()
        began.wait()
        thread.join(0.5)
        assert not done
    thread.join()
    assert done
    assert all(outcome.trained and not outcome.trained.unchanged for outcome in shop.run(as_of="2024-05-01"))
    for table in (SCORES, REASONS):
        assert "a" not in set(shop.ledger.read(table).collect()[c.ENTITY_ID])


def test_the_command_asks_tells_and_exits(shop: Shop) -> None:
    def dongcha_erase(*words: str, **typed: str) -> Any:
        return CliRunner().invoke(app, ["erase", *words, "-w", str(shop.folder)], **typed)

    assert isinstance(dongcha_erase("a").exception, UsageError), "nobody is there to be asked"
    assert isinstance(dongcha_erase("nobody-x", "--yes").exception, UnknownError)
    done = dongcha_erase("a", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"]["lake/customers"] == 1
    assert "Erased before" in dongcha_erase("a", "--yes").stdout
