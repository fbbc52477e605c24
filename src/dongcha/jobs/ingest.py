"""Loading: a file into a table, all of it or nothing, every row accounted for."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import InputError
from dongcha.sources.formats.batch import Source
from dongcha.sources.public_sets import layout_parts
from dongcha.sources.read import open_source
from dongcha.sources.staging import Staged, stage
from dongcha.warehouse.lake import INCOMING, Commit, Lake
from dongcha.warehouse.tables import table

Progress = Callable[[str, int, int], None]
NO_CHANGE: Final = Commit(0, 0, 0, -1)


@dataclass(frozen=True)
class LoadReport:
    """What a load did. read = accepted + quarantined; accepted = new + changed + unchanged + erased, but in a dry run.

    `erased`: rows about a customer who was erased after they happened; nothing of them is kept.
    """

    file: str
    table: str
    read: int
    accepted: int
    quarantined: int
    new: int
    changed: int
    unchanged: int
    version: int
    """The table's version afterwards; -1 where nothing was committed."""
    reasons: dict[str, int]
    """Why rows were quarantined → how many, most first."""
    notices: tuple[str, ...]
    """What was assumed in reading."""
    erased: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return asdict(self)


def load_file(
    lake: Lake,
    file: Path,
    name: str,
    *,
    map: Mapping[str, str],
    set: Mapping[str, str],
    time_zone: str,
    dry_run: bool,
    progress: Progress,
    loaded_at: datetime,
) -> LoadReport:
    """Load one file into one table in one atomic commit.

    `map`: field → the file's column; `set`: field → a value for all rows, or date_order / time_zone; `time_zone`: the
    zone of times without an offset. Rows that break the contract go to quarantine. Raises InputError where the file
    cannot be read, its columns do not fit, or no row is accepted; then the lake is as it was.
    """
    contract = table(name)
    source = open_source(file, lambda done, of: progress(f"Load {file.name}: read", done, of))
    with staging(lake) as folder:
        staged = stage(
            source,
            file.name,
            contract,
            folder,
            lake.engine,
            mapped=map,
            constants=set,
            time_zone=time_zone,
            loaded_at=loaded_at,
        )
        return _commit(lake, str(file), name, staged, dry_run=dry_run, loaded_at=loaded_at)


def load_layout(
    lake: Lake, layout: str, path: Path, *, dry_run: bool, progress: Progress, loaded_at: datetime
) -> list[LoadReport]:
    """Load a known public layout, one report per table and file; see `dongcha.sources.public_sets`."""
    reports = []
    parts = layout_parts(layout, path)
    for done, part in enumerate(parts):
        progress(f"Load {layout}: {part.table}", done, len(parts))
        source = Source(part.columns, part.batches())
        with staging(lake) as folder:
            staged = stage(
                source,
                part.file,
                table(part.table),
                folder,
                lake.engine,
                mapped={},
                constants=part.constants,
                time_zone="UTC",
                loaded_at=loaded_at,
            )
            reports.append(_commit(lake, part.file, part.table, staged, dry_run=dry_run, loaded_at=loaded_at))
    return reports


@contextmanager
def staging(lake: Lake) -> Iterator[Path]:
    """A folder for one load's rows; what a load that was killed has left there is cleared first."""
    incoming = lake.folder / INCOMING
    with lake.writing():
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        folder = Path(tempfile.mkdtemp(dir=incoming))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _commit(lake: Lake, file: str, name: str, staged: Staged, *, dry_run: bool, loaded_at: datetime) -> LoadReport:
    if staged.read == 0:
        raise InputError(f"{file} has a header and no rows.", "Export it anew.")
    if staged.file is None:
        reason, rows = Counter(staged.reasons()).most_common(1)[0]
        raise InputError(
            f"{file}: none of {staged.read:,} rows can be accepted; {rows:,} because {reason}.",
            "Is it the right table, the right --map? Nothing was loaded.",
        )
    done = NO_CHANGE
    if not dry_run:
        # Quarantine first: a load killed between the two commits is mended by loading again.
        lake.quarantine(file, name, stamped(staged.refused, file, name, loaded_at))
        done = lake.commit(name, [staged.file])
    return LoadReport(
        file=file,
        table=name,
        read=staged.read,
        accepted=staged.accepted,
        quarantined=staged.quarantined,
        new=done.new,
        changed=done.changed,
        unchanged=done.unchanged,
        version=done.version,
        reasons=staged.reasons(),
        notices=staged.notices,
        erased=done.erased,
    )


def stamped(refused: pl.DataFrame, file: str, name: str, loaded_at: datetime) -> pl.DataFrame:
    """Refusals as quarantine keeps them."""
    stamp = {c.FILE: file, c.TABLE: name, c.LOADED_AT: loaded_at}
    return refused.with_columns(pl.lit(value).alias(key) for key, value in stamp.items())
