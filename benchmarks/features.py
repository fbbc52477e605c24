"""How long all purchasing, basket and calendar features take, and in how much memory.

    python -m benchmarks.features [--rows 1000000 5000000 20000000] [--repeats 3] [--folder DIR] [--json]

Beside us: one hand-written DuckDB statement for the same columns, and pandas at the smallest size. Every measurement is
a process of its own (wall time from the lake to a Polars frame, without imports; peak memory of the process), the
contenders take turns, and the medians are shown. The results must be equal.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.features_by_hand import SQL, by_pandas
from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.declare import catalogue, family
from dongcha.features.point_in_time import Snapshot
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import CONTRACT

AS_OF: Final = AsOf.parse("2023-10-15")
FAMILIES: Final = ("purchasing", "basket", "calendar")
CHUNK: Final = 1_000_000
PANDAS_ROWS: Final = 1_000_000
START, DAYS = datetime(2022, 1, 1, tzinfo=UTC), 730


# -- the shop


def generate(folder: Path, rows: int) -> None:
    """A lake of `rows` order lines: rows/40 customers of very unequal appetite, 8 lines an order, 20,000 products."""
    lake = Lake(folder / "lake", Engine(folder))
    parts = []
    for start in range(0, rows, CHUNK):
        parts.append(folder / f"part{start}.parquet")
        _chunk(start, min(CHUNK, rows - start), rows // 40).write_parquet(parts[-1])
    lake.commit(c.ORDERS, parts)
    for part in parts:
        part.unlink()


def _chunk(start: int, rows: int, customers: int) -> pl.DataFrame:
    import numpy as np

    rng = np.random.default_rng(start)
    order_of_line = np.cumsum(rng.random(rows) < 1 / 8)
    orders = int(order_of_line[-1]) + 1
    buyer = np.minimum((rng.pareto(1.3, orders) * customers / 12).astype(np.int64), customers - 1)
    buyer = np.where(rng.random(orders) < 0.6, rng.integers(0, customers, orders), buyer)
    moment = START.timestamp() + rng.random(orders) ** 0.8 * DAYS * 86_400
    quantity = rng.geometric(0.3, rows) * np.where(rng.random(rows) < 0.02, -1, 1)
    price = np.where(rng.random(rows) < 0.005, 0, rng.lognormal(1.5, 0.9, rows).round(2) + 0.01)
    off = np.where(rng.random(rows) < 0.15, (quantity * price * 0.1).round(2), 0)
    product = np.minimum(rng.pareto(1.0, rows) * 300, 19_999).astype(np.int64)
    when = pl.Series((moment[order_of_line] * 1e6).astype(np.int64)).cast(pl.Datetime("us", "UTC"))
    facts = {
        c.ORDER_ID: pl.Series(order_of_line + start).cast(pl.String),
        c.LINE: np.arange(start, start + rows),
        c.CUSTOMER_ID: pl.Series(buyer[order_of_line]).cast(pl.String),
        c.PRODUCT_ID: pl.Series(product).cast(pl.String),
        c.QUANTITY: quantity.astype(np.float64),
        c.PRICE: price,
        c.DISCOUNT: np.abs(off),
        c.STATUS: pl.Series(rng.random(rows) < 0.01).replace_strict({True: "cancelled", False: "completed"}),
        c.HAPPENED_AT: when,
        c.KNOWN_AT: when,
    }
    nothing = {k: None for k in CONTRACT[c.ORDERS].schema if k not in facts}
    return pl.DataFrame(facts | nothing).select(pl.col(k).cast(t) for k, t in CONTRACT[c.ORDERS].schema.items())


def names() -> list[str]:
    loaded = frozenset({c.ORDERS})
    return [name for part in FAMILIES for name in family(part) if catalogue()[name].tables <= loaded]


# -- the contenders


def ours(folder: Path) -> pl.DataFrame:
    return Snapshot(Lake(folder / "lake", Engine(folder)), AS_OF).features(names())


def by_sql(folder: Path) -> pl.DataFrame:
    import duckdb

    files = Lake(folder / "lake", Engine()).files(c.ORDERS)
    connection = duckdb.connect(config={"preserve_insertion_order": False, "temp_directory": str(folder)})
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute(SQL, {"files": files, "as_of": AS_OF.moment}).pl().sort(c.CUSTOMER_ID)


def with_pandas(folder: Path) -> pl.DataFrame:
    import pandas as pd

    files = Lake(folder / "lake", Engine()).files(c.ORDERS)
    return pl.from_pandas(by_pandas(files, pd.Timestamp(AS_OF.moment))).sort(c.CUSTOMER_ID)


CONTENDERS: Final[dict[str, Callable[[Path], pl.DataFrame]]] = {"dongcha": ours, "sql": by_sql, "pandas": with_pandas}


# -- measuring


def measure_here(contender: str, folder: Path) -> dict[str, float]:
    """Run one contender in this process and keep its answer for the comparison."""
    import duckdb  # noqa: F401  imports are not what is measured
    import ibis  # noqa: F401
    import pandas as pd  # noqa: F401

    names()
    began, worked = time.perf_counter(), time.process_time()
    answer = CONTENDERS[contender](folder)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.select(c.CUSTOMER_ID, pl.col(names()).cast(pl.Float64)).write_parquet(folder / f"{contender}.answer")
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": peak}


def measure(contender: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.features", "--one", contender, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def check_equal(folder: Path, contenders: Sequence[str]) -> None:
    mine = pl.read_parquet(folder / f"{contenders[0]}.answer")
    for other in contenders[1:]:
        theirs = pl.read_parquet(folder / f"{other}.answer")
        assert mine[c.CUSTOMER_ID].equals(theirs[c.CUSTOMER_ID]), f"{other} has other customers"
        for name in names():
            differ = _differing(mine[name], theirs[name])
            assert differ == 0, f"{name}: {differ} values differ from {other}"


def _differing(mine: pl.Series, theirs: pl.Series) -> int:
    theirs = pl.select(pl.when(theirs.is_finite()).then(theirs)).to_series()
    far = (mine - theirs).abs() > 2e-6 + 1e-6 * theirs.abs()
    return int(far.sum()) + int((mine.is_null() != theirs.is_null()).sum())


def bench(rows: int, repeats: int, folder: Path) -> list[dict[str, Any]]:
    """One line per contender at this size."""
    if not (folder / "lake").exists():
        folder.mkdir(parents=True, exist_ok=True)
        generate(folder, rows)
    contenders = [name for name in CONTENDERS if name != "pandas" or rows <= PANDAS_ROWS]
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name in contenders:
            taken[name].append(measure(name, folder))
    check_equal(folder, contenders)
    middle = {name: {k: statistics.median(t[k] for t in runs) for k in runs[0]} for name, runs in taken.items()}
    return [
        {"rows": rows, "contender": name, **figures, "dongcha_takes": middle["dongcha"]["seconds"] / figures["seconds"]}
        for name, figures in middle.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000, 20_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the generated lakes here and use those that are there")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_here(asked.one, asked.folder)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        lines = [line for rows in asked.rows for line in bench(rows, asked.repeats, folder / str(rows))]
    print(json.dumps(lines, indent=2) if asked.json else _table(lines))


def _table(lines: Sequence[dict[str, Any]]) -> str:
    titles = f"{'rows':>12} {'contender':10} {'seconds':>9} {'CPU s':>9} {'peak MB':>9} {'dongcha takes':>14}"
    body = (
        f"{k['rows']:>12,} {k['contender']:10} {k['seconds']:>9.2f} {k['cpu_seconds']:>9.2f} "
        f"{k['peak_mb']:>9,.0f} {k['dongcha_takes']:>13.3f}x"
        for k in lines
    )
    return "\n".join([f"{len(names())} features as of {AS_OF}", titles, *body])


if __name__ == "__main__":
    main()
