"""Voice: what customers talk about, how it feels over time, and whose mood is turning, with their words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import charts, look, maps, parts
from dongcha.dashboard.said import alert_line, alert_note, example_text, least_liked, named
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import MissingDataError

TOPICS: Final = 14
MAPPED: Final = 60
NAMED: Final = 6
ASPECTS: Final = 12
SUBJECTS: Final = 300
LEAST: Final = 10
SHOP: Final = "shop/all"


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """Alerts first; then moods over time, topics, and what is praised and blamed."""
    top(view, view.say("page_voice"), view.say("voice_lead"))
    brand, topics, moods = await view.fetch(lambda d: (d.scores("brand"), d.scores("topics"), d.scores("sentiment")))
    if brand is None and topics is None and moods is None:
        raise MissingDataError(view.say("voice_none"), "dongcha load FILE --as reviews && dongcha run")
    if view.person.masked:
        await view.fetch(lambda d: d.people().names)
    if brand is not None:
        alerts = await view.fetch(lambda d: d.alerts())
        with parts.grid():
            _moods(view, brand)
            _alerts(view, alerts, brand)
    if topics is not None:
        groups = await view.fetch(lambda d: d.groups("topics"))
        with parts.grid():
            _topics_map(view, groups)
            _topics(view, groups)
    if moods is not None:
        aspects = await view.fetch(lambda d: d.page("aspects"))
        with parts.grid():
            _aspects(view, aspects)


def _alerts(view: View, alerts: list[dict[str, Any]], brand: pl.DataFrame) -> None:
    """The alerts; where there are none, what is liked least."""
    if not alerts:
        least_liked(view, brand, LEAST, width=5)
        return
    title = view.say("alerts_title", n=len(alerts))
    card = parts.card(title, view.say("attention_sub"), width=5)
    with card, ui.element("div").style("max-height: 460px; overflow-y: auto").props("tabindex=0"):
        for alert in alerts:
            alert_line(view, alert)
            alert_note(view, alert, 2)


def _moods(view: View, brand: pl.DataFrame) -> None:
    texts = pl.col("texts_over_time").list.eval(pl.element().struct.field(c.VALUE)).list.sum().alias("reviews")
    ordered = brand.with_columns(texts).sort("reviews", c.ENTITY_ID, descending=[True, False]).head(SUBJECTS)
    rows = {row[c.ENTITY_ID]: row for row in ordered.iter_rows(named=True)}
    options = {key: f"{named(view, key)} ({row['reviews']:,.0f})" for key, row in rows.items()}
    first = SHOP if SHOP in rows else next(iter(rows))
    place = ui.element("div").classes("w7").style("display: flex; flex-direction: column")

    def show(key: str) -> None:
        row = rows[key]
        place.clear()
        pairs = [(pair[c.LABEL], round(pair[c.VALUE], 3)) for pair in row["mood_over_time"] or []]
        errors = {pair[c.LABEL]: pair[c.VALUE] for pair in row["mood_error_over_time"] or []}
        band = [
            (at, round(v - 1.96 * errors[at], 3), round(v + 1.96 * errors[at], 3)) for at, v in pairs if at in errors
        ]
        now = row["brand_mood"]
        insight = view.data.insight("brand")
        title = view.say(
            "moods_title",
            subject=named(view, key),
            mood=view.mood(now),
            way=insight.say(row["mood_alert"], view.language),
        )
        option = charts.lines(look.palette(view.dark), {named(view, key): pairs}, "", band=band)
        frame = pl.DataFrame(pairs, ["moment", "mood"], orient="row")

        def choose() -> None:
            field = ui.select(options, value=key, with_input=True, label=view.say("subject"))
            field.props("outlined dense options-dense").style("width: min(420px, 100%)")
            field.on_value_change(lambda changed: show(changed.value) if changed.value else None)

        with place:
            parts.chart_card(
                view, title, view.say("moods_sub"), option, frame, "mood-over-time", kind="tall grow", controls=choose
            )

    show(first)


def _topics_map(view: View, groups: pl.DataFrame) -> None:
    feels = "sentiment" if "sentiment" in groups.columns else "rating"
    told = groups.drop_nulls(["topic", feels]).head(MAPPED).sort(feels, "topic")
    if told.is_empty():
        parts.empty(view, view.say("topics_none"))
        return
    insight = view.data.insight("topics")
    large = told["size"].top_k(min(NAMED, len(told))).min()
    points = []
    for row in told.iter_rows(named=True):
        name = view.topic(insight.say(row["topic"], view.language))
        felt = view.mood(row[feels]) if feels == "sentiment" else view.number(row[feels], 1)
        label = view.say("topic_point", topic=name, n=view.number(row["size"]), mood=felt)
        telling = row["size"] >= large or row["topic"] == told["topic"][0]
        points.append((round(row[feels], 3), row["size"], label, name if telling else ""))
    title = view.say("topics_map_title", topic=points[0][3])
    option = maps.scatter(
        look.palette(view.dark),
        {"": points},
        x_name=view.say("topics_x" if feels == "sentiment" else "topics_x_stars"),
        y_name=view.say("texts"),
        size=12,
        named=True,
        x_range=(-1, 1) if feels == "sentiment" else None,
    )
    parts.chart_card(view, title, view.say("topics_map_sub"), option, told, "topics-map", width=5, kind="tall")


def _topics(view: View, groups: pl.DataFrame) -> None:
    insight, days = view.data.insight("topics"), view.data.days
    told = groups.drop_nulls("topic")
    rows = [
        (
            view.topic(insight.say(row["topic"], view.language)),
            view.number(row["size"]),
            parts.bar(2 * row["share"], view.percent(row["share"])),
            _trend(view, row["trend"]),
            view.number(row["rating"], 1),
            view.mood(row.get("sentiment")),
        )
        for row in told.head(TOPICS).iter_rows(named=True)
    ]
    columns = [
        (view.say("topic"), "key"),
        (view.say("texts"), "num"),
        (view.say("share"), "num"),
        (view.say("trend", days=days), "num"),
        (view.say("rating"), "num"),
        (view.say("mood"), "num"),
    ]
    rising = told.filter(pl.col("trend").is_not_null(), pl.col("size") >= 10).sort("trend", descending=True)
    title = view.say("topics_title", n=len(told))
    if len(rising) and rising["trend"][0] > 1.1:
        title = view.say(
            "topics_rising",
            topic=view.topic(insight.say(rising["topic"][0], view.language)),
            by=view.signed(rising["trend"][0] - 1),
            days=days,
        )
    parts.table_card(view, title, view.say("topics_sub"), columns, rows, told, "topics", width=7)


def _trend(view: View, trend: float | None) -> parts.Markup:
    if trend is None:
        return parts.Markup("–")
    return parts.Markup(escape(view.signed(trend - 1)))


def _aspects(view: View, aspects: pl.DataFrame) -> None:
    if aspects.is_empty():
        parts.empty(view, view.say("aspects_none"))
        return
    shown = aspects.head(ASPECTS)
    rows = [
        (
            row["aspect"],
            view.number(row["texts"]),
            parts.bar(row["praised"], view.percent(row["praised"])),
            parts.bar(row["blamed"], view.percent(row["blamed"])),
            _stars(view, row["blamed_stars"]),
            *(example_text(view, row[k]) if row[k] else "–" for k in ("praise", "blame")),
        )
        for row in shown.iter_rows(named=True)
    ]
    columns = [
        (view.say("aspect"), "key"),
        (view.say("texts"), "num"),
        (view.say("praised"), "num"),
        (view.say("blamed"), "num"),
        (view.say("blamed_stars"), "num"),
        (view.say("praise_words"), "why"),
        (view.say("blame_words"), "why"),
    ]
    saved = aspects.drop("praise", "blame") if view.person.masked else aspects
    most = shown.sort(pl.col("texts") * pl.col("blamed"), descending=True).row(0, named=True)
    title = view.say("aspects_title", aspect=most["aspect"], share=view.percent(most["blamed"]))
    parts.table_card(view, title, view.say("aspects_sub"), columns, rows, saved, "aspects")


def _stars(view: View, stars: float | None) -> str:
    return "–" if stars is None else f"{stars:+.1f}".replace("-", "−")


PAGE: Final = Page("/voice", "page_voice", "forum", "group_insight", draw, tells=("topics", "sentiment", "brand"))
