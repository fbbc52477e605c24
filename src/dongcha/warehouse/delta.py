"""Delta tables: which files make one up, and how it forgets: rows deleted, files and logs of older versions too."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
from deltalake import DeltaTable, WriterProperties


def files_of(delta: DeltaTable, folder: Path) -> list[str]:
    """The Parquet files that make up an opened table, as paths; the library gives the folder's part percent-encoded."""
    root = urlsplit(delta.table_uri).path
    return [str(folder.absolute() / uri.removeprefix(root)) for uri in delta.file_uris()]


def delete_matching(folder: Path, rows: pl.DataFrame) -> int:
    """Delete the rows of a table that equal one of these in all its columns, in one commit; returns how many.

    A merge, not a condition written as text: values reach the engine as they are, and the log does not quote them.
    """
    if rows.is_empty() or not DeltaTable.is_deltatable(str(folder)):
        return 0
    same = " AND ".join(f"there.{name} = given.{name}" for name in rows.columns)
    merge = DeltaTable(str(folder)).merge(
        rows.unique().to_arrow(),
        same,
        source_alias="given",
        target_alias="there",
        writer_properties=WriterProperties(compression="ZSTD"),
    )
    return int(merge.when_matched_delete().execute()["num_target_rows_deleted"])


def settle_present(folder: Path) -> None:
    """Delete the files of older versions and of writers that were killed; then note the present as a checkpoint."""
    if not DeltaTable.is_deltatable(str(folder)):
        return
    DeltaTable(str(folder)).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    # Opened anew: the vacuum wrote commits of its own.
    DeltaTable(str(folder)).create_checkpoint()


def forget_past(folder: Path) -> None:
    """Delete the log before the newest checkpoint: its entries hold the least and greatest value of columns.

    Delta reads a table from its newest checkpoint on. What a killed writer left in the log's folder goes too.
    """
    log = folder / "_delta_log"
    checkpoints = sorted(log.glob("*.checkpoint*.parquet"))
    if not checkpoints:
        return
    newest = checkpoints[-1].name.partition(".")[0]
    for entry in log.iterdir():
        number = entry.name.partition(".")[0]
        if entry.name != "_last_checkpoint" and not (number.isdigit() and number >= newest):
            entry.unlink(missing_ok=True)
