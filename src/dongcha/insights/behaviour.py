"""What does this history say, as a vector?"""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.labels import PRODUCTS_BOUGHT, products_bought
from dongcha.insight_kit.base import Contender, Example, Facts, Insight, Metric, Needs, Role
from dongcha.insight_kit.composed import Composed
from dongcha.insight_kit.outputs import Vector
from dongcha.insight_kit.parts import FEATURES, Counted, Encoded
from dongcha.insight_kit.probing import measured

VECTOR: Final = "behaviour_vector"
SIZE: Final = 64


class Profile(Composed):
    """What all share."""

    column, size = VECTOR, SIZE


class Encoder(Profile):
    """The pretrained behaviour model's state at the cutoff."""

    name, kinds = "encoder", (Encoded,)


class Counts(Profile):
    """Plain counts of what was done."""

    name, role, kinds = "counts", Role.BASELINE, (Counted,)


class Fused(Profile):
    """Both: half of the numbers from the encoder, half from the counts."""

    name, kinds = "fused", (Encoded, Counted)


class Behaviour(Insight):
    """A vector of every buyer's history, for other insights and tools to read; its coordinates have no names.

    On Online Retail, Complete Journey and a simulated shop see docs/insights/behaviour.md. Not promised: that vectors
    of two versions can be compared; each version has its own space.
    """

    name = "behaviour"
    question: ClassVar[dict[str, str]] = {
        "en": "What does this history say, as a vector?",
        "zh": "这段历史说明了什么（向量）？",
    }
    needs = Needs((c.ORDERS,), FEATURES, products_bought, history=True)
    yields = (Vector(VECTOR, english="behaviour", chinese="行为向量", size=SIZE),)
    judged_by = (Metric("probe_auc"), Metric("next_event_ndcg"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Numbers for machines: no single coordinate means anything, and two versions cannot be compared.",
        "zh": "供程序使用的数值：单个坐标没有含义，不同版本之间不可比较。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Fused(), Encoder(), Counts())

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(PRODUCTS_BOUGHT).fill_null([]))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """`probe_auc` is the mean over the families of questions; `next_event_ndcg` ranks the products bought next."""
        if not isinstance(contender, Profile) or contender.example is None:
            raise MissingDataError(f"{contender.name} was not fitted here: its probes have nothing to learn from.")
        earlier = contender.example
        return measured(earlier, contender.vectors(earlier.facts), example, answer[VECTOR].to_numpy())
