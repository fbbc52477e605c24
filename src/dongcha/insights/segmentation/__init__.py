"""Who is alike, and what sets each group apart?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import polars as pl

from dongcha import columns as c
from dongcha.features.labels import SPEND, purchases
from dongcha.insight_kit.base import Insight, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Group, Value
from dongcha.insight_kit.telling import Chapter, Reader, Told
from dongcha.insights.segmentation.atlas import ANOMALY, MAP_X, MAP_Y
from dongcha.insights.segmentation.axes import FEATURES, RFM, WORDS, name_groups, varies
from dongcha.insights.segmentation.contenders import (
    RFM_CELL,
    SEGMENT,
    AxesGroups,
    RfmGroups,
    SegmentationConfig,
)
from dongcha.models.grouping.k_means import Scale, explained

__all__ = ["FEATURES", "RFM", "RFM_CELL", "SEGMENT", "WORDS", "Segmentation", "name_groups"]

LOG_SPENT: Final = "log_spent"


class Segmentation(Insight):
    """Groups of buyers alike in what they buy, how often, how lately; and each one's RFM cell.

    Not promised: that the groups are the shop's only true ones. They are a stable way to talk about the customers;
    how stable, and how much of later spend they explain, is on the card.
    """

    name = "segmentation"
    question: ClassVar[dict[str, str]] = {"en": "Who is alike?", "zh": "哪些客户相似？"}
    needs = Needs((c.ORDERS,), FEATURES, purchases, history=True)
    yields = (
        Group(SEGMENT, english="group", chinese="客群"),
        Group(RFM_CELL, english="RFM cell", chinese="RFM 分格"),
        Value(MAP_X, english="place on the map, across", chinese="地图横坐标"),
        Value(MAP_Y, english="place on the map, up", chinese="地图纵坐标"),
        Value(ANOMALY, lowest=0, english="how unusual", chinese="异常程度"),
    )
    judged_by = (Metric("stably_explained"), Metric("stability"), Metric("explained"), Metric("spend_explained"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Groups describe; they do not decide. Nobody should be treated worse for a group's name.",
        "zh": "分群只是描述，不是决定；任何人都不应因群名而受到差别对待。",
    }
    chapter = Chapter.WHO
    Config = SegmentationConfig
    config: SegmentationConfig

    def contenders(self) -> tuple[Contender, ...]:
        return (AxesGroups(self.config), RfmGroups(self.config))

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        group = self.say(answer[SEGMENT], reader.language)
        return Told(reader.pick(f"One of the group “{group}”", f"属于“{group}”客群"))

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        spent = facts.matched(happened, c.CUSTOMER_ID)
        return spent.select(pl.col(SPEND).fill_null(0.0).clip(0).log1p().alias(LOG_SPENT))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        groups = answer[SEGMENT].to_numpy()
        ways = example.facts.matrix(tuple(name for name in FEATURES if varies(example.facts, name)))
        told = explained(groups, Scale.fit(ways).transform(ways))
        stability = contender.model.stability if isinstance(contender, AxesGroups) else float("nan")
        return {
            "stably_explained": stability * told,
            "stability": stability,
            "explained": told,
            "spend_explained": explained(groups, example.label(LOG_SPENT)[:, None]),
            "groups": float(answer[SEGMENT].n_unique()),
        }

    def say(self, text: str | None, language: str) -> str:
        if text is None or language != "zh":
            return text or "–"
        return "、".join(_in_chinese(word) for word in text.split(", "))

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        sizes = answer.group_by(SEGMENT).len("customers").sort("customers", SEGMENT, descending=[True, False])
        return {"sizes": sizes.to_dicts()}


def _in_chinese(word: str) -> str:
    """A word of a group's name, which may end in the number that tells two groups of the same words apart."""
    said, _, number = word.rpartition(" ")
    return f"{WORDS[said]} {number}" if number.isdecimal() and said in WORDS else WORDS.get(word, word)
