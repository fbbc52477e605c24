"""Orders that are being placed: how dangerous each is, and why, before it is in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dongcha import columns as c
from dongcha.access.scopes import Scope
from dongcha.api.guard import require
from dongcha.api.live import Live
from dongcha.api.open_live import OpenLive, Turns
from dongcha.api.told import Reason, Speech, example, json
from dongcha.errors import UsageError
from dongcha.features.declare import lookup
from dongcha.features.placed import PAYMENT, SHIP_CITY, SHIP_COUNTRY

router = APIRouter(prefix="/v1/risk", tags=["live"], dependencies=[Depends(require(Scope.READ))])

RISK: Final = "risk"
MOST_ORDERS: Final = 100
MOST_LINES: Final = 200
MOST_VALUE: Final = 1e11
CLOCKS_DIFFER: Final = timedelta(days=1)

STRICT: Final = ConfigDict(extra="forbid", strict=True)


def _read_moment(value: Any) -> datetime:
    """Of a text alone: a bare number could be seconds or milliseconds."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError("write it with its offset, as 2025-01-01T09:30:00Z")
    return moment


Moment = Annotated[datetime, BeforeValidator(_read_moment)]
Id = Annotated[str, Field(min_length=1, max_length=500)]
Word = Annotated[str, Field(max_length=200)]


class LineWanted(BaseModel):
    """A line of an order; `discount` is of the whole line."""

    model_config = STRICT
    product_id: Id | None = None
    quantity: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    price: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
    discount: Annotated[float, Field(ge=0, le=MOST_VALUE, allow_inf_nan=False)] = 0.0


class AccountWanted(BaseModel):
    """What is known of a customer whom the shop may not hold yet."""

    model_config = STRICT
    created_at: Moment | None = None
    city: Word | None = None
    country: Word | None = None


class OrderWanted(BaseModel):
    """An order that is being placed. What is left out is not known; `happened_at` is then now."""

    model_config = STRICT
    order_id: Id
    customer_id: Id | None = None
    lines: Annotated[list[LineWanted], Field(min_length=1, max_length=MOST_LINES)]
    happened_at: Moment | None = None
    channel: Word | None = None
    payment: Word | None = None
    ship_city: Word | None = None
    ship_country: Word | None = None
    account: AccountWanted | None = None


class OrdersWanted(BaseModel):
    """Orders to be judged, each by its own id."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {
                "orders": [
                    {
                        "order_id": "o00041234",
                        "customer_id": "c000093",
                        "lines": [{"product_id": "p00071", "quantity": 3, "price": 129.0}],
                        "payment": "card",
                        "ship_city": "Leeds",
                    }
                ]
            }
        },
    )
    orders: Annotated[list[OrderWanted], Field(min_length=1, max_length=MOST_ORDERS)]


class OrderReason(Reason):
    """A reason with its words in the language asked for."""

    text: str


class OrderJudged(BaseModel):
    """The probability that an order goes bad, and what moved it most: up where `effect` is above zero."""

    order_id: str
    risk_probability: float
    reasons: list[OrderReason]


class OrdersJudged(BaseModel):
    """The orders as they were asked about; `version` answered, with everybody's orders as of `crowd_as_of`."""

    model_config = example(
        orders=[
            {
                "order_id": "o00041234",
                "risk_probability": 0.83,
                "reasons": [
                    {
                        "feature": "order_most_pieces",
                        "value": 3.0,
                        "typical": 1.0,
                        "effect": 2.71,
                        "text": "up to 3 pieces of one thing",
                    }
                ],
            }
        ],
        version="v1",
        as_of="2025-01-01T09:30:00.000123",
        crowd_as_of="2024-12-31",
    )
    orders: list[OrderJudged]
    version: str
    as_of: str
    crowd_as_of: str


@router.post("/orders", response_model=OrdersJudged)
async def judge_orders(wanted: OrdersWanted, live: OpenLive, turns: Turns, language: Speech = None) -> Response:
    """How likely each order is to end as fraud, charge-back or default, with all that was received of its customer.

    Nothing is stored. An unknown customer is one without a past. Orders of one request know of each other.
    """
    return json(await run_sync(judged, wanted, live, language, limiter=turns))


def judged(wanted: OrdersWanted, live: Live, language: Speech) -> dict[str, Any]:
    """The answer, each reason said in the language, by default the shop's."""
    now = live.shop.clock()
    orders = {order.order_id: list(_lines(order, _moment(order, now))) for order in wanted.orders}
    if len(orders) < len(wanted.orders):
        raise UsageError("Two orders have the same order_id.", "Give each its own.")
    customers = {order.customer_id for order in wanted.orders if order.customer_id is not None}
    fresh = [row for one in sorted(customers) for row in live.shop.inbox.recent(one)]
    noted = [_account(order, _moment(order, now)) for order in wanted.orders if order.account and order.customer_id]
    told = live.judge(RISK, orders, fresh, noted)
    settings = live.shop.settings.shop
    for order in told["orders"]:
        for reason in order["reasons"]:
            feature = lookup(reason[c.FEATURE])
            reason["text"] = feature.say(reason[c.VALUE], language or settings.language, settings.currency)
    return told


def _moment(order: OrderWanted, now: datetime) -> datetime:
    if order.happened_at is not None and order.happened_at > now + CLOCKS_DIFFER:
        raise UsageError("An order happens in the future.", "Leave happened_at out: it is then now.")
    return order.happened_at or now


def _lines(order: OrderWanted, moment: datetime) -> Iterator[dict[str, Any]]:
    """As rows of the contract."""
    if sum(line.quantity * line.price + line.discount for line in order.lines) > MOST_VALUE:
        raise UsageError("An order is worth too much to be one.", f"The most is {MOST_VALUE:,.0f}.")
    extras = {c.CHANNEL: order.channel, PAYMENT: order.payment, SHIP_CITY: order.ship_city}
    extras[SHIP_COUNTRY] = order.ship_country
    for number, line in enumerate(order.lines, start=1):
        yield {
            **line.model_dump(),
            c.ORDER_ID: order.order_id,
            c.LINE: number,
            c.CUSTOMER_ID: order.customer_id,
            c.HAPPENED_AT: moment,
            c.KNOWN_AT: moment,
            c.EXTRAS: orjson.dumps(extras),
        }


def _account(order: OrderWanted, moment: datetime) -> dict[str, Any]:
    """As a row of customers that was known just before the order."""
    assert order.account is not None
    before = moment - timedelta(microseconds=1)
    return {**order.account.model_dump(), c.CUSTOMER_ID: order.customer_id, c.HAPPENED_AT: before, c.KNOWN_AT: before}
