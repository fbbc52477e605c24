"""What the command line says, in each language it speaks."""

from __future__ import annotations

from typing import Final

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "customer": ("customer", "客户"),
    "customers": ("customers", "客户数"),
    "reasons": ("reasons", "原因"),
    "as_of": ("as of", "截至"),
    "recent_orders": ("Recent orders", "最近订单"),
    "order": ("order", "订单"),
    "date": ("date", "日期"),
    "lines": ("lines", "行数"),
    "value": ("value", "金额"),
}


def say(key: str, language: str, **values: object) -> str:
    """The phrase for `key` in a language, with its values filled in.

    >>> say("reasons", "zh")
    '原因'
    """
    english, chinese = _WORDS[key]
    return (chinese if language == "zh" else english).format(**values)
