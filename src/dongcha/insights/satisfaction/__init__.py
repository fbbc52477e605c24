"""What rating would this customer give?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.features.labels import ratings_given
from dongcha.features.point_in_time import Crowd
from dongcha.insight_kit.base import Insight, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Ranking, Value
from dongcha.insight_kit.telling import Chapter, Reader, Told
from dongcha.insights.satisfaction.contenders import (
    MEAN_RATING,
    SATISFACTION,
    UNRATED,
    CustomerAndProduct,
    InLayers,
    Mean,
    Rater,
)
from dongcha.insights.satisfaction.ratings import RATED, came

WRITTEN: Final = "reviews"
UNHAPPY: Final = 3.0
"""Stars below which silence is worth a question."""


class Satisfaction(Insight):
    """For every known customer the rating they would give next, and who is unhappy without saying so.

    Judged on every rating that came after the cutoff: of which product is told, new customers and new products are
    among them. Not promised: that who rates is like who does not; the silent were never asked.
    """

    name = "satisfaction"
    question: ClassVar[dict[str, str]] = {"en": "What rating would they give?", "zh": "他们会打几分？"}
    needs = Needs((c.REVIEWS,), (WRITTEN, MEAN_RATING), ratings_given, history=True, crowd=Crowd.KNOWN)
    yields = (
        Value(SATISFACTION, "stars", 0, 5, "expected rating", "预期评分"),
        Ranking(UNRATED, "stars", 0, 5, english="bought, not rated", chinese="已买未评", of=c.PRODUCT_ID),
    )
    judged_by = (Metric("rmse", more_is_better=False), Metric("mae", more_is_better=False))
    limits: ClassVar[dict[str, str]] = {
        "en": "Learnt from those who rate; who stays silent may feel otherwise. Not for judging a single customer.",
        "zh": "由打过分的客户学得；沉默的客户可能不同。不可用于评判个别客户。",
    }

    chapter = Chapter.FEELS

    def contenders(self) -> tuple[Contender, ...]:
        return (InLayers(), CustomerAndProduct(), Mean())

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """Who expects little of what was bought lately is asked about it."""
        stars = answer[SATISFACTION]
        if stars is None:
            return Told()
        sentence = reader.pick(f"Would give {stars:.1f} stars", f"预计打 {stars:.1f} 分")
        worst = next(iter(answer[UNRATED] or []), None)
        if worst is None or worst[c.VALUE] >= UNHAPPY:
            return Told(sentence)
        name, expected = reader.product(worst[c.LABEL]), f"{worst[c.VALUE]:.1f}"
        return Told(
            sentence,
            reader.pick(
                f"Ask how they find {name}: bought, not rated, {expected} stars expected",
                f"询问对 {name} 的感受：已买未评，预计 {expected} 分",
            ),
        )

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        """What each customer then rated; the first row also has the ratings of those whom nobody knew by then."""
        pair = pl.struct(c.CUSTOMER_ID, c.PRODUCT_ID, c.RATING)
        first = facts.entities[0] if len(facts.entities) else None
        known = pl.col(c.CUSTOMER_ID).is_in(facts.entities.implode())
        whose = pl.when(known).then(c.CUSTOMER_ID).otherwise(pl.lit(first)).alias(c.CUSTOMER_ID)
        listed = happened.select(whose, pair.alias(RATED)).group_by(c.CUSTOMER_ID, maintain_order=True).agg(RATED)
        return facts.matched(listed, c.CUSTOMER_ID).select(pl.col(RATED).fill_null([]))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """Over all ratings that came after the cutoff, asked as of it."""
        assert isinstance(contender, Rater)
        (later,) = came([example])
        if later.is_empty():
            return dict.fromkeys(("rmse", "mae", "ratings"), float("nan"))
        told, given = contender.rate(example.facts, later), later[c.RATING].to_numpy()
        return {"rmse": metrics.rmse(given, told), "mae": metrics.mae(given, told), "ratings": float(len(later))}

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        """How the mean rating that customers then gave lies beside the expected one, by how often they had rated."""
        given = example.truth[RATED].list.eval(pl.element().struct.field(c.RATING)).list.mean().to_numpy()
        told, before = answer[SATISFACTION].to_numpy(), np.nan_to_num(example.facts.column(WRITTEN))
        kinds = {"0 ratings": before == 0, "1-2 ratings": (before > 0) & (before < 3), "3+": before >= 3}
        found = []
        for name, rows in kinds.items():
            there = rows & np.isfinite(given)
            if there.any():
                mean = {"expected": float(told[there].mean()), "given": float(given[there].mean())}
                figures = {"rmse": metrics.rmse(given[there], told[there]), **mean}
                found.append({"group": name, "customers": int(there.sum()), **figures})
        return {"by_ratings_before": found}
