"""Logging in and out, and who one is."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from dongcha.access.people import LONGEST_PASSWORD
from dongcha.access.scopes import Caller, caller_of
from dongcha.api.guard import OpenShop, address, enter, hashing, identify, leave, token_of
from dongcha.api.refusals import Refusal

router = APIRouter(tags=["session"])


class Login(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)]


class Me(BaseModel):
    """Who is calling, and what they may do."""

    name: str
    scopes: list[str]
    masked: bool
    """Whether personal data is masked for them."""


@router.post("/v1/session")
async def login(body: Login, request: Request, response: Response, shop: OpenShop) -> Me:
    """Log in: sets the cookie that the dashboard uses. A wrong name is answered like a wrong password."""
    access = shop.access
    person = await run_sync(access.login, body.name, body.password, address(request), limiter=hashing(request))
    if person is None:
        raise Refusal(401, "Name and password do not belong together.", "", {"WWW-Authenticate": "Bearer"})
    enter(request, response, await run_sync(access.people.open_session, person))
    return _me(caller_of(person))


@router.get("/v1/session")
async def me(request: Request) -> Me:
    """Who is calling: a person, a key, or this machine while there are no keys."""
    caller = await identify(request)
    if caller is None:
        raise Refusal(401, "Nobody is logged in.", "", {"WWW-Authenticate": "Bearer"})
    return _me(caller)


@router.delete("/v1/session", status_code=204)
async def logout(request: Request, response: Response, shop: OpenShop) -> None:
    """Log out: the session ends, whoever else may have its cookie."""
    if (token := token_of(request)) is not None:
        await identify(request)
        await run_sync(shop.access.people.close_session, token)
    leave(response)


def _me(caller: Caller) -> Me:
    return Me(name=caller.name, scopes=sorted(caller.scopes), masked=caller.masked)
