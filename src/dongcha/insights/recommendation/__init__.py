"""What would this customer want?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.features.labels import PRODUCTS_BOUGHT, products_bought
from dongcha.features.point_in_time import Crowd
from dongcha.insight_kit.base import Insight, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Ranking
from dongcha.insight_kit.telling import Reader, Told
from dongcha.insights.recommendation.contenders import (
    ByBehaviour,
    InContext,
    ItemNeighbours,
    ItemTransitions,
    Judged,
    JudgedAll,
    PastPurchases,
    Popular,
    RecommendationConfig,
)
from dongcha.insights.recommendation.finish import BECAUSE, LISTED, POPULAR, RECOMMENDED

TOLD: Final = 3
GAINS: Final = 1 / np.log2(np.arange(2, LISTED + 2))


class Recommendation(Insight):
    """Ten products for every known customer, and for each which of their purchases led to it.

    Figures are in docs/insights/recommendation.md. Not promised: that who is shown a product buys it because of that;
    the lists foretell what is bought, and only a test with a held-out group tells what showing adds.
    """

    name = "recommendation"
    live = True
    question: ClassVar[dict[str, str]] = {"en": "What would they want?", "zh": "他们会想要什么？"}
    needs = Needs((c.ORDERS,), ("orders", "recency_days"), products_bought, history=True, crowd=Crowd.KNOWN)
    yields = (
        Ranking(RECOMMENDED, "score", english="recommended", chinese="推荐商品", of=c.PRODUCT_ID),
        Ranking(BECAUSE, "share", 0, 1, english="because they bought", chinese="因为买过", of=c.PRODUCT_ID),
    )
    judged_by = (Metric("ndcg_at_10"), Metric("recall_at_10"), Metric("mrr"), Metric("coverage"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Foretells what is bought, not what showing adds; popular products are shown more than rare ones.",
        "zh": "预测会买什么，而非展示带来的增量；热门商品比冷门商品更常出现。",
    }
    Config = RecommendationConfig
    config: RecommendationConfig

    def contenders(self) -> tuple[Contender, ...]:
        kinds = (JudgedAll, Judged, ByBehaviour, PastPurchases, Popular, InContext, ItemNeighbours, ItemTransitions)
        return tuple(kind(self.config) for kind in kinds)

    def say(self, text: str | None, language: str) -> str:
        return "热门" if text == POPULAR and language == "zh" else text or "–"

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """The first few products, and the purchase that led to most of them."""
        wanted = [reader.product(pair[c.LABEL]) for pair in (answer[RECOMMENDED] or [])[:TOLD]]
        if not wanted:
            return Told()
        led = next((pair[c.LABEL] for pair in answer[BECAUSE] or []), None)
        sentence, best = reader.listed(wanted), wanted[0]
        advice = reader.pick(f"Offer {best}", f"推荐 {best}")
        if led == answer[RECOMMENDED][0][c.LABEL]:
            advice = reader.pick(f"Offer {best} again", f"再次推荐 {best}")
        elif led == POPULAR:
            advice += reader.pick(", which sells well now", "（近期热门）")
        elif led is not None:
            advice += reader.pick(f": they bought {reader.product(led)}", f"：买过 {reader.product(led)}")
        return Told(reader.pick(f"Would want {sentence}", f"可能想要 {sentence}"), advice)

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(PRODUCTS_BOUGHT).fill_null([]))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """Over those who bought something; coverage is the share of the catalogue that is recommended to anyone."""
        listed = answer[RECOMMENDED].list.eval(pl.element().struct.field(c.LABEL))
        assert example.facts.history is not None
        return measured(listed, example.truth[PRODUCTS_BOUGHT]) | {
            "coverage": listed.explode().drop_nulls().n_unique() / max(len(example.facts.history.products), 1)
        }

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        """How good the lists are for who has bought nothing, little and much before."""
        listed = answer[RECOMMENDED].list.eval(pl.element().struct.field(c.LABEL))
        orders, found = example.facts.column("orders"), []
        kinds = {"0 orders": orders == 0, "1 order": orders == 1, "2-4 orders": (orders > 1) & (orders < 5)}
        for name, rows in (kinds | {"5+": orders >= 5}).items():
            part = np.flatnonzero(rows)
            figures = measured(listed.gather(part), example.truth[PRODUCTS_BOUGHT].gather(part))
            found.append({"group": name, "customers": len(part), **figures})
        return {"by_orders": found}


def measured(listed: pl.Series, wanted: pl.Series) -> dict[str, float]:
    """NDCG@10, Recall@10 and MRR over rows that want something; both List(String), `listed` best first.

    >>> measured(pl.Series([["a", "b"], ["x"]]), pl.Series([["b"], []], dtype=pl.List(pl.String)))["mrr"]
    0.5
    """
    rows = [(best, set(want)) for best, want in zip(listed.to_list(), wanted.to_list(), strict=True) if want]
    if not rows:
        return dict.fromkeys(("ndcg_at_10", "recall_at_10", "mrr"), float("nan"))
    hits = np.zeros((len(rows), LISTED))
    for row, (best, want) in enumerate(rows):
        hits[row, : len(best)] = [product in want for product in best]
    sizes = np.array([len(want) for _, want in rows])
    ideal = np.cumsum(GAINS)[np.minimum(sizes, LISTED) - 1]
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1.0), 0.0)
    return {
        "ndcg_at_10": float((hits @ GAINS / ideal).mean()),
        "recall_at_10": float((hits.sum(axis=1) / sizes).mean()),
        "mrr": float(first.mean()),
    }
