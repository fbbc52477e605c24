"""Answers as of now: what a customer would want, does next, and whether they may leave."""

from __future__ import annotations

from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from dongcha.access.scopes import Scope
from dongcha.api.guard import require
from dongcha.api.live import Live
from dongcha.api.open_live import OpenLive, Turns
from dongcha.api.paths import WholeIds
from dongcha.api.told import example, json

router = APIRouter(
    prefix="/v1/live/customers", tags=["live"], route_class=WholeIds, dependencies=[Depends(require(Scope.READ))]
)

Country = Annotated[str | None, Query(description="Of a visitor of whom nothing is known: where they are.")]


class LiveAnswer(BaseModel):
    """What the champion says now. `basis`: their history, the context that traits give, what is popular, or none.

    `as_of` is the moment of asking, `crowd_as_of` when what everybody does was counted; `answer` has the names that
    the insight declares.
    """

    model_config = example(
        customer_id="c000093",
        insight="churn",
        version="v1",
        as_of="2026-11-26T06:44:28+00:00",
        crowd_as_of="2026-11-26",
        fresh_events=2,
        basis="history",
        answer={"churn_probability": 0.223},
    )
    customer_id: str
    insight: str
    version: str
    as_of: str
    crowd_as_of: str
    fresh_events: int
    basis: str
    answer: dict[str, Any] | None


async def answered(live: Live, turns: Turns, name: str, customer_id: str, **about: str | None) -> Response:
    """The answer, with all that was received of them lately: what is stored already is known by its key."""
    told = {trait: value for trait, value in about.items() if value is not None}

    def answer() -> dict[str, Any]:
        return live.answer(name, customer_id, live.shop.inbox.recent(customer_id), told)

    return json(await run_sync(answer, limiter=turns))


@router.get("/{customer_id}/recommendations", response_model=LiveAnswer)
async def recommendations(customer_id: str, live: OpenLive, turns: Turns, country: Country = None) -> Response:
    """Ten products and what led to each; of an unknown visitor what those like them buy, or everybody does."""
    return await answered(live, turns, "recommendation", customer_id, country=country)


@router.get("/{customer_id}/next-action", response_model=LiveAnswer)
async def next_action(customer_id: str, live: OpenLive, turns: Turns) -> Response:
    """The likeliest next (event, kind of product) pairs and when; `answer` is null of whom who never bought."""
    return await answered(live, turns, "next_action", customer_id)


@router.get("/{customer_id}/churn", response_model=LiveAnswer)
async def churn(customer_id: str, live: OpenLive, turns: Turns) -> Response:
    """The probability of no purchase within the horizon; `answer` is null of whom who never bought."""
    return await answered(live, turns, "churn", customer_id)
