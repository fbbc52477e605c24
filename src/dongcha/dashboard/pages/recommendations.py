"""Recommendations: what is recommended most, and what one customer would want and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import charts, look, parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View

NAME: Final = "recommendation"
COUNTED: Final = ("recommendations", "recommended_because")
MOST: Final = 15
TRIED: Final = 300
"""Customers, those worth most, among whom one is tried; everybody's own page shows theirs."""
POPULAR: Final = "popular"
"""What stands in the place of a purchase that led to a product."""


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """One customer to try beside what is recommended most and what it is because of."""
    as_of = view.data.scored_as_of(NAME)
    top(view, view.say("page_recommendations"), view.say("recommendations_lead", as_of=as_of) if as_of else "")
    answer, names = await view.fetch(lambda d: (d.need(NAME), d.product_names()))
    people = await view.fetch(lambda d: d.people().frame.select(c.ENTITY_ID, c.NAME))
    card = await view.fetch(lambda d: d.card(NAME))
    listed = people.head(TRIED).join(answer, on=c.ENTITY_ID, how="inner", maintain_order="left")
    most, led = [await view.fetch(partial(_kept, view, answer, column)) for column in COUNTED]
    with parts.grid():
        _try(view, listed, names)
        _most(view, most, len(answer))
    with parts.grid():
        _why(view, led.filter(pl.col("id") != POPULAR))
        _quality(view, card)


def _try(view: View, listed: pl.DataFrame, names: Mapping[str, str]) -> None:
    found: dict[str, dict[str, Any]] = {row[c.ENTITY_ID]: row for row in listed.iter_rows(named=True)}
    options = {key: f"{view.who(key, row[c.NAME])} ({key})" if row[c.NAME] else key for key, row in found.items()}
    with parts.card(view.say("try_title"), view.say("try_sub"), width=6):
        field = ui.select(options, with_input=True, label=view.say("customer"), value=next(iter(options), None))
        field.props("outlined dense options-dense").style("max-width: 420px; margin-bottom: 12px")
        place = ui.element("div")

    def show() -> None:
        place.clear()
        row = found.get(field.value or "")
        if row is None:
            return
        because = dict(enumerate(row["recommended_because"] or []))
        insight = view.data.insight(NAME)
        rows = []
        for rank, pair in enumerate(row["recommendations"] or [], 1):
            led = because.get(rank - 1)
            why = names.get(led[c.LABEL]) or insight.say(led[c.LABEL], view.language) if led else ""
            rows.append((str(rank), names.get(pair[c.LABEL]) or pair[c.LABEL], why or "–"))
        with place:
            parts.table([("#", ""), (view.say("product"), "key"), (view.say("because"), "why")], rows)
            link = parts.to_customer(view, row[c.ENTITY_ID], row[c.NAME])
            ui.html(f'<p class="foot">{escape(view.say("open_customer"))} {link}</p>', sanitize=False)

    field.on_value_change(show)
    show()


def _kept(view: View, answer: pl.DataFrame, column: str, data: Data) -> pl.DataFrame:
    return data.once((NAME, column, view.language), lambda: _counted(view, answer, column))


def _counted(view: View, answer: pl.DataFrame, column: str) -> pl.DataFrame:
    """id → its name and how many customers' lists hold it."""
    labels = answer.select(c.ENTITY_ID, pl.col(column).list.eval(pl.element().struct.field(c.LABEL))).explode(column)
    counted = (
        labels.drop_nulls()
        .unique()
        .group_by(column)
        .len("customers")
        .sort("customers", column, descending=[True, False])
    )
    insight, names = view.data.insight(NAME), view.data.product_names()
    called = [names.get(k) or insight.say(k, view.language) for k in counted[column]]
    return counted.with_columns(pl.Series("name", called, pl.String)).select(
        pl.col(column).alias("id"), "name", "customers"
    )


def _most(view: View, found: pl.DataFrame, customers: int) -> None:
    title = view.say("most_title", n=view.number(len(found)), product=found["name"][0] if len(found) else "–")
    shown = found.head(MOST)
    option = charts.bars(look.palette(view.dark), shown["name"].to_list(), shown["customers"].to_list(), name=title)
    parts.chart_card(
        view,
        title,
        view.say("most_sub", n=view.number(customers)),
        option,
        found,
        "recommended-most",
        width=6,
        kind="tall",
    )


def _why(view: View, found: pl.DataFrame) -> None:
    if found.is_empty():
        return
    shown = found.head(MOST)
    title = view.say("led_title", product=shown["name"][0])
    option = charts.bars(look.palette(view.dark), shown["name"].to_list(), shown["customers"].to_list(), name=title)
    parts.chart_card(view, title, view.say("led_sub"), option, found, "recommended-because", width=6, kind="tall")


def _quality(view: View, card: Mapping[str, Any] | None) -> None:
    rows = (card or {}).get("quality", {}).get("by_orders") or []
    known = [r for r in rows if r["customers"] and r["recall_at_10"] == r["recall_at_10"]]
    if not card or not known:
        parts.note(view.say("calibration_none"), view.say("calibration_none_sub"), width=6)
        return
    mean = card["mean_metrics"].get(card["contender"], {})
    title = view.say("hits_title", share=view.percent(mean.get("recall_at_10")), by=card["contender"].replace("_", " "))
    table = [
        (
            _orders(view, r["group"]),
            view.number(r["customers"]),
            view.percent(r["recall_at_10"]),
            view.number(r["ndcg_at_10"], 3),
        )
        for r in known
    ]
    columns = [
        (view.say("orders_before"), "key"),
        (view.say("customers"), "num"),
        ("Recall@10", "num"),
        ("NDCG@10", "num"),
    ]
    parts.table_card(
        view,
        title,
        view.say("hits_sub", as_of=card["quality"]["as_of"]),
        columns,
        table,
        pl.DataFrame(known),
        "recommendation-quality",
        width=6,
    )


def _orders(view: View, group: str) -> str:
    """How often they had ordered, in words."""
    return view.pick(group, re.sub(r" orders?$", "", group) + " 单")


PAGE: Final = Page("/recommendations", "page_recommendations", "shopping_bag", "group_insight", draw, tells=(NAME,))
