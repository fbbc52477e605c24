"""`dongcha load` on files as people have them: a clear sentence, an exit code, and nothing half-done."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEADER = "order_id,line,customer_id,product_id,quantity,price,happened_at\n"
GOOD = "o1,1,c1,p1,2,9.99,2024-03-01 10:00:00\no2,1,c2,p1,1,5,2024-03-02 11:00:00\n"


class Cli:
    """Runs the real command in a workspace of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dongcha.cli.main", *words, "-w", str(self.folder)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"}
        )

    def load(self, content: str | bytes, *words: str, name: str = "orders.csv") -> subprocess.CompletedProcess[str]:
        file = self.folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self("load", str(file), "--as", "orders", *words)

    def rows(self) -> int:
        tables = json.loads(self("status", "--json").stdout)["tables"]
        return sum(table["rows"] for table in tables)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_a_good_file_is_loaded_and_counted(cli: Cli) -> None:
    done = cli.load(HEADER + GOOD, "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert (report["read"], report["accepted"], report["quarantined"], report["new"]) == (2, 2, 0, 2)
    assert cli.rows() == 2


def test_a_wrong_column_is_answered_with_the_map_that_mends_it(cli: Cli) -> None:
    done = cli.load(HEADER.replace("quantity", "how_many") + GOOD)
    assert done.returncode == 3
    assert "quantity" in done.stderr
    assert "--map quantity=" in done.stderr
    assert cli.rows() == 0
    assert cli.load(HEADER.replace("quantity", "how_many") + GOOD, "--map", "quantity=how_many").returncode == 0


def test_a_mapped_column_that_is_not_there_is_named(cli: Cli) -> None:
    done = cli.load(HEADER + GOOD, "--map", "price=prise")
    assert done.returncode == 3
    assert "prise" in done.stderr
    assert cli.rows() == 0


@pytest.mark.parametrize("content", ["", HEADER], ids=["no byte", "only a header"])
def test_an_empty_file_is_refused(cli: Cli, content: str) -> None:
    done = cli.load(content)
    assert done.returncode == 3
    assert "orders.csv" in done.stderr
    assert cli.rows() == 0


def test_a_file_in_gbk_is_read_and_said_to_be(cli: Cli) -> None:
    chinese = (
        HEADER.replace("product_id", "商品编号").strip()
        + ",备注\n"
        + "".join(f"o{k},1,c1,青禾小铺的棉麻衬衫,1,10,2024-03-01 10:00:00,顾客说很喜欢这个颜色\n" for k in range(20))
    )
    done = cli.load(chinese.encode("gbk"))
    assert done.returncode == 0, done.stderr
    assert "GB18030" in done.stdout.upper() or "GBK" in done.stdout.upper()
    assert cli.rows() == 20


def test_two_time_zones_are_brought_to_utc_and_said(cli: Cli) -> None:
    rows = "o1,1,c1,p,1,5,2024-03-01T08:00:00+08:00\no2,1,c1,p,1,5,2024-03-01T00:00:00Z\n"
    done = cli.load(HEADER + rows)
    assert done.returncode == 0, done.stderr
    assert "+08:00" in done.stdout
    (table,) = json.loads(cli("status", "--json").stdout)["tables"]
    assert table["first"] == table["last"]


def test_a_duplicate_key_is_quarantined_with_the_row_it_repeats(cli: Cli) -> None:
    done = cli.load(HEADER + GOOD + GOOD.splitlines()[0].replace("9.99", "8.88") + "\n")
    assert done.returncode == 0, done.stderr
    assert "row 2" in done.stdout
    assert cli.rows() == 2


def test_a_number_of_400_digits_is_quarantined(cli: Cli) -> None:
    done = cli.load(HEADER + GOOD + f"o3,1,c3,p1,1,{'9' * 400},2024-03-03 10:00:00\n", "--json")
    (report,) = json.loads(done.stdout)
    assert (report["accepted"], report["quarantined"]) == (2, 1)
    assert cli.rows() == 2


def test_a_table_that_is_not_of_the_contract_is_answered_with_the_ten(cli: Cli) -> None:
    file = cli.folder / "x.csv"
    file.write_text(HEADER + GOOD, "utf-8")
    done = cli("load", str(file), "--as", "invoices")
    assert done.returncode == 2
    assert "orders" in done.stderr


def test_a_missing_table_is_named_with_the_command_that_loads_it(cli: Cli) -> None:
    done = cli("run")
    assert done.returncode == 4
    assert "'orders'" in done.stderr
    assert "dongcha load FILE --as orders" in done.stderr


def test_a_file_that_is_not_there_is_named(cli: Cli) -> None:
    done = cli("load", "nowhere.csv", "--as", "orders")
    assert done.returncode == 3
    assert "nowhere.csv" in done.stderr


def test_a_file_of_nothing_but_refused_rows_loads_nothing(cli: Cli) -> None:
    done = cli.load(HEADER + "o1,1,c1,p1,two,five,yesterday\n")
    assert done.returncode == 3
    assert cli.rows() == 0


def test_a_dry_run_changes_nothing(cli: Cli) -> None:
    done = cli.load(HEADER + GOOD, "--dry-run", "--json")
    assert json.loads(done.stdout)[0]["accepted"] == 2
    assert cli.rows() == 0
