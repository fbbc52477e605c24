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

LISTED = 10


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


@dataclass(frozen=True)
class TasteRecovery:
    """The planted chance that a customer's next free choice is among what a list of ten holds, mean over customers."""

    ours: float
    popular: float
    """Of the ten products that are likeliest over all customers."""
    best: float
    """Of the ten likeliest for each customer: nothing can do better."""


def taste_recovery(scores: pl.DataFrame, truth: Truth, taste_pull: float = 1.0) -> TasteRecovery:
    """`scores`: entity_id + recommendations. Companions, refills and stock-outs are no matter of taste: left out.

    `taste_pull` is the plan's, 1 by default.
    """
    joined = scores.join(truth.frames["customers"], left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    chance = _planted_choice(joined, truth.frames["products"], taste_pull)
    numbers = {product: k for k, product in enumerate(truth.frames["products"][c.PRODUCT_ID])}
    listed = joined["recommendations"].list.eval(pl.element().struct.field(c.LABEL)).to_list()
    ours = [chance[row, [numbers[product] for product in products]].sum() for row, products in enumerate(listed)]
    common = np.argsort(-chance.mean(axis=0))[:LISTED]
    best = -np.sort(-chance, axis=1)[:, :LISTED]
    return TasteRecovery(float(np.mean(ours)), float(chance[:, common].sum(axis=1).mean()), float(best.sum(1).mean()))


def _planted_choice(people: pl.DataFrame, products: pl.DataFrame, taste_pull: float) -> np.ndarray:
    """Each customer's chance of each product in a free choice, shape (people, products)."""
    pull = _matrix(people["latent"]) @ _matrix(products["latent"]).T
    worth = products["popularity"].to_numpy() + people["tier"].to_numpy()[:, None] * products["dearness"].to_numpy()
    weight = np.exp(worth + taste_pull * pull)
    kinds = products[c.CATEGORY].unique(maintain_order=True).to_list()
    order = products[c.CATEGORY].replace_strict(kinds, list(range(len(kinds)))).to_numpy()
    member = np.eye(len(kinds))[order]
    within = weight / (weight @ member)[:, order]
    return np.asarray(_matrix(people["taste"])[:, order] * within)


def _matrix(column: pl.Series) -> np.ndarray:
    """A column of equally long lists as a matrix."""
    return np.array(column.to_list(), dtype=np.float64)
