"""Voice: what customers talk about, how it feels over time, and whose mood is turning, with their words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import charts, parts
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import MissingDataError
from dongcha.insight_kit.telling import shortened
from dongcha.privacy.redaction import redacted

TOPICS: Final = 14
ASPECTS: Final = 12
SUBJECTS: Final = 300
EXAMPLE: Final = 200
WORDS: Final = 4
SHOP: Final = "shop/all"


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """Alerts first; then moods over time, topics, and what is praised and blamed."""
    top(view, view.say("page_voice"), view.say("voice_lead"))
    await view.fetch(lambda d: d.product_names())
    brand, topics, moods = await view.fetch(lambda d: (d.scores("brand"), d.scores("topics"), d.scores("sentiment")))
    if brand is None and topics is None and moods is None:
        raise MissingDataError(view.say("voice_none"), "dongcha load FILE --as reviews && dongcha run")
    if brand is not None:
        alerts = await view.fetch(lambda d: d.alerts())
        with parts.grid():
            _moods(view, brand)
            _alerts(view, alerts, len(brand))
    if topics is not None:
        groups = await view.fetch(lambda d: d.groups("topics"))
        with parts.grid():
            _topics_map(view, groups)
            _topics(view, groups)
    if moods is not None:
        aspects = await view.fetch(lambda d: d.aspects())
        with parts.grid():
            _aspects(view, aspects)


def named(view: View, subject: str) -> str:
    """What reviews speak of, in words."""
    kind, _, name = subject.partition("/")
    if kind == "shop":
        return view.say("whole_shop")
    called = view.data.product_names().get(name, name) if kind == "product" else name
    return f"{view.say(f'kind_{kind}')} {called}"


def alert_line(view: View, alert: Mapping[str, Any]) -> None:
    """What turned, from where to where, since when."""
    falling = alert["alert"] == "falling"
    values = {"subject": named(view, alert[c.SUBJECT_ID]), "before": view.mood(alert["before"]), "now": view.mood(alert["mood"])}
    said = view.say("mood_fell" if falling else "mood_rose", since=alert["since"], **values)
    mark = '<span class="down">▼</span>' if falling else '<span class="up">▲</span>'
    sure = view.say("sure_by", sure=view.sure(alert["sure"]), n=view.number(alert["reviews_since"]))
    ui.html(f'<div style="margin-top: 10px"><b style="font-weight: 600">{mark} {escape(said)}</b>'
            f'<div class="sub">{escape(sure)}</div></div>', sanitize=False)  # fmt: skip


def alert_note(view: View, alert: Mapping[str, Any], examples: int = 1) -> None:
    """What is said more since, and some who say it."""
    words = [f"{w['word'].replace('not_', 'not ')} ({view.percent(w['before'])} → {view.percent(w['since'])})" for w in alert["words"]]
    topic = alert["topic"]
    if topic:
        values = {"topic": topic["topic"], "before": view.percent(topic["share_before"]), "now": view.percent(topic["share"])}
        ui.html(f'<p class="sub">{escape(view.say("topic_moved", **values))}</p>', sanitize=False)
    if words:
        ui.html(f'<p class="sub">{escape(view.say("said_more", words=", ".join(words[:WORDS])))}</p>', sanitize=False)
    said = [(example_text(view, one[c.TEXT]), f"{view.day(one[c.HAPPENED_AT])} · {view.mood(one['mood'])}") for one in alert["examples"]]
    parts.quotes(said[:examples])


def example_text(view: View, text: str) -> str:
    """A customer's words, without what names or reaches a person where the reader's role asks for that."""
    return shortened(redacted(text) if view.person.masked else text, EXAMPLE)


def _alerts(view: View, alerts: list[dict[str, Any]], subjects: int) -> None:
    title = view.say("alerts_title", n=len(alerts)) if alerts else view.say("attention_none")
    with parts.card(title, view.say("attention_sub") if alerts else view.say("attention_none_sub", n=view.number(subjects)), width=5):
        if not alerts:
            return
        with ui.element("div").style("max-height: 460px; overflow-y: auto").props("tabindex=0"):
            for alert in alerts:
                alert_line(view, alert)
                alert_note(view, alert, 2)


def _moods(view: View, brand: pl.DataFrame) -> None:
    texts = pl.col("texts_over_time").list.eval(pl.element().struct.field(c.VALUE)).list.sum().alias("reviews")
    ordered = brand.with_columns(texts).sort("reviews", c.ENTITY_ID, descending=[True, False]).head(SUBJECTS)
    rows = {row[c.ENTITY_ID]: row for row in ordered.iter_rows(named=True)}
    options = {key: f"{named(view, key)} ({row['reviews']:,.0f})" for key, row in rows.items()}
    first = SHOP if SHOP in rows else next(iter(rows))
    chosen = rows[first]
    with ui.element("div").classes("w7").style("display: flex; flex-direction: column"):
        place = ui.element("div").style("flex: 1; display: flex; flex-direction: column")

    def show(key: str) -> None:
        row = rows[key]
        place.clear()
        pairs = [(pair[c.LABEL], round(pair[c.VALUE], 3)) for pair in row["mood_over_time"] or []]
        errors = {pair[c.LABEL]: pair[c.VALUE] for pair in row.get("mood_error") or row.get("mood_error_over_time") or []}
        band = [(at, round(v - 1.96 * errors[at], 3), round(v + 1.96 * errors[at], 3)) for at, v in pairs if at in errors]
        now = row["brand_mood"]
        insight = view.data.insight("brand")
        title = view.say("moods_title", subject=named(view, key), mood=view.mood(now), way=insight.say(row["mood_alert"], view.language))
        option = charts.lines(charts.palette(view.dark), {named(view, key): pairs}, "", band=band)
        frame = pl.DataFrame(pairs, ["moment", "mood"], orient="row")
        with place:
            parts.chart_card(view, title, view.say("moods_sub"), option, frame, "mood-over-time", width=12, kind="tall")
            field = ui.select(options, value=key, with_input=True, label=view.say("subject"), on_change=lambda e: e.value and show(e.value))
            field.props("outlined dense options-dense").style("width: min(420px, 100%); margin-top: 12px; background: var(--card)")

    assert chosen
    show(first)


def _topics_map(view: View, groups: pl.DataFrame) -> None:
    told = groups.drop_nulls("topic").head(60)
    if told.is_empty():
        parts.empty(view, view.say("topics_none"))
        return
    feels = "sentiment" if "sentiment" in told.columns else "rating"
    insight = view.data.insight("topics")
    points = [
        (round(row[feels], 3), row["size"], view.say("topic_point", topic=insight.say(row["topic"], view.language), n=view.number(row["size"]),
                                                     mood=view.mood(row[feels]) if feels == "sentiment" else view.number(row[feels], 1)))
        for row in told.drop_nulls(feels).iter_rows(named=True)
    ]  # fmt: skip
    worst = min(points, key=lambda p: p[0]) if points else (0, 0, "")
    name = next((r["topic"] for r in told.iter_rows(named=True) if r[feels] is not None and round(r[feels], 3) == worst[0]), "–")
    title = view.say("topics_map_title", topic=insight.say(name, view.language))
    option = charts.scatter(charts.palette(view.dark), {"": points}, x_name=view.say("topics_x" if feels == "sentiment" else "topics_x_stars"),
                            y_name=view.say("texts"), size=12)  # fmt: skip
    parts.chart_card(view, title, view.say("topics_map_sub"), option, told, "topics-map", width=5)


def _topics(view: View, groups: pl.DataFrame) -> None:
    insight, days = view.data.insight("topics"), view.data.days
    told = groups.drop_nulls("topic")
    rows = [
        (
            insight.say(row["topic"], view.language), view.number(row["size"]), parts.bar(2 * row["share"], view.percent(row["share"])),
            _trend(view, row["trend"]), view.number(row["rating"], 1), view.mood(row.get("sentiment")),
        )
        for row in told.head(TOPICS).iter_rows(named=True)
    ]  # fmt: skip
    columns = [(view.say("topic"), "key"), (view.say("texts"), "num"), (view.say("share"), "num"),
               (view.say("trend", days=days), "num"), (view.say("rating"), "num"), (view.say("mood"), "num")]  # fmt: skip
    rising = told.filter(pl.col("trend").is_not_null(), pl.col("size") >= 10).sort("trend", descending=True)
    title = view.say("topics_title", n=len(told))
    if len(rising) and rising["trend"][0] > 1.1:
        title = view.say("topics_rising", topic=insight.say(rising["topic"][0], view.language), by=view.signed(rising["trend"][0] - 1), days=days)
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
            row["aspect"], view.number(row["texts"]),
            parts.bar(row["praised"], view.percent(row["praised"])), parts.bar(row["blamed"], view.percent(row["blamed"])),
            _stars(view, row["blamed_stars"]),
            *(example_text(view, row[k]) if row[k] else "–" for k in ("praise", "blame")),
        )
        for row in shown.iter_rows(named=True)
    ]  # fmt: skip
    columns = [(view.say("aspect"), "key"), (view.say("texts"), "num"), (view.say("praised"), "num"), (view.say("blamed"), "num"),
               (view.say("blamed_stars"), "num"), (view.say("praise_words"), "why"), (view.say("blame_words"), "why")]  # fmt: skip
    most = shown.sort(pl.col("texts") * pl.col("blamed"), descending=True).row(0, named=True)
    title = view.say("aspects_title", aspect=most["aspect"], share=view.percent(most["blamed"]))
    parts.table_card(view, title, view.say("aspects_sub"), columns, rows, aspects, "aspects")


def _stars(view: View, stars: float | None) -> str:
    return "–" if stars is None else f"{stars:+.1f}".replace("-", "−")


PAGE: Final = Page("/voice", "page_voice", "forum", "group_insight", draw, tells=("topics", "sentiment", "brand"))
