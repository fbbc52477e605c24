"""Insights: what is asked and answered, every answer of one, and its groups; read from the serving view."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from dongcha import columns as c
from dongcha.access.scopes import Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.told import Reason, example, json
from dongcha.errors import MissingDataError, UnknownError
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.outputs import Output
from dongcha.warehouse.view import MOST_ROWS, View

router = APIRouter(tags=["insights"], dependencies=[Depends(require(Scope.READ))])

CSV_ROWS = 500
"""Rows written at once."""


class Format(StrEnum):
    """How answers are written: a page as JSON, or all of them as CSV or as a JSON object a line."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


class OutputTold(BaseModel):
    """A column of the answer. `kind`: value, group, ranking, series or vector; `of`: what a ranking's labels are."""

    name: str
    kind: str
    unit: str
    lowest: float | None
    highest: float | None
    title: dict[str, str]
    of: str


class InsightTold(BaseModel):
    """An insight; `version`, `as_of` and `rows` are null until it has answered. `entity`: what it answers about."""

    model_config = example(
        name="churn",
        question={"en": "Will this customer fall silent?", "zh": "这位客户会流失吗？"},
        entity="customer_id",
        outputs=[
            {
                "name": "churn_probability",
                "kind": "value",
                "unit": "probability",
                "lowest": 0,
                "highest": 1,
                "title": {"en": "may leave", "zh": "流失概率"},
                "of": "",
            }
        ],
        limits={},
        version="v1",
        as_of="2024-12-31",
        rows=400,
    )
    name: str
    question: dict[str, str]
    entity: str
    outputs: list[OutputTold]
    limits: dict[str, str]
    version: str | None
    as_of: str | None
    rows: int | None


class Score(BaseModel):
    """One entity's answer, a field for each output of the insight, and the reasons."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"example": {"entity_id": "c000093", "churn_probability": 0.223, "reasons": []}},
    )
    entity_id: str
    reasons: list[Reason]


class Scores(BaseModel):
    """A page of answers in the order of ids. `next`: the `after` of the next page, null on the last."""

    insight: str
    version: str
    as_of: str
    run: str
    rows: list[Score]
    next: int | None


class Groups(BaseModel):
    """The groups of an insight, largest first: the group, size, share, means, and who came and left."""

    model_config = example(
        insight="segmentation",
        as_of="2024-12-31",
        run="20261126T041502-550b5b2a",
        groups=[{"segment": "frequent, high value", "size": 65, "share": 0.1625, "came": 12, "left": 9}],
    )
    insight: str
    as_of: str
    run: str
    groups: list[dict[str, Any]]


@router.get("/v1/insights")
def insights(shop: OpenShop) -> list[InsightTold]:
    """The catalogue: every insight at hand, what it asks, what its answers are called."""
    runs = _runs(shop.view)
    return [_told(insight, runs.get(insight.name, {})) for insight in shop.insights]


@router.get(
    "/v1/insights/{name}/scores",
    response_model=Scores,
    responses={200: {"content": {"text/csv": {}, "application/x-ndjson": {}}}},
)
def scores(
    name: str,
    shop: OpenShop,
    format: Annotated[Format, Query()] = Format.JSON,
    after: Annotated[int, Query(ge=0, le=2**62, description="The `next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
) -> Response:
    """An insight's newest answers: a page as JSON with reasons, or all of them streamed as CSV or NDJSON.

    The highest first: `GET /v1/customers?sort=…&descending=true`.
    """
    view, insight = shop.view, shop.insights[name]
    run = _runs(view).get(name)
    if run is None:
        raise MissingDataError(f"{name} was never scored.", "Run it first: dongcha run.")
    if format is Format.CSV:
        return StreamingResponse(_csv(view, insight), media_type="text/csv; charset=utf-8", headers=_named(name, "csv"))
    if format is Format.NDJSON:
        rows = (orjson.dumps(_flat(row)) + b"\n" for row in view.every_answer(name))
        return StreamingResponse(rows, media_type="application/x-ndjson", headers=_named(name, "ndjson"))
    with view.pinned() as made:
        run = _runs(view).get(name, run)
        found, following = view.answers(name, after, limit)
    stamp = {"insight": name, c.VERSION: run[c.VERSION], c.AS_OF: run[c.AS_OF], "run": made}
    return json({**stamp, "rows": [_flat(row) for row in found], "next": following})


@router.get("/v1/insights/{name}/groups", response_model=Groups)
def groups(name: str, shop: OpenShop) -> Response:
    """The groups of an insight that puts things into groups."""
    view = shop.view
    found = view.groups(shop.insights[name].name)
    if found is None:
        there = ", ".join(view.about["groups"])
        raise UnknownError(f"{name} has no groups.", f"These have: {there}." if there else "Run it: dongcha run.")
    return json({"insight": name, c.AS_OF: view.about["runs"][name][c.AS_OF], "run": view.run, "groups": found})


def _runs(view: View) -> dict[str, dict[str, Any]]:
    """Insight → the run that answered; nothing where nothing was published."""
    try:
        runs: dict[str, dict[str, Any]] = view.about["runs"]
    except MissingDataError:
        return {}
    return runs


def _told(insight: Insight, run: dict[str, Any]) -> InsightTold:
    return InsightTold(
        name=insight.name,
        question=insight.question,
        entity=insight.entity,
        outputs=[_output(output) for output in insight.yields],
        limits=insight.limits,
        version=run.get(c.VERSION),
        as_of=run.get(c.AS_OF),
        rows=run.get("rows"),
    )


def _output(output: Output) -> OutputTold:
    titles = {language: output.title(language) for language in ("en", "zh")}
    return OutputTold(
        name=output.name,
        kind=output.kind,
        unit=output.unit,
        lowest=output.lowest,
        highest=output.highest,
        title=titles,
        of=getattr(output, "of", ""),
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {c.ENTITY_ID: row[c.ENTITY_ID], **row["answer"], "reasons": row["reasons"]}


def _csv(view: View, insight: Insight) -> Iterator[str]:
    """A head and a line an entity, lists and vectors as JSON text; some hundred lines at a time."""
    names = [output.name for output in insight.yields]
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow([c.ENTITY_ID, *names])
    for number, row in enumerate(view.every_answer(insight.name), 1):
        writer.writerow([row[c.ENTITY_ID], *(_cell(row["answer"].get(name)) for name in names)])
        if number % CSV_ROWS == 0:
            yield page.getvalue()
            page.seek(0)
            page.truncate()
    yield page.getvalue()


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list) else value


def _named(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
