"""Models: which version answers, how well it did, and letting another one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from dongcha.access.scopes import Caller, Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.told import example
from dongcha.assemble import Shop

if TYPE_CHECKING:
    from dongcha.insight_kit.base import Insight
    from dongcha.jobs.study import Desk

router = APIRouter(tags=["models"])
Admin = Annotated[Caller, Depends(require(Scope.ADMIN))]
Why = Annotated[str, Field(max_length=500, description="For the audit log.")]


class Version(BaseModel):
    """A fitted version; `champion`: whether it answers now, `contender`: which way of answering it is."""

    model_config = example(
        insight="churn",
        version="v1",
        champion=True,
        contender="blend",
        as_of="2024-12-31",
        made_at="2026-11-26T03:47:20+00:00",
        why="blend beats the baseline: average_precision 0.81 against 0.78 of recency_rule over 4 folds.",
    )
    insight: str
    version: str
    champion: bool
    contender: str
    as_of: str
    made_at: str
    why: str


class Promotion(BaseModel):
    """The version that is to answer, and why."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"version": "v2", "why": "tested by hand"}}
    )
    version: Annotated[str, Field(min_length=1, max_length=100)]
    why: Why = ""


class Rollback(BaseModel):
    """The version to go back to, by default the champion before the present one, and why."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"why": "too many false alarms"}}
    )
    version: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    why: Why = ""


class Champion(BaseModel):
    """Who answers from now on; the scores are this version's from the next `dongcha score` on."""

    insight: str
    version: str


@router.get("/v1/models", dependencies=[Depends(require(Scope.READ))])
def models(shop: OpenShop) -> list[Version]:
    """Every version of every insight."""
    return [Version.model_validate(model) for model in shop.models()]


@router.get("/v1/models/{insight}", dependencies=[Depends(require(Scope.READ))])
def card(insight: str, shop: OpenShop, version: str | None = None) -> dict[str, Any]:
    """The model card of a version, by default the champion's: data, cutoffs, metrics beside baselines, limits."""
    return shop.card(insight, version)


@router.post("/v1/models/{insight}/promote")
def promote(insight: str, wanted: Promotion, caller: Admin, shop: OpenShop) -> Champion:
    """Let a version answer."""
    from dongcha.jobs import promotion

    return _changed(shop, caller, insight, lambda desk, one: promotion.promote(desk, one, wanted.version, wanted.why))


@router.post("/v1/models/{insight}/rollback")
def rollback(insight: str, wanted: Rollback, caller: Admin, shop: OpenShop) -> Champion:
    """Let an earlier version answer again."""
    from dongcha.jobs import promotion

    return _changed(shop, caller, insight, lambda desk, one: promotion.rollback(desk, one, wanted.version, wanted.why))


def _changed(shop: Shop, caller: Caller, insight: str, change: Callable[[Desk, Insight], str]) -> Champion:
    """The audit log names the key or the person, not the user that the server runs as."""
    version = change(replace(shop.desk, actor=str(caller)), shop.insights[insight])
    return Champion(insight=insight, version=version)
