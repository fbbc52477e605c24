"""Every row of whatever file is accepted or quarantined with its reason; nothing crashes, nothing is half-loaded."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dongcha
from dongcha.assemble import Shop
from dongcha.errors import DongchaError, InputError
from dongcha.jobs.ingest import LoadReport

HEADER = "order_id,line,customer_id,quantity,price,happened_at\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return dongcha.new(tmp_path / "shop")


def load(
    shop: Shop, content: str | bytes, name: str = "orders.csv", table: str = "orders", **options: Any
) -> LoadReport:
    file = shop.folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return shop.load(file, table, **options)


def rows_of(shop: Shop, table: str = "orders") -> pl.DataFrame:
    return shop.lake.engine.to_polars(shop.lake.engine.read(shop.lake.files(table)))


def refused(shop: Shop) -> list[tuple[int, str, str]]:
    return shop.lake.quarantined().select("row", "column", "reason").rows()


pieces = st.sampled_from(
    [
        "o1",
        "1",
        "c1",
        "2.5",
        "2024-01-05",
        ",",
        "\n",
        '"',
        "\r\n",
        ";",
        "\t",
        "é",
        "",
        "9" * 400,
        "-1",
        "nan",
        "{",
        "}",
        "[",
        "]",
        ":",
        "null",
        "\0",
    ]
)
messes = st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=60).map("".join).map(str.encode))


@settings(max_examples=60)
@given(messes, st.sampled_from(["x.csv", "x.tsv", "x.json", "x.jsonl", "x.csv.gz", "x.jsonl.gz"]), st.booleans())
def test_any_bytes_whatever_are_accounted_for_or_refused(
    tmp_path_factory: pytest.TempPathFactory, mess: bytes, name: str, headed: bool
) -> None:
    shop = dongcha.new(tmp_path_factory.mktemp("mess") / "shop")
    content = HEADER.encode() + mess if headed else mess
    try:
        report = load(shop, gzip.compress(content) if name.endswith(".gz") else content, name)
    except DongchaError:
        assert shop.lake.tables() == []
    else:
        assert report.read == report.accepted + report.quarantined
        assert report.accepted == report.new == shop.lake.rows("orders")


def test_a_refused_row_is_told_by_the_line_a_person_would_find(shop: Shop) -> None:
    text = HEADER + 'a,1,"two\nlines",1,5,2024-01-01\nb,1,c,x,5,2024-01-01\nc,1,c\n\nd,1,c,1,-5,2024-01-01\n'
    report = load(shop, text)
    assert (report.read, report.accepted) == (4, 1)
    assert refused(shop) == [
        (4, "quantity", "quantity is not a finite number"),
        (5, None, "the line has 3 fields; the header has 6"),
        (7, "price", "price is below 0"),
    ]


def test_the_later_of_two_rows_with_one_key_is_refused_naming_the_first(shop: Shop) -> None:
    load(shop, HEADER + "a,1,c,1,5,2024-01-01\nb,1,c,1,5,2024-01-01\na,1,c,2,6,2024-01-02\n")
    assert refused(shop) == [(4, "order_id + line", "the same order_id + line as row 2")]
    assert rows_of(shop).sort("order_id")["quantity"].to_list() == [1.0, 1.0]


money = st.decimals(min_value=0, max_value=10**12, places=4, allow_nan=False)


@settings(max_examples=25)
@given(st.lists(money, min_size=1, max_size=20))
def test_money_is_kept_to_the_last_of_its_four_decimals(
    tmp_path_factory: pytest.TempPathFactory, prices: list[Decimal]
) -> None:
    shop = dongcha.new(tmp_path_factory.mktemp("money") / "shop")
    load(shop, HEADER + "".join(f"{k},1,c,1,{price},2024-01-01\n" for k, price in enumerate(prices)))
    kept = rows_of(shop).sort(pl.col("order_id").cast(pl.Int64))["price"].to_list()
    assert kept == prices


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1,234.50", "1234.5"), ("¥12", "12"), ("$ 3.10", "3.1"), ("7 USD", "7"), ("12元", "12"), ("1e2", "100")],
)
def test_numbers_are_read_as_people_write_them(shop: Shop, written: str, meant: str) -> None:
    load(shop, HEADER + f'a,1,c,1,"{written}",2024-01-01\n')
    assert rows_of(shop)["price"][0] == Decimal(meant)


def test_decimal_commas_are_read_where_the_whole_column_has_them(shop: Shop) -> None:
    text = HEADER.replace(",", ";") + "a;1;c;1;1.234,50;2024-01-01\nb;1;c;1;7,5;2024-01-01\n"
    report = load(shop, text)
    assert rows_of(shop).sort("order_id")["price"].to_list() == [Decimal("1234.5"), Decimal("7.5")]
    assert any("decimal commas" in notice for notice in report.notices)


MOMENTS = [
    ("2011-09-10 08:30:00", "2011-09-10T08:30:00"),
    ("2011-09-10T08:30", "2011-09-10T08:30:00"),
    ("2011/9/10 8:30", "2011-09-10T08:30:00"),
    ("2011年9月10日", "2011-09-10T00:00:00"),
    ("20110910", "2011-09-10T00:00:00"),
    ("2011-09-10T08:30:00+08:00", "2011-09-10T00:30:00"),
    ("2011-09-10T08:30:00.123456Z", "2011-09-10T08:30:00.123456"),
    ("13/09/2011 08:30", "2011-09-13T08:30:00"),
    ("09/13/2011 08:30 PM", "2011-09-13T20:30:00"),
    ("1315643400", "2011-09-10T08:30:00"),
    ("1315643400000", "2011-09-10T08:30:00"),
    ("40796.5", "2011-09-10T12:00:00"),
]


@pytest.mark.parametrize(("written", "meant"), MOMENTS, ids=[written for written, _ in MOMENTS])
def test_moments_are_read_as_people_write_them(shop: Shop, written: str, meant: str) -> None:
    load(shop, HEADER + f"a,1,c,1,5,{written}\n")
    assert rows_of(shop)["happened_at"][0].replace(tzinfo=None).isoformat() == meant


def test_a_day_that_could_be_a_month_is_asked_about(shop: Shop) -> None:
    text = HEADER + "a,1,c,1,5,03/04/2024\n"
    with pytest.raises(InputError, match="date_order=dmy"):
        load(shop, text)
    load(shop, text, set={"date_order": "dmy"})
    assert rows_of(shop)["happened_at"][0].month == 4


def test_a_moment_the_clocks_skipped_is_refused_and_a_doubled_one_is_the_earlier(shop: Shop) -> None:
    text = HEADER + "a,1,c,1,5,2024-03-31 01:30:00\nb,1,c,1,5,2024-10-27 01:30:00\n"
    report = load(shop, text, set={"time_zone": "Europe/London"})
    assert (report.accepted, report.quarantined) == (1, 1)
    assert rows_of(shop)["happened_at"][0].hour == 0


def test_a_line_number_that_is_missing_is_the_place_in_the_order(shop: Shop) -> None:
    text = "order_id,customer_id,quantity,price,happened_at\n" + "".join(
        f"{o},c,1,{p},2024-01-01\n" for o, p in ["a1", "b2", "a3"]
    )
    load(shop, text)
    assert sorted(rows_of(shop).select("order_id", "line").rows()) == [("a", 1), ("a", 2), ("b", 1)]
    assert load(shop, text).unchanged == 3


def test_an_id_that_is_missing_is_made_of_the_row_and_stays(shop: Shop) -> None:
    text = "customer_id,rating,text,happened_at\nc,5,good,2024-01-01\nc,5,good,2024-01-01\nd,1,bad,2024-01-02\n"
    assert load(shop, text, "reviews.csv", "reviews").new == 3
    assert load(shop, text, "again.csv", "reviews").unchanged == 3


def test_unknown_columns_are_kept(shop: Shop) -> None:
    load(shop, HEADER.strip() + ",colour\na,1,c,1,5,2024-01-01,红\n")
    assert json.loads(rows_of(shop)["extras"][0]) == {"colour": "红"}


ROWS = [
    {
        "order_id": f"o{k}",
        "line": 1,
        "customer_id": f"c{k}",
        "quantity": 2.0,
        "price": 1.25 * k,
        "happened_at": "2024-01-05 10:00:00",
    }
    for k in range(5)
]


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "parquet", "json", "jsonl", "jsonl.gz", "xlsx"])
def test_the_same_rows_are_the_same_table_in_every_format(shop: Shop, kind: str) -> None:
    frame = pl.DataFrame(ROWS)
    file = shop.folder / f"orders.{kind}"
    match kind.split(".", maxsplit=1)[0]:
        case "csv" | "tsv":
            text = frame.write_csv(separator="," if kind.startswith("csv") else "\t")
            file.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
        case "parquet":
            frame.write_parquet(file)
        case "json":
            file.write_text(json.dumps(ROWS), "utf-8")
        case "jsonl":
            text = "\n".join(map(json.dumps, ROWS))
            file.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
        case "xlsx":
            from openpyxl import Workbook

            book = Workbook()
            for row in [frame.columns, *frame.rows()]:
                book.active.append(row)
            book.save(file)
    assert shop.load(file, "orders").accepted == 5
    kept = (
        rows_of(shop)
        .sort("order_id")
        .select(pl.col("price").cast(pl.Float64), "quantity", pl.col("happened_at").dt.hour())
    )
    assert kept.rows() == [(1.25 * k, 2.0, 10) for k in range(5)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.parquet", b"PAR1 nothing"),
        ("x.xlsx", b"PK nothing"),
        ("x.csv.gz", b"\x1f\x8b nothing"),
        ("x.json", b"[{"),
        ("x.pdf", b"x"),
    ],
)
def test_a_damaged_or_unknown_file_is_refused_by_name(shop: Shop, name: str, content: bytes) -> None:
    with pytest.raises(InputError, match=name):
        load(shop, content, name)


def test_a_file_that_breaks_off_loads_nothing(shop: Shop) -> None:
    whole = gzip.compress((HEADER + "".join(f"{k},1,c,1,{k},2024-01-01\n" for k in range(200_000))).encode())
    with pytest.raises(InputError, match="breaks off"):
        load(shop, whole[: len(whole) // 2], "orders.csv.gz")
    assert shop.lake.tables() == []
