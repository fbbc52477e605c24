"""The control chart's rule: an alarm where a week's mean lies three standard deviations from those before it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.change.turns import Observed, Told

WEEK: Final = 7
FEWEST_WEEKS: Final = 8
SIGMAS: Final = 3.0


def three_sigma(seen: Observed, *, window_days: float = 90.0, week: float = WEEK, sigmas: float = SIGMAS) -> Told:
    """Shewhart's chart (1931) on means by week, told as `Turns.follow` tells.

    After each day the week that ends with it is compared with the weeks before it: `down` or `up` is the normal chance
    that so far a mean is no accident, that of the last alarm where one was raised within the window. After an alarm
    the level is the mean since; the chart goes on with the old limits until the window is over.
    """
    size = len(seen.day)
    level, down, up, before = (np.zeros(size) for _ in range(4))
    began = np.zeros(size, np.int64)
    count, total = (np.concatenate([[0.0], np.cumsum(each)]) for each in (seen.number, seen.total))
    first, alarm = 0, -1
    for t in range(size):
        if alarm >= 0 and seen.day[t] - seen.day[alarm] > window_days:
            first, alarm = alarm, -1
        start = int(np.searchsorted(seen.day, seen.day[t] - week, side="right"))
        until = alarm if alarm >= 0 else max(start, first)
        means = _weekly(seen, first, until, week)
        level[t] = before[t] = (total[t + 1] - total[first]) / (count[t + 1] - count[first])
        if len(means) >= FEWEST_WEEKS and means.std(ddof=1) > 0:
            middle, spread = means.mean(), means.std(ddof=1)
            now = (total[t + 1] - total[start]) / (count[t + 1] - count[start])
            if alarm < 0 and abs(now - middle) >= sigmas * spread:
                alarm = start
            if alarm >= 0:
                level[t] = (total[t + 1] - total[alarm]) / (count[t + 1] - count[alarm])
                before[t], began[t] = middle, alarm
            sure = normal_chance(max(abs(now - middle) / spread, sigmas if alarm >= 0 else 0.0))
            (down if level[t] < middle or (alarm < 0 and now < middle) else up)[t] = sure
    path = np.full(size, level[-1] if size else 0.0)
    if alarm >= 0:
        path[:alarm] = before[-1]
    return Told(down, up, level, np.zeros(size), before, began, path)


def _weekly(seen: Observed, first: int, until: int, week: float) -> NDArray[np.float64]:
    """Means of the weeks from day `first` up to day `until`, those that have any."""
    days = slice(first, until)
    if until <= first:
        return np.zeros(0)
    place = ((seen.day[days] - seen.day[first]) // week).astype(np.int64)
    count, total = (np.bincount(place, each[days]) for each in (seen.number, seen.total))
    return np.asarray(total[count > 0] / count[count > 0], dtype=np.float64)


def normal_chance(z: float) -> float:
    """That a normal number lies within z standard deviations.

    >>> round(normal_chance(3.0), 4)
    0.9973
    """
    from scipy.special import ndtr

    return float(2 * ndtr(z) - 1)
