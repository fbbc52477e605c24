"""The first sheet of an Excel workbook."""

from __future__ import annotations

import zlib
from pathlib import Path

from dongcha.errors import InputError
from dongcha.sources.formats.batch import Batch, Progress, Source, as_numbers, as_text, unique_names
from dongcha.sources.formats.encoded import whole


def read_xlsx(file: Path, zipped: bool, progress: Progress) -> Source:
    """Read a workbook's first sheet, whose first row is its header."""
    import fastexcel

    try:
        sheets = fastexcel.read_excel(whole(file) if zipped else file)
        sheet = sheets.load_sheet(0, dtypes="string")
    except (fastexcel.FastExcelError, OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(
            f"{file} is no Excel workbook: {str(error).splitlines()[0]}.", "Save it as .xlsx anew."
        ) from None
    frame = as_text(sheet.to_polars())
    if frame.is_empty():
        raise InputError(f"{file} holds no rows in its first sheet.", "Put the table there.")
    notices = [f"only the first sheet, '{sheets.sheet_names[0]}', is read"] if len(sheets.sheet_names) > 1 else []
    frame.columns = unique_names(frame.columns)
    return Source(frame.columns, iter([Batch(frame, as_numbers(range(2, len(frame) + 2)))]), notices)
