"""Questions, answered from what the shop shows to everybody; with a customer, from that customer's orders too.

A key with the scope `ask` asks as anybody would: it is no staff, and colleagues' conversations stay closed to it.
To ask for a customer reads that customer's orders, so that it takes the scope `read` besides; and whoever holds such a
key vouches that it is really this customer who asks, for the answer is given to them.
"""

from __future__ import annotations

from threading import Lock
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from dongcha.access.scopes import Caller, Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.refusals import Refusal
from dongcha.api.told import example
from dongcha.errors import UsageError

router = APIRouter(tags=["ask"])
_ONE_AT_A_TIME: Final = Lock()
"""The lake's engine and the index are for one thread at a time."""


class Question(BaseModel):
    """What is asked, and by which customer where it is one."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": {"question": "How do I return something?", "customer_id": None}},
    )
    question: Annotated[str, Field(min_length=1, max_length=2_000)]
    customer_id: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class Source(BaseModel):
    """A passage that answers, and how surely."""

    table: str
    source_id: str
    title: str
    url: str
    passage: str
    sure: float


class Answer(BaseModel):
    """What came of it. Without `known`, `text` says so and `sources` are the nearest.

    `escalate`: a person should see it. `by`: whose words they are: `extract` (the sources'), `model` (a language
    model's, covered by the sources), or `nobody`.
    """

    model_config = example(
        question="How do I return something?",
        language="en",
        text="You can return anything unused within 30 days.",
        known=True,
        sure=0.93,
        sources=[],
        intent="return",
        intent_sure=0.8,
        mood="neutral",
        mood_value=0.0,
        escalate=False,
        why=[],
        by="extract",
        notes=[],
    )
    question: str
    language: str
    text: str
    known: bool
    sure: float
    sources: list[Source]
    intent: str | None
    intent_sure: float | None
    mood: str | None
    mood_value: float | None
    escalate: bool
    why: list[str]
    by: str
    notes: list[str]


@router.post("/v1/ask")
def ask(asked: Question, caller: Annotated[Caller, Depends(require(Scope.ASK))], shop: OpenShop) -> Answer:
    """Answer a question. With `customer_id` the scope `read` is needed too, and the key's holder vouches for them."""
    if asked.customer_id is not None and Scope.READ not in caller.scopes:
        raise Refusal(
            403, "To ask for a customer needs the scope 'read' too.", "Leave customer_id out, or use another key."
        )
    if not asked.question.strip():
        raise UsageError("No question was asked.", 'For example: "How do I return something?"')
    with _ONE_AT_A_TIME:
        found: dict[str, Any] = shop.ask(asked.question, asked.customer_id, staff=False).to_dict()
    return Answer.model_validate(found)
