"""Who is looking: the person behind a request, what their role lets them do, and how they log in and out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from anyio.to_thread import run_sync

from dongcha.access.scopes import Person, Role
from dongcha.api import guard
from dongcha.api.guard import address, hashing, token_of
from dongcha.errors import AccessError

if TYPE_CHECKING:
    from fastapi import Request, Response

    from dongcha.assemble import Shop

FORM: Final = "dongcha_form"
"""The cookie whose value the login form must repeat, so that no other page can send it."""
MACHINE: Final = Person("", Role.ADMIN)
"""Whoever is at this machine, as long as nobody has made a key or a person; `api.door` lets nobody else in then."""
RANKS: Final = (Role.VIEWER, Role.ANALYST, Role.ADMIN)


async def visitor(shop: Shop, request: Request) -> Person | None:
    """Who that is; None for somebody who has to log in first."""
    if shop.access.unguarded:
        return MACHINE
    token = token_of(request)
    return None if token is None else await run_sync(shop.access.people.session, token)


def may(person: Person, role: Role) -> bool:
    """Whether a person may do what this role may."""
    return RANKS.index(person.role) >= RANKS.index(role)


def new_form_token() -> str:
    """What a login form and its cookie both hold."""
    return secrets.token_urlsafe(32)


async def enter(shop: Shop, request: Request, form: dict[str, str]) -> tuple[str, str]:
    """The token of a new session, or an empty one and why not: a key of `words`, or a message."""
    repeated = request.cookies.get(FORM, "")
    if not repeated or not secrets.compare_digest(repeated.encode(), form.get("form", "").encode()):
        return "", "door_stale"
    name, password = form.get("name", ""), form.get("password", "")
    try:
        person = await run_sync(shop.access.login, name, password, address(request), limiter=hashing(request))
    except AccessError as refused:
        return "", str(refused)
    return (await run_sync(shop.access.people.open_session, person), "") if person else ("", "door_wrong")


async def leave(shop: Shop, request: Request, response: Response) -> None:
    """End the session of this request."""
    if (token := token_of(request)) is not None:
        await run_sync(shop.access.people.close_session, token)
    guard.leave(response)
