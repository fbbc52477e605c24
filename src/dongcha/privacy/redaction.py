"""A text without what names or reaches a person: e-mails, phones, card, order and account numbers, names, links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

CHARACTERS_READ: Final = 20_000
NAME: Final = "[name]"
FEWEST_LETTERS: Final = 3
"""Of a name in letters; shorter ones ("Li", "Al") stand in too many words. Chinese names need two characters."""

_HAN: Final = r"\u3400-\u9fff"
_WHO: Final = r"[A-Z][a-z'’-]+(?: [A-Z][a-z'’-]+){0,2}"
_RUN: Final = re.compile(r"\[name\](?: ?\[name\])+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_REACHES: Final = (
    ("[e-mail]", re.compile(r"[\w.+-]{1,64}\s?[@＠]\s?[\w-]{1,63}(?:\.[\w-]{1,63})+")),
    ("[link]", re.compile(rf"(?:\b[a-z][a-z0-9+.-]{{1,15}}://|\bwww\.)[^\s<>\"{_HAN}]+", re.IGNORECASE)),
)
_PATTERNS: Final = (
    ("[number]", re.compile(r"(?<!\w)(?=[\w-]*\d{3})(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{3,39}(?!\w)", re.ASCII)),
    ("[number]", re.compile(r"(?<![\w.,])\+?\(?\d(?:[\s().-]{0,2}\d){6,18}(?!\w)", re.ASCII)),
    ("[number]", re.compile(r"(?<![\d.,])\d{5,}(?![\d.,]?\d)")),
    (NAME, re.compile(rf"(?<=\b[Mm]y name is ){_WHO}|(?<=\b[Tt]his is ){_WHO}|(?<=\b[Dd]ear ){_WHO}")),
    (NAME, re.compile(r"(?<=\bMr )\w+|(?<=\bMr\. )\w+|(?<=\bMrs )\w+|(?<=\bMrs\. )\w+|(?<=\bMs )\w+|(?<=\bMs\. )\w+")),
    (NAME, re.compile(rf"{_WHO}(?= (?:here|speaking)\b)")),
    (NAME, re.compile(rf"(?<=我叫)[{_HAN}]{{2,3}}|(?<=姓名[:：])\s?[{_HAN}]{{2,4}}|(?<=客服)[{_HAN}]{{2}}(?=[，,。])")),
    (NAME, re.compile(rf"[{_HAN}](?=先生|女士|小姐)|[{_HAN}]{{2}}(?=为您服务)")),
)


def redacted(text: str, names: Iterable[str] = ()) -> str:
    """The text with a word in brackets in place of each: `[e-mail]`, `[link]`, `[number]`, `[name]`.

    Numbers: five digits or more in a row, phone and card numbers however they are grouped, and what mixes letters with
    three digits or more (order, product and customer ids). `names` are people known to be meant: each part goes
    wherever it stands as a word. Other names go where a phrase introduces them ("my name is", "我叫"), so
    that a name nobody knows of may stay: what is shown to others needs a second guard. Only the first 20,000
    characters are kept. Never raises.

    >>> redacted("My name is Ann Lee, o00012345, ann@x.org, +44 7624 508075; 3 days", ["Ann Lee"])
    'My name is [name], [number], [e-mail], [number]; 3 days'
    """
    text = text[:CHARACTERS_READ]
    for stands_for, pattern in _REACHES:
        text = pattern.sub(stands_for, text)
    known = {part.casefold() for name in names for part in (name.strip(), *name.split()) if _telling(part)}
    if known:
        text = _WORD.sub(lambda word: NAME if word.group().casefold() in known else word.group(), text)
        for name in known:
            text = text if name.isascii() else text.replace(name, NAME)
    for stands_for, pattern in _PATTERNS:
        text = pattern.sub(stands_for, text)
    return _RUN.sub(NAME, text)


def _telling(part: str) -> bool:
    return len(part) >= (FEWEST_LETTERS if part.isascii() else 2)
