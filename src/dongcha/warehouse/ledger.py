"""The ledger: what we concluded, when, from which facts; Delta tables that only ever grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
from deltalake import DeltaTable, write_deltalake
from filelock import FileLock

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.warehouse.delta import delete_matching, files_of, forget_past, settle_present
from dongcha.warehouse.tables import TIME_TYPE

RUNS: Final = "runs"
SCORES: Final = "scores"
REASONS: Final = "reasons"
BACKTESTS: Final = "backtests"
CARDS: Final = "cards"
AUDIT: Final = "audit"
ABOUT_ENTITIES: Final = (SCORES, REASONS)
"""The tables whose rows are about one customer, text, order or whatever an insight answers for."""

_TEXT, _FLOAT, _INT = pl.String(), pl.Float64(), pl.Int64()
_STAMP: Final[dict[str, pl.DataType]] = {
    c.RUN_ID: _TEXT,
    c.INSIGHT: _TEXT,
    c.VERSION: _TEXT,
    c.AS_OF: TIME_TYPE,
    c.MADE_AT: TIME_TYPE,
}
SCHEMAS: Final[dict[str, dict[str, pl.DataType]]] = {
    RUNS: {
        **_STAMP,
        "job": _TEXT,
        "fingerprint": _TEXT,
        "table_versions": _TEXT,
        "config": _TEXT,
        "dongcha_version": _TEXT,
        "seconds": _FLOAT,
        "rows": _INT,
    },
    SCORES: {**_STAMP, c.ENTITY_ID: _TEXT, c.NAME: _TEXT, c.RANK: _INT, c.VALUE: _FLOAT, c.TEXT: _TEXT},
    REASONS: {
        **_STAMP,
        c.ENTITY_ID: _TEXT,
        c.RANK: _INT,
        c.FEATURE: _TEXT,
        c.VALUE: _FLOAT,
        c.TYPICAL: _FLOAT,
        c.EFFECT: _FLOAT,
    },
    BACKTESTS: {
        **_STAMP,
        c.FOLD: _INT,
        "horizon_days": _INT,
        "n": _INT,
        c.CONTENDER: _TEXT,
        "role": _TEXT,
        c.METRIC: _TEXT,
        c.VALUE: _FLOAT,
    },
    CARDS: {**_STAMP, "card": _TEXT},
    AUDIT: {c.MADE_AT: TIME_TYPE, c.INSIGHT: _TEXT, c.VERSION: _TEXT, "action": _TEXT, "actor": _TEXT, "why": _TEXT},
}


class Ledger:
    """The ledger of one workspace.

    A run's rows count only once its row in `runs` is there, which is written last: a job that was killed half-way
    leaves nothing that anyone reads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, rows: pl.DataFrame | Iterable[Mapping[str, Any]]) -> None:
        """Append rows to a ledger table; missing columns are null. One atomic commit."""
        schema = SCHEMAS[name]
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows), schema=schema)
        missing = [pl.lit(None).alias(k) for k in schema if k not in frame.columns]
        frame = frame.with_columns(missing).select(pl.col(k).cast(t) for k, t in schema.items())
        with self._writing():
            write_deltalake(str(self.folder / name), frame.to_arrow(), mode="append", partition_by=[c.INSIGHT])

    def delete(self, named: pl.DataFrame) -> dict[str, int]:
        """Delete what was concluded about these (insight, entity_id): table → how many rows there were.

        Older versions have them still, until `settle_present` and `forget_past`.
        """
        with self._writing():
            return {name: delete_matching(self.folder / name, named) for name in ABOUT_ENTITIES}

    def settle_present(self) -> None:
        """Delete the files that only older versions of what was concluded about entities have need of."""
        with self._writing():
            for name in ABOUT_ENTITIES:
                settle_present(self.folder / name)

    def forget_past(self) -> None:
        """Delete what the logs tell of those older versions."""
        with self._writing():
            for name in ABOUT_ENTITIES:
                forget_past(self.folder / name)

    def commits(self, name: str) -> Commits:
        """Tells when something is written to a table from now on."""
        return Commits(self.folder / name)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".writer.lock", is_singleton=True):
            yield

    def read(self, name: str) -> pl.LazyFrame:
        """Every row of a ledger table, in no order; empty where nothing was written."""
        path = str(self.folder / name)
        files = files_of(DeltaTable(path), self.folder / name) if DeltaTable.is_deltatable(path) else []
        if not files:
            return pl.LazyFrame(schema=SCHEMAS[name])
        rows = pl.scan_parquet(files, hive_partitioning=True, hive_schema={c.INSIGHT: _TEXT})
        return rows.select(list(SCHEMAS[name]))

    def table_versions(self) -> dict[str, int]:
        """Ledger table → newest version, for every table that was written: they change with whatever is concluded."""
        paths = {name: str(self.folder / name) for name in SCHEMAS}
        return {name: int(DeltaTable(path).version()) for name, path in paths.items() if DeltaTable.is_deltatable(path)}

    def of_run(self, name: str, run_id: str) -> pl.DataFrame:
        """The rows that one run wrote to `name`."""
        return self.read(name).filter(pl.col(c.RUN_ID) == run_id).collect()

    def runs(self, job: str | None = None, insight: str | None = None) -> pl.DataFrame:
        """Finished runs, newest first."""
        wanted = [pl.col(k) == v for k, v in (("job", job), (c.INSIGHT, insight)) if v is not None]
        return self.read(RUNS).filter(*wanted).collect().sort(c.MADE_AT, c.RUN_ID, descending=True)

    def latest_run(self, job: str, insight: str, as_of: AsOf | None = None) -> dict[str, Any] | None:
        """The newest finished run of a job at a cutoff, by default the latest cutoff; None where there is none."""
        runs = self.runs(job, insight)
        at = runs.select(pl.lit(as_of.moment) if as_of else pl.col(c.AS_OF).max()).to_series()
        runs = runs.filter(pl.col(c.AS_OF).is_in(at.implode()))
        return runs.row(0, named=True) if len(runs) else None

    def latest_runs(self, job: str) -> dict[str, dict[str, Any]]:
        """Insight → the newest finished run of a job at its latest cutoff, by one reading of the table."""
        newest_last = self.runs(job).sort(c.AS_OF, c.MADE_AT, c.RUN_ID)
        return {run[c.INSIGHT]: run for run in newest_last.iter_rows(named=True)}

    def same_run(self, job: str, insight: str, fingerprint: str) -> dict[str, Any] | None:
        """A finished run of the same work on the same facts: what need not be repeated."""
        runs = self.runs(job, insight).filter(pl.col("fingerprint") == fingerprint)
        return runs.row(0, named=True) if len(runs) else None

    def card(self, insight: str, version: str) -> dict[str, Any] | None:
        """The model card of a version."""
        rows = self.read(CARDS).filter(pl.col(c.INSIGHT) == insight, pl.col(c.VERSION) == version).collect()
        return None if rows.is_empty() else dict(orjson.loads(rows["card"][0]))

    def cards(self) -> list[dict[str, Any]]:
        """Every model card, oldest first, by one reading of the table."""
        return [orjson.loads(card) for card in self.read(CARDS).collect().sort(c.MADE_AT, c.VERSION)["card"]]

    def versions(self, insight: str) -> list[str]:
        """Every version of an insight's model that has a card, oldest first."""
        cards = self.read(CARDS).filter(pl.col(c.INSIGHT) == insight).collect()
        return cards.sort(c.MADE_AT)[c.VERSION].to_list()

    def audit(self, insight: str | None = None) -> pl.DataFrame:
        """Who changed which champion when and why, oldest first."""
        rows = self.read(AUDIT).collect().sort(c.MADE_AT, maintain_order=True)
        return rows if insight is None else rows.filter(pl.col(c.INSIGHT) == insight)

    def champion(self, insight: str) -> str | None:
        """The version that answers now: what the last promotion or rollback named."""
        rows = self.audit(insight)
        return rows[c.VERSION][-1] if len(rows) else None

    def promote(
        self, insight: str, version: str, *, made_at: datetime, actor: str, why: str, action: str = "promote"
    ) -> None:
        """Make `version` the champion; the change is one row of the audit log."""
        row = {c.MADE_AT: made_at, c.INSIGHT: insight, c.VERSION: version, "action": action, "actor": actor, "why": why}
        self.write(AUDIT, [row])


class Commits:
    """Whether a Delta table was written to since last asked, for the price of looking whether one file is there.

    A commit makes the file that bears its number, and numbers have no gaps.
    """

    def __init__(self, table: Path) -> None:
        self._table = table
        self._next = self._count()

    def any_new(self) -> bool:
        """Whether there was a commit since this was made or last said yes."""
        if not (self._table / "_delta_log" / f"{self._next:020d}.json").exists():
            return False
        self._next = self._count()
        return True

    def _count(self) -> int:
        path = str(self._table)
        return DeltaTable(path).version() + 1 if DeltaTable.is_deltatable(path) else 0
