"""Ask: a question answered from the shop's own pages and reviews, quoted, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Final

from nicegui import ui

from dongcha import columns as c
from dongcha.access.scopes import Role
from dongcha.dashboard import parts
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError
from dongcha.insight_kit.telling import shortened
from dongcha.privacy.redaction import redacted

if TYPE_CHECKING:
    from dongcha.answers.answering import Answer

SOURCES: Final = (c.DOCUMENTS, c.REVIEWS, c.MESSAGES, c.PRODUCTS)
PASSAGE: Final = 300
EXAMPLES: Final = 3


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """The question above, the answers below it, the newest first."""
    top(view, view.say("page_ask"), view.say("ask_lead"))
    if not view.may(Role.ANALYST):
        parts.empty(view, view.say("ask_role"))
        return
    tables = await view.fetch(lambda d: d.tables())
    if not any(name in tables for name in SOURCES):
        parts.empty(view, view.say("ask_none"), "dongcha load pages.csv --as documents")
        return
    with parts.grid(), ui.element("section").classes("card w12"):
        with ui.element("div").classes("fields"):
            question = ui.input(view.say("ask_field"), placeholder=view.say("ask_example"))
            question.props("outlined dense clearable maxlength=2000").classes("first")
            customer = ui.input(view.say("ask_customer")).props("outlined dense clearable").style("width: 200px")
            button = parts.button(view.say("ask_button"), lambda: None, kind="main")
        with ui.element("div").classes("chips"):
            for example in (view.say(f"ask_try_{k}") for k in range(1, EXAMPLES + 1)):
                ui.button(example, on_click=lambda text=example: put(text), color=None).props(
                    "flat dense no-caps"
                ).classes("chip said")
        known = view.pick(", ", "、").join(
            f"{view.number(rows)} {view.say(f'ask_of_{name}')}" for name, rows in tables.items() if name in SOURCES
        )
        ui.html(f'<p class="foot">{escape(view.say("ask_from", sources=known))}</p>', sanitize=False)
    answers = ui.element("div").style("margin-top: var(--gap)").props('aria-live="polite"')

    async def put(text: str) -> None:
        question.value = text
        await ask()

    async def ask() -> None:
        asked, who = (question.value or "").strip(), (customer.value or "").strip()
        if not asked:
            return
        button.disable()
        with answers:
            waiting = ui.element("div").classes("wait").style("height: 90px")
        waiting.move(target_index=0)
        try:
            found = await view.fetch(lambda d: d.ask(asked, who or None))
            with answers, parts.grid() as _:
                _answer(view, found)
        except DongchaError as refused:
            with answers, parts.grid():
                parts.lacking(view, refused)
        finally:
            waiting.delete()
            button.enable()
        answers.default_slot.children[-1].move(target_index=0)
        answers.default_slot.children[0].style("margin-bottom: var(--gap); margin-top: 0")

    button.on_click(ask)
    question.on("keydown.enter", ask)


def _answer(view: View, found: Answer) -> None:
    sure = parts.pill(view.say("ask_sure", sure=view.sure(found.sure)), "good" if found.known else "warn")
    person = parts.pill(view.say("ask_person"), "bad") if found.escalate else ""
    with parts.card(found.question):
        ui.html(
            f'<p style="font-size: 16px; line-height: 1.55; max-width: 80ch">{escape(found.text)}</p>'
            f'<div style="margin: 10px 0 6px">{sure} {person}</div>',
            sanitize=False,
        )
        notes = [*found.notes, *found.why]
        if notes:
            ui.html("".join(f'<p class="sub">{escape(note)}</p>' for note in notes), sanitize=False)
        rows = [
            (
                s.title or f"{s.table}/{s.source_id}",
                shortened(redacted(s.passage) if s.table != c.DOCUMENTS else s.passage, PASSAGE),
                view.sure(s.sure),
            )
            for s in found.sources
        ]
        if rows:
            ui.html(
                f'<h3 style="font-size: 12.5px; color: var(--ink-3); margin: 12px 0 6px; font-weight: 550">'
                f"{escape(view.say('ask_sources' if found.known else 'ask_nearest'))}</h3>",
                sanitize=False,
            )
            parts.table(
                [(view.say("ask_source"), "key"), (view.say("ask_passage"), "why"), (view.say("ask_certain"), "num")],
                rows,
            )


PAGE: Final = Page("/ask", "page_ask", "quick_reference_all", "group_machine", draw)
