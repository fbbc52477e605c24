"""The lake: whole versions only, merged by key, nothing twice."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.published_shop import IDS, published_shop

import dongcha
from dongcha.errors import MissingDataError, UsageError
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.lake import Commit, Lake
from dongcha.warehouse.ledger import SCORES
from dongcha.warehouse.tables import table

ORDERS = table("orders")
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def orders(*rows: dict[str, Any]) -> pl.DataFrame:
    """Order lines with sensible defaults, in the contract's exact schema."""
    whole = [
        {"line": 1, "customer_id": "c1", "quantity": 1.0, "price": 2.5, "happened_at": NOON, "known_at": NOON, **r}
        for r in rows
    ]
    frame = pl.DataFrame(whole)
    missing = [pl.lit(None).alias(k) for k in ORDERS.schema if k not in frame.columns]
    return frame.with_columns(missing).select(pl.col(k).cast(t) for k, t in ORDERS.schema.items())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", Engine(tmp_path / "scratch"))


def commit(lake: Lake, frame: pl.DataFrame) -> Commit:
    lake.folder.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=lake.folder)) / "staged.parquet"
    frame.write_parquet(staged)
    return lake.commit("orders", [staged])


def content(lake: Lake, version: int | None = None) -> pl.DataFrame:
    rows = lake.engine.to_polars(lake.engine.read(lake.files("orders", version)))
    return rows.select(list(ORDERS.schema)).sort("order_id", "line")


def test_a_first_load_makes_the_table_exactly_as_given(lake: Lake) -> None:
    given_rows = orders({"order_id": "a"}, {"order_id": "b", "quantity": -1.0, "extras": '{"x":"1"}'})
    assert commit(lake, given_rows) == Commit(new=2, changed=0, unchanged=0, version=0)
    assert content(lake).equals(given_rows)


def test_loading_twice_changes_nothing_not_even_the_version(lake: Lake) -> None:
    commit(lake, orders({"order_id": "a"}, {"order_id": "b"}))
    assert commit(lake, orders({"order_id": "b"}, {"order_id": "a"})) == Commit(0, 0, 2, version=0)


def test_the_same_row_from_another_file_is_the_same_row(lake: Lake) -> None:
    commit(lake, orders({"order_id": "a", "source": "first.csv"}))
    assert commit(lake, orders({"order_id": "a", "source": "second.csv"})).unchanged == 1


def test_a_row_with_other_content_takes_the_old_one_s_place(lake: Lake) -> None:
    commit(lake, orders({"order_id": "a", "price": 2.5}, {"order_id": "b"}))
    moved = orders({"order_id": "a", "price": 3.0, "happened_at": datetime(2023, 1, 1, tzinfo=UTC)}, {"order_id": "c"})
    assert commit(lake, moved) == Commit(new=1, changed=1, unchanged=0, version=1)
    assert content(lake)["order_id"].to_list() == ["a", "b", "c"]
    assert float(content(lake)["price"][0]) == 3.0


def test_an_earlier_version_stays_readable(lake: Lake) -> None:
    before = orders({"order_id": "a"})
    commit(lake, before)
    commit(lake, orders({"order_id": "a", "price": 9.0}, {"order_id": "b"}))
    assert content(lake, version=0).equals(before)
    assert lake.rows("orders") == 2


def test_a_value_that_becomes_known_or_unknown_is_a_change(lake: Lake) -> None:
    commit(lake, orders({"order_id": "a", "status": None}))
    assert commit(lake, orders({"order_id": "a", "status": "paid"})).changed == 1
    assert commit(lake, orders({"order_id": "a", "status": None})).changed == 1


def test_a_table_that_was_never_loaded_is_told_by_name(lake: Lake) -> None:
    with pytest.raises(MissingDataError, match="'reviews' is not loaded"):
        lake.files("reviews")
    assert lake.tables() == []
    assert lake.rows("orders") == 0


def test_quarantine_holds_a_file_s_refusals_until_the_file_is_mended(lake: Lake) -> None:
    refused = pl.DataFrame(
        {
            "file": "it's.csv",
            "table": "orders",
            "row": [3, 4],
            "column": "price",
            "value": "x",
            "reason": "not a number",
            "loaded_at": NOON,
        }
    )
    other = refused.with_columns(file=pl.lit("other.csv"))
    lake.quarantine("it's.csv", "orders", refused)
    lake.quarantine("other.csv", "orders", other)
    lake.quarantine("it's.csv", "orders", refused.head(1))
    assert lake.quarantined().select("file", "row").rows() == [("it's.csv", 3), ("other.csv", 3), ("other.csv", 4)]
    lake.quarantine("it's.csv", "orders", refused.head(0))
    assert lake.quarantined()["file"].to_list() == ["other.csv", "other.csv"]


ids = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
loads = st.lists(
    st.dictionaries(st.tuples(ids, st.integers(1, 3)), st.floats(-1e6, 1e6), min_size=1, max_size=6),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None)
@given(loads)
def test_after_any_loads_each_key_holds_what_it_was_last_given(
    tmp_path_factory: pytest.TempPathFactory, given_loads: list[dict[tuple[str, int], float]]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"), Engine())
    truth: dict[tuple[str, int], float] = {}
    for load in given_loads:
        done = commit(lake, orders(*({"order_id": o, "line": n, "quantity": q} for (o, n), q in load.items())))
        assert done.new == len(load.keys() - truth.keys())
        truth |= load
    rows = content(lake)
    assert dict(zip(zip(rows["order_id"], rows["line"], strict=True), rows["quantity"], strict=True)) == truth


@pytest.mark.parametrize("name", ["My shops", "洞察 é", "a#b'c"])
def test_a_workspace_may_lie_anywhere(tmp_path: Path, name: str) -> None:
    shop = published_shop(tmp_path / name)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(
        "order_id,customer_id,quantity,price,happened_at\no1,c1,many,5,2024-03-01\no2,c1,1,5,2024-03-01\n", "utf-8"
    )
    shop.load(wrong, "orders")
    assert len(shop.lake.engine.to_polars(shop.lake.read("orders"))) == shop.lake.rows("orders")
    assert len(shop.lake.quarantined()) == 1
    assert len(shop.ledger.read(SCORES).collect())
    shop.publish(again=True)
    assert shop.view.get(IDS[0])


@pytest.mark.parametrize("name", ["shop%20one", "shop [1]", "what?", "all*"])
def test_a_folder_whose_name_a_library_reads_as_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot lie in"):
        dongcha.new(tmp_path / name)
    assert not (tmp_path / name).exists()
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="cannot lie in"):
        dongcha.open(tmp_path / name)
