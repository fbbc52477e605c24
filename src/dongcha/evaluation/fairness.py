"""Is an answer as good for every group of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]
Judge = Callable[[Array, Array], Mapping[str, float]]
"""(outcomes, forecasts) → figures by name."""

FEWEST_ROWS: Final = 30
UNKNOWN: Final = "unknown"


def by_group(
    y: Array, p: Array, groups: Iterable[str | None], judge: Judge, *, fewest_rows: int = FEWEST_ROWS
) -> dict[str, dict[str, float]]:
    """Each group's rows, mean forecast, mean outcome and what `judge` says, largest group first.

    `y` and `p` have shape (rows,), `groups` one name a row; rows without one count as "unknown". A group under
    `fewest_rows` is left out, as its figures would be noise; one that cannot be judged (a single class) keeps its
    means only.
    """
    names = np.array([UNKNOWN if group is None else str(group) for group in groups])
    found, sizes = np.unique(names, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    kept = [(str(found[k]), names == found[k]) for k in order if sizes[k] >= fewest_rows]
    return {name: _figures(y[rows], p[rows], judge) for name, rows in kept}


def _figures(y: Array, p: Array, judge: Judge) -> dict[str, float]:
    means = {"rows": float(len(y)), "forecast": float(p.mean()), "actual": float(y.mean())}
    try:
        return means | dict(judge(y, p))
    except MissingDataError:
        return means
