"""How much a vector knows: what lines learnt from it at one cutoff foretell after a later one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.parts import commonest
from dongcha.insight_kit.pretrained import history_of
from dongcha.models.tabular.logistic import Logistic
from dongcha.models.vectors.probes import LinearHeads

ASKED: Final = 20
"""Of so many categories and products, the best sold, a probe asks who will buy them."""
FEWEST: Final = 20
"""A probe needs this many customers of both answers, when it learns and when it is tested."""
RANKED: Final = 300
TOP: Final = 10


@dataclass(frozen=True)
class Asked:
    """The yes-or-no questions that probes answer: silence, and the best sold categories and products."""

    categories: tuple[str, ...]
    products: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts) -> Asked:
        """Chosen by what was ordered before the cutoff."""
        timeline = history_of(facts).timeline
        sold = timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED)
        return cls(*(tuple(commonest(sold[column], ASKED)) for column in (c.CATEGORY, c.PRODUCT_ID)))

    def answers(self, example: Example) -> dict[str, np.ndarray]:
        """Family of questions → what happened, bool, shape (entities, questions)."""
        bought = example.truth[PRODUCTS_BOUGHT]
        catalogue = history_of(example.facts).catalogue
        return {
            "churn": (bought.list.len() == 0).to_numpy()[:, None],
            "category": holds(in_categories(bought, catalogue), self.categories),
            "product": holds(bought, self.products),
        }


def in_categories(bought: pl.Series, catalogue: pl.DataFrame) -> pl.Series:
    """The categories of each row's products."""
    known = catalogue.drop_nulls(c.CATEGORY)
    old, new = known[c.PRODUCT_ID], known[c.CATEGORY]
    return bought.list.eval(pl.element().replace_strict(old, new, default=None, return_dtype=pl.String))


def holds(lists: pl.Series, words: Sequence[str]) -> np.ndarray:
    """Whether each row's list holds each word, bool, shape (rows, words)."""
    columns = [lists.list.contains(word).fill_null(False).to_numpy() for word in words]
    return np.column_stack(columns) if columns else np.zeros((len(lists), 0), dtype=bool)


def probe_auc(learnt: np.ndarray, was: np.ndarray, tested: np.ndarray, came: np.ndarray) -> float:
    """Mean AUC of one logistic a question, learnt at one cutoff and tested at a later one; NaN where none can be.

    `learnt`, `tested`: vectors (rows, width); `was`, `came`: answers (rows, questions).
    """
    clear = [k for k in range(was.shape[1]) if _both(was[:, k]) and _both(came[:, k])]
    guesses = {k: Logistic.fit(learnt, was[:, k].astype(np.float64)).predict(tested) for k in clear}
    return float(np.mean([metrics.auc(came[:, k], guess) for k, guess in guesses.items()])) if clear else float("nan")


def _both(answers: np.ndarray) -> bool:
    return FEWEST <= int(answers.sum()) <= len(answers) - FEWEST


def bought_ndcg(learnt: np.ndarray, was: pl.Series, tested: np.ndarray, came: pl.Series) -> float:
    """NDCG@10 of products, ranked by linear heads learnt at one cutoff, for those who bought after a later one."""
    products = commonest(was.explode(empty_as_null=False).rename(c.PRODUCT_ID), RANKED)
    scores = LinearHeads.fit(learnt, holds(was, products)).predict(tested)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    gain = 1 / np.log2(np.arange(2, TOP + 2))
    found = np.take_along_axis(holds(came, products), best, axis=1) @ gain[: best.shape[1]]
    wanted = came.list.len().to_numpy()
    ideal = np.cumsum(gain)[np.minimum(wanted, TOP).clip(1) - 1]
    return float(np.mean((found / ideal)[wanted > 0])) if (wanted > 0).any() else float("nan")


def measured(earlier: Example, learnt: np.ndarray, example: Example, tested: np.ndarray) -> dict[str, float]:
    """Vectors at an earlier and a later cutoff, (entities, width) each, by what they foretell of what then came.

    `probe_auc` is the mean over the families of questions; `next_event_ndcg` ranks the products bought next.
    """
    asked = Asked.of(earlier.facts)
    was, came = asked.answers(earlier), asked.answers(example)
    by_family = {f"{name}_auc": probe_auc(learnt, was[name], tested, came[name]) for name in was}
    found = {name: value for name, value in by_family.items() if not np.isnan(value)}
    bought = (earlier.truth[PRODUCTS_BOUGHT], example.truth[PRODUCTS_BOUGHT])
    return {
        "probe_auc": float(np.mean(list(found.values()))),
        "next_event_ndcg": bought_ndcg(learnt, bought[0], tested, bought[1]),
        **found,
    }
