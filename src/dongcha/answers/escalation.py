"""When a person should take over, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from dongcha.answers.say import say

_SIGNS: Final = {
    "asks_for_a_person": re.compile(
        r"\b(?:speak|talk|chat|connect|transfer|put|get me)\b[^.?!]{0,30}\b(?:human|person|someone|agent|manager|"
        r"supervisor|representative|advisor|staff)\b|\b(?:real|actual) (?:human|person)\b|\bcall me\b|\bhuman agent\b"
        r"|转人工|人工(?:客服|服务)|真人|找(?:你们)?(?:经理|主管|领导)|叫(?:你们)?(?:经理|主管)|给我(?:回)?电话",
        re.IGNORECASE,
    ),
    "threatens_law": re.compile(
        r"\b(?:lawyer|solicitor|attorney|sue|suing|court|legal action|trading standards|ombudsman|police|chargeback|"
        r"charge back|dispute the (?:charge|payment)|consumer (?:rights|protection)|small claims|fraud|scam(?:med)?|"
        r"formal complaint)\b"
        r"|律师|起诉|法院|法律|报警|警察|消协|消费者协会|12315|工商局|市场监管|投诉|拒付|诈骗|曝光",
        re.IGNORECASE,
    ),
    "threatens_to_leave": re.compile(
        r"\bnever (?:again|shop|order|buy|come)\b|\b(?:won't|will not|not going to) (?:shop|order|buy|come)\b"
        r"|\b(?:last time|lost (?:me|a customer)|taking my (?:business|money)|close my account|cancel my "
        r"(?:account|membership|subscription))\b"
        r"|再也不(?:来|买|会)|不会再(?:来|买)|以后不(?:来|买)|注销(?:账户|账号)?走|换别家|取关|最后一次(?:买|来)",
        re.IGNORECASE,
    ),
    "angry": re.compile(
        r"\b(?:ridiculous|disgrace(?:ful)?|outrageous|unacceptable|furious|disgusting|appalling|useless|pathetic|"
        r"fed up|sick of|worst|idiots?|liars?|rubbish|wtf|bullshit)\b|!{3,}|[😡😠🤬]"
        r"|太过分|气死|忍无可忍|什么破|垃圾|骗子|坑人|无耻|混蛋|傻|滚|恶心|！{3,}",
        re.IGNORECASE,
    ),
}
"""No table teaches these: they are rare, and missing one costs more than a person's minute."""
VERY_BAD: Final = -0.9
"""A mood that the shop's own sentiment puts so low reads as anger, whatever its words."""


@dataclass(frozen=True)
class Mood:
    """How a question feels by the shop's sentiment: its name, and a number from -1 to 1; None where there is none."""

    name: str | None = None
    value: float | None = None


def signs(question: str) -> list[str]:
    """Which of the signs stand in a question.

    >>> signs("This is ridiculous, I will call my lawyer!"), signs("我要投诉，转人工"), signs("Where is it?")
    (['threatens_law', 'angry'], ['asks_for_a_person', 'threatens_law'], [])
    """
    return [name for name, pattern in _SIGNS.items() if pattern.search(question)]


def reasons(
    question: str, mood: Mood, intent: str | None, people_for: Collection[str], *, known: bool, language: str
) -> Iterator[str]:
    """Why a person should take over, in the question's language; nothing where none needs to."""
    found = signs(question)
    if mood.value is not None and mood.value <= VERY_BAD and "angry" not in found:
        found.append("angry")
    yield from (say(name, language) for name in found)
    if intent is not None and intent in people_for:
        yield say("intent", language, intent=intent)
    if not known:
        yield say("unsure", language)
