"""What a route asks for: the open shop, and who is calling."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from dongcha.assemble import Shop


def the_shop(request: Request) -> Shop:
    """The workspace this server is open on."""
    return cast(Shop, request.app.state.shop)


OpenShop = Annotated[Shop, Depends(the_shop)]
