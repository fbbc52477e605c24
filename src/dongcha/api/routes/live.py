"""Answers as of now: what a customer would want, does next, and whether they may leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from dongcha.access.scopes import Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.live import Live
from dongcha.assemble import Shop
from dongcha.errors import MissingDataError
from dongcha.features.one_customer import Row

router = APIRouter(prefix="/v1/live/customers", tags=["live"], dependencies=[Depends(require(Scope.READ))])

Country = Annotated[str | None, Query(description="Of a visitor of whom nothing is known: where they are.")]


def the_live(request: Request, shop: OpenShop) -> Live:
    """One for the whole server, made when first asked for."""
    state = request.app.state
    if not hasattr(state, "live"):
        state.live = Live(shop)
    live: Live = state.live
    return live


OpenLive = Annotated[Live, Depends(the_live)]


def recent(shop: Shop, customer_id: str) -> Sequence[Row]:
    """What was received of a customer and may not be in the published rows yet.

    From the inbox, where there is one: rows of the contract's tables, each with its `table` (events by default), oldest
    first, moments in UTC. Those that were published meanwhile do no harm: they are known by their `message_id`.
    """
    inbox = getattr(shop, "inbox", None)
    found: Sequence[Row] = inbox.recent(customer_id) if inbox is not None else ()
    return found


def answered(live: Live, name: str, customer_id: str, **about: str | None) -> dict[str, Any]:
    """The answer, or the HTTP error that says why there is none."""
    told = {trait: value for trait, value in about.items() if value is not None}
    try:
        return live.answer(name, customer_id, recent(live.shop, customer_id), told)
    except MissingDataError as error:
        raise HTTPException(503, {"error": error.what, "mend": error.mend}) from None


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
