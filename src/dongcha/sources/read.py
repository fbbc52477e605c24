"""Any file as batches of text: one row a record, each with the number it has in its file."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from dongcha.errors import InputError
from dongcha.sources.formats.batch import Batch, Progress, Source
from dongcha.sources.formats.delimited import read_delimited
from dongcha.sources.formats.encoded import unheard
from dongcha.sources.formats.excel import read_xlsx
from dongcha.sources.formats.json_records import read_json
from dongcha.sources.formats.parquet import read_parquet

READERS: Final[dict[str, Callable[[Path, bool, Progress], Source]]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".parquet": read_parquet,
    ".xlsx": read_xlsx,
}
BREAKS: Final = (OSError, EOFError, zlib.error, pl.exceptions.PolarsError, UnicodeError)
"""How a file that was damaged in its middle shows it, whatever its kind."""


def open_source(file: Path, progress: Progress = unheard) -> Source:
    """Open a file by its name: csv, tsv, txt, parquet, json, jsonl, ndjson, xlsx, each also with .gz.

    Raises InputError naming the file where it is missing, empty, unreadable or of another kind. Reading on may raise
    InputError too: a file can break in the middle.
    """
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is not there"
        raise InputError(f"{file} {what}.", "Name a file; folders are loaded with --layout.")
    if file.stat().st_size == 0:
        raise InputError(f"{file} is empty.", "Export it anew.")
    zipped = file.suffix.lower() == ".gz"
    suffix = Path(file.stem if zipped else file.name).suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{file} is of an unknown kind.", f"Known are: {', '.join(READERS)}, each also with .gz.")
    try:
        source = READERS[suffix](file, zipped, progress)
    except BREAKS as error:
        raise _damaged(file, error) from None
    source.batches = _told(file, source.batches)
    return source


def _told(file: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches; what breaks in the middle is told as the file's fault."""
    try:
        yield from batches
    except BREAKS as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: BaseException) -> InputError:
    return InputError(f"{file} breaks off or is damaged: {error}.", "Export it anew; nothing was loaded.")
