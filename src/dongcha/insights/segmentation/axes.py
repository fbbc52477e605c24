"""The few axes along which buyers are told apart, and how a group is named by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha.insight_kit.facts import Facts


@dataclass(frozen=True)
class Axis:
    """One way in which groups differ: a feature, and how each of its ends is called in English and Chinese."""

    feature: str
    high: tuple[str, str]
    low: tuple[str, str]


AXES: Final = (
    Axis("spend", ("high value", "高价值"), ("low value", "低价值")),
    Axis("recency_days", ("slipping", "渐行渐远"), ("active", "活跃")),
    Axis("orders", ("frequent", "高频"), ("rare", "低频")),
    Axis("tenure_days", ("long-standing", "老客"), ("new", "新客")),
    Axis("average_order_value", ("big baskets", "大单"), ("small baskets", "小单")),
    Axis("discount_share", ("bargain hunters", "爱优惠"), ("full price", "正价")),
    Axis("holiday_spend_share", ("holiday buyers", "节日型"), ("all year", "全年型")),
)
FEATURES: Final = tuple(axis.feature for axis in AXES)
RFM: Final = ("recency_days", "orders", "spend")
NAMED_FROM: Final = 0.5
"""A centre this many standard deviations from the mean is worth a word in the group's name."""
MOST_WORDS: Final = 3
ORDINARY: Final = ("ordinary", "普通")
WORDS: Final = {en: zh for axis in AXES for en, zh in (axis.high, axis.low)} | {ORDINARY[0]: ORDINARY[1]}


def varies(facts: Facts, feature: str) -> bool:
    """Whether a feature tells anyone apart: a shop without discounts has no bargain hunters."""
    known = facts.features[feature].drop_nulls() if feature in facts.features.columns else pl.Series([])
    return known.n_unique() > 1


def name_groups(centres: np.ndarray, features: Sequence[str]) -> list[str]:
    """Each group's name, by what sets it apart most, in English; no two alike.

    `centres`: shape (groups, features), in standard deviations from the mean.

    >>> name_groups(np.array([[1.5, -0.9], [-0.8, 1.2], [0.1, 0.0]]), ["spend", "recency_days"])
    ['high value, active', 'slipping, low value', 'ordinary']
    """
    axes = {axis.feature: axis for axis in AXES}
    words = [_words(centre, [axes[name] for name in features]) for centre in centres]
    for length in range(1, MOST_WORDS + 1):
        names = [", ".join(own[: max(length, 2)]) or ORDINARY[0] for own in words]
        if len(set(names)) == len(names):
            return names
    return [name if names.count(name) == 1 else f"{name} {k}" for k, name in enumerate(names, start=1)]


def _words(centre: np.ndarray, axes: Sequence[Axis]) -> list[str]:
    """What is said of a centre, the most telling first."""
    far = np.argsort(-np.abs(centre), kind="stable")
    telling = [k for k in far if abs(centre[k]) >= NAMED_FROM]
    return [(axes[k].high if centre[k] > 0 else axes[k].low)[0] for k in telling]
