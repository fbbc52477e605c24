"""How much of a simulated shop's hidden truth the answers recover; only a shop with known truth can tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.evaluation.metrics import adjusted_rand, spearman
from dongcha.sources.simulate import Truth


@dataclass(frozen=True)
class ChurnRecovery:
    """Expected AUC against the planted chance of silence: of our scores, and of the best that could be known."""

    ours: float
    best_observable: float
    """Of who knows every hidden trait but must infer from past orders whether a customer is still there."""
    best: float
    """Of who knows the planted chance itself."""


def churn_recovery(scores: pl.DataFrame, truth: Truth, as_of: AsOf, horizon: Horizon) -> ChurnRecovery:
    """`scores`: entity_id + churn_probability at `as_of`."""
    planted = truth.churn_probability(as_of, horizon.days)
    joined = scores.join(planted, left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    chance = joined["probability"].to_numpy()
    names = ("churn_probability", "observed_probability", "probability")
    return ChurnRecovery(*(expected_auc(chance, joined[name].to_numpy()) for name in names))


def expected_auc(chance: np.ndarray, score: np.ndarray) -> float:
    """The AUC that `score` has on average over outcomes drawn with `chance`: each row counts as both, by its chance."""
    from sklearn.metrics import roc_auc_score

    outcomes = np.repeat([1.0, 0.0], len(chance))
    weights = np.concatenate([chance, 1 - chance])
    return float(roc_auc_score(outcomes, np.tile(score, 2), sample_weight=weights))


def value_recovery(scores: pl.DataFrame, truth: Truth, as_of: AsOf, horizon: Horizon) -> float:
    """Spearman of lifetime_value at `as_of` against the planted expected spend."""
    planted = truth.expected_spend(as_of, horizon.days)
    joined = scores.join(planted, left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    return spearman(joined["expected_spend"].to_numpy(), joined["lifetime_value"].to_numpy())


def segment_recovery(scores: pl.DataFrame, truth: Truth, column: str = "segment") -> tuple[float, int]:
    """Adjusted Rand index of the groups against the planted ones, and how many were planted."""
    joined = scores.join(truth.frames["customers"], left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    return adjusted_rand(joined[column].to_numpy(), joined["group"].to_numpy()), joined["group"].n_unique()


def read_truth(folder: Path) -> Truth:
    """The `truth/` folder beside a simulated shop's files."""
    return Truth.read(folder)
