"""Looks for a text in every byte of a folder: as it lies there, and in what files of known kinds have packed."""

import gzip
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl


def traces(folder: Path, text: str) -> list[str]:
    """The files that hold the text, in whatever case; names of files and folders count too."""
    wanted = text.lower().encode()
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if wanted in str(path).lower().encode()}
    files = [path for path in folder.rglob("*") if path.is_file()]
    found |= {str(f.relative_to(folder)) for f in files if any(wanted in part.lower() for part in contents(f))}
    return sorted(found)


def contents(file: Path) -> Iterator[bytes]:
    """The file's own bytes, then what is packed in it."""
    raw = file.read_bytes()
    yield raw
    if raw.startswith(b"PAR1"):
        yield from (repr(row).encode() for row in pl.read_parquet(file, hive_partitioning=False).iter_rows())
    elif raw.startswith(b"ARROW1"):
        yield from (repr(row).encode() for row in pl.read_ipc(file).iter_rows())
    elif raw.startswith(b"SQLite format 3"):
        yield from _in_sqlite(file)
    elif raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)
    elif raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(file) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def _in_sqlite(file: Path) -> Iterator[bytes]:
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    db.text_factory = bytes
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in db.execute(f'SELECT * FROM "{name.decode()}"'):
            for value in row:
                yield value if isinstance(value, bytes) else str(value).encode()
                with suppress(zlib.error, TypeError):
                    yield zlib.decompress(value)
    db.close()
