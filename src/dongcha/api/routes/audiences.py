"""Audiences: the customers who match a rule over everything the insights answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dongcha import columns as c
from dongcha.access.scopes import Caller, Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.routes.customers import NAMING
from dongcha.api.told import CustomerRow, json
from dongcha.errors import UsageError
from dongcha.privacy.masks import masked
from dongcha.warehouse.view import MOST_ROWS

router = APIRouter(tags=["audiences"])


def _whole(value: Any) -> Any:
    """20.0 is a whole number to JSON Schema; true is none, though Python takes it for 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Wanted(BaseModel):
    """A rule, as `dongcha audience` takes it, and which page of those who match."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {
                "rule": "churn_probability > 0.6 and lifetime_value > 500",
                "sort": "lifetime_value",
                "descending": True,
                "limit": 20,
            }
        },
    )
    rule: Annotated[str, Field(min_length=1, max_length=100_000)]
    sort: Annotated[str, Field(max_length=200)] = c.CUSTOMER_ID
    descending: bool = False
    limit: Annotated[int, Field(ge=0, le=MOST_ROWS), BeforeValidator(_whole)] = 50
    """0 counts only."""
    offset: Annotated[int, Field(ge=0, le=2**31), BeforeValidator(_whole)] = 0


class Audience(BaseModel):
    """How many match, and a page of them."""

    count: int
    rows: list[CustomerRow]
    run: str


@router.post("/v1/audiences", response_model=Audience)
def audience(wanted: Wanted, caller: Annotated[Caller, Depends(require(Scope.READ))], shop: OpenShop) -> Response:
    """Who matches a rule. An unknown value matches nothing; names and e-mails are masked for a viewer."""
    if not wanted.rule.strip():
        raise UsageError("The rule is empty.", 'Write it like: churn_probability > 0.6 and segment == "loyal".')
    sort = c.CUSTOMER_ID if caller.masked and wanted.sort in NAMING else wanted.sort
    found = shop.view.search(
        where=wanted.rule, sort=sort, descending=wanted.descending, limit=wanted.limit, offset=wanted.offset
    )
    rows = [masked(row) for row in found.rows] if caller.masked else found.rows
    return json({"count": found.total, "rows": rows, "run": found.run})
