"""What a customer did at each moment, as one event with the products it was about."""

from __future__ import annotations

from typing import Final

import polars as pl

from dongcha import columns as c

DONE_TO_THEM: Final = (
    "Email Sent",
    "Email Delivered",
    "Email Bounced",
    "Push Notification Sent",
    "Push Notification Received",
    "Push Notification Bounced",
    "SMS Sent",
    "SMS Delivered",
)
"""What happens to a customer is no action of theirs (Segment's names); opening a mail or sending goods back is."""
SESSION_MINUTES: Final = 30
"""What comes within this of the event before belongs to one visit."""
STARTS: Final = "starts_visit"


def actions(timeline: pl.DataFrame) -> pl.DataFrame:
    """The lines of what each customer did at each moment: customer_id, happened_at, event, product_id.

    By customer, oldest first. Of several events of one moment the one with most lines counts (ties by name).
    """
    lines = timeline.filter(~pl.col(c.EVENT).is_in(DONE_TO_THEM))
    lines = lines.select(c.CUSTOMER_ID, c.HAPPENED_AT, c.EVENT, c.PRODUCT_ID)
    counted = lines.group_by(c.CUSTOMER_ID, c.HAPPENED_AT, c.EVENT).len()
    most = counted.sort(pl.col("len"), pl.col(c.EVENT), descending=[True, False]).unique(
        [c.CUSTOMER_ID, c.HAPPENED_AT], keep="first", maintain_order=True
    )
    kept = lines.join(most.drop("len"), on=[c.CUSTOMER_ID, c.HAPPENED_AT, c.EVENT])
    return kept.sort(c.CUSTOMER_ID, c.HAPPENED_AT, c.PRODUCT_ID, nulls_last=True)


def voted(lines: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The category that most lines of each `by` have: columns `by` + category, sorted by them.

    `lines`: `by` + category. Ties by name; null only where no line has one.
    """
    counted = lines.group_by(*by, c.CATEGORY).len()
    told = pl.col(c.CATEGORY).is_not_null()
    best = counted.sort(told, pl.col("len"), pl.col(c.CATEGORY), descending=[True, True, False])
    return best.unique(by, keep="first", maintain_order=True).drop("len").sort(by)


def with_visits(moments: pl.DataFrame) -> pl.DataFrame:
    """With `starts_visit`: whether the moment begins a visit. `moments` are by customer, oldest first."""
    since = pl.col(c.HAPPENED_AT).diff().over(c.CUSTOMER_ID)
    begins = (since > pl.duration(minutes=SESSION_MINUTES)).fill_null(True)
    return moments.with_columns(begins.alias(STARTS))
