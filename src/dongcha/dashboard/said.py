"""How alerts and customers' own words are told, on every page that tells them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import parts
from dongcha.dashboard.view import View
from dongcha.insight_kit.telling import shortened
from dongcha.privacy.redaction import redacted

EXAMPLE: Final = 200
"""Characters of a text that is quoted."""
WORDS: Final = 4
FEWEST: Final = 4
"""Periods in which somebody said something, for a mood to be worth listing."""


def named(view: View, subject: str) -> str:
    """What reviews speak of, in words."""
    kind, _, name = subject.partition("/")
    if kind == "shop":
        return view.say("whole_shop")
    called = view.data.product_names().get(name, name) if kind == "product" else name
    return f"{view.say(f'kind_{kind}')} {called}"


def least_liked(view: View, brand: pl.DataFrame, most: int, *, width: int) -> None:
    """What stands where no mood is turning: whom reviews like least."""
    heard = brand.filter(pl.col("texts_over_time").list.len() >= FEWEST).sort("brand_mood", c.ENTITY_ID)
    rows = [
        (named(view, row[c.ENTITY_ID]), view.mood(row["brand_mood"])) for row in heard.head(most).iter_rows(named=True)
    ]
    columns = [(view.say("least_liked"), "key"), (view.say("mood"), "num")]
    sub = view.say("attention_none_sub", n=view.number(len(brand)))
    parts.table_card(view, view.say("attention_none"), sub, columns, rows, heard, "moods", width=width)


def alert_line(view: View, alert: Mapping[str, Any]) -> None:
    """What turned, from where to where, since when."""
    falling = alert["alert"] == "falling"
    values = {
        "subject": named(view, alert[c.SUBJECT_ID]),
        "before": view.mood(alert["before"]),
        "now": view.mood(alert["mood"]),
    }
    said = view.say("mood_fell" if falling else "mood_rose", since=alert["since"], **values)
    mark = '<span class="down">▼</span>' if falling else '<span class="up">▲</span>'
    sure = view.say("sure_by", sure=view.sure(alert["sure"]), n=view.number(alert["reviews_since"]))
    ui.html(
        f'<div style="margin-top: 10px"><b style="font-weight: 600">{mark} {escape(said)}</b>'
        f'<div class="sub">{escape(sure)}</div></div>',
        sanitize=False,
    )


def alert_note(view: View, alert: Mapping[str, Any], examples: int = 1) -> None:
    """What is said more since, and some who say it."""
    words = [
        f"{w['word'].replace('not_', 'not ')} ({view.percent(w['before'])} → {view.percent(w['since'])})"
        for w in alert["words"]
    ]
    topic = alert["topic"]
    if topic:
        values = {
            "topic": view.topic(topic["topic"]),
            "before": view.percent(topic["share_before"]),
            "now": view.percent(topic["share"]),
        }
        ui.html(f'<p class="sub">{escape(view.say("topic_moved", **values))}</p>', sanitize=False)
    if words:
        ui.html(f'<p class="sub">{escape(view.say("said_more", words=", ".join(words[:WORDS])))}</p>', sanitize=False)
    said = [
        (example_text(view, one[c.TEXT]), f"{view.day(one[c.HAPPENED_AT])} · {view.mood(one['mood'])}")
        for one in alert["examples"]
    ]
    parts.quotes(said[:examples])


def example_text(view: View, text: str) -> str:
    """A customer's words, without what names or reaches a person where the reader's role asks for that."""
    return shortened(redacted(text, view.data.people().names) if view.person.masked else text, EXAMPLE)
