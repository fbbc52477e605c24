"""How one person looks at the workspace: language, light or dark, role; and numbers written for them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final, TypeVar

from dongcha import columns as c
from dongcha.access.scopes import Person, Role
from dongcha.dashboard.data import Data
from dongcha.dashboard.door import may
from dongcha.dashboard.words import WORDS
from dongcha.errors import AccessError
from dongcha.insight_kit.outputs import Output, Ranking
from dongcha.privacy.masks import masked_name

T = TypeVar("T")
SIGNS: Final = {"GBP": "£", "USD": "$", "EUR": "€", "CNY": "¥", "JPY": "¥"}
NONE: Final = "–"
LARGE: Final = {"en": ((1e9, "B"), (1e6, "M"), (1e4, "k")), "zh": ((1e8, "亿"), (1e4, "万"))}
LARGE_DIVISOR: Final = {"k": 1e3}
SUREST: Final = 0.99
"""Nothing is told as surer than this."""
ONE: Final = re.compile(r"(?<![\d.,])1([^\[\]\d]*)\[s\]")
"""A phrase writes "{n} order[s]": one of them goes without the s."""
HARDLY: Final = 0.005
NUMBERED: Final = re.compile(r"^#\d+ ")


@dataclass(frozen=True)
class View:
    """What a page is drawn for."""

    data: Data
    language: str
    dark: bool
    person: Person
    still: Callable[[], Awaitable[Person | None]]
    """Who it is by now: a page may stay open longer than a session."""

    def say(self, key: str, **values: object) -> str:
        """The phrase for `key` in the person's language, with its values filled in."""
        english, chinese = WORDS[key]
        if self.language == "zh":
            return chinese.format(**values)
        return ONE.sub(r"1\1", english.format(**values)).replace("[s]", "s")

    def pick(self, english: str, chinese: str) -> str:
        return chinese if self.language == "zh" else english

    def may(self, role: Role) -> bool:
        return may(self.person, role)

    async def fetch(self, ask: Callable[[Data], T]) -> T:
        """What `ask` gives, read in a thread so that other pages stay quick."""
        return await asyncio.to_thread(ask, self.data)

    async def change(self, make: Callable[[Data], None]) -> None:
        """Change the workspace; AccessError for who may not, or not any more."""
        person = await self.still()
        if person is None or not may(person, Role.ADMIN):
            raise AccessError(self.say("only_admins"))
        await asyncio.to_thread(make, self.data)

    @cached_property
    def currency(self) -> str:
        """The code of the shop's money."""
        return self.data.currency()

    @property
    def unit(self) -> str:
        """What stands for money on an axis: its sign, or its code."""
        return SIGNS.get(self.currency, self.currency)

    # -- numbers as people read them

    def number(self, value: float | None, decimals: int = 0) -> str:
        return NONE if value is None else f"{value:,.{decimals}f}".replace("-", "−")

    def percent(self, share: float | None, decimals: int = 0) -> str:
        return NONE if share is None else f"{100 * share:,.{decimals}f} %".replace("-", "−")

    def signed(self, share: float | None) -> str:
        return NONE if share is None else f"{100 * share:+,.0f} %".replace("-", "−")

    def money(self, amount: float | None, decimals: int = 0) -> str:
        """With the currency's sign in front, or its code behind."""
        if amount is None:
            return NONE
        code = self.currency
        text = f"{abs(amount):,.{decimals}f}"
        minus = "−" if amount < 0 and float(text.replace(",", "")) else ""
        return f"{minus}{SIGNS[code]}{text}" if code in SIGNS else f"{minus}{text} {code}".strip()

    def short(self, value: float, *, money: bool = False) -> str:
        """Large numbers in thousands, millions, 万 or 亿."""
        sign = SIGNS.get(self.currency, "") if money else ""
        code = f" {self.currency}" if money and not sign and self.currency else ""
        for size, letter in LARGE[self.language]:
            if abs(value) >= size:
                return (
                    f"{'−' if value < 0 else ''}{sign}{abs(value) / LARGE_DIVISOR.get(letter, size):,.1f}{letter}{code}"
                )
        return f"{'−' if value < 0 else ''}{sign}{abs(value):,.0f}{code}"

    def unit_of(self, unit: str) -> str:
        """An output's unit in words."""
        return self.say(f"unit_{unit}") if f"unit_{unit}" in WORDS else unit

    @staticmethod
    def first_up(text: str) -> str:
        """With a capital first."""
        return text[:1].upper() + text[1:]

    def sure(self, value: float) -> str:
        return self.percent(min(value, SUREST))

    def mood(self, value: float | None) -> str:
        if value is None:
            return NONE
        return "0.00" if abs(value) < HARDLY else f"{value:+.2f}".replace("-", "−")

    @staticmethod
    def topic(name: str) -> str:
        """A topic by its words, without the number that tells it apart."""
        return NUMBERED.sub("", name)

    def day(self, moment: date | datetime | str | None) -> str:
        """A day, of a moment or of its ISO 8601 text."""
        return NONE if moment is None else moment[:10] if isinstance(moment, str) else f"{moment:%Y-%m-%d}"

    def month(self, month: date) -> str:
        return self.pick(f"{month:%b %Y}", f"{month.year} 年 {month.month} 月")

    def value(self, value: Any, unit: str = "") -> str:
        """A number of an insight's output, by its unit."""
        if value is None or isinstance(value, str):
            return value or NONE
        if unit == "probability":
            return self.sure(value)
        if unit == "share":
            return self.percent(value)
        if unit == "money":
            return self.money(value)
        if unit == "days":
            return self.number(value, 0 if abs(value) >= 10 else 1)
        return self.number(value, 0 if abs(value) >= 100 else 2)

    def told(self, name: str, output: Output, value: Any) -> str:
        """One output of an insight for a reader: groups and labels in their language, products by name."""
        insight = self.data.insight(name)
        if output.kind == "group":
            return NONE if value is None else self.topic(insight.say(value, self.language))
        if isinstance(output, Ranking):
            named = self.data.product_names() if output.of == c.PRODUCT_ID else {}
            labels = [pair[c.LABEL] for pair in value or []][:3]
            return self.pick(", ", "、").join(named.get(k) or insight.say(k, self.language) for k in labels) or NONE
        if output.kind in {"series", "vector"}:
            return NONE if value is None else f"({len(value)})"
        return self.value(value, output.unit)

    def because(self, reasons: list[dict[str, Any]], most: int = 3) -> str:
        """Reasons as one line."""
        return self.data.reader(self.language).because(reasons[:most], self.data.features())

    def who(self, entity_id: str, name: str | None) -> str:
        """What a customer is called."""
        if not name:
            return entity_id
        return masked_name(name) if self.person.masked else name
