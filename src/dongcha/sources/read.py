"""Any file as batches of text: one row a record, each with the number it has in its file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from dongcha.columns import ROW
from dongcha.errors import InputError

BATCH_ROWS: Final = 50_000
SNIFFED_BYTES: Final = 1 << 18
LONGEST_FIELD: Final = 1 << 24
DELIMITERS: Final = ",;\t|"
NOT_TEXT: Final = "\ufffd"
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson", ".xlsx")
ENCODINGS: Final = ("utf_8", "utf_16", "gb18030", "big5", "cp1252", "shift_jis", "euc_kr")


@dataclass(frozen=True)
class Batch:
    """Some records: `rows` has a String column per column of the file and ROW (Int64); `broken` what was no record.

    ROW counts as a person would in that kind of file: the line of a text file on which the record starts (a csv's
    header is line 1), the sheet's row number, or 1, 2, … in Parquet and in a JSON array.
    """

    rows: pl.DataFrame
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    """(row, the text, why it is no record)."""


@dataclass
class Source:
    """A file that can be read: its columns, its batches, and what was assumed about it."""

    columns: list[str]
    batches: Iterator[Batch]
    notices: list[str] = field(default_factory=list)


def open_source(file: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> Source:
    """Open a file by its name: csv, tsv, txt, parquet, json, jsonl, ndjson, xlsx, each also with .gz.

    `progress` is called with (bytes read, bytes in all). Raises InputError naming the file where it is missing, empty,
    unreadable or of another kind. Reading on may raise InputError too: a file can break in the middle.
    """
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is not there"
        raise InputError(f"{file} {what}.", "Name a file; folders are loaded with --layout.")
    if file.stat().st_size == 0:
        raise InputError(f"{file} is empty.", "Export it anew.")
    zipped = file.suffix.lower() == ".gz"
    suffix = Path(file.stem if zipped else file.name).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{file} is of an unknown kind.", f"Known are: {', '.join(SUFFIXES)}, each also with .gz.")
    source = _READERS[suffix](file, zipped, progress)
    source.batches = _told(file, source.batches)
    return source


def _told(file: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches; what breaks in the middle is told as the file's fault."""
    try:
        yield from batches
    except _BREAKS as error:
        raise InputError(f"{file} breaks off or is damaged: {error}.", "Export it anew; nothing was loaded.") from None


_BREAKS: Final = (OSError, EOFError, zlib.error, pl.exceptions.PolarsError, UnicodeError)


# -- text files


class _Counted(io.RawIOBase):
    """A binary stream that tells how far it was read."""

    def __init__(self, stream: IO[bytes], of: int, progress: Callable[[int, int], None]) -> None:
        self._stream, self._of, self._progress = stream, of, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._progress(min(self._stream.tell(), self._of), self._of)
        return len(chunk)


def _bytes(file: Path, zipped: bool, progress: Callable[[int, int], None]) -> IO[bytes]:
    raw: Any = io.BufferedReader(_Counted(file.open("rb"), file.stat().st_size, progress), 1 << 20)
    return gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[return-value]


def _text(file: Path, zipped: bool, progress: Callable[[int, int], None], notices: list[str]) -> IO[str]:
    try:
        sample = _bytes(file, zipped, lambda done, of: None).read(SNIFFED_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be unpacked: {error}.", "Is it really gzip? Export it anew.") from None
    if not sample.strip():
        raise InputError(f"{file} is empty.", "Export it anew.")
    encoding = _encoding(sample)
    if encoding not in ("utf-8", "utf-8-sig"):
        notices.append(f"the file is not UTF-8; it is read as {encoding.upper()}")
    return io.TextIOWrapper(_bytes(file, zipped, progress), encoding, errors="replace", newline="")


def _encoding(sample: bytes) -> str:
    """UTF-8 where it can be, UTF-16 by its mark, else what charset-normalizer finds likeliest."""
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        # A sample may end inside a character: only what comes before its last line counts.
        sample[: sample.rfind(b"\n") + 1 or len(sample)].decode("utf-8")
        return "utf-8-sig"
    except UnicodeDecodeError as error:
        stray = len(sample) - error.start
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=list(ENCODINGS)).best()
    likeliest = found.encoding if found else "utf_8"
    if likeliest == "utf_8" or stray < 4:
        return "utf-8-sig"
    return likeliest.replace("_", "-")


def _read_csv(file: Path, zipped: bool, progress: Callable[[int, int], None]) -> Source:
    notices: list[str] = []
    text = _text(file, zipped, progress, notices)
    start = text.read(1 << 16)
    stream = _Rejoined(start, text)
    suffix = Path(file.stem if zipped else file.name).suffix.lower()
    delimiter = "\t" if suffix == ".tsv" else _delimiter(start)
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(stream, delimiter=delimiter)
    header = _names(next(reader, []))
    if not any(header):
        raise InputError(f"{file} has no header in its first line.", "Write the columns' names there.")
    if delimiter not in (",", "\t"):
        notices.append(f"the columns are told apart by '{delimiter}'")
    return Source(header, _csv_batches(reader, header), notices)


class _Rejoined:
    """Lines of what was read ahead and then of the rest."""

    def __init__(self, start: str, rest: IO[str]) -> None:
        self._start, self._rest = start, rest

    def __iter__(self) -> Iterator[str]:
        lines = list(io.StringIO(self._start, newline=""))
        yield from lines[:-1]
        last = lines[-1] if lines else ""
        if last.endswith("\n"):
            yield last
            last = ""
        following = iter(self._rest)
        first = last + next(following, "")
        if first:
            yield first
        yield from following


def _delimiter(start: str) -> str:
    """The mark that cuts the header into most columns; a comma where none does."""
    header = start.split("\n", 1)[0]
    return max(DELIMITERS, key=lambda mark: (header.count(mark), mark == ","))


def _names(header: list[str]) -> list[str]:
    """The columns' names, made unique; a nameless column is called by its place."""
    seen: dict[str, int] = {}
    names = []
    for place, raw in enumerate(header, start=1):
        name = raw.strip().strip("\ufeff") or f"column_{place}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names


def _csv_batches(reader: Any, header: list[str]) -> Iterator[Batch]:
    kept: list[list[str]] = []
    numbers: list[int] = []
    broken: list[tuple[int, str, str]] = []
    while True:
        number = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            broken.append((number, "", f"the line cannot be read: {error}"))
            continue
        if why := _wrong(record, len(header)):
            if record:
                broken.append((number, "|".join(record), why))
            continue
        kept.append(record)
        numbers.append(number)
        if len(kept) + len(broken) >= BATCH_ROWS:
            yield _batch(header, kept, numbers, broken)
            kept, numbers, broken = [], [], []
    if kept or broken:
        yield _batch(header, kept, numbers, broken)


def _wrong(record: list[str], fields: int) -> str:
    if len(record) != fields:
        return f"the line has {len(record)} fields; the header has {fields}" if record else "blank"
    if any(NOT_TEXT in value for value in record):
        return "the line holds bytes that are no text in this file's encoding"
    return ""


def _batch(
    header: list[str], records: list[list[str]], numbers: list[int], broken: list[tuple[int, str, str]]
) -> Batch:
    columns = {
        name: pl.Series(name, values, pl.String)
        for name, values in zip(header, zip(*records, strict=True), strict=False)
    }
    rows = pl.DataFrame(columns) if columns else pl.DataFrame(schema=dict.fromkeys(header, pl.String))
    return Batch(rows.with_columns(pl.Series(ROW, numbers, pl.Int64)), broken)


# -- JSON


def _read_json(file: Path, zipped: bool, progress: Callable[[int, int], None]) -> Source:
    notices: list[str] = []
    text = _text(file, zipped, progress, notices)
    start = text.read(1 << 12)
    if start.lstrip("\ufeff \t\r\n").startswith("["):
        records = _array(file, start + text.read())
    else:
        records = _lines(_Rejoined(start, text))
    first = _json_batches(records)
    head = next(first, None)
    if head is None:
        raise InputError(f"{file} holds no record.", "Write one JSON object a line, or an array of objects.")
    columns = [name for name in head.rows.columns if name != ROW]
    return Source(columns, _chained(head, first), notices)


def _chained(head: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield head
    yield from rest


def _array(file: Path, content: str) -> Iterator[tuple[int, str, Any]]:
    try:
        items = _loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}.", "Write one JSON object a line instead.") from None
    return ((number, "", item) for number, item in enumerate(items, start=1))


def _lines(lines: _Rejoined) -> Iterator[tuple[int, str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, line, _loads(line)
        except (ValueError, RecursionError):
            yield number, line, None


def _loads(content: str) -> Any:
    """JSON with its numbers left as written: 400 digits must not become infinity before they are looked at."""
    return json.loads(content.strip("\ufeff"), parse_int=str, parse_float=str, parse_constant=str)


def _json_batches(records: Iterator[tuple[int, str, Any]]) -> Iterator[Batch]:
    kept: list[dict[str, str | None]] = []
    broken: list[tuple[int, str, str]] = []
    for number, text, item in records:
        if isinstance(item, dict):
            kept.append({ROW: str(number), **{str(k): _as_text(v) for k, v in item.items() if k != ROW}})
        else:
            broken.append((number, text or json.dumps(item, ensure_ascii=False), "this is not a JSON object"))
        if len(kept) + len(broken) >= BATCH_ROWS:
            yield _object_batch(kept, broken)
            kept, broken = [], []
    if kept or broken:
        yield _object_batch(kept, broken)


def _object_batch(kept: list[dict[str, str | None]], broken: list[tuple[int, str, str]]) -> Batch:
    names = dict.fromkeys(name for record in kept for name in record) or {ROW: None}
    rows = pl.DataFrame({n: pl.Series(n, [r.get(n) for r in kept], pl.String) for n in names})
    return Batch(rows.with_columns(pl.col(ROW).cast(pl.Int64)), broken)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, bool) else str(value).lower()


# -- Parquet and Excel


def _read_parquet(file: Path, zipped: bool, progress: Callable[[int, int], None]) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(io.BytesIO(_whole(file)) if zipped else file)
    except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} is no Parquet file: {error}.", "Export it anew.") from None
    total = opened.metadata.num_rows
    if total == 0:
        raise InputError(f"{file} holds no rows.", "Export it anew.")
    return Source(list(opened.schema_arrow.names), _parquet_batches(opened, total, progress))


def _parquet_batches(opened: Any, total: int, progress: Callable[[int, int], None]) -> Iterator[Batch]:
    done = 0
    for batch in opened.iter_batches(BATCH_ROWS):
        frame = pl.DataFrame(pl.from_arrow(batch))
        numbers = pl.int_range(done + 1, done + len(frame) + 1, dtype=pl.Int64, eager=True).alias(ROW)
        done += len(frame)
        progress(done, total)
        yield Batch(as_text(frame).with_columns(numbers))


def _whole(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes())


def _read_xlsx(file: Path, zipped: bool, progress: Callable[[int, int], None]) -> Source:
    import fastexcel

    try:
        sheets = fastexcel.read_excel(_whole(file) if zipped else file)
        sheet = sheets.load_sheet(0, dtypes="string")
    except (fastexcel.FastExcelError, OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(
            f"{file} is no Excel workbook: {str(error).splitlines()[0]}.", "Save it as .xlsx anew."
        ) from None
    frame = as_text(sheet.to_polars())
    if frame.is_empty():
        raise InputError(f"{file} holds no rows in its first sheet.", "Put the table there.")
    notices = [f"only the first sheet, '{sheets.sheet_names[0]}', is read"] if len(sheets.sheet_names) > 1 else []
    numbers = pl.int_range(2, len(frame) + 2, dtype=pl.Int64, eager=True).alias(ROW)
    names = dict(zip(frame.columns, _names(frame.columns), strict=True))
    return Source(list(names.values()), iter([Batch(frame.rename(names).with_columns(numbers))]), notices)


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as String, written so that it can be read back exactly; a whole float loses its `.0`."""
    return frame.select(_column_as_text(frame[name]) for name in frame.columns)


def _column_as_text(values: pl.Series) -> pl.Series:
    kind = values.dtype
    if kind == pl.String:
        return values
    if kind.is_float():
        whole = bool((values.drop_nulls() == values.drop_nulls().round()).all()) and bool(
            values.abs().max() or 0 < 2**53
        )
        finite = values.is_finite().fill_null(True).all()
        return (values.cast(pl.Int64) if whole and finite else values).cast(pl.String)
    if isinstance(kind, pl.Datetime):
        form = "%Y-%m-%d %H:%M:%S%.6f" + ("%:z" if kind.time_zone else "")
        return values.dt.strftime(form)
    if kind == pl.Binary:
        return values.cast(pl.String, strict=False)
    if kind.is_nested():
        packed = values if kind == pl.Struct else values.to_frame().select(pl.struct(pl.all())).to_series()
        return packed.struct.json_encode().alias(values.name)
    return values.cast(pl.String)


_READERS: Final[dict[str, Callable[[Path, bool, Callable[[int, int], None]], Source]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".txt": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
    ".xlsx": _read_xlsx,
}
