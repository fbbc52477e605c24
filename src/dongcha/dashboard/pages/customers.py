"""Customers: search, filter, choose by a rule with a count that follows, save what is seen."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import parts
from dongcha.dashboard.charts import write
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError

LISTED: Final = 1000
SEARCHED: Final = (c.ENTITY_ID, c.NAME, c.EMAIL, c.CITY, c.COUNTRY)
HIDDEN: Final = ("map_x", "map_y", "anomaly", "rfm_cell", "lifetime_value_low", "lifetime_value_high")
TYPING: Final = "debounce=300 outlined dense"


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """The filters, how many they leave, the list, and a rule."""
    top(view, view.say("page_customers"), view.say("customers_lead"))
    people = await view.fetch(lambda d: d.people())
    names = await view.fetch(lambda d: d.audience_names())
    People(view, people, names).draw()


class People:
    """The list and what narrows it, for one visit."""

    def __init__(self, view: View, people: pl.DataFrame, names: list[str]) -> None:
        self.view, self.everyone, self.names = view, people, names
        self.chosen: pl.DataFrame | None = None
        self.found = people

    def draw(self) -> None:
        view = self.view
        with parts.grid(), parts.card(view.say("audience"), view.say("audience_sub"), width=12):
            self._rule()
        with parts.grid(), ui.element("section").classes("card w12"):
            with ui.element("div").classes("fields"):
                self._filters()
            self.count = ui.html("", sanitize=False).style("margin: 14px 0 10px").props('aria-live="polite"')
            self.list = ui.aggrid(self._options(), html_columns=[0], auto_size_columns=False)
        self.refresh()

    # -- narrowing

    def _filters(self) -> None:
        view = self.view
        self.text = (
            ui.input(view.say("search"), on_change=self.refresh).props(f"{TYPING} clearable").style("width: 280px")
        )
        self.group, self.risk, self.worth = None, None, None
        if "segment" in self.everyone.columns:
            groups = {"": view.say("any_group")} | {
                name: view.data.insight("segmentation").say(name, view.language)
                for name in self.everyone["segment"].drop_nulls().unique().sort()
            }
            self.group = ui.select(groups, value="", on_change=self.refresh, label=view.say("group"))
            self.group.props("outlined dense options-dense").style("width: 230px")
        if "churn_probability" in self.everyone.columns:
            self.risk = ui.number(view.say("risk_from"), min=0, max=100, step=10, on_change=self.refresh)
            self.risk.props(TYPING).style("width: 150px")
        if "lifetime_value" in self.everyone.columns:
            self.worth = ui.number(view.say("worth_from"), min=0, step=50, on_change=self.refresh)
            self.worth.props(TYPING).style("width: 150px")
        parts.button(view.say("clear"), self.clear, kind="ghost")
        parts.button(view.say("export"), self.save, icon="download")

    def clear(self) -> None:
        self.chosen = None
        for field in (self.risk, self.worth):
            if field is not None:
                field.value = None
        if self.group is not None:
            self.group.value = ""
        self.text.value = ""
        self.refresh()

    def wanted(self) -> pl.DataFrame:
        """Whom all filters together leave."""
        found = self.everyone
        if self.chosen is not None:
            found = found.join(self.chosen.select(c.ENTITY_ID), on=c.ENTITY_ID, how="semi")
        words = (self.text.value or "").casefold().split()
        searched = [k for k in SEARCHED if not self.view.person.masked or k not in {c.NAME, c.EMAIL}]
        line = pl.concat_str([pl.col(k).fill_null("") for k in searched], separator=" ").str.to_lowercase()
        wanted = [line.str.contains(word, literal=True) for word in words]
        if self.group is not None and self.group.value:
            wanted.append(pl.col("segment") == self.group.value)
        if self.risk is not None and self.risk.value is not None:
            wanted.append(pl.col("churn_probability") >= self.risk.value / 100)
        if self.worth is not None and self.worth.value is not None:
            wanted.append(pl.col("lifetime_value") >= self.worth.value)
        return found.filter(*wanted)

    def refresh(self) -> None:
        view, self.found = self.view, self.wanted()
        share = view.percent(len(self.found) / max(len(self.everyone), 1))
        told = view.say("matched_plain", share=share)
        if {"lifetime_value", "churn_probability"} <= set(self.found.columns):
            worth, leaving = (float(self.found[k].sum()) for k in ("lifetime_value", "churn_probability"))
            values = {"worth": view.money(worth), "leaving": view.number(leaving), "days": view.data.days}
            told = view.say("matched_sub", share=share, **values)
        if len(self.found) > LISTED:
            told += f" · {view.say('matched_first', n=view.number(LISTED))}"
        title = view.say("matched", n=view.number(len(self.found)))
        self.count.content = f'<h2>{escape(title)}</h2><p class="sub">{escape(told)}</p>'
        self.list.options["rowData"] = [self._row(row) for row in self.found.head(LISTED).iter_rows(named=True)]
        self.list.update()

    def save(self) -> None:
        shown = self.found.drop([k for k in HIDDEN if k in self.found.columns])
        parts.save_csv(shown.drop(c.NAME, c.EMAIL) if self.view.person.masked else shown, "customers")

    # -- the rule

    def _rule(self) -> None:
        view = self.view
        with ui.element("div").classes("fields"):
            self.rule = ui.input(view.say("rule"), placeholder="churn_probability > 0.6 and lifetime_value > 100")
            self.rule.props("debounce=350 outlined dense clearable").classes("rule").style("flex: 1; min-width: 260px")
            self.rule.on_value_change(self.try_rule)
            self.use = parts.button(view.say("rule_use"), self.use_rule, kind="main")
            self.use.disable()
        self.told = ui.label("").classes("muted").style("margin-top: 8px").props('aria-live="polite"')
        names = view.say("rule_names", names=", ".join(self.names))
        ui.label(names).classes("muted").style("font-size: 12.5px; overflow-wrap: anywhere")

    async def try_rule(self) -> None:
        """Count whom the rule matches, or say why it cannot be read."""
        view, rule = self.view, (self.rule.value or "").strip()
        self.use.disable()
        if not rule:
            self.told.text, self.chosen = "", None
            self.refresh()
            return
        try:
            found = await view.fetch(lambda d: d.audience(rule))
        except DongchaError as wrong:
            self.told.text = f"{wrong.what} {wrong.mend}"
            return
        share = view.percent(len(found) / max(len(self.everyone), 1))
        self.told.text = view.say("rule_count", n=view.number(len(found)), share=share)
        self.matching = found
        self.use.enable()

    def use_rule(self) -> None:
        self.chosen = self.matching
        self.refresh()

    # -- the list

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        view = self.view
        name = view.who(row[c.ENTITY_ID], row[c.NAME])
        address = f"/customers/{quote(row[c.ENTITY_ID], safe='')}"
        id_ = f' <span class="muted">{escape(row[c.ENTITY_ID])}</span>' if row[c.NAME] else ""
        made = {
            "who": f'<a href="{address}">{escape(name)}</a>{id_}',
            "place": ", ".join(part for part in (row[c.CITY], row[c.COUNTRY]) if part) or "–",
            **{
                k: row.get(k)
                for k in ("churn_probability", "lifetime_value", "spend", "orders", "recency_days", "satisfaction")
            },
        }
        if "segment" in row:
            made["segment"] = view.data.insight("segmentation").say(row["segment"], view.language)
        return made

    def _options(self) -> dict[str, Any]:
        view, there = self.view, set(self.everyone.columns)
        numbers = [
            ("churn_probability", view.say("may_leave"), write("%", 100, 0)),
            ("lifetime_value", view.say("worth", days=view.data.days), write(view.unit, 1, 0)),
            ("spend", view.say("spent"), write(view.unit, 1, 0)),
            ("orders", view.say("orders"), write("", 1, 0)),
            ("recency_days", view.say("last_order"), write("", 1, 0)),
            ("satisfaction", view.say("satisfied"), write("", 1, 1, fixed=True)),
        ]
        columns: list[dict[str, Any]] = [
            {"headerName": view.say("customer"), "field": "who", "flex": 2.2, "minWidth": 200},
            {"headerName": view.say("place"), "field": "place", "flex": 1.3, "minWidth": 120},
        ]
        if "segment" in there:
            columns.append({"headerName": view.say("group"), "field": "segment", "flex": 1.7, "minWidth": 150})
        columns += [
            {
                "headerName": title,
                "field": name,
                "type": "rightAligned",
                "flex": 1,
                "minWidth": 92,
                ":valueFormatter": f"p => ({how})(p.value)",
            }
            for name, title, how in numbers
            if name in there
        ]
        return {
            "columnDefs": columns,
            "rowData": [],
            "defaultColDef": {
                "sortable": True,
                "resizable": True,
                "suppressMovable": True,
                "wrapHeaderText": True,
                "autoHeaderHeight": True,
            },
            "suppressCellFocus": False,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
        }


PAGE: Final = Page("/customers", "page_customers", "group", "group_customers", draw)
