"""How an answer is told to a person: a sentence, what to do about it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dongcha import columns as c
from dongcha.features.declare import Feature


class Chapter(StrEnum):
    """Where in a customer's story a sentence stands."""

    WHO = "who"
    BUYS = "buys"
    FEELS = "feels"
    NEXT = "next"
    DO = "do"


@dataclass(frozen=True)
class Told:
    """What an insight says of one customer, and what it would have people do; empty where there is nothing to say."""

    sentence: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Reader:
    """Whom a story is told to: "en" or "zh", the shop's currency and horizon in days, and products by their names."""

    language: str = "en"
    currency: str = ""
    days: int = 90
    names: Mapping[str, str] = field(default_factory=dict)

    def pick(self, english: str, chinese: str) -> str:
        """The one in the reader's language."""
        return chinese if self.language == "zh" else english

    def money(self, amount: float) -> str:
        """Rounded to whole units.

        >>> Reader(currency="GBP").money(1234.5)
        '1,234 GBP'
        """
        return f"{amount:,.0f} {self.currency}".strip()

    def share(self, part: float) -> str:
        """As a percentage.

        >>> Reader().share(0.634)
        '63 %'
        """
        return f"{part:.0%}".replace("%", " %")

    def product(self, product_id: str) -> str:
        """Its name, or its id where it has none."""
        return self.names.get(product_id) or product_id

    def listed(self, things: Iterable[str]) -> str:
        """Several things in a row.

        >>> Reader().listed(["tea", "mugs", "cake"]), Reader("zh").listed(["茶", "杯"])
        ('tea, mugs and cake', '茶、杯')
        """
        *others, last = [*things] or [""]
        if self.language == "zh":
            return "、".join([*others, last])
        return f"{', '.join(others)} and {last}" if others else last

    def because(self, reasons: Iterable[Mapping[str, Any]], features: Mapping[str, Feature]) -> str:
        """Reasons as one line: each feature said in words, with an arrow for the way it pushes."""
        return "; ".join(f"{arrow(reason)} {self._said(reason, features)}" for reason in reasons)

    def _said(self, reason: Mapping[str, Any], features: Mapping[str, Feature]) -> str:
        feature = features.get(reason[c.FEATURE])
        if feature is None:
            return f"{reason[c.FEATURE]} = {reason[c.VALUE]:,.3f}" if reason[c.VALUE] is not None else reason[c.FEATURE]
        return feature.say(reason[c.VALUE], self.language, self.currency)


def arrow(reason: Mapping[str, Any]) -> str:
    """Up where the reason makes the answer larger."""
    return "↑" if reason[c.EFFECT] > 0 else "↓"


def shortened(text: str, most: int = 80) -> str:
    """On one line, cut where it is longer.

    >>> shortened("so\\nlong", 5)
    'so l…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
