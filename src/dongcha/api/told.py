"""What routes answer: shapes that the documentation tells, and JSON written straight from what the view holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict

from dongcha.assemble import Shop
from dongcha.insight_kit.telling import Reader
from dongcha.settings import Language

Speech = Annotated[Language | None, Query(description="en or zh; by default the shop's.")]


def example(**shown: Any) -> ConfigDict:
    """The configuration of a model whose documentation shows one answer as it was really given."""
    return ConfigDict(extra="forbid", json_schema_extra={"example": shown})


class Reason(BaseModel):
    """A feature that moved an answer: its value, what is typical, and how far it pushed (signed)."""

    feature: str
    value: float | None
    typical: float | None
    effect: float


class CustomerRow(BaseModel):
    """A customer in a list, what they did, and a number or group for each thing that insights answer about them."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "customer_id": "c000093",
                "name": "David Bailey",
                "email": "bailey.661@example.net",
                "city": "Liverpool",
                "country": "GB",
                "churn_probability": 0.223,
                "lifetime_value": 584.38,
                "segment": "new, holiday buyers",
            }
        },
    )
    customer_id: str
    name: str | None
    email: str | None
    city: str | None
    country: str | None


class Customers(BaseModel):
    """A page of customers; `total` counts all that match, `run` names the version of the serving view."""

    rows: list[CustomerRow]
    total: int
    limit: int
    offset: int
    run: str


class Answered(BaseModel):
    """One insight's answer about one customer. `answer` has the names that `GET /v1/insights` lists as outputs."""

    model_config = example(
        insight="churn",
        version="v1",
        as_of="2024-12-31",
        answer={"churn_probability": 0.223},
        reasons=[{"feature": "recency_days", "value": 12.0, "typical": 61.0, "effect": -0.84}],
    )
    insight: str
    version: str
    as_of: str
    answer: dict[str, Any]
    reasons: list[Reason]


def json(content: Mapping[str, Any] | list[Any]) -> Response:
    """The answer as JSON; what the view holds was made by our own hands, so nothing checks it once more."""
    return Response(orjson.dumps(content), media_type="application/json")


def reader(shop: Shop, language: Language | None) -> Reader:
    """To whom a story is told, with names and currency from the serving view: no lake is read."""
    view, spoken = shop.view, language or shop.settings.shop.language
    return Reader(spoken, view.about["currency"], shop.settings.time.horizon_days, view.product_names)
