"""RFM cells: which fifth of recency, frequency and money everyone is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dongcha.insight_kit.facts import Facts
from dongcha.insights.segmentation.axes import RFM

QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class RfmCells:
    """Quintiles of recency, frequency and money: R5F5M5 bought last, oftenest and most (Hughes, 1994)."""

    edges: np.ndarray
    """Shape (4, 3)."""

    @classmethod
    def fit(cls, facts: Facts) -> RfmCells:
        return cls(np.quantile(_better_is_more(facts), QUINTILES, axis=0))

    def of(self, facts: Facts) -> list[str]:
        """Each entity's cell, as R5F4M3; 1 is the worst fifth."""
        values = _better_is_more(facts)
        digits = [np.searchsorted(self.edges[:, k], values[:, k], side="left") + 1 for k in range(len(RFM))]
        return [f"R{r}F{f}M{m}" for r, f, m in zip(*digits, strict=True)]


def _better_is_more(facts: Facts) -> np.ndarray:
    """Recency turned round, so that more is better in all three columns; unknown counts as worst."""
    recency, orders, spend = facts.matrix(RFM).T
    return np.column_stack([np.nan_to_num(-recency, nan=-1e9), np.nan_to_num(orders), np.nan_to_num(spend)])
