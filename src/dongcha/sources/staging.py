"""From a source to Parquet files that hold the contract exactly, each key once: what a load commits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.sources.conform import CONTENT, REFUSALS, Conformer
from dongcha.sources.formats.batch import Batch, Source
from dongcha.sources.matching import match
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.tables import Table

FIRST_ROW: Final = "__first_row__"


@dataclass(frozen=True)
class Staged:
    """What a source came to: one Parquet file of accepted rows (None where there are none), and the refusals."""

    file: Path | None
    read: int
    accepted: int
    refused: pl.DataFrame
    """Columns as REFUSALS; a row may be refused for several columns."""
    notices: tuple[str, ...]

    @property
    def quarantined(self) -> int:
        """How many rows were refused."""
        return int(self.refused[c.ROW].n_unique())

    def reasons(self) -> dict[str, int]:
        """Reason → rows, most first; reasons that name another row are told once, by an example."""
        general = pl.col(c.REASON).str.replace(r" as row \d+.*$", " as an earlier row")
        counted = self.refused.group_by(general.alias("general")).agg(
            pl.col(c.ROW).n_unique().alias("rows"), pl.col(c.REASON).first()
        )
        rows = counted.sort("rows", "general", descending=[True, False]).select(c.REASON, "rows").rows()
        return {str(reason): int(count) for reason, count in rows}


def stage(
    source: Source,
    label: str,
    table: Table,
    folder: Path,
    engine: Engine,
    *,
    mapped: Mapping[str, str],
    constants: Mapping[str, str],
    time_zone: str,
    loaded_at: datetime,
) -> Staged:
    """Read the source to its end into `folder`; memory holds one batch at a time.

    What is said to happen over a day after `loaded_at` (clocks differ) is refused: one such row would move every date
    that is counted from the last fact.
    Raises InputError where the columns do not fit or the file breaks in the middle.
    """
    conformer = Conformer(table, match(label, table, source.columns, mapped, constants), label, time_zone, loaded_at)
    looked, broken, read = _looked_at(source.batches, conformer, folder)
    conformer.learn()
    parts, refused = _conformed(looked, conformer, folder)
    refused = pl.concat([broken, refused])
    notices = (*source.notices, *conformer.notices)
    if not parts:
        return Staged(None, read, 0, refused, notices)
    file, again = _keyed(parts, table, conformer.matching.made, folder, engine)
    accepted = int(pl.scan_parquet(file).select(pl.len()).collect().item())
    return Staged(file, read, accepted, pl.concat([refused, again]).sort(c.ROW, maintain_order=True), notices)


def _looked_at(batches: Iterator[Batch], conformer: Conformer, folder: Path) -> tuple[list[Path], pl.DataFrame, int]:
    """The batches' texts as files, what of them was no record, and how many rows were read."""
    looked: list[Path] = []
    broken = [pl.DataFrame(schema=REFUSALS)]
    read = 0
    for number, batch in enumerate(batches):
        raw, bad = conformer.look(batch)
        read += len(batch)
        broken.append(bad)
        if len(raw):
            looked.append(folder / f"text-{number:06}.parquet")
            raw.write_parquet(looked[-1], compression="lz4", statistics=False)
    return looked, pl.concat(broken), read


def _conformed(looked: list[Path], conformer: Conformer, folder: Path) -> tuple[list[Path], pl.DataFrame]:
    """The texts as files of rows of the contract, and the refusals; each text's file goes as its rows come."""
    parts: list[Path] = []
    refused = [pl.DataFrame(schema=REFUSALS)]
    for number, file in enumerate(looked):
        good, bad = conformer.conform(pl.read_parquet(file))
        file.unlink()
        refused.append(bad)
        if len(good):
            parts.append(folder / f"part-{number:06}.parquet")
            good.write_parquet(parts[-1], compression="lz4")
    return parts, pl.concat(refused)


def _keyed(
    parts: list[Path], table: Table, made: tuple[str, ...], folder: Path, engine: Engine
) -> tuple[Path, pl.DataFrame]:
    """Make what the key lacks, keep each key's first row, refuse the others."""
    import ibis

    rows = engine.read(parts)
    for name in made:
        rows = rows.mutate(**{name: _made(rows, table, name)})
    first = ibis.window(group_by=[rows[k] for k in table.key])
    rows = rows.mutate(**{FIRST_ROW: rows[c.ROW].min().over(first)})
    kept = rows.filter(rows[c.ROW] == rows[FIRST_ROW])
    file = folder / "accepted.parquet"
    columns = [kept[k].cast(_engine_type(k, table)) if k in made else kept[k] for k in table.schema]
    engine.write(kept.select(*columns), file)
    return file, _repeated(engine, rows, table)


def _made(rows: Any, table: Table, name: str) -> Any:
    import ibis

    if name == c.LINE:
        place = ibis.row_number().over(ibis.window(group_by=rows[c.ORDER_ID], order_by=rows[c.ROW]))
        return (place + 1).cast("int64")
    # The same content twice is two facts; their order makes the ids differ, and the same at every load.
    digest = rows[CONTENT].hexdigest("md5")
    twin = ibis.row_number().over(ibis.window(group_by=rows[CONTENT], order_by=rows[c.ROW]))
    return digest + ibis.ifelse(twin > 0, "-" + twin.cast("string"), "")


def _engine_type(name: str, table: Table) -> str:
    return "int64" if name == c.LINE else "string"


def _repeated(engine: Engine, rows: Any, table: Table) -> pl.DataFrame:
    again = rows.filter(rows[c.ROW] != rows[FIRST_ROW])
    key = " + ".join(table.key)
    found = engine.to_polars(
        again.select(c.ROW, FIRST_ROW, *(again[k].cast("string").name(f"key_{k}") for k in table.key))
    )
    return found.select(
        c.ROW,
        pl.lit(key).alias(c.COLUMN),
        pl.concat_str([f"key_{k}" for k in table.key], separator=" + ", ignore_nulls=True).alias(c.VALUE),
        pl.format("the same {} as row {}", pl.lit(key), FIRST_ROW).alias(c.REASON),
    ).select(pl.col(k).cast(kind) for k, kind in REFUSALS.items())
