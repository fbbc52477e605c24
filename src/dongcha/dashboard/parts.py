"""What pages are made of: cards that say a finding, figures, tables, and what stands there when nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import ui

from dongcha.dashboard import look
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError
from dongcha.insight_kit.outputs import flat

PNG: Final = (
    "const c = getElement({id}).chart; const a = document.createElement('a');"
    "a.href = c.getDataURL({{pixelRatio: 2, backgroundColor: '{color}'}}); a.download = '{name}.png'; a.click();"
)


@contextmanager
def grid() -> Iterator[None]:
    """Twelve columns in which cards stand."""
    with ui.element("div").classes("grid"):
        yield


@contextmanager
def card(title: str, sub: str = "", *, width: int = 12, kind: str = "") -> Iterator[ui.element]:
    """A card: its title says the finding, `sub` what is counted and in what; gives the place for its tools."""
    with ui.element("section").classes(f"card w{width} {kind}"):
        with ui.element("header"):
            with ui.element("div"):
                ui.html(f"<h2>{escape(title)}</h2>", sanitize=False)
                if sub:
                    ui.html(f'<p class="sub">{escape(sub)}</p>', sanitize=False)
            tools = ui.element("div").classes("tool")
        yield tools


def chart_card(
    view: View,
    title: str,
    sub: str,
    option: dict[str, Any],
    rows: pl.DataFrame,
    file: str,
    *,
    width: int = 6,
    kind: str = "",
    foot: str = "",
    on_point: Callable[[Any], Any] | None = None,
    controls: Callable[[], Any] | None = None,
) -> None:
    """A chart in a card; its data can be had as CSV, its picture as PNG. `controls` draws what chooses its content."""
    with card(title, sub, width=width, kind=kind) as tools:
        if controls is not None:
            controls()
        chart = ui.echart(option, theme=look.theme(view.dark), on_point_click=on_point)
        chart.props(f'role="img" aria-label="{escape(title)}"')
        if foot:
            ui.html(f'<p class="foot">{escape(foot)}</p>', sanitize=False)
    with tools:
        script = PNG.format(id=chart.id, color=look.palette(view.dark).card, name=file)
        tool(view.say("as_png"), "image", lambda: ui.run_javascript(script))
        csv_tool(view, rows, file)


def note(title: str, sub: str = "", *, width: int = 12) -> None:
    """A card that only says something, no taller than that."""
    with card(title, sub, width=width, kind="note"):
        pass


def button(label: str, act: Callable[..., Any], *, icon: str = "", kind: str = "plain") -> ui.button:
    """A button with a label: `main` for what a page is for, `plain`, or `ghost` for what is seldom wanted."""
    made = ui.button(label, icon=icon or None, on_click=act, color=None)
    return made.props("flat" if kind == "ghost" else "unelevated").classes(kind)


def tool(label: str, icon: str, act: Callable[[], Any]) -> ui.button:
    """A small button with an icon, named for those who do not see it."""
    button = ui.button(icon=icon, on_click=act, color=None).props(
        f'flat round dense size=sm aria-label="{escape(label)}"'
    )
    button.classes("ghost")
    with button:
        ui.tooltip(label)
    return button


def csv_tool(view: View, rows: pl.DataFrame, file: str) -> None:
    """A button that gives these rows as CSV."""
    tool(view.say("as_csv"), "download", lambda: save_csv(rows, file))


def save_csv(rows: pl.DataFrame, file: str) -> None:
    """Let the browser keep these rows; with a mark by which spreadsheets know UTF-8."""
    ui.download.content(b"\xef\xbb\xbf" + flat(rows).write_csv().encode(), f"{file}.csv", "text/csv")


def table_card(
    view: View,
    title: str,
    sub: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    frame: pl.DataFrame | None,
    file: str,
    *,
    width: int = 12,
    empty: str = "",
) -> None:
    """A small table in a card. `columns`: (title, class); cells are text, or markup made by `link`, `bar`, `pill`."""
    with card(title, sub, width=width) as tools:
        if rows:
            table(columns, rows)
        else:
            ui.html(f'<div class="empty">{escape(empty or view.say("nothing"))}</div>', sanitize=False)
    if frame is not None and len(frame):
        with tools:
            csv_tool(view, frame, file)


class Markup(str):
    """Text that is HTML already; everything else is escaped."""


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
    """A table that scrolls sideways where it must. Class `num`: a number, flush right; `why`: smaller text."""
    head = "".join(f'<th class="{kind}" scope="col">{escape(title)}</th>' for title, kind in columns)
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{kind}">{markup(cell)}</td>' for cell, (_, kind) in zip(row, columns, strict=True))
        + "</tr>"
        for row in rows
    )
    html = f'<table class="t"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    ui.html(html, sanitize=False).classes("scroll").props("tabindex=0")


def markup(cell: str | None) -> str:
    """A cell as HTML."""
    return cell if isinstance(cell, Markup) else escape(cell or "–")


def link(text: str, to: str) -> Markup:
    """A link."""
    return Markup(f'<a href="{escape(to)}">{escape(text)}</a>')


def to_customer(view: View, entity_id: str, name: str | None = None) -> Markup:
    """A link to a customer's page."""
    return link(view.who(entity_id, name), f"/customers/{quote(entity_id, safe='')}")


def pill(text: str, kind: str = "") -> Markup:
    """A word in a box: `good`, `bad`, `warn` or `key`."""
    return Markup(f'<span class="pill {kind}">{escape(text)}</span>')


def dot(text: str, color: str) -> Markup:
    """A word after a dot of the colour that it has in a chart."""
    return Markup(f'<i class="dot" style="background: {color}" aria-hidden="true"></i>{escape(text)}')


def bar(share: float | None, text: str) -> Markup:
    """A number with a small bar before it, filled to that `share`."""
    width = 100 * min(max(share or 0.0, 0.0), 1.0)
    filled = f'<span class="bar" aria-hidden="true"><i style="width:{width:.0f}%"></i></span>'
    return Markup(f'{filled}<span class="of">{escape(text)}</span>')


def kpi(
    name: str,
    value: str,
    *,
    unit: str = "",
    change: float | None = None,
    note: str = "",
    trend: Sequence[float] = (),
    good: bool = True,
    width: int = 3,
    signed: str = "",
    share: float | None = None,
) -> None:
    """One figure: its name, itself, how it changed, and its last months as a line, or the `share` it is of a whole."""
    unit = f"<small>{escape(unit)}</small>" if unit else ""
    told = ""
    if change is not None:
        kind = "up" if (change >= 0) == good else "down"
        told = f'<span class="{kind}">{"▲" if change >= 0 else "▼"} {escape(signed)}</span>'
    ui.html(
        f'<div class="name">{escape(name)}</div><div class="value">{escape(value)}{unit}</div>'
        f'<div class="delta">{told}<span>{escape(note)}</span></div>{spark(trend)}{_meter(share)}',
        sanitize=False,
    ).classes(f"card kpi w{width}")


def _meter(share: float | None) -> str:
    return "" if share is None else f'<div class="meter" aria-hidden="true"><i style="width:{share:.0%}"></i></div>'


def spark(values: Sequence[float]) -> str:
    """A line of the values as a picture that takes the colour of the text around it."""
    if len(values) < 3:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    points = " ".join(
        f"{200 * k / (len(values) - 1):.1f},{31 - 28 * (v - low) / spread:.1f}" for k, v in enumerate(values)
    )
    return (
        '<svg class="spark" viewBox="0 0 200 34" preserveAspectRatio="none" aria-hidden="true"><polyline fill="none" '
        f'stroke="currentColor" stroke-width="1.6" vector-effect="non-scaling-stroke" points="{points}"/></svg>'
    )


def empty(view: View, what: str, mend: str = "", *, more: str = "") -> None:
    """What stands where nothing can be shown: why, and what to do; with a way to where the data is looked after."""
    code = f"<code>{escape(mend)}</code>{link(view.say('to_data'), '/data')}" if mend else ""
    told = f"<p>{escape(more)}</p>" if more else ""
    with ui.element("section").classes("card w12"):
        ui.html(f'<div class="empty"><h2>{escape(what)}</h2>{told}{code}</div>', sanitize=False)


def lacking(view: View, error: DongchaError) -> None:
    """The same of an error that says what is missing: in the reader's words where that is orders, or a run."""
    there = view.data.about()
    if not there:
        empty(view, view.say("no_orders"), "dongcha load orders.csv --as orders", more=view.say("no_orders_sub"))
    elif not there["runs"]:
        no_run(view)
    else:
        empty(view, error.what, error.mend)


def no_run(view: View) -> None:
    """What stands where no insight has answered yet."""
    empty(view, view.say("no_run"), "dongcha run", more=view.say("no_run_sub"))


def quotes(rows: Sequence[tuple[str, str]]) -> None:
    """What customers said: (text, where it is from)."""
    said = "".join(f'<div class="quote">{escape(text)}<small>{escape(origin)}</small></div>' for text, origin in rows)
    ui.html(said, sanitize=False)
