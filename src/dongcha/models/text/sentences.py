"""A text as sentences, and sentences as passages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 500
"""Characters of a passage: about what one question is about, and short enough to quote."""

# A full stop within a number or an abbreviation is followed by no blank, or by a small letter.
_END: Final = re.compile(r"(?<=[。！？；!?])(?![。！？；!?”’」』)）])|(?<=[.!?…])[\"'”’)]*\s+(?=[^a-z\s])|\s*\n\s*")


def sentences(text: str) -> list[str]:
    """The sentences of an English or Chinese text in their order, without empty ones.

    >>> sentences("It costs £3.95, e.g. today. Free from £40! 满99元包邮。次日达15元")
    ['It costs £3.95, e.g. today.', 'Free from £40!', '满99元包邮。', '次日达15元']
    """
    return [part.strip() for part in _END.split(text) if part.strip()]


def passages(text: str, longest: int = LONGEST) -> list[str]:
    """Whole sentences, as many as fit in `longest` characters each; a longer sentence is cut between words."""
    found: list[str] = []
    for sentence in (piece for whole in sentences(text) for piece in _cut(whole, longest)):
        together = f"{found[-1]}{_between(found[-1])}{sentence}" if found else ""
        if found and len(together) <= longest:
            found[-1] = together
        else:
            found.append(sentence)
    return found


def joined(parts: Sequence[str]) -> str:
    """Sentences as one text, with a blank between them where their script has one."""
    text = ""
    for part in parts:
        text += (_between(text) if text else "") + part
    return text


def _between(before: str) -> str:
    return "" if before[-1] in "。！？；" else " "


def _cut(sentence: str, longest: int) -> list[str]:
    pieces = []
    while len(sentence) > longest:
        at = sentence.rfind(" ", longest // 2, longest) + 1 or longest
        pieces.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*pieces, sentence] if sentence else pieces
