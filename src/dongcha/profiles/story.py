"""One customer as a person would tell them: who, what they buy, what they feel, what next, what to do, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from dongcha import columns as c
from dongcha.features.declare import catalogue
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.telling import Chapter, Reader

TEXT: Final = "text"
WHY: Final = "because"
TOLD: Final = ("orders", "spend", "average_order_value", "recency_days")
REASONS: Final = 2
GENDERS: Final = {"male": "男", "female": "女"}

Line = dict[str, str]


def story(found: Mapping[str, Any], insights: Sequence[Insight], reader: Reader) -> dict[str, list[Line]]:
    """Chapter → its lines, each with `text` and `because`, which is empty where the text says it all.

    `found`: what `profile` found. Sentences of an insight are its own (`Insight.tell`, `Insight.tell_texts`), so that a
    new insight is told with no edit here.
    """
    lines: dict[str, list[Line]] = {chapter.value: [] for chapter in Chapter}
    lines[Chapter.WHO] = _who(found, reader)
    lines[Chapter.BUYS] = _buys(found, reader)
    for insight, sentence, advice, why in _told(found, insights, reader):
        lines[insight.chapter] += _line(sentence, why)
        lines[Chapter.DO] += _line(advice, why)
    return lines


def _line(text: str, why: str = "") -> list[Line]:
    return [{TEXT: text, WHY: why}] if text else []


def _told(
    found: Mapping[str, Any], insights: Sequence[Insight], reader: Reader
) -> Iterable[tuple[Insight, str, str, str]]:
    """Each insight's sentence, advice and reasons."""
    features = catalogue()
    answers = {concluded["insight"]: concluded for concluded in found["insights"]}
    for insight in insights:
        if insight.entity == c.TEXT_ID:
            texts = [text for text in found["texts"] if insight.yields[0].name in text]
            told, why = insight.tell_texts(texts, reader), ""
        elif insight.name in answers:
            concluded = answers[insight.name]
            told = insight.tell(concluded["answer"], reader)
            why = reader.because(concluded["reasons"][:REASONS], features)
        else:
            continue
        yield insight, told.sentence, told.advice, why


def _who(found: Mapping[str, Any], reader: Reader) -> list[Line]:
    """ "Oscar Moore, 41, male, Leeds (GB), customer since 2023-01-18": as much of it as is known."""
    known = found["customer"]
    born, gender = known.get(c.BIRTH_DATE), known.get(c.GENDER)
    place = known.get(c.CITY) or ""
    if known.get(c.COUNTRY):
        place = f"{place} ({known[c.COUNTRY]})" if place else known[c.COUNTRY]
    since = known.get(c.CREATED_AT)
    parts = [
        known.get(c.NAME) or found[c.CUSTOMER_ID],
        _age(born, date.fromisoformat(found[c.AS_OF][:10]), reader) if isinstance(born, date) else "",
        reader.pick(gender, GENDERS.get(gender, gender)) if gender else "",
        place,
        reader.pick(f"customer since {since:%Y-%m-%d}", f"{since:%Y-%m-%d} 起成为客户") if since else "",
    ]
    return _line(reader.pick(", ", "，").join(part for part in parts if part))


def _age(born: date, today: date, reader: Reader) -> str:
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return reader.pick(f"{years}", f"{years} 岁")


def _buys(found: Mapping[str, Any], reader: Reader) -> list[Line]:
    """Orders in numbers, then what was bought most."""
    features = catalogue()
    numbers = [(name, found["summary"].get(name)) for name in TOLD]
    said = [features[name].say(value, reader.language, reader.currency) for name, value in numbers if value is not None]
    lines = _line(_sentence(reader.pick("; ", "；").join(said)))
    favourites = found["favourites"]
    kinds = [f"{kind[c.CATEGORY]} ({kind['lines']})" for kind in favourites.get("categories", ())]
    products = [
        f"{reader.product(one[c.PRODUCT_ID])} ({one['lines']})"
        for one in favourites.get("products", ())
        if one["lines"] > 1
    ]
    if kinds:
        lines += _line(reader.pick(f"Buys mostly {reader.listed(kinds)}", f"主要购买 {reader.listed(kinds)}"))
    if products:
        lines += _line(reader.pick(f"Again and again {reader.listed(products)}", f"反复购买 {reader.listed(products)}"))
    return lines


def _sentence(text: str) -> str:
    """With a capital first."""
    return text[:1].upper() + text[1:]
