"""Churn and value: who may leave, what they are worth, why, how far to trust it, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import charts, look, maps, parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.profiles.overview import concentration

CHURN: Final = "churn_probability"
WORTH: Final = "lifetime_value"
LISTED: Final = 10
PLOTTED: Final = 2500
REASONS: Final = 8
CORNERS: Final = (("save", True, True), ("grow", True, False), ("win", False, True), ("keep", False, False))
"""What to do, whether they are worth more than most, whether they are likelier to leave than not."""


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """Where risk meets worth, what to do, whom first; then why, and how far to trust it."""
    as_of = view.data.scored_as_of("churn")
    top(view, view.say("page_churn"), view.say("churn_lead", as_of=as_of, days=view.data.days) if as_of else "")
    people, reasons, why = await view.fetch(_read)
    cards = await view.fetch(lambda d: (d.card("churn"), d.card("lifetime_value")))
    if WORTH in people.columns:
        with parts.grid():
            _plane(view, people)
            _corners(view, people)
    with parts.grid():
        _first(view, people, reasons)
    with parts.grid():
        _reasons(view, why)
        _spread(view, people)
    with parts.grid():
        _calibration(view, cards[0], "churn")
        _calibration(view, cards[1], "lifetime_value")


def _read(data: Data) -> tuple[pl.DataFrame, dict[str, list[dict[str, Any]]], pl.DataFrame]:
    """Who may leave, worth keeping first; the reasons of the first few; and what tells most over all."""
    data.need("churn")
    people = data.people().frame.filter(pl.col(CHURN).is_not_null())
    at_stake = pl.col(CHURN) * pl.col("spend")
    people = people.sort(at_stake, c.ENTITY_ID, descending=[True, False], nulls_last=[True, False])
    return (
        people,
        data.reasons_of("churn", people[c.ENTITY_ID].head(LISTED).to_list()),
        data.once("why", lambda: _why(data)),
    )


def _why(data: Data) -> pl.DataFrame:
    """Feature → how strongly it moves the answers on the whole, and for what share it makes leaving likelier."""
    moved = (
        data.reasons("churn")
        .group_by(c.FEATURE)
        .agg(pl.col(c.EFFECT).abs().sum().alias("effect"), (pl.col(c.EFFECT) > 0).mean().alias("up"))
    )
    share = pl.col("effect") / pl.col("effect").sum()
    return moved.with_columns(share).sort("effect", c.FEATURE, descending=[True, False])


def _split(people: pl.DataFrame) -> float:
    """Whom to call worth more than most: the upper quarter."""
    return float(people[WORTH].quantile(0.75) or 0.0)


def _plane(view: View, people: pl.DataFrame) -> None:
    known = people.drop_nulls([CHURN, WORTH])
    shown = known.sample(PLOTTED, seed=1) if len(known) > PLOTTED else known
    points = [
        (
            round(100 * row[CHURN], 1),
            round(row[WORTH], 2),
            f"{view.who(row[c.ENTITY_ID], row[c.NAME])}: {view.sure(row[CHURN])}, {view.money(row[WORTH])}",
            row[c.ENTITY_ID],
        )
        for row in shown.iter_rows(named=True)
    ]
    share = concentration(people, WORTH)
    title = view.say("plane_title", share=view.percent(share), days=view.data.days)
    values = {"unit": view.currency, "days": view.data.days}
    option = maps.scatter(
        look.palette(view.dark),
        {"": points},
        x_name=view.say("plane_x"),
        y_name=view.say("worth", days=view.data.days),
        x_unit="%",
        y_unit=view.unit,
        cross=(50, _split(people)),
        x_range=(0, 100),
    )
    frame = shown.select(c.ENTITY_ID, CHURN, WORTH)
    parts.chart_card(
        view,
        title,
        view.say("plane_sub", **values),
        option,
        frame,
        "risk-and-worth",
        width=7,
        on_point=lambda e: ui.navigate.to(f"/customers/{quote(str(e.value[3]), safe='')}"),
    )


def _corners(view: View, people: pl.DataFrame) -> None:
    split, rows, frames = _split(people), [], []
    for name, rich, risky in CORNERS:
        mine = people.filter((pl.col(WORTH) >= split) == rich, (pl.col(CHURN) > 0.5) == risky)
        who = view.say(
            "corner_who",
            worth=view.say("corner_rich" if rich else "corner_poor", split=view.money(split)),
            risk=view.say("corner_risky" if risky else "corner_safe"),
        )
        told = parts.Markup(f'{escape(view.say(f"corner_{name}"))}<span class="sub">{escape(who)}</span>')
        rows.append((told, view.number(len(mine)), view.money(float(mine[WORTH].sum()))))
        frames.append(mine.select(c.ENTITY_ID, CHURN, WORTH).with_columns(pl.lit(name).alias("what_to_do")))
    columns = [
        (view.say("what_to_do"), "key"),
        (view.say("customers"), "num"),
        (view.say("worth", days=view.data.days), "num"),
    ]
    title = view.say("corners_title", n=rows[0][1])
    parts.table_card(view, title, view.say("corners_sub"), columns, rows, pl.concat(frames), "what-to-do", width=5)


def _first(view: View, people: pl.DataFrame, reasons: Mapping[str, list[dict[str, Any]]]) -> None:
    worth = WORTH if WORTH in people.columns else "spend"
    first = people
    insight, reader = view.data.insight("churn"), view.data.reader(view.language)
    rows = [
        (
            parts.to_customer(view, row[c.ENTITY_ID], row[c.NAME]),
            parts.bar(row[CHURN], view.sure(row[CHURN])),
            view.money(row["spend"]),
            view.money(row[worth]),
            view.because(reasons.get(row[c.ENTITY_ID], [])),
            insight.tell(row, reader).advice or "–",
        )
        for row in first.head(LISTED).iter_rows(named=True)
    ]
    columns = [
        (view.say("customer"), "key"),
        (view.say("may_leave"), "num"),
        (view.say("spent"), "num"),
        (view.say("worth", days=view.data.days), "num"),
        (view.say("reasons"), "why"),
        (view.say("what_to_do"), "why"),
    ]
    shown = first.drop(c.NAME, c.EMAIL) if view.person.masked else first
    top_money = view.money(float(first.head(LISTED)["spend"].sum()))
    title = view.say("first_title", n=min(LISTED, len(first)), money=top_money)
    parts.table_card(view, title, view.say("keep_sub"), columns, rows, shown, "keep-first")


def _reasons(view: View, why: pl.DataFrame) -> None:
    if why.is_empty():
        parts.note(view.say("why_none"), view.say("why_none_sub"), width=6)
        return
    features, shown = view.data.features(), why.head(REASONS)
    labels = [features[k].docs[view.language] if k in features else k for k in shown[c.FEATURE]]
    title = view.say("why_title", feature=labels[0], share=view.percent(shown["effect"][0]))
    option = charts.bars(look.palette(view.dark), labels, [round(100 * v, 1) for v in shown["effect"]], "%", name=title)
    parts.chart_card(view, title, view.say("why_sub"), option, why, "reasons", width=6)


def _spread(view: View, people: pl.DataFrame) -> None:
    bins = (people[CHURN] * 10).floor().clip(0, 9).cast(pl.Int64).value_counts().rename({CHURN: "bin"})
    counts = dict(bins.iter_rows())
    values = [counts.get(k, 0) for k in range(10)]
    likely = len(people.filter(pl.col(CHURN) > 0.5)) / max(len(people), 1)
    labels = [f"{10 * k}–{10 * k + 10} %" for k in range(10)]
    option = charts.columns(look.palette(view.dark), labels, {view.say("customers"): values})
    frame = pl.DataFrame({"chance": labels, "customers": values})
    title = view.say("spread_title", share=view.percent(likely))
    parts.chart_card(view, title, view.say("spread_sub"), option, frame, "chances", width=6)


def _calibration(view: View, card: Mapping[str, Any] | None, name: str) -> None:
    table = (card or {}).get("quality", {}).get("calibration") or []
    if not card or not table:
        parts.note(view.say("calibration_none"), view.say("calibration_none_sub"), width=6)
        return
    percent = name == "churn"
    times, unit = (100, "%") if percent else (1, view.unit)
    points = [
        (
            round(times * r["forecast"], 2),
            round(times * r["actual"], 2),
            view.say(
                "calibration_point",
                n=r["rows"],
                told=_figure(view, r["forecast"], percent),
                was=_figure(view, r["actual"], percent),
            ),
        )
        for r in table
    ]
    rows = sum(r["rows"] for r in table)
    told, was = (sum(r["rows"] * r[k] for r in table) / rows for k in ("forecast", "actual"))
    title = view.say(f"calibration_{name}", told=_figure(view, told, percent), was=_figure(view, was, percent))
    most = max(max(point[:2]) for point in points)
    option = maps.scatter(
        look.palette(view.dark),
        {"": points},
        x_name=view.say("forecast"),
        y_name=view.say("actual"),
        x_unit=unit,
        y_unit=unit,
        diagonal=most,
        size=11,
    )
    by = card["contender"].replace("_", " ")
    sub = view.say("calibration_sub", as_of=card["quality"]["as_of"], by=by)
    parts.chart_card(view, title, sub, option, pl.DataFrame(table), f"calibration-{name}", width=6)


def _figure(view: View, value: float, percent: bool) -> str:
    return view.percent(value) if percent else view.money(value)


PAGE: Final = Page("/churn", "page_churn", "trending_down", "group_insight", draw, tells=("churn", "lifetime_value"))
