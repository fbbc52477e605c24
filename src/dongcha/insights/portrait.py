"""Who is this customer, all told: what they do, how they feel and what they talk about, as one vector?"""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.labels import PRODUCTS_BOUGHT, products_bought
from dongcha.insight_kit.base import Contender, Example, Facts, Insight, Metric, Needs, Role
from dongcha.insight_kit.composed import Composed
from dongcha.insight_kit.outputs import Vector
from dongcha.insight_kit.parts import FEATURES, Counted, Encoded, Feeling, Part, Themes
from dongcha.insight_kit.probing import measured
from dongcha.models.vectors.network import Learned

VECTOR: Final = "portrait_vector"
SIZE: Final = 64


class Portrayal(Composed):
    """What all share: parts weighed by what they explained of what came after the newest past cutoff."""

    column, size, asks = VECTOR, SIZE, True
    kinds: ClassVar[tuple[type[Part], ...]] = (Encoded, Counted, Feeling, Themes)


class WeightedParts(Portrayal):
    """P = fuse(h_behaviour, h_sentiment, h_topic), each part times one learnt weight."""

    name = "weighted"


class NetworkParts(Portrayal):
    """The same parts through a small network."""

    name, fused_by = "network", Learned


class BehaviourAlone(Portrayal):
    """What they do: the behaviour model's state and plain counts."""

    name, role, kinds = "behaviour_alone", Role.BASELINE, (Encoded, Counted)


class FeelingAlone(Portrayal):
    """How their texts feel."""

    name, role, kinds = "feeling_alone", Role.BASELINE, (Feeling,)


class TopicsAlone(Portrayal):
    """What their texts are about."""

    name, role, kinds = "topics_alone", Role.BASELINE, (Themes,)


class Portrait(Insight):
    """A vector of every buyer that fuses behaviour, feeling and topics; its coordinates have no names.

    What each part brings is in docs/insights/portrait.md. Not promised: that texts add to what orders tell; where they
    do not, behaviour alone answers.
    """

    name = "portrait"
    question: ClassVar[dict[str, str]] = {
        "en": "Who is this customer, all told, as a vector?",
        "zh": "综合行为、情绪与话题，这位客户是谁（向量）？",
    }
    needs = Needs((c.ORDERS, c.REVIEWS), FEATURES, products_bought, history=True)
    yields = (Vector(VECTOR, english="portrait", chinese="画像向量", size=SIZE),)
    judged_by = (Metric("probe_auc"), Metric("next_event_ndcg"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Numbers for machines: no single coordinate means anything, and two versions cannot be compared.",
        "zh": "供程序使用的数值：单个坐标没有含义，不同版本之间不可比较。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (WeightedParts(), NetworkParts(), BehaviourAlone(), FeelingAlone(), TopicsAlone())

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(PRODUCTS_BOUGHT).fill_null([]))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """As `behaviour` is judged: lines learnt at the earlier cutoff, by what they foretell after the later one."""
        if not isinstance(contender, Portrayal) or contender.example is None:
            raise MissingDataError(f"{contender.name} was not fitted here: its probes have nothing to learn from.")
        earlier = contender.example
        return measured(earlier, contender.vectors(earlier.facts), example, answer[VECTOR].to_numpy())
