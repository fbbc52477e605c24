"""What an insight is: a question, what it needs, what it yields, and how the answers are judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from dongcha import columns as c
from dongcha.as_of import AsOf, Window
from dongcha.errors import ContractError, UsageError
from dongcha.features.point_in_time import Crowd
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Group, Output, Value
from dongcha.insight_kit.telling import Chapter, Reader, Told
from dongcha.warehouse.lake import Lake


class Labeller(Protocol):
    """Finds what happened in a window: customer_id + label columns, for those to whom something did."""

    def __call__(
        self, lake: Lake, window: Window, versions: Mapping[str, int] | None = None, *, known_by: AsOf | None = None
    ) -> pl.DataFrame: ...


REASON_SCHEMA: Final = {
    c.ENTITY_ID: pl.String(),
    c.RANK: pl.Int64(),
    c.FEATURE: pl.String(),
    c.VALUE: pl.Float64(),
    c.TYPICAL: pl.Float64(),
    c.EFFECT: pl.Float64(),
}


class InsightConfig(BaseModel):
    """An insight's options, from `[insights.<name>]` of dongcha.toml; an unknown option is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Needs:
    """What an insight is computed from: tables that must be loaded, features by name, and its label.

    The first table is the one in which happens what it foretells: its first and last row say how far the facts reach.
    """

    tables: tuple[str, ...]
    features: tuple[str, ...]
    label: Labeller
    history: bool = False
    """Whether its facts come with customers' timelines and the catalogue."""
    crowd: Crowd = Crowd.BUYERS
    """Whom it answers for."""


@dataclass(frozen=True)
class Metric:
    """A figure of quality: its name, and whether more is better; `target` where closest to a number is best."""

    name: str
    more_is_better: bool = True
    target: float | None = None

    def goodness(self, value: float) -> float:
        """Larger is better, whatever the metric."""
        if self.target is not None:
            return -abs(value - self.target)
        return value if self.more_is_better else -value


class Insight(ABC):
    """One question about the business, answered per entity.

    Subclasses declare; the jobs loop. An insight holds no state beyond its config: what is learnt lives in a
    contender, what is concluded in the ledger.
    """

    name: ClassVar[str]
    question: ClassVar[dict[str, str]]
    """Language code → the question in that language."""
    entity: ClassVar[str] = c.CUSTOMER_ID
    needs: ClassVar[Needs]
    yields: ClassVar[tuple[Output, ...]]
    judged_by: ClassVar[tuple[Metric, ...]]
    """The first is the headline."""
    fair_by: ClassVar[str | None] = None
    """A column of `customers` whose groups the card compares."""
    limits: ClassVar[dict[str, str]] = {}
    """Language code → what the answer must not be used for."""
    live: ClassVar[bool] = False
    """Whether it also answers at request time, for one customer with all they did until then: `Contender.opened`."""
    chapter: ClassVar[Chapter] = Chapter.NEXT
    """Where in a customer's story its sentence stands."""
    Config: ClassVar[type[InsightConfig]] = InsightConfig

    def __init__(self, config: InsightConfig | None = None) -> None:
        self.config = config if config is not None else self.Config()

    @abstractmethod
    def contenders(self) -> tuple[Contender, ...]:
        """Fresh, unfitted contenders; the first candidate answers while nothing was measured yet."""

    @abstractmethod
    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        """Label columns row by row with `facts`, from what `needs.label` found in the window."""

    @abstractmethod
    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """The metrics of `judged_by` (and others worth knowing) for an answer given at `example.facts`."""

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        """More about an answer's quality for the model card: calibration, fairness by `groups` (row by row)."""
        return {}

    def unacceptable(self, metrics: Mapping[str, float]) -> str:
        """Why an answer with these mean metrics may not be promoted whatever its headline; empty if it may."""
        return ""

    def say(self, text: str | None, language: str) -> str:
        """A group's name or a ranking's label in a language; both are kept in English."""
        return text or "–"

    def tell(self, answer: Mapping[str, Any], reader: Reader) -> Told:
        """An answer about one customer in a sentence; by default its numbers and groups by their titles."""
        parts = []
        for output in self.yields:
            value = answer.get(output.name)
            if isinstance(output, Value) and value is not None:
                parts.append(f"{output.title(reader.language)}: {value:,.2f}")
            elif isinstance(output, Group) and value is not None:
                parts.append(f"{output.title(reader.language)}: {self.say(value, reader.language)}")
        return Told("; ".join(parts))

    def tell_texts(self, texts: Sequence[Mapping[str, Any]], reader: Reader) -> Told:
        """The same of a customer's latest texts, newest first, where the entities are texts.

        Each has the columns of `features.texts.TEXTS` and the insight's answer, null where there is none.
        """
        return Told()

    @property
    def headline(self) -> Metric:
        return self.judged_by[0]

    def contender(self, name: str) -> Contender:
        """A fresh contender by name."""
        for contender in self.contenders():
            if contender.name == name:
                return contender
        raise UsageError(
            f"{self.name} has no contender '{name}'.", f"It has: {', '.join(k.name for k in self.contenders())}."
        )

    def answer(self, contender: Contender, facts: Facts, *, to_judge: bool = False) -> pl.DataFrame:
        """The contender's prediction, checked against what the insight declares.

        `to_judge`: without what is only shown beside it.
        """
        answer = contender.predict(facts)
        if not answer[c.ENTITY_ID].equals(facts.entities):
            raise ContractError(f"{self.name}: {contender.name} did not answer for every entity in order.")
        whole = answer if to_judge else answer.hstack(contender.beside(facts))
        for output in self.yields:
            if not to_judge or output.name in answer.columns:
                output.check(whole)
        return whole

    def reasons(self, contender: Contender, facts: Facts, *, top: int = 3) -> pl.DataFrame:
        """The `top` features that moved each answer most (columns as REASON_SCHEMA; effect is signed)."""
        names, pushes = contender.contributions(facts)
        if not names:
            return pl.DataFrame(schema=REASON_SCHEMA)
        order = np.argsort(-np.abs(pushes), axis=1, kind="stable")[:, :top]
        values = facts.matrix(names)
        typical = contender.typical_values(names, values)
        rows = np.repeat(np.arange(len(pushes)), order.shape[1])
        ranks, picked = np.tile(np.arange(1, order.shape[1] + 1), len(pushes)), order.ravel()
        # Without a lazy query: where one entity is asked about, that would take most of the time.
        moved = pushes[rows, picked] != 0
        rows, ranks, picked = rows[moved], ranks[moved], picked[moved]
        frame = {
            c.ENTITY_ID: facts.entities.to_numpy()[rows],
            c.RANK: ranks,
            c.FEATURE: np.array(names)[picked],
            c.VALUE: values[rows, picked],
            c.TYPICAL: typical[picked],
            c.EFFECT: pushes[rows, picked],
        }
        return pl.DataFrame(frame, schema=REASON_SCHEMA, nan_to_null=True)


def as_rows(by_group: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Figures per group as the card keeps them: one dict a group, its name first."""
    return [{"group": group, **figures} for group, figures in by_group.items()]
