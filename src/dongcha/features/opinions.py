"""What reviews speak of: the product, its brand, its category, and the shop as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from dongcha import columns as c
from dongcha.features.texts import TEXTS

if TYPE_CHECKING:
    from dongcha.features.point_in_time import Snapshot

WHOLE: Final = "shop/all"
OPINIONS: Final[dict[str, pl.DataType]] = {
    c.SUBJECT_ID: pl.String(),
    **{name: TEXTS[name] for name in (c.TEXT_ID, c.HAPPENED_AT, c.TEXT, c.RATING)},
}


def rated_mood(best: float) -> pl.Expr:
    """The mood, -1 to 1, that a rating says: `best` is 1, the worst that there is (1 of 5 stars, 0 for a thumb) -1."""
    worst = float(best > 1)
    return (2 * (pl.col(c.RATING) - worst) / (best - worst) - 1).clip(-1, 1)


def opinions(facts: Snapshot, reviews: pl.DataFrame) -> pl.DataFrame:
    """Each review once for everything that it speaks of, columns as OPINIONS, by subject and time.

    `reviews`: columns as TEXTS. Brands and categories are those that the snapshot knows; a review of no product, or of
    one without a brand, speaks of the less.
    """
    known = reviews.join(_described(facts), on=c.PRODUCT_ID, how="left").with_columns(shop=pl.lit("all"))
    kinds = {"shop": "shop", c.BRAND: c.BRAND, c.CATEGORY: c.CATEGORY, "product": c.PRODUCT_ID}
    parts = [
        known.filter(pl.col(column).str.strip_chars() != "").select(
            pl.concat_str(pl.lit(f"{kind}/"), pl.col(column)).alias(c.SUBJECT_ID), *list(OPINIONS)[1:]
        )
        for kind, column in kinds.items()
    ]
    return pl.concat(parts).sort(c.SUBJECT_ID, c.HAPPENED_AT, c.TEXT_ID)


def _described(facts: Snapshot) -> pl.DataFrame:
    """The brand and category of each product that is described by then."""
    names = (c.PRODUCT_ID, c.BRAND, c.CATEGORY)
    if not facts.has(c.PRODUCTS):
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
    rows = facts.lake.engine.to_polars(facts.table(c.PRODUCTS).select(*names))
    return rows.select(pl.col(name).cast(pl.String) for name in names)
