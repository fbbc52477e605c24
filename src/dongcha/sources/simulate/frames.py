"""From arrays to the contract's frames: ids, moments, money, and the exact schema."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dongcha import columns as c
from dongcha.sources.simulate.clock import Floats, Ints
from dongcha.warehouse.tables import TIME_TYPE, table

SIMULATED: Final = "simulated"
DAY_SECONDS: Final = 86_400
SECOND_US: Final = 1_000_000


def ids(prefix: str, numbers: Ints, width: int) -> pl.Series:
    """`c000042`: prefix and number, padded so that ids sort as their numbers do."""
    return prefix + pl.Series(numbers).cast(pl.String).str.zfill(width)


def pick(values: Sequence[str | None], index: NDArray[Any]) -> pl.Series:
    """The value at each index; a negative index is null."""
    places = pl.Series(np.asarray(index, dtype=np.int64))
    return pl.Series(list(values), dtype=pl.String).gather(places.set(places < 0, None))


def draw_phrase(rng: np.random.Generator, bank: Ints, *banks: Sequence[str]) -> pl.Series:
    """A phrase drawn for each entry from the bank it names."""
    sizes = np.array([len(b) for b in banks])
    place = (np.cumsum(sizes) - sizes)[bank] + (rng.random(len(bank)) * sizes[bank]).astype(np.int64)
    return pick([phrase for b in banks for phrase in b], place)


def moment(start: date, day: Ints | Floats, second: Ints | Floats | float = 0.0) -> pl.Series:
    """UTC microseconds of a second on a day of the window (day 0 is `start`)."""
    zero = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp())
    seconds = np.floor(zero + np.asarray(day) * DAY_SECONDS + second).astype(np.int64)
    return pl.Series(seconds * SECOND_US).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME_TYPE)


def money(amount: Floats) -> pl.Series:
    """Amounts rounded to cents, as the contract keeps money."""
    return pl.Series(np.round(amount, 2)).cast(pl.Decimal(18, 4))


def conform(name: str, columns: dict[str, Any]) -> pl.DataFrame:
    """The contract's table from some of its columns: the rest is null, known_at defaults to happened_at."""
    columns = {c.SOURCE: SIMULATED, c.KNOWN_AT: columns[c.HAPPENED_AT], **columns}
    frame = pl.DataFrame({key: value for key, value in columns.items() if isinstance(value, pl.Series)})
    constants = [pl.lit(value).alias(key) for key, value in columns.items() if not isinstance(value, pl.Series)]
    frame = frame.with_columns(constants)
    wanted = [
        (pl.col(key) if key in frame.columns else pl.lit(None)).cast(dtype).alias(key)
        for key, dtype in table(name).schema.items()
    ]
    return frame.select(wanted)
