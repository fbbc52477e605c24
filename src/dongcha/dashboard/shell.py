"""The frame around every page: navigation, language, light and dark; and the pages' common way of being drawn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Final

from nicegui import background_tasks, ui

from dongcha.dashboard import look, parts
from dongcha.dashboard.data import Data
from dongcha.dashboard.door import MACHINE, visitor
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError

if TYPE_CHECKING:
    from fastapi import Request

    from dongcha.access.scopes import Person

LANGUAGE: Final = "dongcha_language"
THEME: Final = "dongcha_theme"
STATIC: Final = "/_dongcha"
PATIENCE_SECONDS: Final = 1.0
"""A page that is drawn in this time comes whole; one that takes longer comes at once and is filled in."""
MARK: Final = (
    '<svg viewBox="0 0 24 24" fill="none" aria-hidden="true"><circle cx="12" cy="12" r="10.5" stroke="var(--accent)" '
    'stroke-width="1.8"/><path d="M5.5 12c2-3.4 4.2-5 6.5-5s4.5 1.6 6.5 5c-2 3.4-4.2 5-6.5 5s-4.5-1.6-6.5-5Z" '
    'stroke="var(--accent)" stroke-width="1.5"/><circle cx="12" cy="12" r="2.5" fill="var(--accent)"/></svg>'
)
_SYSTEM: Final = (
    "if (!document.cookie.includes('dongcha_theme=') && matchMedia('(prefers-color-scheme: dark)').matches) {"
    " document.cookie = 'dongcha_theme=dark; path=/; max-age=31536000; samesite=lax';"
    " if (document.cookie.includes('dongcha_theme=')) location.reload(); }"
)

Draw = Callable[[View, Mapping[str, str]], Awaitable[None]]


@dataclass(frozen=True)
class Page:
    """One page: where it is, what it is called, and who draws it."""

    path: str
    title: str
    """A key of `words`."""
    icon: str
    group: str
    draw: Draw
    tells: tuple[str, ...] = ()
    """The insights that it shows, which then need no page of their own."""
    listed: bool = True


def view_of(data: Data, request: Request, person: Person) -> View:
    """How this request looks at the workspace: what its cookies chose, else the shop's language and light."""
    language = request.cookies.get(LANGUAGE) or data.shop.settings.shop.language
    spoken, dark = "zh" if language == "zh" else "en", request.cookies.get(THEME) == "dark"
    return View(data, spoken, dark, person, partial(visitor, data.shop, request))


def head(view: View) -> str:
    """What stands in the page's head: our style, and the theme before anything is painted."""
    lang = "zh-CN" if view.language == "zh" else "en"
    dark = "document.documentElement.classList.add('dark');" if view.dark else _SYSTEM
    return (
        f'<link rel="stylesheet" href="{STATIC}/dashboard.css">'
        "<style>@view-transition { navigation: auto; }</style>"
        f"<script>document.documentElement.lang = '{lang}';{dark}</script>"
    )


async def show(view: View, page: Page, pages: Sequence[Page], arguments: Mapping[str, str]) -> None:
    """Draw the frame, then the page inside it."""
    ui.add_head_html(head(view))
    ui.dark_mode(value=view.dark)
    ui.colors(primary=look.palette(view.dark).accent)
    with _frame(view, page, pages):
        place = ui.element("div").classes("page")
        with place:
            waiting = ui.element("div").classes("wait").props('role="status" aria-label="…"')

    async def fill() -> None:
        with place:
            try:
                await view.fetch(lambda d: d.look())
                await page.draw(view, arguments)
            except DongchaError as missing:
                parts.lacking(view, missing)
            except Exception:
                logging.getLogger(__name__).exception("The page %s could not be drawn", page.path)
                parts.empty(view, view.say("broke"), more=view.say("broke_sub"))
            finally:
                waiting.delete()

    await asyncio.wait({background_tasks.create(fill())}, timeout=PATIENCE_SECONDS)


@contextmanager
def _frame(view: View, page: Page, pages: Sequence[Page]) -> Iterator[None]:
    with ui.element("div").classes("dc"):
        ui.html(f'<a class="skip" href="#main">{escape(view.say("skip"))}</a>', sanitize=False).style(
            "display: contents"
        )
        with ui.element("nav").classes("dc-nav").props('aria-label="Dongcha"'):
            ui.html(_navigation(view, page, pages), sanitize=False).style("display: contents")
        ui.element("div").classes("dc-scrim").on("click", js_handler="() => document.body.classList.remove('dc-open')")
        with ui.element("main").classes("dc-main").props('id="main" tabindex="-1"'):
            yield


def _navigation(view: View, page: Page, pages: Sequence[Page]) -> str:
    name = escape(view.data.name())
    made = [f'<div class="dc-brand">{MARK}<span>{view.pick("Dongcha", "洞察")}<small>{name}</small></span></div>']
    group = ""
    for one in pages:
        if not one.listed:
            continue
        if one.group and one.group != group:
            made.append(f'<div class="group">{escape(view.say(one.group))}</div>')
        group = one.group
        here = ' aria-current="page"' if one.path == page.path or page.path.startswith(f"{one.path}/") else ""
        icon = f'<i class="q-icon notranslate material-symbols-outlined" aria-hidden="true">{one.icon}</i>'
        made.append(f'<a href="{one.path}"{here}>{icon}<span>{escape(title_of(view, one))}</span></a>')
    return "".join(made)


def title_of(view: View, page: Page) -> str:
    """A page's name; that of an insight without a page of its own is what it yields first."""
    if page.title.startswith("page_"):
        return view.say(page.title)
    return view.first_up(view.data.insight(page.title).yields[0].title(view.language))


def top(view: View, title: str, lead: str = "") -> None:
    """The first line of a page: its title, what it is about, and the switches."""
    with ui.element("header").classes("dc-top"):
        burger = ui.button(icon="menu", color=None).props(f'flat round dense aria-label="{escape(view.say("menu"))}"')
        burger.classes("dc-burger ghost").on("click", js_handler="() => document.body.classList.add('dc-open')")
        ui.element("div").classes("push")
        said = f'<p class="lead">{escape(lead)}</p>' if lead else ""
        if view.data.newer():
            said += f'<p class="newer">{parts.link(view.say("newer"), "/data")}</p>'
        ui.html(f"<h1>{escape(title)}</h1>{said}", sanitize=False).classes("grow")
        _switch(view.say("other_language"), LANGUAGE, "en" if view.language == "zh" else "zh")
        icon, name = ("light_mode", "light") if view.dark else ("dark_mode", "dark")
        _switch(view.say(name), THEME, name, icon)
        if view.person is not MACHINE:
            leave = "() => fetch('/logout', {method: 'POST'}).then(() => location.assign('/login'))"
            button = ui.button(icon="logout", color=None).props(
                f'flat round dense aria-label="{escape(view.say("leave"))}"'
            )
            button.classes("ghost").on("click", js_handler=leave)
            with button:
                ui.tooltip(f"{view.say('leave')} ({view.person.name})")
    ui.page_title(f"{title} · {view.data.name()}")


def _switch(label: str, cookie: str, value: str, icon: str = "") -> None:
    """A button that sets a cookie of this browser and looks again."""
    script = (
        f"() => {{ document.cookie = '{cookie}={value}; path=/; max-age=31536000; samesite=lax'; location.reload(); }}"
    )
    button = ui.button("" if icon else label, icon=icon or None, color=None).props(
        f'flat dense aria-label="{escape(label)}"'
    )
    button.classes("ghost").on("click", js_handler=script)
    if icon:
        button.props("round")
