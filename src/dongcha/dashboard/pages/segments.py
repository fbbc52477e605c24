"""Segments: the map of customers, each group's size and worth, and who moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import look, maps, parts
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View

NAME: Final = "segmentation"
GROUP: Final = "segment"
MAPPED: Final = 3000
"""So many points show a map's shape; more only hide each other."""


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """The map beside the movement, then the groups one by one."""
    insight = view.data.insight(NAME)
    as_of = view.data.scored_as_of(NAME)
    top(view, view.say("page_segments"), view.say("segments_lead", as_of=as_of) if as_of else "")
    answer, groups, moves = await view.fetch(lambda d: (d.need(NAME), d.groups(NAME), d.page(f"movement/{NAME}")))
    people = await view.fetch(lambda d: d.people().frame.select(c.ENTITY_ID, c.NAME))
    said = {name: insight.say(name, view.language) for name in groups[GROUP]}
    with parts.grid():
        _map(view, answer, groups, people, said)
        _movement(view, groups, moves, said)
    with parts.grid():
        _groups(view, groups, said)


def _map(view: View, answer: pl.DataFrame, groups: pl.DataFrame, people: pl.DataFrame, said: Mapping[str, str]) -> None:
    placed = answer.join(people, on=c.ENTITY_ID, how="left", maintain_order="left").drop_nulls(["map_x", "map_y"])
    if placed.is_empty():
        parts.empty(view, view.say("map_none"))
        return
    shown = placed.sample(MAPPED, seed=1) if len(placed) > MAPPED else placed
    series: dict[str, list[tuple[Any, ...]]] = {said[name]: [] for name in groups[GROUP]}
    for row in shown.iter_rows(named=True):
        label = f"{view.who(row[c.ENTITY_ID], row[c.NAME])} · {said[row[GROUP]]}"
        series[said[row[GROUP]]].append((round(row["map_x"], 3), round(row["map_y"], 3), label, row[c.ENTITY_ID]))
    option = maps.scatter(look.palette(view.dark), series, bare=True, tagged=True)
    largest = groups.row(0, named=True)
    title = view.say("map_title", n=len(groups), largest=said[largest[GROUP]], share=view.percent(largest["share"]))
    saved = placed.drop(c.NAME) if view.person.masked else placed
    parts.chart_card(
        view,
        title,
        view.say("map_sub", n=view.number(len(shown))),
        option,
        saved,
        "customer-map",
        width=7,
        kind="tall",
        on_point=lambda e: ui.navigate.to(f"/customers/{quote(str(e.value[3]), safe='')}"),
    )


def _movement(view: View, groups: pl.DataFrame, moves: pl.DataFrame, said: Mapping[str, str]) -> None:
    days = view.data.days
    if moves.is_empty():
        parts.note(view.say("moves_none"), view.say("moves_none_sub", days=days), width=5)
        return
    there = moves.drop_nulls("from")
    new = int(moves["customers"].sum()) - int(there["customers"].sum())
    stayed = int(there.filter(pl.col("from") == pl.col("to"))["customers"].sum())
    total = int(there["customers"].sum())
    title = view.say("moves_title", moved=view.percent(1.0 - stayed / max(total, 1)), new=view.number(new), days=days)
    before = [said.get(k, k) for k in there["from"].unique(maintain_order=True)]
    after = [said[k] for k in groups[GROUP] if k in set(moves["to"])]
    links = [(said.get(a, a), said.get(b, b), n) for a, b, n in there.iter_rows()]
    if new:
        before.append(view.say("moves_new"))
        links += [(view.say("moves_new"), said.get(b, b), n) for a, b, n in moves.iter_rows() if a is None]
    option = maps.flows(look.palette(view.dark), before, after, links)
    parts.chart_card(view, title, view.say("moves_sub", days=days), option, moves, "movement", width=5, kind="tall")


def _groups(view: View, groups: pl.DataFrame, said: Mapping[str, str]) -> None:
    days, there = view.data.days, set(groups.columns)
    optional: list[tuple[str, str, Callable[[float | None], str]]] = [
        ("lifetime_value", view.say("worth", days=days), view.money),
        ("churn_probability", view.say("may_leave"), view.percent),
        ("satisfaction", view.say("satisfied"), partial(view.number, decimals=1)),
    ]
    shown = [one for one in optional if one[0] in there]
    columns = [(view.say("group"), "key"), (view.say("size"), "num"), (view.say("share"), "num")]
    columns += [(title, "num") for _, title, _ in shown]
    columns += [(view.say("came_left", days=days), "num")]
    colors = look.palette(view.dark).kinds
    rows = [
        (
            parts.dot(said[row[GROUP]], colors[place % len(colors)]),
            view.number(row["size"]),
            parts.bar(row["share"], view.percent(row["share"])),
            *(write(row[name]) for name, _, write in shown),
            "–" if row.get("came") is None else f"+{row['came']:,} / −{row['left']:,}",
        )
        for place, row in enumerate(groups.iter_rows(named=True))
    ]
    title = view.say("groups_title", n=len(groups))
    if "lifetime_value" in there:
        best = groups.sort("lifetime_value", descending=True, nulls_last=True).row(0, named=True)
        values = {"group": said[best[GROUP]], "worth": view.money(best["lifetime_value"]), "days": days}
        title = view.say("groups_worth", **values)
    parts.table_card(view, title, view.say("groups_sub"), columns, rows, groups, "segments")


PAGE: Final = Page("/segments", "page_segments", "bubble_chart", "group_customers", draw, tells=(NAME,))
