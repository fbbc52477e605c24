"""Who is this customer, all told: what they do, how they feel and what they talk about, as one vector?"""

from __future__ import annotations

from typing import ClassVar, Final

from dongcha import columns as c
from dongcha.features.labels import products_bought
from dongcha.insight_kit.base import Needs
from dongcha.insight_kit.composed import Composed, VectorInsight
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.outputs import Vector
from dongcha.insight_kit.parts import FEATURES, Counted, Encoded, Feeling, Part, Themes
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


class Portrait(VectorInsight):
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

    def contenders(self) -> tuple[Contender, ...]:
        return (WeightedParts(), NetworkParts(), BehaviourAlone(), FeelingAlone(), TopicsAlone())
