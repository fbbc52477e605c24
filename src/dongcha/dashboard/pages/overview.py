"""Overview: how many customers, what they bring in, who is active, what changed and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.dashboard import charts, look, parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.said import alert_line, alert_note, least_liked
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError
from dongcha.profiles.change import Change
from dongcha.profiles.overview import Overview as Numbers

CHURN: Final = "churn_probability"
PARTS: Final = ("new", "back", "lost", "frequency", "basket")
LISTED: Final = 7
ALERTS: Final = 4
MONTHS: Final = 24
LIKELY: Final = 0.5


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """Figures first, then what changed, then whom to keep and what turns."""
    try:
        found = await view.fetch(lambda d: (Numbers(**_known(d.overview())), d.page("months"), d.page("change")))
    except DongchaError:
        top(view, view.say("page_overview"))
        raise
    overview, months, change = found
    top(view, view.say("page_overview"), view.say("overview_lead", as_of=overview.as_of, days=overview.days))
    keep, reasons = await view.fetch(_keeping)
    with parts.grid():
        _figures(view, overview, months, keep)
    with parts.grid():
        _revenue(view, overview, months)
        _change(view, Change(**change.row(0, named=True)), overview.days)
    alerts, brand = await view.fetch(lambda d: (d.alerts(), d.scores("brand")))
    if view.person.masked:
        await view.fetch(lambda d: d.people().names)
    with parts.grid():
        if keep is not None:
            _keep(view, keep, reasons)
        if brand is not None:
            _alerts(view, alerts, brand)
        if keep is None and brand is None:
            parts.no_run(view)


def _known(overview: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: overview[field.name] for field in fields(Numbers)}


def _keeping(data: Data) -> tuple[pl.DataFrame | None, dict[str, list[dict[str, Any]]]]:
    """Those who have a chance to leave, worth keeping first, and why, of the first few."""
    people = data.people().frame
    if CHURN not in people.columns:
        return None, {}
    people = people.filter(pl.col(CHURN).is_not_null())
    people = people.sort(pl.col(CHURN) * pl.col("spend"), descending=True, nulls_last=True)
    return people, data.reasons_of("churn", people[c.ENTITY_ID].head(LISTED).to_list())


def _figures(view: View, found: Numbers, months: pl.DataFrame, keep: pl.DataFrame | None) -> None:
    whole = months.filter(pl.col("whole"))
    late = whole.tail(12)
    before, width = view.say("kpi_before", before=view.money(found.revenue_before)), 4 if keep is None else 3
    parts.kpi(
        view.say("kpi_customers"),
        view.number(found.buyers),
        note=view.say("kpi_new", new=view.number(found.new), days=found.days),
        trend=whole["new"].cum_sum().tail(12).to_list(),
        width=width,
    )
    change = _relative(found.revenue, found.revenue_before)
    parts.kpi(
        view.say("kpi_revenue", days=found.days),
        view.money(found.revenue),
        change=change,
        signed=view.signed(change),
        note=before,
        trend=late["revenue"].to_list(),
        width=width,
    )
    change = _relative(found.active, found.active_before)
    parts.kpi(
        view.say("kpi_active", days=found.days),
        view.number(found.active),
        change=change,
        signed=view.signed(change),
        note=view.say("kpi_before", before=view.number(found.active_before)),
        trend=late["customers"].to_list(),
        width=width,
    )
    if keep is not None and len(keep):
        leaving = float(keep[CHURN].sum())
        note = view.say("kpi_leaving_note", share=view.percent(leaving / len(keep)), days=found.days)
        parts.kpi(view.say("kpi_leaving"), view.number(leaving), note=note, share=leaving / len(keep))


def _relative(now: float, before: float) -> float | None:
    return now / before - 1 if before > 0 else None


def _revenue(view: View, found: Numbers, months: pl.DataFrame) -> None:
    change = _relative(found.revenue, found.revenue_before)
    title = view.say("revenue_first")
    if change is not None:
        title = view.say(
            "revenue_up" if change >= 0 else "revenue_down", change=view.percent(abs(change)), days=found.days
        )
    shown = months.tail(MONTHS)
    unit = view.currency
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
    sub = view.say("change_sub", days=days, unit=view.currency)
    parts.chart_card(view, title, sub, option, pl.DataFrame([asdict(change)]), "what-changed", width=6, foot=foot)


def _keep(view: View, people: pl.DataFrame, reasons: dict[str, list[dict[str, Any]]]) -> None:
    likely = people.filter(pl.col(CHURN) > LIKELY)
    title = view.say("keep_title", n=view.number(len(likely)), money=view.money(float(likely["spend"].sum())))
    rows = [
        (
            parts.to_customer(view, row[c.ENTITY_ID], row[c.NAME]),
            parts.bar(row[CHURN], view.sure(row[CHURN])),
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


def _alerts(view: View, alerts: list[dict[str, Any]], brand: pl.DataFrame) -> None:
    if not alerts:
        least_liked(view, brand, LISTED, width=4)
        return
    with parts.card(view.say("attention"), view.say("attention_sub"), width=4):
        for alert in alerts[:ALERTS]:
            alert_line(view, alert)
            alert_note(view, alert)


PAGE: Final = Page("/", "page_overview", "space_dashboard", "", draw)
