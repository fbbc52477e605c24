"""Customers: search, filter, choose by a rule, all counted as one types; save what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote

from nicegui import ui

from dongcha import columns as c
from dongcha.dashboard import parts
from dongcha.dashboard.people import NAMING, People, Wanted
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError

A_PAGE: Final = 25
MACHINES: Final = ("map_x", "map_y", "anomaly", "rfm_cell", "lifetime_value_low", "lifetime_value_high")
"""What is answered and nobody asks for by hand: neither offered for a rule, where it may be named, nor saved."""
TYPING: Final = "debounce=300 outlined dense clearable"


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """What narrows the list, how many are left, and the list."""
    top(view, view.say("page_customers"), view.say("customers_lead"))
    people = await view.fetch(lambda d: d.people())
    await Listed(view, people).draw()


class Listed:
    """The list and what narrows it, for one visit."""

    def __init__(self, view: View, people: People) -> None:
        self.view, self.people = view, people
        self.columns = _columns(view, people)
        there = {name for name, _, _ in self.columns}
        self.sort = "lifetime_value" if "lifetime_value" in there else "spend"
        self.descending, self.offset, self.found = True, 0, 0
        self.wanted = Wanted(masked=view.person.masked)

    async def draw(self) -> None:
        view = self.view
        with parts.grid(), ui.element("section").classes("card w12"):
            with ui.element("div").classes("fields"):
                self._filters()
            self._rule()
            with ui.element("div").classes("found"):
                self.count = ui.html("", sanitize=False).props('aria-live="polite"')
                parts.button(view.say("clear"), self.clear, kind="ghost")
                parts.button(view.say("export"), self.save, icon="download")
            with ui.element("div").classes("scroll").props("tabindex=0"), ui.element("table").classes("t list"):
                self._head()
                self.rows = ui.html("", sanitize=False, tag="tbody")
            with ui.element("div").classes("pager"):
                self.place = ui.label("").classes("muted")
                self.back = parts.button(view.say("back"), lambda: self.turn(-A_PAGE))
                self.on = parts.button(view.say("on"), lambda: self.turn(A_PAGE))
        await self.refresh()

    # -- narrowing

    def _filters(self) -> None:
        view, outputs = self.view, self.people.outputs
        self.text = ui.input(view.say("search"), on_change=self.refresh).props(TYPING).classes("first")
        self.group, self.risk, self.worth = None, None, None
        if "segment" in outputs:
            insight = view.data.insight("segmentation")
            counted = view.data.about()["overview"]["counts"].get("segment", [])
            groups = {"": view.say("any_group")} | {
                one["group"]: f"{insight.say(one['group'], view.language)} ({one['customers']:,})" for one in counted
            }
            self.group = ui.select(groups, value="", on_change=self.refresh, label=view.say("group"))
            self.group.props("outlined dense options-dense").style("width: 250px")
        if "churn_probability" in outputs:
            self.risk = ui.number(view.say("risk_from"), min=0, max=100, step=10, on_change=self.refresh)
            self.risk.props(f"{TYPING} suffix=%").style("width: 170px")
        if "lifetime_value" in outputs:
            self.worth = ui.number(view.say("worth_from"), min=0, step=50, on_change=self.refresh)
            self.worth.props(f'{TYPING} prefix="{escape(view.unit)}"').style("width: 170px")

    def _rule(self) -> None:
        view, outputs = self.view, [name for name in self.people.outputs if name not in MACHINES]
        self.rule = ui.input(view.say("rule"), placeholder="churn_probability > 0.6 and lifetime_value > 100")
        self.rule.props(TYPING).classes("rule").on_value_change(self.refresh)
        self.wrong = ui.label("").classes("wrong").props('role="alert"')
        if not outputs:
            self.rule.set_visibility(False)
            return
        with ui.element("div").classes("chips").props(f'role="group" aria-label="{escape(view.say("rule_names"))}"'):
            ui.label(view.say("rule_names")).classes("muted")
            for name in outputs:
                ui.button(name, on_click=lambda k=name: self._name(k), color=None).props("flat dense").classes("chip")

    def _name(self, name: str) -> None:
        """Put a name into the rule, where the next comparison begins."""
        rule = (self.rule.value or "").rstrip()
        begins = not rule or rule.endswith((" and", " or", "not", "("))
        self.rule.value = f"{rule} {name} ".lstrip() if begins else f"{rule} and {name} "
        self.rule.run_method("focus")

    async def clear(self) -> None:
        """Everybody again."""
        for field in (self.text, self.rule, self.risk, self.worth):
            if field is not None:
                field.value = None
        if self.group is not None:
            self.group.value = ""
        await self.refresh()

    def _asked(self) -> Wanted:
        """Whom all fields together ask for."""
        rule = (self.rule.value or "").strip()
        rules = [f"({rule})"] if rule else []
        if self.group is not None and self.group.value:
            rules.append(f"segment == {self.group.value!r}")
        if self.risk is not None and self.risk.value is not None:
            rules.append(f"churn_probability >= {self.risk.value / 100}")
        if self.worth is not None and self.worth.value is not None:
            rules.append(f"lifetime_value >= {self.worth.value}")
        return Wanted((self.text.value or "").strip(), " and ".join(rules), self.view.person.masked)

    # -- the list

    async def refresh(self) -> None:
        """Count and list whom the fields ask for; a rule that cannot be read says so and changes nothing."""
        view, people, rule = self.view, self.people, (self.rule.value or "").strip()
        wanted, self.wrong.text = self._asked(), ""
        try:
            if rule:
                await view.fetch(lambda _: people.total(Wanted(where=rule)))
            found, sums = await view.fetch(lambda _: (people.total(wanted), people.sums(wanted)))
        except DongchaError as refused:
            self.wrong.text = f"{refused.what} {refused.mend}"
            return
        self.wanted, self.found, self.offset = wanted, found, 0
        share = view.percent(found / max(people.count, 1))
        told = view.say("matched_plain", share=share)
        if {"lifetime_value", "churn_probability"} <= sums.keys():
            values = {"worth": view.money(sums["lifetime_value"]), "leaving": view.number(sums["churn_probability"])}
            told = view.say("matched_sub", share=share, days=view.data.days, **values)
        title = view.say("matched", n=view.number(found))
        self.count.content = f'<h2>{escape(title)}</h2><p class="sub">{escape(told)}</p>'
        await self._list()

    async def turn(self, by: int) -> None:
        """Another page of the list."""
        self.offset = max(self.offset + by, 0)
        await self._list()

    async def order(self, name: str) -> None:
        """Sort by a column: the highest first, and the other way when asked again."""
        self.descending = not self.descending if self.sort == name else name not in {c.NAME, c.CITY, "segment"}
        self.sort, self.offset = name, 0
        await self._list()

    async def _list(self) -> None:
        view, wanted = self.view, self.wanted
        sort = c.CUSTOMER_ID if view.person.masked and self.sort in NAMING else self.sort
        down, offset = self.descending, self.offset
        rows = await view.fetch(
            lambda _: self.people.page(wanted, sort=sort, descending=down, limit=A_PAGE, offset=offset)
        )
        self.rows.content = "".join(self._row(row) for row in rows)
        last = self.offset + len(rows)
        values = {"first": view.number(min(self.offset + 1, last)), "last": view.number(last)}
        self.place.text = view.say("list_place", of=view.number(self.found), **values) if rows else view.say("nothing")
        self.back.set_enabled(self.offset > 0)
        self.on.set_enabled(last < self.found)
        for name, head in self.heads.items():
            way = "descending" if self.descending else "ascending"
            head.props(f"aria-sort={way if name == self.sort else 'none'}")

    def _head(self) -> None:
        self.heads: dict[str, ui.element] = {}
        with ui.element("thead"), ui.element("tr"):
            for name, title, kind in self.columns:
                with ui.element("th").classes(kind).props('scope="col"') as head:
                    ui.button(title, on_click=lambda k=name: self.order(k), color=None).props("flat dense no-caps")
                self.heads[name] = head

    def _row(self, row: Mapping[str, Any]) -> str:
        cells = "".join(f'<td class="{kind}">{self._cell(name, row)}</td>' for name, _, kind in self.columns)
        return f"<tr>{cells}</tr>"

    def _cell(self, name: str, row: Mapping[str, Any]) -> str:
        view, value = self.view, row.get(name)
        if name == c.NAME:
            id_ = row[c.CUSTOMER_ID]
            told = f'<a href="/customers/{quote(id_, safe="")}">{escape(view.who(id_, value))}</a>'
            return f'{told}<span class="sub">{escape(id_)}</span>' if value else told
        if name == c.CITY:
            return escape(", ".join(part for part in (value, row[c.COUNTRY]) if part) or "–")
        if name == "segment":
            return escape(view.data.insight("segmentation").say(value, view.language)) if value else "–"
        if value is None:
            return "–"
        written: dict[str, Callable[[float], str]] = {
            "churn_probability": view.sure,
            "lifetime_value": view.money,
            "spend": view.money,
            "satisfaction": lambda stars: view.number(stars, 1),
        }
        return escape(written.get(name, view.number)(value))

    async def save(self) -> None:
        """Everybody who is found, as a file."""
        wanted = self.wanted
        found = await self.view.fetch(lambda _: self.people.all(wanted))
        hidden = [*MACHINES, *(NAMING if self.view.person.masked else ())]
        parts.save_csv(found.drop([name for name in hidden if name in found.columns]), "customers")


def _columns(view: View, people: People) -> list[tuple[str, str, str]]:
    """Column of the view, its title, its class."""
    outputs = [
        ("segment", view.say("group"), ""),
        ("churn_probability", view.say("may_leave"), "num"),
        ("lifetime_value", view.say("worth", days=view.data.days), "num"),
    ]
    did = [
        ("spend", view.say("spent"), "num"),
        ("orders", view.say("orders"), "num"),
        ("recency_days", view.say("last_order_ago"), "num"),
    ]
    rated = [("satisfaction", view.say("satisfied"), "num")]
    whole = [*outputs, *did, *rated]
    there = [one for one in whole if one[0] in people.outputs or one in did]
    return [(c.NAME, view.say("customer"), "key"), (c.CITY, view.say("place"), ""), *there]


PAGE: Final = Page("/customers", "page_customers", "group", "group_customers", draw)
