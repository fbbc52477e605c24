"""Whether what a language model wrote stands in the quoted passages, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dongcha.answers.plain import plain
from dongcha.models.text.bm25 import content
from dongcha.models.text.sentences import sentences
from dongcha.models.text.tokens import located, normalised

LONGEST: Final = 1_500
_LINK: Final = re.compile(
    r"[a-z][a-z0-9+.-]{1,15}:/?/?\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)?", re.I
)
_NUMBER: Final = re.compile(r"\d+(?:[.,:/-]\d+)*|[零一二两三四五六七八九十百千万亿半]+")
_NUMBERS_IN_WORDS: Final = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million half quarter once
    twice double first second third yes
"""
NUMBER_WORDS: Final = frozenset(_NUMBERS_IN_WORDS.split())
"""Among stop words elsewhere; here they say something. "Yes" is a conclusion that no passage draws."""
_LIMITING: Final = """
    no not never none without neither nor cannot only unless except until if but always every all any must may can
    should will free before after within least most up
"""
LIMITS: Final = frozenset(_LIMITING.split())
_CHINESE_LIMITS: Final = re.compile(
    "不|没|未|无|非|勿|别|仅|只|除|若|如果|必须|可以|可|都|全|任何|以内|之前|以前|之后|以后|免费|至少|最多"
)


def ungrounded(answer: str, passages: Sequence[str]) -> str:
    """What part of the answer the passages do not cover, a few words; an empty text where all is covered.

    Each sentence must be covered by one sentence of one passage: its content words, its numbers in digits or words,
    and every word that turns or limits what is said ("not", "only", "if", "不", "仅") must stand in both or in
    neither. Links and addresses must stand there letter by letter. So what passes is a passage, shortened or reordered
    within a sentence: it may leave out, but neither add, nor join, nor deny. Not promised: that a sentence with its own
    words in another order means the same.
    """
    shown = plain(answer)
    if not shown or len(shown) > LONGEST or shown != _collapsed(answer):
        return "form"
    given = [sentence for passage in passages for line in passage.split("\n") for sentence in sentences(line)]
    whole = "\n".join(passages).lower()
    for link in _LINK.findall(shown):
        if link.rstrip(".,;!?)").lower() not in whole:
            return _few(link)
    for sentence in sentences(shown):
        missing = min((_missing(sentence, source) for source in given), key=len, default=[sentence])
        if missing:
            return _few(" ".join(missing))
    return ""


def _missing(sentence: str, source: str) -> list[str]:
    """The words of a sentence that its source lacks, and the limits that only one of them has."""
    there = set(content(source)) | set(_numbers(source))
    said = [*content(sentence), *_numbers(sentence)]
    return [*(word for word in said if word not in there), *sorted(_limits(sentence) ^ _limits(source))]


def _numbers(text: str) -> list[str]:
    words = (piece.token for piece in located(normalised(text), negations=False) if piece.kind == "word")
    return [*_NUMBER.findall(normalised(text)), *(word for word in words if word in NUMBER_WORDS)]


def _limits(text: str) -> set[str]:
    normal = normalised(text)
    words = {piece.token for piece in located(normal, negations=False) if piece.kind == "word"}
    denied = {"not"} if any(word.endswith("n't") for word in words) else set()
    return (words & LIMITS) | denied | set(_CHINESE_LIMITS.findall(normal))


def _collapsed(text: str) -> str:
    """The text with nothing but its blanks mended: what `plain` changes beyond that was hidden, or markup."""
    lines = (" ".join(line.split()) for line in text.replace("\r", "\n").split("\n"))
    return re.sub(r"\s+([,.;!?])", r"\1", "\n".join(line for line in lines if line))


def _few(text: str, most: int = 60) -> str:
    return plain(text)[:most]
