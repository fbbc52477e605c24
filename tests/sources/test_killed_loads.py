"""A load that is killed at any moment leaves the table at its old or its new version, never between."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

import dongcha
from dongcha.assemble import Shop

KILLS = 16
ROWS = 60_000
LOADER = "import sys, dongcha; dongcha.open(sys.argv[1]).load(sys.argv[2], 'orders')"


def orders(file: Path, rows: int, price: float) -> None:
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame(
        {
            "order_id": (numbers // 3).cast(pl.String),
            "line": numbers % 3,
            "customer_id": "c" + (numbers % 997).cast(pl.String),
            "quantity": pl.repeat(1, rows, eager=True),
            "price": pl.repeat(price, rows, eager=True),
            "happened_at": "2024-0" + (1 + numbers % 9).cast(pl.String) + "-05 10:00:00",
        }
    )
    frame.write_csv(file)


def state(shop: Shop) -> tuple[int, float]:
    rows = shop.lake.engine.read(shop.lake.files("orders"))
    found = shop.lake.engine.to_polars(rows.aggregate(n=rows.count(), total=rows.price.cast("float64").sum()))
    return found.row(0)  # type: ignore[return-value]


def start(folder: Path, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", LOADER, str(folder), str(file)])


def test_a_killed_load_leaves_the_old_or_the_new_version(tmp_path: Path) -> None:
    shop = dongcha.new(tmp_path / "shop")
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    orders(first, ROWS, 1.0)
    # Half of the rows change and half are new, so that the commit both rewrites and adds.
    orders(second, ROWS + 30_000, 2.0)
    shop.load(first, "orders")
    # What the table can be: only the first file; the second over it; the first over that again.
    whole = ((ROWS, ROWS * 1.0), (ROWS + 30_000, (ROWS + 30_000) * 2.0), (ROWS + 30_000, ROWS * 1.0 + 30_000 * 2.0))
    assert state(shop) == whole[0]

    twin = dongcha.new(tmp_path / "twin")
    twin.load(first, "orders")
    began = time.monotonic()
    assert start(tmp_path / "twin", second).wait() == 0
    takes = time.monotonic() - began

    chance = random.Random(4)
    for kill in range(KILLS):
        # In turn a load of the second file over the first and of the first over the second: each changes rows.
        file = second if kill % 2 == 0 else first
        before = state(dongcha.open(tmp_path / "shop"))
        loading = start(tmp_path / "shop", file)
        # Half of the kills fall late, where the commit is.
        time.sleep(takes * chance.uniform(0.5 if kill % 4 < 2 else 0.8, 1.1))
        os.kill(loading.pid, signal.SIGKILL)
        loading.wait()
        after = state(dongcha.open(tmp_path / "shop"))
        assert after in (before, *whole)
    report = dongcha.open(tmp_path / "shop").load(second, "orders")
    assert report.read == ROWS + 30_000
    assert state(dongcha.open(tmp_path / "shop")) == (ROWS + 30_000, (ROWS + 30_000) * 2.0)
    assert list((tmp_path / "shop" / "lake" / "incoming").iterdir()) == []
