"""The serving view: found by words and rules, sorted, paged; swapped whole, whoever reads and whatever is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import MissingDataError, StoreError, UsageError
from dongcha.warehouse.rules import Kind
from dongcha.warehouse.view import View
from dongcha.warehouse.view_file import Writer, replacing

PEOPLE = [
    ("a-1", "Ann Lee", "ann.lee@mail.example", "Leeds", 0.9, "loyal"),
    ("b/2", "Béa Müller", None, "Köln", 0.1, "new"),
    ("c3", "王伟明", "wei@mail.example", "上海", None, "loyal"),
    ("d", None, None, None, 0.5, None),
    ("e", "Anna O'Neil", "o'neil@mail.example", "Leeds", 0.5, "loyal"),
]


def write(file: Path, run: str, people: list[tuple[Any, ...]] = PEOPLE) -> None:
    """A view of these people, every answer of which names the run."""
    with replacing(file) as new, Writer(new, {"risk": Kind.NUMBER, "kind": Kind.TEXT}) as writer:
        for customer, name, email, city, risk, kind in people:
            known = {"name": name, "email": email, "city": city}
            found = {"customer_id": customer, "customer": known, "orders": [], "texts": [], "made_by": run}
            found["summary"] = {"orders": float(len(customer)), "spend": 10.0 * len(customer)} if city else {}
            answers = {"risky": {"answer": {"risk": risk, "kind": kind, "made_by": run}, "reasons": []}}
            writer.add_customer(found, answers if customer != "d" else {}, None)
        writer.add_products([{"product_id": "p", "name": run, "category": None, "brand": None, "price": 1.5}])
        runs = {"risky": {"entity": "customer_id", "version": "v1", "as_of": "2024-06-01"}}
        about = {"run": run, "runs": runs, "outputs": {"risk": "number", "kind": "text"}, "groups": {}, "overview": {}}
        writer.finish({**about, "pages": {"months": {"month": ["2024-01-01"], "made_by": [run]}}})


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    file = tmp_path_factory.mktemp("v") / "a # folder?" / "serving.db"
    file.parent.mkdir()
    write(file, "one")
    return View(file)


def ids(found: Any) -> list[str]:
    return [row["customer_id"] for row in found.rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann", ["a-1", "e"]),
        ("ANN lee", ["a-1", "e"]),
        ("lee ann.lee@mail", ["a-1"]),
        ("bea mul", ["b/2"]),
        ("b/2", ["b/2"]),
        ("koln", ["b/2"]),
        ("伟", ["c3"]),
        ("伟明", ["c3"]),
        ("明伟", []),
        ("上海", ["c3"]),
        ("o'neil", ["e"]),
        ("nn", []),
        ("   ", ["a-1", "b/2", "c3", "d", "e"]),
        ("☂", []),
    ],
)
def test_words_find_whose_words_they_begin(view: View, text: str, expected: list[str]) -> None:
    found = view.search(text)
    assert (ids(found), found.total) == (expected, len(expected))


def test_words_may_be_looked_for_in_some_columns_only(view: View) -> None:
    assert ids(view.search("ann")) == ["a-1", "e"]
    assert ids(view.search("ann or leeds", looked_for_in=["customer_id", "city"])) == []
    assert ids(view.search("leeds", looked_for_in=["customer_id", "city"])) == ["a-1", "e"]


@given(st.text(max_size=12))
def test_no_text_whatever_breaks_the_search(view: View, text: str) -> None:
    assert view.search(text).total <= len(PEOPLE)
    assert view.get(text) is None or text in {person[0] for person in PEOPLE}


def test_rules_choose_among_those_answered_for(view: View) -> None:
    assert ids(view.search(where="risk >= 0.5 and kind == 'loyal'")) == ["a-1", "e"]
    assert ids(view.search(where="entity_id != 'a-1'")) == ["b/2", "c3", "e"]
    assert ids(view.search("leeds", where="not (risk > 0.8)")) == ["e"]
    with pytest.raises(UsageError, match="Did you mean risk"):
        view.search(where="risc > 1")


def test_unknown_values_come_last_whichever_way_and_pages_tile_the_whole(view: View) -> None:
    for way, order in ((True, ["a-1", "e", "b/2", "c3", "d"]), (False, ["b/2", "e", "a-1", "d", "c3"])):
        whole = view.search(sort="risk", descending=way)
        assert ids(whole) == order
        pages = [view.search(sort="risk", descending=way, limit=2, offset=k) for k in (0, 2, 4)]
        assert [customer for page in pages for customer in ids(page)] == ids(whole)
        assert {page.total for page in pages} == {5}
    assert view.search(sort="kind").rows[-1]["kind"] is None
    for wrong in ({"sort": "nothing"}, {"limit": 2_000}, {"offset": -1}):
        with pytest.raises(UsageError):
            view.search(**wrong)


def test_what_customers_did_stands_beside_what_is_answered_and_is_summed_over_whom_one_looks_for(view: View) -> None:
    everybody = view.search()
    assert list(everybody.rows[0])[5:] == ["orders", "spend", "recency_days", "risk", "kind"]
    assert ids(view.search(sort="spend", descending=True))[:1] == ["a-1"]
    assert [row["orders"] for row in everybody.rows] == [3.0, 3.0, 2.0, None, 1.0]
    assert view.sums() == {"orders": 9.0, "spend": 90.0, "recency_days": 0.0, "risk": 1.5}
    assert view.sums(where="kind == 'loyal'") == {"orders": 6.0, "spend": 60.0, "recency_days": 0.0, "risk": 1.4}
    assert view.sums("leeds", looked_for_in=["city"])["orders"] == 4.0
    assert set(view.sums("nobody").values()) == {0.0}
    columns = view.everybody()
    assert [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] == everybody.rows


def test_pages_lie_apart_from_what_the_view_says_of_itself(view: View) -> None:
    assert view.page("months") == {"month": ["2024-01-01"], "made_by": ["one"]}
    assert view.page("nothing") is None
    assert "pages" not in view.about


def test_sorting_reads_an_index(view: View) -> None:
    with view._open() as opened:
        for way, last in (("DESC", "ASC"), ("ASC", "DESC")):
            plan = opened.connection.execute(
                f'EXPLAIN QUERY PLAN SELECT * FROM customers ORDER BY "risk" {way} NULLS LAST, place {last} LIMIT 5'
            ).fetchall()
            assert "USING INDEX" in plan[0][3]
            assert not any("TEMP B-TREE FOR ORDER BY" in row[3] for row in plan)


def test_a_new_version_is_seen_at_once_and_a_pinned_one_is_kept(tmp_path: Path) -> None:
    view = View(tmp_path / "serving.db")
    with pytest.raises(MissingDataError, match="dongcha publish"):
        _ = view.run
    write(view.file, "one")
    stream = view.every_answer("risky")
    assert next(stream)["answer"]["made_by"] == "one"
    with view.pinned() as run:
        write(view.file, "two")
        assert (run, view.run, view.get("e")["made_by"]) == ("one", "one", "one")  # type: ignore[index]
    assert (view.run, view.get("e")["made_by"]) == ("two", "two")  # type: ignore[index]
    assert [row["answer"]["made_by"] for row in stream] == ["one"] * 3


def test_a_damaged_file_and_one_of_another_format_are_told_as_such(tmp_path: Path) -> None:
    view = View(tmp_path / "serving.db")
    write(view.file, "one")
    with sqlite3.connect(view.file) as connection:
        connection.execute("UPDATE about SET told = replace(CAST(told AS TEXT), '\"format\":2', '\"format\":0')")
    connection.close()
    with pytest.raises(StoreError, match="dongcha publish"):
        _ = view.run
    view.file.write_bytes(b"not a database, but a long enough text to be read as one" * 100)
    with pytest.raises(StoreError, match="dongcha publish"):
        view.get("e")


def test_a_writer_that_fails_leaves_the_old_view(tmp_path: Path) -> None:
    view = View(tmp_path / "serving.db")
    write(view.file, "one")
    with pytest.raises(StoreError, match="cannot be written"):
        write(view.file, "two", [*PEOPLE, PEOPLE[0]])
    assert (view.run, view.search().total) == ("one", 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".serving.db.lock", "serving.db"]


WRITER = """
import sys, itertools
from pathlib import Path
from tests.warehouse.test_view import write
for number in itertools.count():
    write(Path(sys.argv[1]), f"run {number}")
    print(number, flush=True)
"""


def test_readers_never_see_half_while_a_writer_is_killed_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "serving.db"
    write(file, "run 0")
    view, ended, seen, torn = View(file), threading.Event(), set(), []

    def read() -> None:
        while not ended.is_set():
            with view.pinned() as run:
                found, answer = view.get("e"), view.answer("risky", "a-1")
                told = {found["made_by"], answer["answer"]["made_by"], view.product_names["p"]}  # type: ignore[index]
                seen.add(run)
                if told != {run} or view.search("ann").total != 2:
                    torn.append((run, told))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for kill in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert writer.stdout is not None
        for _ in range(3 + kill):
            writer.stdout.readline()
        time.sleep(0.003 * kill)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    ended.set()
    for reader in readers:
        reader.join()
    assert not torn
    assert len(seen) > 1
    write(file, "last")
    assert view.run == "last"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".serving.db.lock", "serving.db"]
