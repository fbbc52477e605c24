"""The lake: the contract's tables as Delta tables, changed one atomic commit at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import orjson
import polars as pl
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from dongcha import columns as c
from dongcha.errors import BusyError, MissingDataError, StoreError
from dongcha.warehouse.delta import delete_matching, files_of, forget_past, settle_present
from dongcha.warehouse.erased import FILE as ERASED
from dongcha.warehouse.erased import Erased, owners_in
from dongcha.warehouse.tables import CONTRACT, TIME_TYPE, Table, table

if TYPE_CHECKING:
    import pyarrow as pa

    from dongcha.warehouse.engine import Engine

QUARANTINE: Final = "quarantine"
QUARANTINE_SCHEMA: Final[dict[str, pl.DataType]] = {
    c.FILE: pl.String(),
    c.TABLE: pl.String(),
    c.ROW: pl.Int64(),
    c.COLUMN: pl.String(),
    c.VALUE: pl.String(),
    c.REASON: pl.String(),
    c.LOADED_AT: TIME_TYPE,
}
LOCK_SECONDS: Final = 600
CLOCK_SLACK_SECONDS: Final = 3600
INCOMING: Final = "incoming"
"""Where a load puts its typed rows before the one commit; emptied by the next load after a crash."""

# Where the row came from is not part of what it says: the same row from a second file changes nothing.
_NOT_CONTENT: Final = (c.SOURCE,)


@dataclass(frozen=True)
class Commit:
    """What one commit did to a table: rows added, rewritten, already there; and the version it made.

    `erased`: rows about somebody erased since they happened, which are let in nowhere.
    """

    new: int
    changed: int
    unchanged: int
    version: int
    erased: int = 0


class Lake:
    """The tables of one workspace.

    A table is readable at each version it ever had, until `forget_past`. Writers take turns through a lock file;
    readers never wait and see whole versions only.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self.erased = Erased(folder / ERASED)

    # -- reading

    def tables(self) -> list[str]:
        """The contract's tables that hold something, in the contract's order."""
        return [name for name in CONTRACT if self.version(name) is not None]

    def version(self, name: str) -> int | None:
        """The table's newest version, or None where it was never loaded."""
        delta = self._open(name)
        return None if delta is None else int(delta.version())

    def versions(self) -> dict[str, int]:
        """Table → newest version, for every loaded table."""
        return {name: version for name in CONTRACT if (version := self.version(name)) is not None}

    def files(self, name: str, version: int | None = None) -> list[str]:
        """The Parquet files that make up the table (at `version`).

        Raises MissingDataError where the table was never loaded, StoreError where that version is gone.
        """
        delta = self._open(name, version)
        if delta is None:
            raise MissingDataError(
                f"The table '{name}' is not loaded.", f"Load it with: dongcha load FILE --as {name}."
            )
        return files_of(delta, self.folder / name)

    def read(self, name: str, version: int | None = None) -> Any:
        """Every row of the table (at `version`) as an Ibis table; raises as `files` does."""
        import ibis

        files = self.files(name, version)
        # A table of which every row was erased has no files left.
        return self.engine.read(files) if files else ibis.memtable(pl.DataFrame(schema=table(name).schema))

    def rows(self, name: str) -> int:
        """How many rows the table holds; 0 where it was never loaded. Read from the log, not the data."""
        delta = self._open(name)
        return 0 if delta is None else int(delta.count())

    def quarantined(self) -> pl.DataFrame:
        """Every row that was refused and is not mended yet, columns as QUARANTINE_SCHEMA."""
        delta = self._open(QUARANTINE)
        files = [] if delta is None else files_of(delta, self.folder / QUARANTINE)
        return pl.read_parquet(files).sort(c.FILE, c.ROW) if files else pl.DataFrame(schema=QUARANTINE_SCHEMA)

    # -- writing

    @contextmanager
    def writing(self, patience_seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the lake's one pen; raises BusyError when another process keeps it too long."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".writer.lock", is_singleton=True)
        try:
            lock.acquire(timeout=patience_seconds)
        except Timeout:
            raise BusyError(
                f"Another process has been writing to {self.folder} for over {patience_seconds:g} s.",
                "Wait for it to end, or stop it, then repeat.",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def commit(self, name: str, staged: Sequence[Path]) -> Commit:
        """Merge staged Parquet files into the table by its key, in one atomic commit.

        The files hold exactly the contract's columns, each key once. A row whose key is there with the same content
        changes nothing; with other content it takes the old row's place. Rows about somebody erased since are left out.
        """
        contract = table(name)
        with self.writing():
            incoming = self.engine.read(staged)
            allowed, erased = self._without_erased(incoming)
            if self.version(name) is None:
                return replace(self._create(contract, allowed), erased=erased)
            return replace(self._merge(contract, allowed), erased=erased)

    def delete(self, name: str, rows: pl.DataFrame) -> int:
        """Delete the rows that have these keys (columns: the table's key), in one commit; returns how many there were.

        Older versions have them still, until `forget_past`.
        """
        with self.writing():
            return delete_matching(self.folder / name, rows.select(table(name).key))

    def settle_present(self, names: Sequence[str]) -> None:
        """Delete every file that the newest version of these tables has no need of: older versions are gone then.

        Who reads an older one meanwhile finds its files missing.
        """
        with self.writing():
            for name in names:
                settle_present(self.folder / name)

    def forget_past(self, names: Sequence[str]) -> None:
        """Delete what the logs of these tables tell of older versions: also it holds values, as statistics of files."""
        with self.writing():
            for name in names:
                forget_past(self.folder / name)

    def quarantine(self, file: str, name: str, refused: pl.DataFrame, rows: tuple[int, int] | None = None) -> None:
        """Make `refused` all that is quarantined for this file and table, in one atomic commit.

        With `rows`, of those rows alone, the first and the last: for a source that never ends.
        """
        with self.writing():
            if refused.is_empty() and self._open(QUARANTINE) is None:
                return
            of_file = f"{c.FILE} = '{_quoted(file)}' AND \"{c.TABLE}\" = '{name}'"
            if rows is not None:
                of_file += f' AND "{c.ROW}" >= {rows[0]} AND "{c.ROW}" <= {rows[1]}'
            told = refused.select(pl.col(k).cast(t) for k, t in QUARANTINE_SCHEMA.items())
            if self._open(QUARANTINE) is None:
                write_deltalake(self._path(QUARANTINE), told.to_arrow())
            else:
                write_deltalake(self._path(QUARANTINE), told.to_arrow(), mode="overwrite", predicate=of_file)

    def keep_quarantined(self, kept: pl.DataFrame) -> None:
        """Make these rows all that is quarantined, of whatever file, in one atomic commit."""
        with self.writing():
            write_deltalake(self._path(QUARANTINE), kept.to_arrow(), mode="overwrite")

    def tidy(self, name: str, most_files: int) -> bool:
        """Put a table's small files together where it has more than `most_files`; the rows and older versions stay."""
        delta = self._open(name)
        if delta is None or len(delta.file_uris()) <= most_files:
            return False
        with self.writing():
            delta = DeltaTable(self._path(name))
            return int(delta.optimize.compact()["numFilesRemoved"]) > 0

    def sync(self, name: str, since: datetime) -> None:
        """See to it that every commit of a table since a moment is on the disk, should the power fail.

        A commit alone survives a process that dies, as any written file does, but is synced when the system likes.
        """
        folder = self.folder / name
        log = folder / "_delta_log"
        entries = [e for e in os.scandir(log) if e.name.endswith(".json")] if log.is_dir() else []
        recent = [Path(e.path) for e in entries if e.stat().st_mtime >= since.timestamp() - CLOCK_SLACK_SECONDS]
        added = {folder / path for entry in recent for path in _added(entry)}
        for path in sorted({*added, *recent, *(file.parent for file in (*added, *recent)), folder, self.folder}):
            _fsync(path)

    # -- inside

    def _path(self, name: str) -> str:
        return str(self.folder / name)

    def _open(self, name: str, version: int | None = None) -> DeltaTable | None:
        if not DeltaTable.is_deltatable(self._path(name)):
            return None
        try:
            return DeltaTable(self._path(name), version=version)
        except DeltaError as error:
            raise StoreError(
                f"The table '{name}' cannot be opened{'' if version is None else f' at version {version}'}: {error}.",
                "Restore the workspace's lake folder from a copy."
                if version is None
                else "An erasure leaves only the newest version of a table: repeat with that.",
            ) from None

    def _without_erased(self, incoming: Any) -> tuple[Any, int]:
        """The rows less those about somebody who was erased after they happened; and how many these are."""
        import ibis

        owners = owners_in(incoming) if self.erased else []
        allowed = incoming
        for who in owners:
            named = incoming.select(who=who).filter(ibis._.who.notnull()).distinct()
            found = self.erased.among(self.engine.to_polars(named)["who"].to_list())
            if found:
                schema = {"who": pl.String(), "until": TIME_TYPE}
                until = ibis.memtable(pl.DataFrame(list(found.items()), schema=schema, orient="row"))
                there = allowed.mutate(__who__=owners_in(allowed)[owners.index(who)])
                joined = there.left_join(until, there["__who__"] == until.who)
                lawful = joined.until.isnull() | (joined[c.HAPPENED_AT] > joined.until)
                allowed = joined.filter(lawful).select(*incoming.columns)
        if allowed is incoming:
            return incoming, 0
        allowed = allowed.cache()
        return allowed, int(incoming.count().execute()) - int(allowed.count().execute())

    def _create(self, contract: Table, incoming: Any) -> Commit:
        new = int(incoming.count().execute())
        if new:
            self._write(contract, incoming)
        return Commit(new, 0, 0, self.version(contract.name) or 0)

    def _merge(self, contract: Table, incoming: Any) -> Commit:
        fate = self._fates(contract, incoming).cache()
        counts = dict(fate.group_by("fate").agg(n=fate.count()).execute().itertuples(index=False))
        new, changed, same = (int(counts.get(k, 0)) for k in ("new", "changed", "same"))
        if changed:
            self._upsert(contract, fate.filter(fate.fate != "same").drop("fate"))
        elif new:
            self._write(contract, fate.filter(fate.fate == "new").drop("fate"))
        return Commit(new, changed, same, self.version(contract.name) or 0)

    def _fates(self, contract: Table, incoming: Any) -> Any:
        """The incoming rows, each with its fate: new, changed, or same."""
        import ibis

        there = self.read(contract.name)
        content = [k.name for k in contract.columns if k.name not in (*contract.key, *_NOT_CONTENT)]
        marked = there.select(*contract.key, *content).rename({f"old_{k}": k for k in content}).mutate(is_there=True)
        joined = incoming.left_join(marked, list(contract.key))
        same = ibis.and_(*(joined[k].identical_to(joined[f"old_{k}"]) for k in content))
        fate = ibis.cases((joined.is_there.isnull(), "new"), (same, "same"), else_="changed")
        return joined.mutate(fate=fate).select(*contract.schema, "fate")

    def _with_month(self, rows: Any) -> Any:
        return rows.mutate(**{c.MONTH: rows[c.HAPPENED_AT].strftime("%Y-%m")})

    def _write(self, contract: Table, rows: Any) -> None:
        write_deltalake(
            self._path(contract.name),
            self._stream(contract, rows),
            mode="append",
            partition_by=[c.MONTH],
            writer_properties=WriterProperties(compression="ZSTD"),
        )

    def _upsert(self, contract: Table, rows: Any) -> None:
        same_key = " AND ".join(f"there.{k} = incoming.{k}" for k in contract.key)
        delta = DeltaTable(self._path(contract.name))
        merge = delta.merge(self._stream(contract, rows), same_key, source_alias="incoming", target_alias="there")
        merge.when_matched_update_all().when_not_matched_insert_all().execute()

    def _stream(self, contract: Table, rows: Any) -> pa.RecordBatchReader:
        """Rows as Arrow batches in the contract's exact types: what the lake keeps never drifts with the engine's."""
        import pyarrow as pa

        schema = pa.schema([*pl.DataFrame(schema=contract.schema).to_arrow().schema, pa.field(c.MONTH, pa.string())])
        schema = pa.schema([pa.field(f.name, _plain(f.type)) for f in schema])
        reader = self._with_month(rows).to_pyarrow_batches(chunk_size=200_000)
        return pa.RecordBatchReader.from_batches(schema, (b.select(schema.names).cast(schema) for b in reader))


def _added(log_entry: Path) -> Iterator[str]:
    """The files that a commit added, relative to the table."""
    # Not by str.splitlines, which also cuts at line separators that a text in the log may hold.
    for line in log_entry.read_bytes().splitlines():
        if "add" in (action := orjson.loads(line)):
            yield unquote(action["add"]["path"])


def _fsync(path: Path) -> None:
    """Sync a file or a folder; one that is gone needs it no more."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, PermissionError):
        # Windows opens no folders, and keeps their entries by itself.
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(kind: Any) -> Any:
    import pyarrow as pa

    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _quoted(text: str) -> str:
    return text.replace("'", "''")
