"""What insights about orders have in common: which outcomes are bad, and how long one has to wait for them."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from dongcha.insight_kit.base import InsightConfig

WENT_BAD: Final = "went_bad"
"""The label: 1 for an order that is known to have gone bad, 0 for one of which nothing was heard."""


class OrdersConfig(InsightConfig):
    """`bad`: names of outcomes that make an order a bad one. `mature_days`: so long an order may still turn out bad."""

    bad: Annotated[tuple[str, ...], Field(min_length=1)] = ("fraud", "chargeback", "default")
    mature_days: Annotated[int, Field(ge=1)] = 60
