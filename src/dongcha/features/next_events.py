"""What a customer did at each moment, as one event with the products it was about.

The rules are written on arrays: a row's customer and the names in it as numbers, in the order of the names; moments in
microseconds since 1970. One customer's at request time and everybody's at a cutoff go through the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dongcha import columns as c
from dongcha.features.numbering import Codes, numbered

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


def micros_of(moments: pl.Series) -> Codes:
    """Microseconds since 1970."""
    return moments.to_numpy().astype("datetime64[us]").astype(np.int64)


def acted(customers: Codes, moments: Codes, events: Codes, names: list[str]) -> Codes:
    """The places of the lines of what each customer did at each moment, by customer, moment and event.

    `names`: the events' by their numbers. Of several events of one moment the one with most lines counts, of equals
    the first by name.
    """
    done_to_them = [place for place, name in enumerate(names) if name in DONE_TO_THEM]
    lines = np.flatnonzero(~np.isin(events, done_to_them)) if done_to_them else np.arange(len(events))
    lines = lines[np.lexsort((events[lines], moments[lines], customers[lines]))]
    if not len(lines):
        return lines
    new_moment: NDArray[np.bool_] = _changes(customers[lines]) | _changes(moments[lines])
    starts = np.flatnonzero(new_moment | _changes(events[lines]))
    sizes = np.diff(starts, append=len(lines))
    moment = np.cumsum(new_moment, dtype=np.int64)[starts]
    order = np.lexsort((-sizes, moment))
    wins = np.zeros(len(starts), dtype=bool)
    wins[order[_changes(moment[order])]] = True
    return np.asarray(lines[np.repeat(wins, sizes)])


def most_told(groups: Codes, kinds: Codes, count: int) -> Codes:
    """The kind that most lines of each group have, shape (count,): -1 only where no line has one.

    `groups` from 0 to `count` - 1, none empty; `kinds` are -1 for none. Of equals the first.
    """
    width = int(kinds.max(initial=-1)) + 2
    keys, times = np.unique(groups * width + kinds + 1, return_counts=True)
    group, kind = keys // width, keys % width - 1
    order = np.lexsort((kind, -times, kind < 0, group))
    found = np.full(count, -1, dtype=np.int64)
    first = order[_changes(group[order])]
    found[group[first]] = kind[first]
    return found


def begins(customers: Codes, moments: Codes) -> NDArray[np.bool_]:
    """Which moments begin a visit, of moments by customer and oldest first."""
    since = np.diff(moments, prepend=moments[:1])
    return np.asarray(_changes(customers) | (since > SESSION_MINUTES * 60_000_000))


def actions(timeline: pl.DataFrame) -> pl.DataFrame:
    """The lines that `acted` finds: customer_id, happened_at, event, product_id; by customer, oldest first."""
    customers, _ = numbered(timeline[c.CUSTOMER_ID])
    events, names = numbered(timeline[c.EVENT])
    kept = timeline[acted(customers, micros_of(timeline[c.HAPPENED_AT]), events, names)]
    kept = kept.select(c.CUSTOMER_ID, c.HAPPENED_AT, c.EVENT, c.PRODUCT_ID)
    return kept.sort(c.CUSTOMER_ID, c.HAPPENED_AT, c.PRODUCT_ID, nulls_last=True)


def voted(lines: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The category that most lines of each `by` have: columns `by` + category, sorted by them. `lines`: the same."""
    each = lines.select(by).unique().sort(by).with_row_index("group")
    groups = lines.select(by).join(each, on=by, how="left", nulls_equal=True, maintain_order="left")["group"]
    kinds, names = numbered(lines[c.CATEGORY])
    most = most_told(groups.to_numpy().astype(np.int64), kinds, len(each))
    told = pl.Series(c.CATEGORY, [names[kind] if kind >= 0 else None for kind in most.tolist()], dtype=pl.String)
    return each.drop("group").with_columns(told)


def _changes(numbers: Codes) -> NDArray[np.bool_]:
    """Where another number begins than stood before; the first does."""
    found = np.ones(len(numbers), dtype=bool)
    found[1:] = numbers[1:] != numbers[:-1]
    return found
