"""Is the server there, is it ready, and what does it do?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from dongcha.access.scopes import Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.open_live import OpenLive
from dongcha.assemble import Shop
from dongcha.errors import DongchaError

router = APIRouter(tags=["health"])

LEAST_FREE_BYTES: Final = 100 << 20


class Alive(BaseModel):
    """The process answers."""

    status: str


class Ready(BaseModel):
    """Whether requests should be sent here; `parts`: what each part says, "ready" where it is.

    Every part decides but `live`, which only tells: a shop that was never run has no live answers and takes events all
    the same, and one whose newest version cannot be opened goes on answering by the one before. No other server of
    the same workspace would do better. Whoever sends live requests alone should look at that part themselves.
    """

    ready: bool
    parts: dict[str, str]


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers."""
    return Alive(status="ok")


@router.get("/readyz", responses={503: {"model": Ready, "description": "Not ready; `parts` says why."}})
async def readyz(response: Response, shop: OpenShop, live: OpenLive) -> Ready:
    """Whether requests should be sent here, and if not, why. Live answers are opened by it, so that none waits."""
    parts = {name: await run_sync(_try, check, shop) for name, check in PARTS.items()}
    ready = all(told == "ready" for told in parts.values())
    response.status_code = 200 if ready else 503
    return Ready(ready=ready, parts={**parts, "live": await run_sync(live.standing)})


@router.get("/metrics", dependencies=[Depends(require(Scope.READ))], response_class=Response)
async def metrics(request: Request) -> Response:
    """Figures of this process, for Prometheus."""
    text = await run_sync(request.app.state.metrics.text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _settings(shop: Shop) -> str:
    _ = shop.settings
    return "ready"


def _access(shop: Shop) -> str:
    _ = shop.access.unguarded
    return "ready"


def _disk(shop: Shop) -> str:
    if not os.access(shop.folder, os.W_OK):
        return "the workspace cannot be written to"
    return "ready" if shutil.disk_usage(shop.folder).free >= LEAST_FREE_BYTES else "the disk is full"


def _inbox(shop: Shop) -> str:
    _ = shop.inbox.backlog()
    return "ready"


PARTS: Final[dict[str, Callable[[Shop], str]]] = {
    "settings": _settings,
    "access": _access,
    "disk": _disk,
    "inbox": _inbox,
}
"""What must be well before requests are sent here; a part adds itself. Said to anybody: no path, no name."""


def _try(check: Callable[[Shop], str], shop: Shop) -> str:
    try:
        return check(shop)
    except (DongchaError, OSError) as wrong:
        return f"not to be used: {type(wrong).__name__}"
