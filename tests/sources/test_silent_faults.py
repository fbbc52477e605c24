"""Files that load without a murmur and wrongly, unless one looks: each of these once did."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dongcha
from dongcha.assemble import Shop
from dongcha.errors import InputError
from dongcha.jobs.ingest import LoadReport
from dongcha.sources.formats.batch import BATCH_ROWS, unique_names
from dongcha.sources.read import open_source

HEADER = "order_id,line,customer_id,quantity,price,happened_at,note\n"
MOMENT = "2024-01-05 10:00:00"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return dongcha.new(tmp_path / "shop")


def load(shop: Shop, content: str | bytes, name: str = "orders.csv", **options: str) -> LoadReport:
    file = shop.folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return shop.load(file, "orders", set=options)


def rows_of(shop: Shop) -> pl.DataFrame:
    return shop.lake.engine.to_polars(shop.lake.engine.read(shop.lake.files("orders"))).sort("order_id")


def order(number: int, note: str = "", when: str = MOMENT, price: str = "5") -> str:
    return f"o{number:06},1,c{number % 7},1,{price},{when},{note}\n"


@pytest.mark.parametrize("place", [0, 500, 998, 999])
@pytest.mark.parametrize("closed_by", ["", '"a proper note"', 'a 5" nail"'])
def test_a_stray_quotation_mark_costs_its_own_line_and_no_other(shop: Shop, place: int, closed_by: str) -> None:
    notes = dict.fromkeys(range(1_000), "") | {700: closed_by, place: '"a stray one'}
    report = load(shop, HEADER + "".join(order(k, note) for k, note in notes.items()))
    assert (report.read, report.accepted, report.quarantined) == (1_000, 999, 1)
    assert shop.lake.quarantined()["row"].to_list() == [place + 2]
    assert "quotation mark" in shop.lake.quarantined()["reason"][0]


def test_a_note_of_many_lines_is_one_field(shop: Shop) -> None:
    note = '"first, with a comma\n\nand ""marks""\r\n, ,, ,\nlast"'
    report = load(shop, HEADER + order(1) + order(2, note) + order(3))
    assert (report.read, report.accepted) == (3, 3)
    said = json.loads(rows_of(shop)["extras"][1])["note"]
    assert said == 'first, with a comma\n\nand "marks"\r\n, ,, ,\nlast'


def test_marks_inside_a_field_are_forgiven(shop: Shop) -> None:
    load(shop, HEADER + order(1, 'a 5" nail') + order(2, '"so" called'))
    assert [json.loads(x)["note"] for x in rows_of(shop)["extras"]] == ['a 5" nail', "so called"]


cells = st.text(st.sampled_from('ab1 ,"\n\r;'), max_size=8)


@settings(max_examples=200)
@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]) -> None:
    import csv

    file = tmp_path_factory.mktemp("written") / "x.csv"
    with file.open("w", newline="") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *table])
    batches = list(open_source(file).batches)
    kept = [list(row) for batch in batches for row in batch.rows.rows()]
    broken = sum(len(batch.broken) for batch in batches)
    # A field whose every line looks like a whole row is the one thing that cannot be told from a stray mark.
    assert kept == table or broken


@settings(max_examples=200)
@given(st.lists(st.text(st.sampled_from('a,"\n'), max_size=12), max_size=12))
def test_every_line_of_a_csv_is_in_a_record_or_broken(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = tmp_path_factory.mktemp("lines") / "x.csv"
    file.write_text("a,b,c\n" + "\n".join(lines), newline="")
    seen: dict[int, int] = {}
    for batch in open_source(file).batches:
        for number, row in zip(batch.numbers, batch.rows.rows(), strict=True):
            seen[number] = sum(value.count("\n") for value in row) + 1
        seen |= {number: 1 for number, _, _ in batch.broken}
    told = {line for start, count in seen.items() for line in range(start, start + count)}
    written = file.read_text().split("\n")
    assert told >= {number for number, line in enumerate(written, start=1) if line and number > 1}


def test_a_key_that_only_the_last_object_has_is_a_column(shop: Shop) -> None:
    base = {"line": 1, "customer_id": "c", "quantity": 1, "price": 5, "happened_at": MOMENT}
    late = [{**base, "order_id": f"o{k:06}"} for k in range(BATCH_ROWS)] + [
        {**base, "order_id": "z", "discount": 2, "colour": "red"}
    ]
    report = load(shop, "\n".join(map(json.dumps, late)), "orders.jsonl")
    assert report.accepted == BATCH_ROWS + 1
    assert rows_of(shop).select(pl.col("discount").cast(float), "extras").row(-1) == (2.0, '{"colour":"red"}')


@pytest.mark.parametrize("name", ["row", "__refuse__", "__content__", "__price__", "reason", "column"])
def test_a_column_may_have_any_name(shop: Shop, name: str) -> None:
    text = HEADER.replace("note", name)
    report = load(shop, text + order(1, "mine") + order(2, ""))
    assert report.accepted == 2
    assert json.loads(rows_of(shop)["extras"][0]) == {name: "mine"}
    assert load(shop, text + order(1, "mine") + order(2, ""), "again.csv").unchanged == 2


def test_an_order_id_may_come_from_a_column_called_row(shop: Shop) -> None:
    file = shop.folder / "orders.csv"
    file.write_text(HEADER.replace("order_id", "row") + order(41) + order(7))
    shop.load(file, "orders", map={"order_id": "row"})
    assert rows_of(shop)["order_id"].to_list() == ["o000007", "o000041"]


def test_the_last_row_may_tell_which_of_day_and_month_comes_first(shop: Shop) -> None:
    rows = [order(k, when="03/04/2024") for k in range(BATCH_ROWS)] + [order(BATCH_ROWS, when="04/13/2024")]
    assert load(shop, HEADER + "".join(rows)).accepted == BATCH_ROWS + 1
    assert rows_of(shop)["happened_at"].dt.month().unique().to_list() == [3, 4]


def test_two_halves_that_contradict_each_other_are_asked_about(shop: Shop) -> None:
    rows = [order(k, when="13/04/2024") for k in range(BATCH_ROWS)] + [order(BATCH_ROWS, when="04/13/2024")]
    with pytest.raises(InputError, match="day or month first"):
        load(shop, HEADER + "".join(rows))
    assert shop.lake.tables() == []


def test_the_last_row_may_tell_which_mark_is_the_decimal_one(shop: Shop) -> None:
    header = HEADER.replace(",", ";")
    rows = [order(k, price="1.200").replace(",", ";") for k in range(BATCH_ROWS)]
    rows.append(order(BATCH_ROWS, price="1.200;50").replace(",", ";").replace("1.200;50", "1.200,50"))
    load(shop, header + "".join(rows))
    assert rows_of(shop)["price"].unique().cast(float).sort().to_list() == [1200.0, 1200.5]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(shop: Shop, ends: str) -> None:
    text = (HEADER + order(1) + order(2)).replace("\n", ends)
    assert load(shop, text).accepted == 2


def test_columns_of_one_name_are_told_apart(shop: Shop) -> None:
    text = HEADER.strip() + ",note,,note_2\n" + order(1, "a").strip() + ",b,c,d\n"
    load(shop, text)
    assert json.loads(rows_of(shop)["extras"][0]) == {"note": "a", "note_3": "b", "column_9": "c", "note_2": "d"}


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "", "column_1", " a "]), max_size=8))
def test_names_are_made_unique_and_first_ones_kept(header: list[str]) -> None:
    names = unique_names(header)
    assert len(set(names)) == len(names) == len(header)
    assert all(name == "a" for name, raw in zip(names[:1], header, strict=False) if raw == "a")


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"order_id": "\\ud83d"}\n',
        b'{"' + b"k" * 70_000 + b'": 1}\n',
        b"[" * 100_000,
        b'[{"order_id": ' + b"[" * 90_000 + b"]" * 90_000 + b"}]",
        b"\xef\xbb\xbf[]",
        b"{}\n{}\n",
        b'{"order_id": {"a": [1, {"b": null}]}}\n' * 3,
    ],
    ids=["half a pair", "a long key", "deep", "deep inside", "empty array", "empty objects", "nested"],
)
@pytest.mark.parametrize("name", ["orders.json", "orders.jsonl"])
def test_strange_json_is_refused_and_does_not_crash(shop: Shop, content: bytes, name: str) -> None:
    with pytest.raises(InputError):
        load(shop, content, name)
    assert shop.lake.tables() == []


def test_strange_parquet_columns_load(shop: Shop) -> None:
    from datetime import date, time, timedelta

    frame = pl.DataFrame(
        {
            "order_id": ["a", "b"],
            "line": [1, 1],
            "customer_id": pl.Series(["x", "y"], dtype=pl.Categorical),
            "quantity": [1.0, float("inf")],
            "price": pl.Series(["5.25", "1"]).cast(pl.Decimal(20, 4)),
            "happened_at": pl.Series([1_704_448_800_000_000_000] * 2).cast(pl.Datetime("ns")),
            "blob": [b"\xff\xfe", b"ok"],
            "list": [[1, 2], None],
            "struct": [{"a": 1, "b": None}, None],
            "day": [date(2024, 1, 1), None],
            "clock": [time(1, 2), None],
            "span": [timedelta(days=1), None],
            "nothing": [None, None],
        }
    )
    file = shop.folder / "orders.parquet"
    frame.write_parquet(file)
    report = shop.load(file, "orders")
    assert (report.accepted, report.quarantined) == (1, 1)
    kept = json.loads(rows_of(shop)["extras"][0])
    assert kept == {
        "blob": "fffe",
        "list": "[1,2]",
        "struct": '{"a":1,"b":null}',
        "day": "2024-01-01",
        "clock": "01:02:00",
        "span": "P1D",
        "nothing": None,
    }


def test_parquet_of_several_batches_and_whole_floats_is_one_column(shop: Shop) -> None:
    quantities = [1.0] * BATCH_ROWS + [2.5]
    frame = pl.DataFrame(
        {"order_id": [f"o{k:06}" for k in range(BATCH_ROWS + 1)], "quantity": quantities}
    ).with_columns(line=1, customer_id=pl.lit("c"), price=5.0, happened_at=pl.lit(MOMENT))
    file = shop.folder / "orders.parquet"
    frame.write_parquet(file)
    shop.load(file, "orders")
    assert rows_of(shop)["quantity"].sum() == BATCH_ROWS + 2.5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "gb18030", "utf-8-sig"])
def test_text_is_read_in_its_own_encoding(shop: Shop, encoding: str) -> None:
    text = HEADER + "".join(order(k, "这是一个很好的产品，非常满意") for k in range(20))
    load(shop, text.encode(encoding))
    assert json.loads(rows_of(shop)["extras"][0])["note"] == "这是一个很好的产品，非常满意"


@pytest.mark.parametrize("start", ["\n\n", "sep=,\n", "\r\nsep=,\r\n"])
def test_what_stands_before_the_header_is_skipped_and_counted(shop: Shop, start: str) -> None:
    load(shop, start + HEADER + order(1) + order(2, price="x"))
    assert shop.lake.quarantined()["row"].to_list() == [start.count("\n") + 3]


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("9999-12-31", "happened_at lies in the future"),
        ("99999.5", "happened_at lies in the future"),
        ("0024-01-05", "happened_at is before 1900"),
        ("2024-01-05T10:00:00+25:00", "happened_at is not a date or time"),
    ],
)
def test_one_impossible_moment_does_not_move_the_shop_through_time(shop: Shop, when: str, why: str) -> None:
    load(shop, HEADER + order(1) + order(2, when=when))
    assert shop.lake.quarantined()["reason"][0].startswith(why)
    assert str(shop.as_of()) == "2024-01-06"


def test_a_json_key_may_be_empty(shop: Shop) -> None:
    row = {"order_id": "o", "line": 1, "customer_id": "c", "quantity": 1, "price": 5, "happened_at": MOMENT, "": "x"}
    load(shop, json.dumps(row), "orders.json")
    assert json.loads(rows_of(shop)["extras"][0]) == {"column_7": "x"}
