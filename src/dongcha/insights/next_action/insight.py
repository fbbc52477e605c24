"""The question, what its answers are judged by, and how the judge reads what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import expected_calibration_error, reliability_table
from dongcha.features.declare import about_customers
from dongcha.features.labels import DAYS_UNTIL, PRODUCTS_BOUGHT, first_actions
from dongcha.insight_kit.base import Insight, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.event_words import event_said
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.journeys import BETWEEN, ROW, pair_of
from dongcha.insight_kit.outputs import Ranking, Value
from dongcha.insight_kit.pretrained import history_of
from dongcha.insight_kit.product_groups import ProductGroups
from dongcha.insight_kit.telling import Reader, Told
from dongcha.insights.next_action.contenders import Blended, MarkovChain, RenewalGuess
from dongcha.insights.next_action.names import ACTED, ACTIONS, DAYS, PROBABILITY

FEATURES: Final = about_customers()
LIKELY: Final = 0.5


class NextAction(Insight):
    """The likeliest next (event, kind of product) pairs, in how many days, and whether at all within the horizon.

    On Online Retail (4 cutoffs, 90 days) see docs/insights/next_action.md. A pair's number is the chance that it is the
    very next thing; those of one customer add up to the chance that anything happens, or less. Not promised: what comes
    after the next thing.
    """

    name = "next_action"
    live = True
    question: ClassVar[dict[str, str]] = {
        "en": "What will this customer do next, and when?",
        "zh": "客户下一步会做什么，何时？",
    }
    needs = Needs((c.ORDERS,), FEATURES, first_actions, history=True)
    yields = (
        Ranking(ACTIONS, "probability", 0, 1, "next actions", "下一步行动"),
        Value(DAYS, "days", 0, None, "days until the next action", "距下一步行动天数"),
        Value(PROBABILITY, "probability", 0, 1, "does anything", "有行动概率"),
    )
    judged_by = (
        Metric("mrr"),
        Metric("accuracy"),
        Metric("mae_days", more_is_better=False),
        Metric("brier", more_is_better=False),
        Metric("calibration_error", more_is_better=False),
    )
    limits: ClassVar[dict[str, str]] = {
        "en": "Says what is likeliest next, not what would make it happen; days hold only if anything happens at all.",
        "zh": "只说明下一步最可能发生什么，不说明如何促成；天数仅在确有行动时成立。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Blended(FEATURES), MarkovChain(), RenewalGuess())

    def say(self, text: str | None, language: str) -> str:
        event, between, kind = (text or "–").partition(BETWEEN)
        return event_said(event, language) + between + kind

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """The likeliest pair, when, and how likely anything is; worth a day in the calendar where it is."""
        actions, days, chance = answer[ACTIONS] or [], answer[DAYS], answer[PROBABILITY]
        if not actions or days is None or chance is None:
            return Told()
        first, when = self.say(actions[0][c.LABEL], reader.language), f"{days:,.0f}"
        sure = reader.share(actions[0][c.VALUE])
        sentence = reader.pick(
            f"Next, in about {when} days if at all ({reader.share(chance)}): {first} ({sure})",
            f"下一步（{reader.share(chance)} 会有行动，约 {when} 天后）：{first}（{sure}）",
        )
        advice = reader.pick(f"Expect them in about {when} days: {first}", f"约 {when} 天后可能再来：{first}")
        return Told(sentence, advice if chance >= LIKELY else "")

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        acted = pl.col(c.EVENT).is_not_null().cast(pl.Float64).alias(ACTED)
        return facts.matched(happened, c.CUSTOMER_ID).select(c.EVENT, PRODUCTS_BOUGHT, DAYS_UNTIL, acted)

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        acted = example.label(ACTED) > 0
        place = places(example, answer)[acted]
        guess = answer[PROBABILITY].to_numpy()
        return {
            "mae_days": metrics.mae(example.label(DAYS_UNTIL)[acted], answer[DAYS].to_numpy()[acted]),
            "mrr": float(np.mean(np.where(place > 0, 1 / np.maximum(place, 1), 0.0))),
            "accuracy": float(np.mean(place == 1)),
            "brier": metrics.brier(acted, guess),
            "calibration_error": expected_calibration_error(acted, guess),
            "first_choice_error": expected_calibration_error(places(example, answer) == 1, first_choice(answer)),
        }

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        acted, guess = example.label(ACTED), answer[PROBABILITY].to_numpy()
        right, sure = places(example, answer) == 1, first_choice(answer)
        return {
            "calibration": reliability_table(acted, guess),
            "calibration_error": expected_calibration_error(acted, guess),
            "first_choice_calibration": reliability_table(right, sure),
            "first_choice_calibration_error": expected_calibration_error(right, sure),
        }


def places(example: Example, answer: pl.DataFrame) -> np.ndarray:
    """On which place each entity's true pair stands, 1 the first, 0 where it is not listed or nothing happened.

    Products are read as kinds by the catalogue as of the example's own cutoff, for every contender alike.
    """
    catalogue = history_of(example.facts).catalogue
    truth = pair_of(example.truth, ProductGroups.fit(catalogue).of(catalogue))
    listed = answer.select(pl.col(ACTIONS).list.eval(pl.element().struct.field(c.LABEL))).with_columns(truth.alias(ROW))
    rows = zip(listed[ACTIONS].to_list(), listed[ROW].to_list(), strict=True)
    return np.array([pairs.index(true) + 1 if true in pairs else 0 for pairs, true in rows], dtype=np.int64)


def first_choice(answer: pl.DataFrame) -> np.ndarray:
    """The probability of each entity's likeliest pair, shape (entities,)."""
    return answer[ACTIONS].list.first().struct.field(c.VALUE).to_numpy()
