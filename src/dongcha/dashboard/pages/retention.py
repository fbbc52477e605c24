"""Retention: which months' customers come back, how long customers last, how far they get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from dongcha.dashboard import charts, look, maps, parts
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View

SHOWN: Final = ("cohorts", "survival", "repeats", "funnel")
COHORTS: Final = 18
AFTER: Final = 18
YEAR: Final = 365.0
POINTS: Final = 200


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """The cohorts above, then lives and funnels."""
    top(view, view.say("page_retention"), view.say("retention_lead", days=view.data.days))
    await view.fetch(lambda d: d.overview())
    cohorts, survival, repeats, funnel = await view.fetch(lambda d: [d.page(name) for name in SHOWN])
    with parts.grid():
        _cohorts(view, cohorts)
    with parts.grid():
        _survival(view, survival)
        _repeats(view, repeats)
        _funnel(view, funnel)


def _cohorts(view: View, cohorts: pl.DataFrame) -> None:
    later = cohorts.filter(pl.col("after") > 0)
    if later.is_empty():
        parts.empty(view, view.say("cohorts_none"))
        return
    whole = later.group_by("after").agg(pl.col("customers").sum() / pl.col("size").sum()).sort("after")
    title = view.say("cohorts_title", share=view.percent(whole["customers"][0], 0))
    months = later["cohort"].unique().sort().to_list()[-COHORTS:]
    row_of = {month: place for place, month in enumerate(months)}
    shown = later.filter(pl.col("cohort").is_in(months), pl.col("after") <= AFTER)
    sizes = dict(cohorts.select("cohort", "size").unique().iter_rows())
    cells = [(a - 1, row_of[m], round(100 * s, 1)) for m, a, s in shown.select("cohort", "after", "share").iter_rows()]
    labels = [f"{view.month(month)} ({sizes[month]:,})" for month in months]
    across = [f"+{k}" for k in range(1, min(int(shown["after"].max() or 0), AFTER) + 1)]  # type: ignore[arg-type]
    highest = float(np.quantile([cell[2] for cell in cells], 0.95)) or 1.0
    option = maps.heat(look.palette(view.dark), across, labels, cells, highest=highest)
    sub = view.say("cohorts_sub")
    parts.chart_card(view, title, sub, option, cohorts, "cohorts", width=12, kind="tall wide")


def _survival(view: View, found: pl.DataFrame) -> None:
    ended = int(found["ended"].sum())
    days = view.data.days
    if not ended:
        parts.note(view.say("survival_none"), view.say("survival_none_sub", days=days), width=4)
        return
    half = found.filter(pl.col("share") <= 0.5)
    year = found.filter(pl.col("days") <= YEAR)["share"][-1]
    title = view.say("survival_half", n=view.number(half["days"][0])) if len(half) else ""
    if not title or float(found["days"].max() or 0) < 1:  # type: ignore[arg-type]
        title = view.say("survival_year", share=view.percent(year))
    shown = found if len(found) <= POINTS else found.gather_every(len(found) // POINTS + 1)
    percent = [(round(d, 1), round(100 * s, 1)) for d, s in shown.select("days", "share").iter_rows()]
    band = [
        (round(d, 1), round(100 * lo, 1), round(100 * hi, 1))
        for d, lo, hi in shown.select("days", "low", "high").iter_rows()
    ]
    option = charts.lines(
        look.palette(view.dark),
        {view.say("survival_line"): percent},
        "%",
        x="value",
        band=band,
        step=True,
        low=0,
        high=100,
        x_name=view.say("survival_x"),
    )
    parts.chart_card(view, title, view.say("survival_sub", days=days), option, found, "survival", width=4)


def _repeats(view: View, found: pl.DataFrame) -> None:
    shares = found["share"].to_list()
    title = view.say("repeats_title", share=view.percent(shares[1]))
    labels = [view.say("repeats_step", n=n) for n in found["orders"]]
    option = charts.bars(look.palette(view.dark), labels, [round(100 * s, 1) for s in shares], "%", name=title)
    parts.chart_card(
        view, title, view.say("repeats_sub", n=view.number(found["customers"][0])), option, found, "repeats", width=4
    )


def _funnel(view: View, found: pl.DataFrame) -> None:
    days = view.data.days
    if found.is_empty():
        parts.note(view.say("funnel_none"), view.say("funnel_none_sub"), width=4)
        return
    title = view.say("funnel_title", share=view.percent(found["share"][-1]), days=days)
    labels = [view.say(f"funnel_{step}") for step in found["step"]]
    option = charts.bars(look.palette(view.dark), labels, found["customers"].to_list(), name=title)
    parts.chart_card(view, title, view.say("funnel_sub", days=days), option, found, "funnel", width=4)


PAGE: Final = Page("/retention", "page_retention", "event_repeat", "group_customers", draw)
