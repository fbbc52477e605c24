"""Which words one set of texts says more than another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

PRIOR_TEXTS: Final = 50.0


def log_odds(
    more: Mapping[str, int], texts: int, less: Mapping[str, int], others: int, usual: Mapping[str, float]
) -> dict[str, float]:
    """Word → the z-score of its log-odds in `more` against `less`, with a prior from what is usual.

    `more`, `less`: how many of the `texts` and `others` hold each word; `usual`: the share of all texts that hold it.
    The informative Dirichlet prior of Monroe, Colaresi & Quinn (2008), equations 16 and 22, for texts that hold a word
    or not; it weighs as PRIOR_TEXTS texts, so that a word said once tells nothing.

    >>> found = log_odds({"late": 8, "box": 4}, 10, {"late": 1, "box": 8}, 20, {"late": 0.1, "box": 0.4})
    >>> found["late"] > 1.96 > 1 > abs(found["box"])
    True
    """
    names = list(more)
    share = np.array([usual.get(name, 0.0) for name in names])
    prior, absent = PRIOR_TEXTS * share + 0.01, PRIOR_TEXTS * (1 - share) + 0.01
    here = np.array([more[name] for name in names], dtype=np.float64)
    there = np.array([less.get(name, 0) for name in names], dtype=np.float64)
    odds = np.log((here + prior) / (texts - here + absent)) - np.log((there + prior) / (others - there + absent))
    spread = np.sqrt(1 / (here + prior) + 1 / (there + prior))
    return dict(zip(names, (odds / spread).tolist(), strict=True))
