"""Who is looking: the person behind a request, what their role lets them do, and what is masked for them."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from dongcha.access.scopes import Person, Role
from dongcha.errors import DongchaError

if TYPE_CHECKING:
    from fastapi import Request

    from dongcha.assemble import Shop

SESSION: Final = "dongcha_session"
"""The cookie that holds a session's token; scripts never see it."""
FORM: Final = "dongcha_form"
"""The cookie whose value the login form must repeat, so that no other page can send it."""
MACHINE: Final = Person("", Role.ADMIN)
"""Whoever is at this machine, as long as nobody has made a key or a person."""
RANKS: Final = (Role.VIEWER, Role.ANALYST, Role.ADMIN)


def visitor(shop: Shop, request: Request) -> Person | None:
    """Who that is; None for somebody who has to log in first."""
    if is_open(shop):
        return MACHINE if is_local(request) else None
    access: Any = getattr(shop, "access", None)
    token = request.cookies.get(SESSION)
    person: Person | None = access.people.session(token) if token else None
    return person


def is_open(shop: Shop) -> bool:
    """Whether nobody has made a key or a person yet."""
    access = getattr(shop, "access", None)
    return access is None or bool(access.unguarded)


def is_local(request: Request) -> bool:
    """Whether the request comes from this very machine."""
    try:
        return request.client is None or ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def may(person: Person, role: Role) -> bool:
    """Whether a person may do what this role may."""
    return RANKS.index(person.role) >= RANKS.index(role)


def new_form_token() -> str:
    """What a login form and its cookie both hold."""
    return secrets.token_urlsafe(32)


def enter(shop: Shop, request: Request, form: dict[str, str]) -> tuple[str, str]:
    """The token of a new session, or an empty one and why not: a key of `words`, or a message."""
    repeated = request.cookies.get(FORM, "")
    if not repeated or not secrets.compare_digest(repeated.encode(), form.get("form", "").encode()):
        return "", "door_stale"
    access: Any = getattr(shop, "access", None)
    if access is None:
        return "", "door_wrong"
    address = request.client.host if request.client else ""
    try:
        person = access.login(form.get("name", ""), form.get("password", ""), address)
    except DongchaError as refused:
        return "", str(refused)
    return (access.people.open_session(person), "") if person else ("", "door_wrong")


def leave(shop: Shop, request: Request) -> None:
    """End the session of this request."""
    access, token = getattr(shop, "access", None), request.cookies.get(SESSION)
    if access is not None and token:
        access.people.close_session(token)
