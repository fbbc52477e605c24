"""One customer: the story, what happened, what we conclude and why, what to offer, what they said and how it felt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import unquote

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import charts, look, masks, parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import UsageError
from dongcha.insight_kit.telling import shortened

CHAPTERS: Final = ("do", "who", "buys", "feels", "next")
FEELS: Final = 0.2
FEELINGS: Final = "feels"
TOPIC: Final = re.compile(r"#\d+ ")
"""The number of a topic, which tells it apart and tells a reader nothing."""
ROUGH: Final = 0.8
"""An interval wider than this part of the number between is told as rough."""
KNOWN: Final = (c.EMAIL, c.PHONE, c.GENDER, c.BIRTH_DATE, c.CITY, c.COUNTRY, c.LANGUAGE, c.CREATED_AT, c.CONSENT)


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """The story beside the figures, then the timeline beside what we conclude."""
    who = unquote(arguments["customer_id"])
    try:
        found = await view.fetch(lambda d: d.profile(who, view.language))
    except UsageError:
        top(view, who)
        parts.empty(view, view.say("not_found", who=who))
        return
    ranks = await view.fetch(lambda d: _ranks(d, found))
    if view.person.masked:
        found = masks.masked_profile(found, await view.fetch(lambda d: d.people().names))
    name = found["customer"].get(c.NAME) or who
    top(
        view,
        name,
        f"{who} · {view.say('who_lead', as_of=found[c.AS_OF])}"
        if name != who
        else view.say("who_lead", as_of=found[c.AS_OF]),
    )
    with parts.grid():
        _figures(view, found)
    with parts.grid():
        with ui.element("div").classes("stack w7"):
            _story(view, found)
            _answers(view, found, ranks)
            _offers(view, found)
        with ui.element("div").classes("stack w5"):
            _orders(view, found)
            _timeline(view, found)
            _known(view, found)


def _answer(found: Mapping[str, Any], insight: str) -> dict[str, Any]:
    return next((one["answer"] for one in found["insights"] if one["insight"] == insight), {})


def _ranks(data: Data, found: Mapping[str, Any]) -> dict[str, float]:
    """Each number that is concluded → the share of customers who have a lower one."""
    return data.people().ranks({name: value for one in found["insights"] for name, value in one["answer"].items()})


def _figures(view: View, found: Mapping[str, Any]) -> None:
    summary, days = found["summary"], view.data.days
    if summary:
        orders = view.say("orders_n", n=view.number(summary.get("orders")))
        parts.kpi(view.say("spent"), view.money(summary.get("spend")), note=orders)
        ago = summary.get("recency_days")
        parts.kpi(view.say("last_order"), view.say("days_ago", n=view.number(ago)))
    churn, worth = _answer(found, "churn").get("churn_probability"), _answer(found, "lifetime_value")
    if churn is not None:
        parts.kpi(view.say("may_leave"), view.sure(churn), note=view.say("may_leave_sub", days=days))
    if worth.get("lifetime_value") is not None:
        low, high = worth.get("lifetime_value_low"), worth.get("lifetime_value_high")
        parts.kpi(
            view.say("worth", days=days),
            view.money(worth["lifetime_value"]),
            note=_between(view, worth["lifetime_value"], low, high),
        )


def _between(view: View, value: float, low: float | None, high: float | None) -> str:
    """Between what the worth lies 8 times in 10, and whether that tells little."""
    if low is None or high is None:
        return ""
    if high <= 0:
        return view.say("worth_nothing")
    said = "worth_roughly" if high - low > ROUGH * max(value, 1.0) else "worth_between"
    return view.say(said, low=view.money(low), high=view.money(high))


def _story(view: View, found: Mapping[str, Any]) -> None:
    made = []
    for chapter in CHAPTERS:
        lines = found["story"].get(chapter) or []
        told = "".join(
            f"<li>{escape(TOPIC.sub('', line['text']) if chapter == FEELINGS else line['text'])}"
            + (f'<span class="because">{escape(line["because"])}</span>' if line["because"] else "")
            + "</li>"
            for line in lines
        )
        if told:
            made.append(f"<h3>{escape(view.say(f'story_{chapter}'))}</h3><ul>{told}</ul>")
    with parts.card(view.say("story")):
        ui.html("".join(made), sanitize=False).classes("story")


def _orders(view: View, found: Mapping[str, Any]) -> None:
    orders, summary = found["orders"][::-1], found["summary"]
    if not orders:
        parts.note(view.say("timeline_none"))
        return
    values = {"orders": view.number(summary.get("orders")), "spend": view.money(summary.get("spend"))}
    title = view.say("spending", ago=view.number(summary.get("recency_days")), **values)
    labels = [view.day(order[c.HAPPENED_AT]) for order in orders]
    option = charts.columns(look.palette(view.dark), labels, {title: [order[c.VALUE] for order in orders]}, view.unit)
    sub = view.say("spending_sub", unit=view.currency)
    parts.chart_card(view, title, sub, option, pl.DataFrame(orders), "orders")


def _answers(view: View, found: Mapping[str, Any], ranks: Mapping[str, float]) -> None:
    """The first answer of each insight, where it stands among all customers, and why."""
    rows = []
    for one in found["insights"]:
        output = view.data.insight(one["insight"]).yields[0]
        value = one["answer"].get(output.name)
        if value is None or output.kind == "vector":
            continue
        rank = ranks.get(output.name)
        beside = "" if rank is None else view.say("typical", share=view.sure(rank))
        told = parts.Markup(
            f'{escape(view.told(one["insight"], output, value))}<span class="sub">{escape(beside)}</span>'
        )
        rows.append((view.first_up(output.title(view.language)), told, view.because(one["reasons"])))
    with parts.card(view.say("answers"), view.say("answers_sub")):
        parts.table([(view.say("answer"), "key"), ("", ""), (view.say("reasons"), "why")], rows)


def _timeline(view: View, found: Mapping[str, Any]) -> None:
    happened = [(order[c.HAPPENED_AT], "", _ordered(view, order)) for order in found["orders"]]
    happened += [(text[c.HAPPENED_AT], "said", _said(view, text)) for text in found["texts"]]
    happened.sort(key=lambda one: one[0], reverse=True)
    lines = "".join(
        f'<li class="{kind}"><time>{view.day(at)}</time><div>{told}</div></li>' for at, kind, told in happened
    )
    title = view.say("timeline", n=len(happened)) if happened else view.say("timeline_none")
    with parts.card(title):
        ui.html(f'<ul class="timeline">{lines}</ul>', sanitize=False)


def _ordered(view: View, order: Mapping[str, Any]) -> str:
    values = {"order": order[c.ORDER_ID], "lines": order["lines"], "value": view.money(order[c.VALUE], 2)}
    return escape(view.say("ordered", **values))


def _said(view: View, text: Mapping[str, Any]) -> str:
    mood = text.get("sentiment")
    said = [parts.pill(view.say("stars", n=f"{text[c.RATING]:g}"))] if text.get(c.RATING) is not None else []
    if mood is not None:
        way = ("mood_good", "good") if mood > FEELS else ("mood_bad", "bad") if mood < -FEELS else ("mood_even", "")
        said.append(parts.pill(f"{view.say(way[0])} {view.mood(mood)}", way[1]))
    if text.get("topic"):
        said.append(parts.pill(view.topic(str(text["topic"]))))
    return f"«{escape(shortened(text[c.TEXT] or '', 220))}»<div>{' '.join(said)}</div>"


def _offers(view: View, found: Mapping[str, Any]) -> None:
    answer, names = _answer(found, "recommendation"), view.data.product_names()
    offered = answer.get("recommendations") or []
    if not offered:
        return
    insight = view.data.insight("recommendation")
    because = list(dict.fromkeys(pair[c.LABEL] for pair in answer.get("recommended_because") or []))
    led = view.pick(", ", "、").join(names.get(k) or insight.say(k, view.language) for k in because[:3])
    rows = [
        (f"{place}", names.get(pair[c.LABEL]) or pair[c.LABEL], pair[c.LABEL]) for place, pair in enumerate(offered, 1)
    ]
    frame = pl.DataFrame(rows, ["rank", "product", c.PRODUCT_ID], orient="row")
    title = view.say("offers", product=rows[0][1])
    sub = f"{view.say('because')}: {led}" if led else view.say("offers_sub")
    columns = [("#", ""), (view.say("product"), "key"), ("", "why")]
    parts.table_card(view, title, sub, columns, rows, frame, "offers")


def _known(view: View, found: Mapping[str, Any]) -> None:
    known = found["customer"]
    rows = [(view.say(f"known_{name}"), _plain(view, known[name])) for name in KNOWN if known.get(name) is not None]
    if not rows:
        return
    sub = view.say("known_masked") if view.person.masked else ""
    with parts.card(view.say("known"), sub):
        parts.table([("", "label"), ("", "")], rows)


def _plain(view: View, value: Any) -> str:
    if isinstance(value, bool):
        return view.say("yes" if value else "no")
    return view.day(value) if hasattr(value, "strftime") else str(value)


PAGE: Final = Page("/customers/{customer_id}", "page_customer", "person", "group_customers", draw, listed=False)
