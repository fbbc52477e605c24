"""Parquet, a batch of rows at a time."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from dongcha.errors import InputError
from dongcha.sources.formats.batch import BATCH_ROWS, Batch, Progress, Source, as_numbers, as_text, unique_names
from dongcha.sources.formats.encoded import whole


def read_parquet(file: Path, zipped: bool, progress: Progress) -> Source:
    """Read a Parquet file; nested values become JSON text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(io.BytesIO(whole(file)) if zipped else file)
    except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} is no Parquet file: {error}.", "Export it anew.") from None
    total = opened.metadata.num_rows
    if total == 0:
        raise InputError(f"{file} holds no rows.", "Export it anew.")
    names = unique_names(opened.schema_arrow.names)
    return Source(names, _batches(opened, names, total, progress))


def _batches(opened: Any, names: list[str], total: int, progress: Progress) -> Iterator[Batch]:
    done = 0
    for batch in opened.iter_batches(BATCH_ROWS):
        frame = pl.DataFrame(pl.from_arrow(batch.rename_columns(names)))
        numbers = as_numbers(range(done + 1, done + len(frame) + 1))
        done += len(frame)
        progress(done, total)
        yield Batch(as_text(frame), numbers)
