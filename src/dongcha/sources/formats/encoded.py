"""Bytes made text: unpacked, their encoding found out, their lines counted."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import IO, Any, Final

from dongcha.errors import InputError
from dongcha.sources.formats.batch import Progress

SNIFFED_BYTES: Final = 1 << 18
NOT_TEXT: Final = "\ufffd"
ENCODINGS: Final = ("utf_8", "utf_16", "gb18030", "big5", "cp1252", "shift_jis", "euc_kr")


# UTF-32's mark begins with UTF-16's.
MARKS: Final = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SNIFFED_ZEROS: Final = 40
"""Latin letters in UTF-16 without a mark have a zero as every other byte; no other text has so many."""


class _Counted(io.RawIOBase):
    """A binary stream that tells how far it was read."""

    def __init__(self, stream: IO[bytes], of: int, progress: Progress) -> None:
        self._stream, self._of, self._progress = stream, of, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._progress(min(self._stream.tell(), self._of), self._of)
        return len(chunk)

    def close(self) -> None:
        self._stream.close()
        super().close()


def unheard(done: int, of: int) -> None:
    """Progress that nobody watches."""


def whole(file: Path) -> bytes:
    """What a gzipped file unpacks to."""
    return gzip.decompress(file.read_bytes())


def open_text(file: Path, zipped: bool, progress: Progress, notices: list[str]) -> IO[str]:
    """The file as text with its line ends as written; a notice where it is not UTF-8. InputError where it is empty."""
    try:
        with _bytes(file, zipped, unheard) as stream:
            sample = stream.read(SNIFFED_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be unpacked: {error}.", "Is it really gzip? Export it anew.") from None
    if not sample.strip():
        raise InputError(f"{file} is empty.", "Export it anew.")
    encoding = _encoding(sample)
    if encoding != "utf-8-sig":
        notices.append(f"the file is not UTF-8; it is read as {encoding.upper()}")
    return io.TextIOWrapper(_bytes(file, zipped, progress), encoding, errors="replace", newline="")


def _bytes(file: Path, zipped: bool, progress: Progress) -> IO[bytes]:
    raw: Any = io.BufferedReader(_Counted(file.open("rb"), file.stat().st_size, progress), 1 << 20)
    return io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20) if zipped else raw


def _encoding(sample: bytes) -> str:
    """UTF-8 where it can be, UTF-16 and 32 by their mark, else what charset-normalizer finds likeliest."""
    for mark, encoding in MARKS:
        if sample.startswith(mark):
            return encoding
    if set(sample[1:SNIFFED_ZEROS:2]) == {0}:
        return "utf-16-le"
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
