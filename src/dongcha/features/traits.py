"""What customers are, rather than did: where they live, what they speak, and whatever else the shop noted of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
import polars as pl

from dongcha import columns as c

if TYPE_CHECKING:
    from dongcha.features.point_in_time import Snapshot

NAMED: Final = (c.COUNTRY, c.CITY, c.LANGUAGE, c.GENDER)
BORN: Final = "born"
MOST_VALUES: Final = 100
"""An extra with more different values than this is no trait but a number or a name."""


def traits(facts: Snapshot) -> pl.DataFrame:
    """customer_id and one String column per trait that tells customers apart, by customer; null where not known.

    Traits are country, city, language, gender, the decade of birth, and those extras of the table customers that have
    few different values. Empty where customers are not loaded.
    """
    if not facts.has(c.CUSTOMERS):
        return pl.DataFrame(schema={c.CUSTOMER_ID: pl.String()})
    rows = facts.table(c.CUSTOMERS).select(c.CUSTOMER_ID, *NAMED, c.BIRTH_DATE, c.EXTRAS)
    found = facts.lake.engine.to_polars(rows).sort(c.CUSTOMER_ID)
    born = (pl.col(c.BIRTH_DATE).cast(pl.Date).dt.year() // 10 * 10).cast(pl.String).alias(BORN)
    named = found.select(pl.col(c.CUSTOMER_ID, *NAMED).cast(pl.String), born)
    extras = _extras(found[c.EXTRAS])
    return named.select(c.CUSTOMER_ID, *_telling(named.drop(c.CUSTOMER_ID)), *_telling(extras, MOST_VALUES))


def _extras(told: pl.Series) -> pl.DataFrame:
    """One column per key of the rows' JSON objects; what is itself an object or a list is left out."""
    rows = [orjson.loads(text) if text else {} for text in told.to_list()]
    names = sorted({name for row in rows for name in row})
    columns = {f"{c.EXTRAS}.{name}": [_plain(row.get(name)) for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))


def _plain(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _telling(frame: pl.DataFrame, most: int | None = None) -> list[pl.Series]:
    """The columns with two values or more, and at most `most`."""
    counted = [(column, column.drop_nulls().n_unique()) for column in frame]
    return [column for column, values in counted if values > 1 and (most is None or values <= most)]
