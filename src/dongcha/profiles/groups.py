"""What the groups of an insight are like: size, worth, and who moved between two dates."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf

SIZE = "size"
SHARE = "share"
CAME = "came"
LEFT = "left"
TREND = "trend"


def summarise(groups: pl.DataFrame, name: str, beside: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row per group, largest first: the group, size, share, and the mean of every number in `beside`.

    `groups`: entity_id + the group's column `name`; `beside`: frames with entity_id + Float64 columns.
    """
    joined = groups.select(c.ENTITY_ID, name)
    for frame in beside:
        numbers = [k for k, dtype in frame.schema.items() if dtype == pl.Float64]
        joined = joined.join(frame.select(c.ENTITY_ID, *numbers), on=c.ENTITY_ID, how="left")
    means = pl.exclude(c.ENTITY_ID, name).mean()
    found = joined.group_by(name).agg(pl.len().cast(pl.Int64).alias(SIZE), means)
    share = (pl.col(SIZE) / pl.col(SIZE).sum()).alias(SHARE)
    return (
        found.with_columns(share)
        .sort(SIZE, name, descending=[True, False])
        .select(name, SIZE, SHARE, pl.exclude(name, SIZE, SHARE))
    )


def rated_since(texts: pl.DataFrame, since: AsOf) -> pl.DataFrame:
    """Each text's `rating`, and `lately`: 1 if it was said at or after the moment, else 0."""
    lately = (pl.col(c.HAPPENED_AT) >= since.moment).cast(pl.Float64).alias("lately")
    return texts.select(pl.col(c.TEXT_ID).alias(c.ENTITY_ID), c.RATING, lately)


def with_trend(groups: pl.DataFrame) -> pl.DataFrame:
    """`trend` in place of `lately`, the part of a group that is of the last horizon: its share then over its share."""
    recent = pl.col(SIZE) * pl.col("lately")
    trend = recent / recent.sum() / pl.col(SHARE)
    return groups.select(pl.exclude("lately"), pl.when(trend.is_finite()).then(trend).alias(TREND))


def movement(before: pl.DataFrame, after: pl.DataFrame, name: str) -> pl.DataFrame:
    """Who went where between two dates: from, to, customers; `from` is null for those who were not there yet."""
    joined = after.join(before, on=c.ENTITY_ID, how="left", suffix="_before")
    pairs = joined.select(pl.col(f"{name}_before").alias("from"), pl.col(name).alias("to"))
    counted = pairs.group_by("from", "to").agg(pl.len().cast(pl.Int64).alias("customers"))
    return counted.sort("customers", "from", "to", descending=[True, False, False])


def net_movement(moves: pl.DataFrame) -> pl.DataFrame:
    """Per group: how many came in (from another group or as new customers) and how many left for another."""
    changed = moves.filter(pl.col("from").ne_missing(pl.col("to")))
    came = changed.group_by(pl.col("to").alias("group")).agg(pl.col("customers").sum().alias(CAME))
    left = changed.drop_nulls("from").group_by(pl.col("from").alias("group")).agg(pl.col("customers").sum().alias(LEFT))
    return came.join(left, on="group", how="full", coalesce=True).fill_null(0).sort("group")
