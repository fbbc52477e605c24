"""From words to numbers: whose a row is, and which of some names stands in it.

Of few rows, which are asked about at request time, each is looked up by itself: frames would take far longer.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Codes = NDArray[np.int64]

FEW: Final = 10_000


def numbered(column: pl.Series) -> tuple[Codes, list[str]]:
    """Each row's number, -1 for null, and the different words by their numbers, in the order of bytes."""
    if len(column) < FEW:
        told = column.to_list()
        words = sorted({word for word in told if word is not None})
        places = {word: place for place, word in enumerate(words)}
        return np.array([places.get(word, -1) for word in told], dtype=np.int64), words
    codes = column.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    return codes.astype(np.int64), column.drop_nulls().unique().sort().to_list()


def placed(ids: pl.Series, among: pl.Series) -> Codes:
    """Where each of the ids stands among others, each of which is there once; -1 for one that is not there."""
    if len(ids) < FEW and len(among) < FEW:
        places = {one: place for place, one in enumerate(among.to_list())}
        return np.array([places.get(one, -1) for one in ids.to_list()], dtype=np.int64)
    numbers = pl.DataFrame({"id": among.cast(pl.String), "place": np.arange(len(among))})
    found = pl.DataFrame({"id": ids.cast(pl.String)}).join(numbers, on="id", how="left", maintain_order="left")
    return found["place"].fill_null(-1).to_numpy().astype(np.int64)
