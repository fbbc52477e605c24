"""Overview: how many customers, what they bring in, who is active, what changed and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.dashboard import charts, look, parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.said import alert_line, alert_note
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import MissingDataError
from dongcha.profiles.change import Change
from dongcha.profiles.overview import Overview

PARTS: Final = ("new", "back", "lost", "frequency", "basket")
LISTED: Final = 7
ALERTS: Final = 4
MONTHS: Final = 24
LIKELY: Final = 0.5


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """Figures first, then what changed, then whom to keep and what turns."""
    try:
        found = await view.fetch(lambda d: (d.overview(), d.months(), d.change(), d.product_names()))
    except MissingDataError as missing:
        top(view, view.say("page_overview"))
        raise missing
    overview, months, change, _ = found
    top(view, view.say("page_overview"), view.say("overview_lead", as_of=overview.as_of, days=overview.days))
    churn = await view.fetch(lambda d: d.scores("churn"))
    with parts.grid():
        _figures(view, overview, months, churn)
    with parts.grid():
        _revenue(view, overview, months)
        _change(view, change, overview.days)
    if view.person.masked:
        await view.fetch(lambda d: d.names())
    keep, alerts = await view.fetch(_attention)
    with parts.grid():
        if keep is not None:
            _keep(view, keep, await view.fetch(lambda d: d.reasons("churn")))
        if await view.fetch(lambda d: d.scores("brand")) is not None:
            _alerts(view, alerts, await view.fetch(lambda d: len(d.need("brand"))))


def _attention(data: Data) -> tuple[pl.DataFrame | None, list[dict[str, object]]]:
    if data.scores("churn") is None:
        return None, data.alerts()
    people = data.people().filter(pl.col("churn_probability").is_not_null())
    return people.sort(pl.col("churn_probability") * pl.col("spend"), descending=True, nulls_last=True), data.alerts()


def _figures(view: View, found: Overview, months: pl.DataFrame, churn: pl.DataFrame | None) -> None:
    whole = months.filter(pl.col("whole"))
    late = whole.tail(12)
    before = view.say("kpi_before", before=view.money(found.revenue_before))
    parts.kpi(
        view.say("kpi_customers"),
        view.number(found.buyers),
        note=view.say("kpi_new", new=view.number(found.new), days=found.days),
        trend=whole["new"].cum_sum().tail(12).to_list(),
    )
    change = _relative(found.revenue, found.revenue_before)
    parts.kpi(
        view.say("kpi_revenue", days=found.days),
        view.money(found.revenue),
        change=change,
        signed=view.signed(change),
        note=before,
        trend=late["revenue"].to_list(),
    )
    change = _relative(found.active, found.active_before)
    parts.kpi(
        view.say("kpi_active", days=found.days),
        view.number(found.active),
        change=change,
        signed=view.signed(change),
        note=view.say("kpi_before", before=view.number(found.active_before)),
        trend=late["customers"].to_list(),
    )
    if churn is not None:
        leaving = float(churn["churn_probability"].sum())
        note = view.say("kpi_leaving_note", share=view.percent(leaving / len(churn)), days=found.days)
        parts.kpi(view.say("kpi_leaving"), view.number(leaving), note=note)


def _relative(now: float, before: float) -> float | None:
    return now / before - 1 if before > 0 else None


def _revenue(view: View, found: Overview, months: pl.DataFrame) -> None:
    change = _relative(found.revenue, found.revenue_before)
    title = view.say("revenue_first")
    if change is not None:
        title = view.say(
            "revenue_up" if change >= 0 else "revenue_down", change=view.percent(abs(change)), days=found.days
        )
    shown = months.tail(MONTHS)
    unit = view.data.currency()
    option = charts.columns(
        look.palette(view.dark),
        [f"{month:%Y-%m}" for month in shown["month"]],
        {view.say("revenue_first"): shown["revenue"].round(2).to_list()},
        view.unit,
        faint_last=not shown["whole"][-1],
    )
    sub = view.say("revenue_sub", unit=unit)
    parts.chart_card(view, title, sub, option, months.drop("whole"), "revenue-by-month", width=6)


def _change(view: View, change: Change, days: int) -> None:
    by, moved = change.now - change.before, {name: float(getattr(change, name)) for name in PARTS}
    way = 1 if by > 0 else -1
    most = max(PARTS, key=lambda name: way * moved[name])
    title = view.say("change_none")
    if round(by):
        amount = ("+" if way > 0 else "") + view.money(moved[most])
        title = view.say(
            "change_up" if by > 0 else "change_down",
            by=view.money(abs(by)),
            part=view.say(f"part_{most}"),
            amount=amount,
        )
    labels = [view.first_up(view.say(f"part_{name}")) for name in ("before", *PARTS, "now")]
    steps = [change.before, *moved.values(), change.now]
    option = charts.waterfall(look.palette(view.dark), labels, [round(step) for step in steps], view.unit)
    foot = view.say(
        "change_foot",
        **{name: view.number(getattr(change, f"{name}_customers")) for name in ("new", "back", "lost", "kept")},
    )
    sub = view.say("change_sub", days=days, unit=view.data.currency())
    parts.chart_card(view, title, sub, option, pl.DataFrame([asdict(change)]), "what-changed", width=6, foot=foot)


def _keep(view: View, people: pl.DataFrame, reasons: dict[str, list[dict[str, object]]]) -> None:
    likely = people.filter(pl.col("churn_probability") > LIKELY)
    title = view.say("keep_title", n=view.number(len(likely)), money=view.money(float(likely["spend"].sum())))
    rows = [
        (
            parts.to_customer(view, row[c.ENTITY_ID], row[c.NAME]),
            parts.bar(row["churn_probability"], view.percent(row["churn_probability"])),
            view.money(row["spend"]),
            view.because(reasons.get(row[c.ENTITY_ID], []), 2),
        )
        for row in people.head(LISTED).iter_rows(named=True)
    ]
    columns = [
        (view.say("customer"), "key"),
        (view.say("may_leave"), "num"),
        (view.say("spent"), "num"),
        (view.say("reasons"), "why"),
    ]
    shown = people.drop(c.NAME, c.EMAIL) if view.person.masked else people
    parts.table_card(view, title, view.say("keep_sub"), columns, rows, shown, "worth-keeping", width=8)


def _alerts(view: View, alerts: list[dict[str, object]], subjects: int) -> None:
    if not alerts:
        parts.note(view.say("attention_none"), view.say("attention_none_sub", n=view.number(subjects)), width=4)
        return
    with parts.card(view.say("attention"), view.say("attention_sub"), width=4):
        for alert in alerts[:ALERTS]:
            alert_line(view, alert)
            alert_note(view, alert)


PAGE: Final = Page("/", "page_overview", "space_dashboard", "", draw)
