"""The versions of a model, and letting another one answer."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from nicegui import ui

from dongcha.access.scopes import Role
from dongcha.dashboard import parts
from dongcha.dashboard.view import View
from dongcha.errors import DongchaError


def versions_card(view: View, name: str, models: list[dict[str, Any]]) -> None:
    """All versions of a model, the newest first; whoever is admin may let another one answer."""
    mine = [m for m in models if m["insight"] == name][::-1]
    with parts.card(view.say("versions_title", n=len(mine)), view.say("versions_sub"), width=4):
        for model in mine:
            with ui.element("div").style(
                "display: flex; gap: 10px; align-items: center; padding: 6px 0; border-bottom: 1px solid var(--line)"
            ):
                by = f"{escape(model['contender'].replace('_', ' '))} · {model['as_of'][:10]}"
                ui.html(
                    f'<b style="font-weight: 550">{escape(model["version"])}</b><div class="sub">{by}</div>',
                    sanitize=False,
                ).style("flex: 1")
                if model["champion"]:
                    ui.html(parts.pill(view.say("champion"), "key"), sanitize=False)
                elif view.may(Role.ADMIN):
                    parts.button(view.say("promote"), lambda m=model: _ask_promote(view, m), kind="plain")


async def _ask_promote(view: View, model: Mapping[str, Any]) -> None:
    """Ask why, then let the version answer; the log keeps who and why."""
    with ui.dialog() as dialog, ui.card():
        ui.label(view.say("promote_sure", insight=model["insight"], version=model["version"])).style(
            "font-weight: 600; max-width: 420px"
        )
        why = ui.input(view.say("promote_why")).props("outlined dense").style("width: 100%")
        with ui.element("div").style("display: flex; gap: 8px; justify-content: flex-end; width: 100%"):
            ui.button(view.say("cancel"), on_click=lambda: dialog.submit(False)).props("flat").classes("ghost")
            parts.button(view.say("promote"), lambda: dialog.submit(True), kind="main")
    dialog.classes("dc")
    if not await dialog:
        return
    reason = f"{why.value or 'by hand'} ({view.person.name or 'dashboard'})"
    try:
        await view.change(lambda d: d.promote(model["insight"], model["version"], reason))
    except DongchaError as refused:
        ui.notify(str(refused), type="negative")
        return
    ui.navigate.reload()
