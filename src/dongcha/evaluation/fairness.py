"""Is an answer as good for every group of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]
Measure = Callable[[Array, Array], float]

FEWEST_ROWS: Final = 30
UNKNOWN: Final = "unknown"


def by_group(
    y: Array, p: Array, groups: Sequence[str | None], measures: dict[str, Measure], *, fewest_rows: int = FEWEST_ROWS
) -> dict[str, dict[str, float]]:
    """Each group's rows, mean forecast, mean outcome and `measures`, largest group first; all of shape (rows,).

    A group under `fewest_rows` is left out, as its figures would be noise; a measure that a group does not allow
    (only one class) is NaN there. Rows without a group count as "unknown".
    """
    names = np.array([UNKNOWN if group is None else str(group) for group in groups])
    found, sizes = np.unique(names, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    kept = [(str(found[k]), names == found[k]) for k in order if sizes[k] >= fewest_rows]
    return {name: _figures(y[rows], p[rows], measures) for name, rows in kept}


def widest_gap(figures: dict[str, dict[str, float]], measure: str) -> float:
    """The best group's figure less the worst's; NaN where fewer than two groups have one."""
    values = [row[measure] for row in figures.values() if not np.isnan(row[measure])]
    return max(values) - min(values) if len(values) > 1 else float("nan")


def _figures(y: Array, p: Array, measures: dict[str, Measure]) -> dict[str, float]:
    means = {"rows": float(len(y)), "forecast": float(p.mean()), "actual": float(y.mean())}
    return means | {name: _measured(measure, y, p) for name, measure in measures.items()}


def _measured(measure: Measure, y: Array, p: Array) -> float:
    try:
        return measure(y, p)
    except MissingDataError:
        return float("nan")
