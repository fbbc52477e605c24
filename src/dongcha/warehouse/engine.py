"""Who answers an Ibis expression: DuckDB in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dongcha.errors import StoreError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import polars as pl


SCRATCH: Final = ".scratch"
"""What the folders of a workspace begin with that engines spill to: one a process, which goes when the process ends."""


class Engine:
    """Runs Ibis expressions over Parquet files.

    Times come back in UTC whatever the machine's own zone is. Threads take turns: a connection serves one at a time.
    """

    def __init__(self, scratch: Path | None = None, threads: int = 0) -> None:
        """Open an in-memory database; `threads` 0 means all.

        It may spill to the folder `scratch`, with the process's number behind its name: so what a killed process left
        can be told.
        """
        import ibis

        settings: dict[str, Any] = {"preserve_insertion_order": False}
        if scratch is not None:
            settings["temp_directory"] = f"{scratch}-{os.getpid()}"
        if threads:
            settings["threads"] = threads
        self.connection = ibis.duckdb.connect(**settings)
        self._turn = threading.RLock()

    def read(self, files: Sequence[str | Path]) -> ir.Table:
        """These Parquet files as one table."""
        with self._turn, _readable():
            return self.connection.read_parquet([str(file) for file in files], hive_partitioning=False)

    def to_polars(self, expression: ir.Table) -> pl.DataFrame:
        """Run `expression` and fetch its rows; StoreError where a file behind it is gone or damaged."""
        import polars as pl

        with self._turn, _readable():
            return pl.DataFrame(self.connection.to_polars(expression))

    def write(self, expression: ir.Table, file: Path) -> None:
        """Run `expression` into one Parquet file, without holding its rows in memory."""
        with self._turn, _readable():
            self.connection.to_parquet(expression, file)

    def explain(self, expression: ir.Table) -> str:
        """The SQL that `to_polars` would run."""
        import ibis

        return str(ibis.to_sql(expression, dialect="duckdb"))


@contextmanager
def _readable() -> Iterator[None]:
    """A file that cannot be read is a damaged store, told as such."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        what = str(error).splitlines()[0]
        raise StoreError(
            f"A file of the lake cannot be read: {what}", "Restore it from a copy, or load its source again."
        ) from None
