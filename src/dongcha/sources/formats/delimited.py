"""csv and tsv, with every line accounted for whatever stray quotation marks it holds."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import polars as pl

from dongcha.errors import InputError
from dongcha.sources.formats.batch import BATCH_ROWS, Batch, Progress, Source, as_numbers, unique_names
from dongcha.sources.formats.encoded import NOT_TEXT, open_text

LONGEST_FIELD: Final = 1 << 24
DELIMITERS: Final = ",;\t|"
TELLING: Final = 3
"""With fewer columns, a line of text has the header's number of fields too easily to prove anything."""

Record = tuple[int, list[str], str]
"""(the line it starts on, its fields, why it is no record or an empty text)."""


def read_delimited(file: Path, zipped: bool, progress: Progress) -> Source:
    """Read a csv, tsv or txt file whose first line is its header."""
    notices: list[str] = []
    text = open_text(file, zipped, progress, notices)
    lines = _Lines(text)
    tabs = Path(file.stem if zipped else file.name).suffix.lower() == ".tsv"
    delimiter = _skip_to_header(lines) or ("\t" if tabs else _delimiter(lines.peek()))
    csv.field_size_limit(LONGEST_FIELD)
    raw = next(_Records(lines, delimiter), (1, [], ""))[1]
    if not any(name.strip() for name in raw):
        raise InputError(f"{file} has no header in its first line.", "Write the columns' names there.")
    header = unique_names(raw)
    if delimiter not in (",", "\t"):
        notices.append(f"the columns are told apart by '{delimiter}'")
    return Source(header, _batches(_Records(lines, delimiter, len(header)), header), notices)


def _skip_to_header(lines: _Lines) -> str:
    """Skip blank lines and Excel's `sep=;`; returns the delimiter that line names, or an empty text."""
    named = ""
    while (line := lines.peek()) and (not line.strip(" \r\n") or line.startswith("sep=")):
        named = line.strip("\r\n")[4:5] or named
        next(lines)
        lines.taken.clear()
    return named


def _delimiter(header: str) -> str:
    """The mark that cuts the header into most columns; a comma where none does."""
    return max(DELIMITERS, key=lambda mark: (header.count(mark), mark == ","))


class _Lines:
    """A file's lines, which can be given back; `number` is the line read last."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._text)
        self.taken.append(line)
        self.number += 1
        return line

    def peek(self) -> str:
        """The next line, which stays."""
        line = next(self, "")
        self.give_back(0)
        return line

    def give_back(self, keep: int) -> None:
        """Give back what was taken since the last record but its first `keep` lines."""
        self._returned.extendleft(reversed(self.taken[keep:]))
        self.number -= len(self.taken) - keep
        self.taken.clear()


class _Records:
    """Records of a file, each strictly read; what cannot be is refused line by line.

    A quotation mark that nobody closes would take all lines up to the next mark into one field. So a record of several
    lines must be written as RFC 4180 says and have the header's number of fields, and its lines must not each look
    like a record; else its first line alone is refused and reading goes on at its second.
    """

    def __init__(self, lines: _Lines, delimiter: str, fields: int | None = None) -> None:
        self._lines, self._delimiter, self._fields = lines, delimiter, fields
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        self._lines.taken.clear()
        start = self._lines.number + 1
        try:
            record = next(self._reader)
        except csv.Error as error:
            return self._again(start, str(error))
        if len(self._lines.taken) > 1 and (why := self._stray(record)):
            return self._again(start, why)
        return start, record, self._wrong(record)

    def _again(self, start: int, why: str) -> Record:
        """Read the record's first line alone, forgiving marks inside a field; the other lines come again."""
        first, several = self._lines.taken[0], len(self._lines.taken) > 1
        self._lines.give_back(1)
        self._reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        try:
            record = next(csv.reader([first], delimiter=self._delimiter))
        except csv.Error as error:
            return start, [first], f"the line cannot be read: {error}"
        wrong = self._wrong(record)
        if several or wrong or record[-1].endswith(("\n", "\r")):
            return start, [first.rstrip("\r\n")], f"a quotation mark in the line is out of place: {wrong or why}"
        return start, record, ""

    def _stray(self, record: list[str]) -> str:
        """Why a record of several lines is taken for a stray mark's catch, or an empty text."""
        if self._fields is None:
            return ""
        if len(record) != self._fields:
            return "it is never closed"
        looks = [self._cuts(line) for line in self._lines.taken if line.strip()]
        return "it would take whole rows in" if self._fields >= TELLING and set(looks) == {self._fields} else ""

    def _cuts(self, line: str) -> int:
        """How many fields a line has if no mark has a meaning."""
        return line.count(self._delimiter) + 1

    def _wrong(self, record: list[str]) -> str:
        if self._fields is not None and record and len(record) != self._fields:
            return f"the line has {len(record)} fields; the header has {self._fields}"
        if NOT_TEXT in "".join(record):
            return "the line holds bytes that are no text in this file's encoding"
        return ""


def _batches(records: Iterator[Record], header: list[str]) -> Iterator[Batch]:
    kept: list[list[str]] = []
    numbers: list[int] = []
    broken: list[tuple[int, str, str]] = []
    for number, record, why in records:
        if why:
            broken.append((number, "|".join(record), why))
        elif record:
            kept.append(record)
            numbers.append(number)
        if len(kept) + len(broken) >= BATCH_ROWS:
            yield _batch(header, kept, numbers, broken)
            kept, numbers, broken = [], [], []
    if kept or broken:
        yield _batch(header, kept, numbers, broken)


def _batch(
    header: list[str], records: list[list[str]], numbers: list[int], broken: list[tuple[int, str, str]]
) -> Batch:
    columns = list(zip(*records, strict=True)) or [()] * len(header)
    rows = pl.DataFrame([pl.Series(name, values, pl.String) for name, values in zip(header, columns, strict=True)])
    return Batch(rows, as_numbers(numbers), broken)
