"""What a route asks for that answers live: the one `Live` of the server, and a turn."""

from __future__ import annotations

from typing import Annotated, Final, cast

from anyio import CapacityLimiter
from fastapi import Depends, Request

from dongcha.api.guard import OpenShop
from dongcha.api.live import Live

AT_ONCE: Final = 1
"""Live answers worked at the same time; the others wait without a thread, in the order in which they came.

They are short and mostly Python, which runs one thread at a time: more threads only take turns with each other, and
with the thread that talks to clients (see docs/decisions/0015).
"""


async def _the_live(request: Request, shop: OpenShop) -> Live:
    state = request.app.state
    if not hasattr(state, "live"):
        state.live = Live(shop)
    return cast(Live, state.live)


async def _turns(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "live_turns"):
        state.live_turns = CapacityLimiter(AT_ONCE)
    return cast(CapacityLimiter, state.live_turns)


OpenLive = Annotated[Live, Depends(_the_live)]
"""One for the whole server, made when first asked for."""
Turns = Annotated[CapacityLimiter, Depends(_turns)]
"""`await run_sync(work, limiter=turns)`: how live answers are worked."""
