"""What follows a question: on how many days one buys within a week, a month, a quarter, and what; learnt, never read.

Foretelling the next event alone teaches a state little of pace: most next events are lines of the same basket. All
that is bought in a window is asked for as in PinnerFormer (Pancha et al. 2022), a few products drawn a question.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dongcha.models.behaviour.moments import questions
from dongcha.models.behaviour.timelines import BOUGHT, DAYS_AHEAD, LATER, MOST_AHEAD, PRODUCT, Codes, Days, Timelines

_ROW: Final = 1e7
"""Days that set one row apart from the next, so that one search serves all rows."""


def with_outlook(timelines: Timelines, until: float, seed: int) -> Timelines:
    """With what follows every question, as fields that have no code elsewhere.

    Nothing after `until` is known: where a window reaches beyond it, the number of days has no code; products are drawn
    from as much of the longest window as is known. Timelines that do not tell what was bought are given back as they
    are.
    """
    if timelines.days is None or BOUGHT not in timelines.fields:
        return timelines
    places, bought = np.flatnonzero(questions(timelines)), np.flatnonzero(timelines.fields[BOUGHT] == 0)
    origin = np.floor(timelines.days.min(initial=until))
    asked, moments = (_row_of(timelines, k) * _ROW + timelines.days[k] - origin for k in (places, bought))
    last_of_day = len(moments) - 1 - np.unique(np.floor(moments)[::-1], return_index=True)[1]
    fields, sizes = dict(timelines.fields), dict(timelines.sizes)
    for name, within in DAYS_AHEAD.items():
        first, beyond = _window(moments[last_of_day], asked, within)
        codes = np.minimum(beyond - first, MOST_AHEAD - 1)
        codes[timelines.days[places] + within > until] = MOST_AHEAD
        fields[name], sizes[name] = _at(places, codes, timelines, MOST_AHEAD), MOST_AHEAD
    first, beyond = _window(moments, asked, max(DAYS_AHEAD.values()))
    products, none = timelines.fields[PRODUCT][bought], timelines.sizes[PRODUCT]
    random = np.random.default_rng(seed)
    for name in LATER:
        drawn = first + np.floor(random.random(len(first)) * (beyond - first)).astype(np.int64)
        codes = np.where(beyond > first, np.append(products, none)[drawn], none)
        fields[name], sizes[name] = _at(places, codes, timelines, none), none
    return Timelines(timelines.starts, fields, sizes, timelines.days)


def _row_of(timelines: Timelines, places: Codes) -> Codes:
    return np.searchsorted(timelines.starts[1:], places, side="right")


def _window(moments: Days, asked: Days, within: float) -> tuple[Codes, Codes]:
    """Where the moments of the window after each question begin, and the first beyond it."""
    return np.searchsorted(moments, asked), np.searchsorted(moments, asked + within)


def _at(places: Codes, codes: Codes, timelines: Timelines, none: int) -> Codes:
    """One code an event: these at these places, `none` elsewhere."""
    full = np.full(int(timelines.starts[-1]), none, dtype=np.int64)
    full[places] = codes
    return full
