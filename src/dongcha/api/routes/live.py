"""Answers as of now: what a customer would want, does next, and whether they may leave."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from dongcha.access.scopes import Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.live import Live
from dongcha.api.paths import WholeIds

router = APIRouter(
    prefix="/v1/live/customers", tags=["live"], route_class=WholeIds, dependencies=[Depends(require(Scope.READ))]
)

Country = Annotated[str | None, Query(description="Of a visitor of whom nothing is known: where they are.")]


async def the_live(request: Request, shop: OpenShop) -> Live:
    """One for the whole server, made when first asked for."""
    state = request.app.state
    if not hasattr(state, "live"):
        state.live = Live(shop)
    live: Live = state.live
    return live


OpenLive = Annotated[Live, Depends(the_live)]


def answered(live: Live, name: str, customer_id: str, **about: str | None) -> dict[str, Any]:
    """The answer, with all that was received of them lately: what is stored already is known by its key."""
    told = {trait: value for trait, value in about.items() if value is not None}
    return live.answer(name, customer_id, live.shop.inbox.recent(customer_id), told)


@router.get("/{customer_id}/recommendations")
def recommendations(customer_id: str, live: OpenLive, country: Country = None) -> dict[str, Any]:
    """Ten products and what led to each; of an unknown visitor what those like them buy, or everybody does."""
    return answered(live, "recommendation", customer_id, country=country)


@router.get("/{customer_id}/next-action")
def next_action(customer_id: str, live: OpenLive) -> dict[str, Any]:
    """The likeliest next (event, kind of product) pairs and when; `answer` is null of whom who never bought."""
    return answered(live, "next_action", customer_id)


@router.get("/{customer_id}/churn")
def churn(customer_id: str, live: OpenLive) -> dict[str, Any]:
    """The probability of no purchase within the horizon; `answer` is null of whom who never bought."""
    return answered(live, "churn", customer_id)
