"""What does this history say, as a vector?"""

from __future__ import annotations

from typing import ClassVar, Final

from dongcha import columns as c
from dongcha.features.labels import products_bought
from dongcha.insight_kit.base import Needs
from dongcha.insight_kit.composed import Composed, VectorInsight
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.outputs import Vector
from dongcha.insight_kit.parts import FEATURES, Counted, Encoded

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


class Behaviour(VectorInsight):
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

    def contenders(self) -> tuple[Contender, ...]:
        return (Fused(), Encoder(), Counts())
