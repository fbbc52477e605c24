"""Customers: find them, and everything known and concluded about one, from the serving view.

What the scope `read` reveals stands in docs/api.md: it is everything, names and addresses too.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from dongcha import columns as c
from dongcha.access.scopes import Caller, Scope
from dongcha.api.customer_shapes import Customer, NextAction, Recommendations, Timeline
from dongcha.api.guard import OpenShop, require
from dongcha.api.paths import WholeIds
from dongcha.api.told import Answered, Customers, Speech, json, reader
from dongcha.assemble import Shop
from dongcha.errors import UnknownError
from dongcha.privacy.masks import masked, masked_portrait
from dongcha.profiles.story import story
from dongcha.warehouse.view import MOST_ROWS
from dongcha.warehouse.view_file import SEARCHED

router = APIRouter(tags=["customers"], route_class=WholeIds)
Reading = Annotated[Caller, Depends(require(Scope.READ))]
CustomerId = Annotated[str, Path(description="Any id, percent-encoded: a/b is a%2Fb.", examples=["c000093"])]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]
Offset = Annotated[int, Query(ge=0, le=2**31)]
Rule = Annotated[
    str,
    Query(
        max_length=8_000, description="A rule over outputs.", examples=['churn_probability > 0.6 and segment == "x"']
    ),
]

NAMING = (c.NAME, c.EMAIL)
"""Columns of a list that name or reach a person."""


@router.get("/v1/customers", response_model=Customers)
def find_customers(
    caller: Reading,
    shop: OpenShop,
    text: Annotated[str, Query(max_length=200, description="Words that begin words of id, name, e-mail, place.")] = "",
    where: Rule = "",
    sort: Annotated[str, Query(max_length=200, description="A column of the rows.")] = c.CUSTOMER_ID,
    descending: bool = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Response:
    """Customers by words and by a rule, sorted; the highest by `sort=churn_probability&descending=true`.

    For a viewer names and e-mails are masked, and not looked for.
    """
    columns = [name for name in SEARCHED if not (caller.masked and name in NAMING)]
    if caller.masked and sort in NAMING:
        sort = c.CUSTOMER_ID
    found = shop.view.search(
        text, looked_for_in=columns, where=where, sort=sort, descending=descending, limit=limit, offset=offset
    )
    rows = [masked(row) for row in found.rows] if caller.masked else found.rows
    return json({"rows": rows, "total": found.total, "limit": limit, "offset": offset, "run": found.run})


@router.get("/v1/customers/{customer_id}", response_model=Customer)
async def one_customer(customer_id: CustomerId, caller: Reading, shop: OpenShop, language: Speech = None) -> Response:
    """One customer's portrait and story."""
    with shop.view.pinned() as run:
        found = shop.view.get(customer_id)
        if found is None:
            raise _nobody(customer_id)
        if caller.masked:
            found = masked_portrait(found)
        return json({**found, "story": story(found, list(shop.insights), reader(shop, language)), "run": run})


@router.get(
    "/v1/customers/{customer_id}/timeline", response_model=Timeline, dependencies=[Depends(require(Scope.READ))]
)
async def timeline(
    customer_id: CustomerId, shop: OpenShop, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Response:
    """The customer's latest events, at most 200."""
    with shop.view.pinned() as run:
        events = shop.view.timeline(customer_id, limit)
    if events is None:
        raise _nobody(customer_id)
    return json({"customer_id": customer_id, "events": events, "run": run})


@router.get(
    "/v1/customers/{customer_id}/recommendations",
    response_model=Recommendations,
    dependencies=[Depends(require(Scope.READ))],
)
async def recommendations(customer_id: CustomerId, shop: OpenShop) -> Response:
    """What the customer would want, as of the newest scoring."""
    stamp, answer, reasons = _concluded(shop, "recommendation", customer_id)
    led = [pair[c.LABEL] for pair in answer["recommended_because"] or []]
    listed = [
        {
            c.PRODUCT_ID: pair[c.LABEL],
            "score": pair[c.VALUE],
            "because": led[place] if place < len(led) else None,
            **_product(shop, pair[c.LABEL]),
        }
        for place, pair in enumerate(answer["recommendations"] or [])
    ]
    return json({**stamp, "recommendations": listed, "reasons": reasons})


@router.get(
    "/v1/customers/{customer_id}/next-action", response_model=NextAction, dependencies=[Depends(require(Scope.READ))]
)
async def next_action(customer_id: CustomerId, shop: OpenShop, language: Speech = None) -> Response:
    """What the customer will do next, as of the newest scoring."""
    stamp, answer, reasons = _concluded(shop, "next_action", customer_id)
    say, spoken = shop.insights["next_action"].say, language or shop.settings.shop.language
    listed = [
        {"action": pair[c.LABEL], "says": say(pair[c.LABEL], spoken), "probability": pair[c.VALUE]}
        for pair in answer["next_actions"] or []
    ]
    when = {"days": answer["next_action_days"], "probability": answer["next_action_probability"]}
    return json({**stamp, "next_actions": listed, **when, "reasons": reasons})


@router.get(
    "/v1/customers/{customer_id}/reasons/{insight}",
    response_model=Answered,
    dependencies=[Depends(require(Scope.READ))],
)
async def reasons(customer_id: CustomerId, insight: str, shop: OpenShop) -> Response:
    """One insight's answer about the customer, and what moved it."""
    found = shop.view.answer(insight, customer_id)
    if found is None:
        raise _unanswered(shop, insight, customer_id)
    return json(found)


def _concluded(shop: Shop, insight: str, customer_id: str) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """Whose answer it is and of when, the answer, and its reasons."""
    with shop.view.pinned() as run:
        found = shop.view.answer(insight, customer_id)
    if found is None:
        raise _unanswered(shop, insight, customer_id)
    stamp = {
        c.CUSTOMER_ID: customer_id,
        c.VERSION: found[c.VERSION],
        c.AS_OF: found[c.AS_OF],
        "live": False,
        "run": run,
    }
    return stamp, found["answer"], found["reasons"]


def _product(shop: Shop, product_id: str) -> dict[str, Any]:
    known = shop.view.products.get(product_id) or {}
    return {k: known.get(k) for k in (c.NAME, c.CATEGORY, c.PRICE)}


def _nobody(customer_id: str) -> UnknownError:
    return UnknownError(f"No table knows a customer '{customer_id[:200]}'.", "Look for one: GET /v1/customers?text=…")


def _unanswered(shop: Shop, insight: str, customer_id: str) -> UnknownError:
    """Why there is no answer: no such customer, no such insight, or none about this customer yet."""
    if not shop.view.knows(customer_id):
        return _nobody(customer_id)
    return UnknownError(
        f"'{insight[:200]}' has no answer about '{customer_id[:200]}'.",
        f"There are answers of: {', '.join(shop.view.about['runs']) or 'nothing yet; dongcha run makes them'}.",
    )
