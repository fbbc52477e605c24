"""How a question feels, by whatever insight answers that for texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.answers.escalation import Mood
from dongcha.as_of import AsOf, Horizon
from dongcha.features.texts import TEXTS
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Facts

QUESTION: Final = "question"


def no_feeling(text: str) -> Mood:
    """Where no model of moods was promoted."""
    return Mood()


def feeling(insight: Insight, contender: Contender, as_of: AsOf, horizon: Horizon) -> Callable[[str], Mood]:
    """A fitted contender of an insight about texts, which yields a number from -1 to 1 and a group, for one text."""
    value, group = (
        next(output.name for output in insight.yields if output.kind == kind) for kind in ("value", "group")
    )

    def feel(text: str) -> Mood:
        features = pl.DataFrame({c.ENTITY_ID: [QUESTION]})
        # Whoever asks says it to the shop, as in a message: a mood is thought as likely as any other beforehand.
        said = pl.DataFrame([{c.TEXT_ID: QUESTION, c.TABLE: c.MESSAGES, c.TEXT: text}], schema=TEXTS)
        told = contender.predict(Facts(as_of, horizon, features, texts=said)).row(0, named=True)
        return Mood(told[group], told[value])

    return feel
