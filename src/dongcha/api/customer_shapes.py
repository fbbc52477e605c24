"""The shapes of what is told of one customer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from dongcha.api.told import Answered, Reason, example


class Line(BaseModel):
    """A sentence of the story, and why; `because` is empty where the text says it all."""

    text: str
    because: str


class Customer(BaseModel):
    """One customer's portrait, as `dongcha profile` shows it.

    `customer`: what the shop knows; `summary`: features by name; `favourites`: what was bought most; `orders` and
    `texts`: the latest, newest first; `insights`: every answer with its reasons; `story`: what one would tell of it, in
    the chapters who, buys, feels, next and do.
    """

    model_config = example(
        customer_id="c000093",
        as_of="2024-12-31",
        customer={"name": "David Bailey", "city": "Liverpool", "country": "GB", "consent": True},
        summary={"orders": 2.0, "spend": 171.4, "recency_days": 8.9},
        favourites={"categories": [{"category": "Stationery", "lines": 3}], "products": []},
        orders=[{"order_id": "o00312", "happened_at": "2024-12-22T10:15:00+00:00", "value": 86.0, "lines": 2}],
        texts=[],
        insights=[
            {
                "insight": "churn",
                "version": "v1",
                "as_of": "2024-12-31",
                "answer": {"churn_probability": 0.223},
                "reasons": [{"feature": "recency_days", "value": 8.9, "typical": 61.0, "effect": -0.84}],
            }
        ],
        story={"who": [{"text": "David Bailey, Liverpool (GB)", "because": ""}], "do": []},
        run="20261126T041502-550b5b2a",
    )
    customer_id: str
    as_of: str
    customer: dict[str, Any]
    summary: dict[str, float | None]
    favourites: dict[str, list[dict[str, Any]]]
    orders: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    insights: list[Answered]
    story: dict[str, list[Line]]
    run: str


class Event(BaseModel):
    """A thing that the customer did. Times are UTC; `price` is the unit price paid, else the product's."""

    happened_at: str
    event: str
    product_id: str | None
    price: float | None
    rating: float | None
    channel: str | None
    category: str | None
    brand: str | None


class Timeline(BaseModel):
    """The latest events, oldest first."""

    customer_id: str
    events: list[Event]
    run: str


class Recommended(BaseModel):
    """A product; `because`: the product whose purchase led to it, "popular", or null."""

    product_id: str
    score: float
    because: str | None
    name: str | None
    category: str | None
    price: float | None


class Recommendations(BaseModel):
    """What the customer would want, best first. `live`: whether events since `as_of` are counted."""

    model_config = example(
        customer_id="c000093",
        version="v1",
        as_of="2024-12-31",
        live=False,
        run="20261126T041502-550b5b2a",
        recommendations=[
            {
                "product_id": "p00160",
                "score": 2.12,
                "because": "p00058",
                "name": "Linen notebook",
                "category": "Stationery",
                "price": 9.5,
            }
        ],
        reasons=[],
    )
    customer_id: str
    version: str
    as_of: str
    live: bool
    run: str
    recommendations: list[Recommended]
    reasons: list[Reason]


class Action(BaseModel):
    """An event, with the category it is about where it is about one, and how likely it comes next."""

    action: str
    says: str
    probability: float


class NextAction(BaseModel):
    """What the customer does next if anything (`probability`), and in how many days. `live` as of recommendations."""

    model_config = example(
        customer_id="c000093",
        version="v1",
        as_of="2024-12-31",
        live=False,
        run="20261126T041502-550b5b2a",
        next_actions=[{"action": "Product Viewed · Stationery", "says": "浏览商品 · Stationery", "probability": 0.21}],
        days=2.9,
        probability=0.978,
        reasons=[],
    )
    customer_id: str
    version: str
    as_of: str
    live: bool
    run: str
    next_actions: list[Action]
    days: float | None
    probability: float | None
    reasons: list[Reason]
