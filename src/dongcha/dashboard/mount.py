"""The dashboard on a server: its pages, its files, its door."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from nicegui import app as pages_app
from nicegui import ui
from starlette.routing import Mount

from dongcha.access.scopes import Person, Role
from dongcha.api import guard
from dongcha.dashboard import door, shell
from dongcha.dashboard.data import Data
from dongcha.dashboard.pages import listed_pages, own_pages
from dongcha.dashboard.pages.answer import page_of
from dongcha.dashboard.view import View

if TYPE_CHECKING:
    from fastapi import FastAPI

    from dongcha.assemble import Shop

FAVICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="11" fill="#0b6e66"/>'
    '<circle cx="12" cy="12" r="4" fill="#fff"/></svg>'
)
RESPONSE_SECONDS: Final = 30.0
NOT_THE_API: Final = re.compile(r"^/(?!v1(?:/|$))(?P<path>.*)$")
LARGEST_FORM: Final = 16_384


def mount(app: FastAPI, shop: Shop) -> None:
    """Put the dashboard of a workspace on the API's server, at `/`.

    What lies under `/v1` stays the API's, so that a wrong path or method there is answered by it and not by a page.
    """
    open_pages(shop)
    ui.run_with(app, title="Dongcha", favicon=FAVICON, tailwind=False, show_welcome_message=False)
    everything = next(route for route in reversed(app.routes) if isinstance(route, Mount) and not route.path)
    everything.path_regex = NOT_THE_API


def open_pages(shop: Shop) -> None:
    """Register every page, the door and the files with NiceGUI's own application."""
    data = Data(shop)
    pages_app.add_static_files(shell.STATIC, str(files("dongcha.dashboard") / "static"))
    for page in own_pages():
        _open(data, page.path, partial(_itself, page))
    _open(data, "/insights/{name}", lambda arguments: page_of(arguments["name"]))
    _door(data)


def _itself(page: shell.Page, arguments: Mapping[str, str]) -> shell.Page:
    return page


def _open(data: Data, path: str, page_at: Callable[[Mapping[str, str]], shell.Page]) -> None:
    @ui.page(path, response_timeout=RESPONSE_SECONDS)
    async def draw(request: Request) -> Response | None:
        person = await door.visitor(data.shop, request)
        if person is None:
            return RedirectResponse(f"/login?next={quote(request.url.path)}", status_code=303)
        pages = await asyncio.to_thread(listed_pages, data)
        page = page_at(request.path_params)
        if page.path.startswith("/insights/") and page.path not in {one.path for one in pages}:
            raise HTTPException(404)
        await shell.show(shell.view_of(data, request, person), page, pages, request.path_params)
        return None


def _door(data: Data) -> None:
    @pages_app.get("/login", include_in_schema=False)
    async def login(request: Request) -> Response:
        if await door.visitor(data.shop, request):
            return RedirectResponse("/", status_code=303)
        return _form(data, request, "")

    @pages_app.post("/login", include_in_schema=False)
    async def enter(request: Request) -> Response:
        body = (await request.body())[:LARGEST_FORM].decode("utf-8", "replace")
        token, refused = await door.enter(data.shop, request, {k: v[0] for k, v in parse_qs(body).items()})
        if not token:
            return _form(data, request, refused)
        went = RedirectResponse(_inside(request.query_params.get("next", "/")), status_code=303)
        guard.enter(request, went, token)
        return went

    @pages_app.post("/logout", include_in_schema=False)
    async def leave(request: Request) -> Response:
        went = RedirectResponse("/login", status_code=303)
        await door.leave(data.shop, request, went)
        return went


def _inside(path: str) -> str:
    """The page asked for; never another server's."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def _form(data: Data, request: Request, refused: str) -> Response:
    """The login form: plain HTML, for it must work before anything else does.

    Its page says its referrer to this server, since a browser that says none calls the origin of a form `null`.
    """
    view = shell.view_of(data, request, Person("", Role.VIEWER))
    token = door.new_form_token()
    wrong = view.say(refused) if refused.startswith("door_") else refused
    answer = HTMLResponse(_markup(view, token, wrong), status_code=401 if refused else 200)
    answer.set_cookie(door.FORM, token, httponly=True, secure=request.url.scheme == "https", samesite="strict")
    return answer


def _markup(view: View, token: str, wrong: str) -> str:
    lang, dark = ("zh-CN" if view.language == "zh" else "en"), "dark" if view.dark else ""
    told = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    title = f"{view.say('door_title')} · {view.data.name()}"
    return f"""<!doctype html><html lang="{lang}" class="{dark}"><head><meta charset="utf-8">
<title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="same-origin">
<link rel="stylesheet" href="{shell.STATIC}/dashboard.css"></head><body><main class="door"><form method="post">
<div class="dc-brand" style="padding: 0 0 18px">{shell.MARK}<span>{view.pick("Dongcha", "洞察")}
<small>{escape(view.data.name())}</small></span></div><h1>{view.say("door_title")}</h1>
<input type="hidden" name="form" value="{token}">
<label for="name">{view.say("door_name")}</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">{view.say("door_password")}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
{told}<button type="submit">{view.say("door_enter")}</button></form></main></body></html>"""
