"""Timelines cut into windows, and moments at which one asks although nothing happens."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import Codes, Days, Timelines

LONG_DAYS: Final = 1.0
"""A gap must be longer than this for a question to be put into it."""


def windows(timelines: Timelines, length: int) -> Timelines:
    """Every row cut into rows of at most `length` events, the newest whole: so that a model learns from all of them.

    Gaps and paces are coded first, so that a window's first event keeps the time since the one before, and its place.
    """
    coded = timelines.paced()
    counts = coded.lengths()
    pieces = -(-counts // length)
    row = np.repeat(np.arange(len(coded)), pieces)
    piece = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    ends = coded.starts[1:][row] - length * (pieces[row] - 1 - piece)
    return Timelines(np.concatenate([coded.starts[:1], ends]), coded.fields, coded.sizes, coded.days)


def asked_at(timelines: Timelines, day: float) -> Timelines:
    """Every row that has events with one more at `day` that says nothing but how long ago the last one was."""
    rows = np.flatnonzero(timelines.lengths() > 0)
    return _with_questions(timelines, timelines.starts[1:][rows], rows, np.full(len(rows), day))


def questions(timelines: Timelines) -> NDArray[np.bool_]:
    """Which events say nothing but when one asks."""
    said = [codes < timelines.sizes[name] for name, codes in timelines.fields.items()]
    return np.asarray(~np.any(said, axis=0))


def with_questions(timelines: Timelines, share: float, seed: int, until: float | None = None) -> Timelines:
    """A share of the gaps of over a day with a question at a random moment in them: something to learn waiting from.

    `until`: the moment up to which all is known; each row is then asked once more, between its newest event and there.
    From it the model learns what silence looks like that did not end.
    """
    if timelines.days is None or not share:
        return timelines
    random = np.random.default_rng(seed)
    if until is not None:
        timelines = _with_last_question(timelines, until, random)
    assert timelines.days is not None
    gaps = np.diff(timelines.days, prepend=0.0)
    gaps[timelines.starts[:-1][timelines.lengths() > 0]] = 0.0
    after = np.flatnonzero((gaps > LONG_DAYS) & (random.random(len(gaps)) < share))
    rows = np.searchsorted(timelines.starts[1:], after, side="right")
    return _with_questions(timelines, after, rows, timelines.days[after] - gaps[after] * random.random(len(after)))


def _with_last_question(timelines: Timelines, until: float, random: np.random.Generator) -> Timelines:
    assert timelines.days is not None
    rows = np.flatnonzero(timelines.lengths() > 0)
    newest = timelines.days[timelines.starts[1:][rows] - 1]
    waited = (until - newest) * random.random(len(rows))
    asked = until - newest > LONG_DAYS
    rows, days = rows[asked], (newest + waited)[asked]
    return _with_questions(timelines, timelines.starts[1:][rows], rows, days)


def _with_questions(timelines: Timelines, places: Codes, rows: Codes, days: Days) -> Timelines:
    """Empty events of these rows put before these places among all events, both ascending."""
    assert timelines.days is not None, "a question is put at a moment"
    fields = {name: np.insert(codes, places, timelines.sizes[name]) for name, codes in timelines.fields.items()}
    added = np.cumsum(np.bincount(rows, minlength=len(timelines)))
    starts = timelines.starts + np.concatenate([[0], added])
    return Timelines(starts, fields, timelines.sizes, np.insert(timelines.days, places, days))
