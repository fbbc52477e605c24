"""Data: what is loaded, how fresh and how whole it is, what was refused, and which insights lack what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.dashboard import charts, look, parts
from dongcha.dashboard.running import RunCard
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.warehouse.tables import ALWAYS

REFUSED: Final = 100
REASONS: Final = 12


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """Tables, then what was refused, then who lacks what."""
    top(view, view.say("page_data"), view.say("data_lead"))
    status, refused = await view.fetch(lambda d: (d.status(), d.quarantined()))
    if not status["tables"]:
        parts.empty(view, view.say("data_none"), "dongcha load orders.csv --as orders")
    else:
        with parts.grid():
            _tables(view, status["tables"])
        with parts.grid():
            await RunCard(view).draw()
            _reasons(view, status["quarantine"], refused)
    with parts.grid():
        _insights(view, status["insights"])
    if len(refused):
        with parts.grid():
            _refused(view, refused)


def _tables(view: View, tables: list[dict[str, Any]]) -> None:
    rows = [
        (
            t["table"],
            view.number(t["rows"]),
            _moment(view, t["first"]),
            _moment(view, t["last"]),
            f"{t['version']}",
            "; ".join(t["findings"]) or "–",
            ", ".join(t["not_given"]) or "–",
        )
        for t in tables
    ]
    columns = [
        (view.say("table"), "key"),
        (view.say("rows"), "num"),
        (view.say("first"), "date"),
        (view.say("last"), "date"),
        (view.say("version"), "num"),
        (view.say("findings"), "why"),
        (view.say("not_given"), "why"),
    ]
    total = sum(t["rows"] for t in tables)
    last = max((t["last"] for t in tables if t["last"]), default=None)
    title = view.say("tables_title", rows=view.number(total), n=len(tables), last=view.day(last))
    frame = pl.DataFrame(
        [{**t, "findings": "; ".join(t["findings"]), "not_given": ", ".join(t["not_given"])} for t in tables]
    )
    parts.table_card(view, title, view.say("tables_sub"), columns, rows, frame, "tables")


def _moment(view: View, moment: datetime | None) -> str:
    """A day; nothing for rows that are true at any time."""
    return "–" if moment is None or moment <= ALWAYS + timedelta(days=1) else view.day(moment)


def _reasons(view: View, quarantine: list[dict[str, Any]], refused: pl.DataFrame) -> None:
    if not quarantine:
        with parts.card(view.say("refused_none"), view.say("refused_none_sub"), width=5):
            pass
        return
    total = sum(q["rows"] for q in quarantine)
    shown = quarantine[:REASONS]
    labels = [f"{q['table']}: {q['reason']}" for q in shown]
    option = charts.bars(look.palette(view.dark), labels, [q["rows"] for q in shown], name=view.say("rows"))
    title = view.say("refused_title", n=view.number(total), reason=shown[0]["reason"])
    frame = pl.DataFrame(quarantine)
    parts.chart_card(view, title, view.say("refused_sub"), option, frame, "quarantine-reasons", width=5)


def _insights(view: View, insights: list[dict[str, Any]]) -> None:
    rows = []
    for one in insights:
        told = view.day(one["scored_as_of"]) if one["scored_as_of"] else parts.pill(view.say("not_scored"), "warn")
        lacks = (
            parts.Markup(f'<span class="code">dongcha load FILE --as {one["lacks"][0]}</span>') if one["lacks"] else "–"
        )
        rows.append(
            (one["insight"], (one["contender"] or "–").replace("_", " "), view.number(one["rows"]), told, lacks)
        )
    ready = sum(bool(one["scored_as_of"]) for one in insights)
    columns = [
        (view.say("insight"), "key"),
        (view.say("by"), ""),
        (view.say("answers_n"), "num"),
        (view.say("scored"), "date"),
        (view.say("lacking"), "why"),
    ]
    frame = pl.DataFrame([{**one, "lacks": ", ".join(one["lacks"])} for one in insights])
    parts.table_card(
        view,
        view.say("insights_title", n=ready, of=len(insights)),
        view.say("insights_sub"),
        columns,
        rows,
        frame,
        "insights",
    )


def _refused(view: View, refused: pl.DataFrame) -> None:
    hidden = view.person.masked
    rows = [
        (
            r[c.FILE],
            r[c.TABLE],
            view.number(r[c.ROW]),
            r[c.COLUMN] or "–",
            "•••" if hidden else (r[c.VALUE] or "–")[:80],
            r[c.REASON],
        )
        for r in refused.head(REFUSED).iter_rows(named=True)
    ]
    columns = [
        (view.say("file"), "key"),
        (view.say("table"), ""),
        (view.say("row"), "num"),
        (view.say("column"), ""),
        (view.say("value"), ""),
        (view.say("reasons"), "why"),
    ]
    title = view.say("quarantine_title", n=view.number(min(len(refused), REFUSED)))
    shown = refused.drop(c.VALUE) if hidden else refused
    parts.table_card(view, title, view.say("quarantine_sub"), columns, rows, shown, "quarantine")


PAGE: Final = Page("/data", "page_data", "database", "group_machine", draw)
