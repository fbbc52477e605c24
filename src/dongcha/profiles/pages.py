"""What pages show of the whole shop over time, told once when the serving view is published."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import Horizon
from dongcha.features.point_in_time import Snapshot
from dongcha.profiles import retention
from dongcha.profiles.change import by_month, what_changed
from dongcha.profiles.orders import orders_of

FRAMES: Final = ("months", "change", "cohorts", "survival", "repeats", "funnel")
DATES: Final = ("month", "cohort")


def told_pages(snapshot: Snapshot, horizon: Horizon, zone: tzinfo) -> dict[str, Any]:
    """Each of FRAMES as columns of plain values; nothing where no orders are loaded.

    `months`: columns of `profiles.change.by_month`; `change`: one row, a `profiles.change.Change`; `cohorts`,
    `survival`, `repeats` and `funnel`: those of `profiles.retention`. `zone`: whose months.
    """
    if not snapshot.has(c.ORDERS):
        return {}
    orders, as_of = orders_of(snapshot), snapshot.as_of
    lives = retention.lifetimes(orders, as_of, horizon)
    frames = {
        "months": by_month(orders, as_of, zone),
        "change": pl.DataFrame([what_changed(orders, as_of, horizon)]),
        "cohorts": retention.cohorts(orders, as_of, zone),
        "survival": retention.survival(lives["days"].to_numpy(), lives["ended"].to_numpy()),
        "repeats": retention.repeats(orders),
        "funnel": retention.shopping_funnel(snapshot, horizon),
    }
    return {name: frame.to_dict(as_series=False) for name, frame in frames.items()}


def read_page(told: dict[str, Any]) -> pl.DataFrame:
    """A frame again from its columns of plain values, days as dates."""
    frame = pl.DataFrame(told)
    return frame.with_columns(pl.col(name).cast(pl.String).str.to_date() for name in DATES if name in frame.columns)
