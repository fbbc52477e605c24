"""What an answer says in its own words, in the language of the question."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "zh"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "unknown": ("I don't know. {nearest}", "我不知道。{nearest}"),
    "nearest": ("The nearest that I have: {titles}.", "我手头最接近的资料：{titles}。"),
    "nothing_near": ("Nothing that I have comes near it.", "没有相关的资料。"),
    "name_the_customer": (
        "Orders are read only for a customer who is named and known to be asking.",
        "只有在确认是哪位客户本人提问时，才会查看其订单。",
    ),
    "colleagues": (
        "No page says so. Colleagues told customers who asked alike: “{text}”",
        "没有页面说明。同事曾对类似提问的客户说：“{text}”",
    ),
    "no_orders": ("There are no orders of yours.", "没有查到您的订单。"),
    "no_such_order": ("None of your orders has that number.", "您的订单中没有这个编号。"),
    "no_returns": ("None of your orders is marked as returned or refunded.", "您的订单中没有退货或退款记录。"),
    "order": (
        "Order {order} of {date}: {lines}. Total {total}. Status: {status}.",
        "订单 {order}（{date}）：{lines}。合计 {total}。状态：{status}。",
    ),
    "line": ("{quantity} × {product}", "{product} × {quantity}"),
    "returned_line": ("{quantity} × {product} (returned)", "{product} × {quantity}（已退）"),
    "completed": ("completed", "已完成"),
    "returned": ("returned", "已退货"),
    "refunded": ("refunded", "已退款"),
    "cancelled": ("cancelled", "已取消"),
    "shipped": ("shipped", "已发货"),
    "unstated": ("not stated", "未注明"),
    # why a person should take over
    "unsure": ("I am not sure enough of any answer", "没有足够把握的答案"),
    "asks_for_a_person": ("a person is asked for", "要求人工服务"),
    "threatens_law": ("speaks of law, complaint or chargeback", "提到法律、投诉或拒付"),
    "threatens_to_leave": ("threatens to leave", "表示不再光顾"),
    "angry": ("is angry", "情绪激动"),
    "intent": ("questions of the kind '{intent}' go to a person", "“{intent}”类问题由人工处理"),
    # why a language model's words were not given
    "model_failed": (
        "The language model did not answer ({reason}); the sources are quoted.",
        "语言模型未能回答（{reason}），以下为原文摘录。",
    ),
    "model_refused": (
        "What the language model wrote is not covered by the sources ({reason}); they are quoted instead.",
        "语言模型的回答没有资料依据（{reason}），改为摘录原文。",
    ),
}


def say(key: str, language: str, **values: object) -> str:
    """The phrase for `key` in a language, with its values filled in.

    >>> say("line", "en", quantity=2, product="Tea")
    '2 × Tea'
    """
    english, chinese = _WORDS[key]
    return (chinese if language == "zh" else english).format(**values)


def status_word(status: str | None, language: str) -> str:
    """A status as people say it; one that we have no word for stays as the shop writes it."""
    word = (status or "unstated").strip().lower()
    return say(word, language) if word in _WORDS else status or ""
