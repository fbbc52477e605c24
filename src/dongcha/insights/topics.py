"""What do customers talk about?"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.evaluation.coherence import diversity, npmi
from dongcha.features.labels import written
from dongcha.insight_kit.base import REASON_SCHEMA, Insight, Metric, Needs
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Group, Value
from dongcha.insight_kit.telling import Chapter, Reader, Told
from dongcha.models.text.nmf_topics import NmfTopics
from dongcha.models.text.tokens import words
from dongcha.models.text.topics import Topics as Found

TOPIC: Final = "topic"
CLARITY: Final = "topic_clarity"
NAMED_BY: Final = 3
MOST_TOLD: Final = 2
MOST_SHOWN: Final = 20
MOST_HEARD: Final = 20_000
"""Texts before the cutoff by which, with those after it, coherence is told: those of a season alone are too few."""


class Talk(Contender):
    """What all share: learnt from every text before the cutoff; a topic is named by its number and its first words."""

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        said = now.said
        if not said:
            raise MissingDataError("Nobody has said anything yet.", "Load reviews or messages.")
        self.learn(said, seed)
        self.heard = said[-MOST_HEARD:]

    def predict(self, facts: Facts) -> pl.DataFrame:
        numbers, clarity = self.place(facts.said)
        names = {number: f"#{number} {', '.join(told[:NAMED_BY])}" for number, told in self.topics().items()}
        return facts.features.select(
            c.ENTITY_ID,
            pl.Series(TOPIC, [names.get(number) for number in numbers.tolist()], pl.String),
            pl.Series(CLARITY, np.maximum(clarity, 0.0), pl.Float64),
        )

    @abstractmethod
    def learn(self, texts: Sequence[str], seed: int) -> None:
        """Find topics."""

    @abstractmethod
    def topics(self) -> dict[int, Sequence[str]]:
        """Number → words, the most telling first."""

    @abstractmethod
    def place(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Each text's topic, -1 for none, and how clearly, both (texts,)."""


class Mixture(Talk):
    """Groups of word vectors, told by their own words beside what everybody says: see `models.text.topics`."""

    name = "mixture"

    def __init__(self) -> None:
        self.earlier: Found | None = None

    def follow(self, champion: Contender) -> None:
        """Topics that are still there keep the numbers they have in the champion."""
        assert isinstance(champion, Mixture)
        self.earlier = champion.model

    def learn(self, texts: Sequence[str], seed: int) -> None:
        self.model = Found.fit(texts, seed=seed, earlier=self.earlier)

    def topics(self) -> dict[int, Sequence[str]]:
        return {topic.number: topic.words for topic in self.model.topics}

    def place(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        placed = self.model.place(texts)
        return placed.numbers, placed.clarity

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        self.model = Found.load(folder)


class Factors(Talk):
    """The textbook's: non-negative factors of TF-IDF."""

    name = "nmf"
    role = Role.BASELINE

    def learn(self, texts: Sequence[str], seed: int) -> None:
        self.model = NmfTopics.fit(texts, seed=seed)

    def topics(self) -> dict[int, Sequence[str]]:
        return dict(enumerate(self.model.words()))

    def place(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return self.model.place(texts)

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        self.model = NmfTopics.load(folder)


class Topics(Insight):
    """The topic of every review and message, if it has one; topics keep their numbers when they are learnt anew.

    Judged by whether a topic's words come together, also in what was said after the cutoff, and whether each topic has
    words of its own. Not promised: that a topic is one thing in a reader's eyes.
    """

    name = "topics"
    question: ClassVar[dict[str, str]] = {"en": "What do customers talk about?", "zh": "客户在谈论什么？"}
    entity = c.TEXT_ID
    needs = Needs((c.REVIEWS,), (), written)
    yields = (
        Group(TOPIC, english="topic", chinese="话题"),
        Value(CLARITY, lowest=0, english="how clearly", chinese="明确程度"),
    )
    judged_by = (Metric("coherence_diversity"), Metric("npmi"), Metric("diversity"), Metric("placed"))
    chapter = Chapter.FEELS
    limits: ClassVar[dict[str, str]] = {
        "en": "Words that come together; what they mean, and whether it is one thing, only a reader can say.",
        "zh": "话题是常一同出现的词；其含义及是否为同一件事，需由读者判断。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Mixture(), Factors())

    def tell_texts(self, texts: Sequence[Mapping[str, Any]], reader: Reader) -> Told:
        """What they speak of most."""
        spoken = Counter(text[TOPIC] for text in texts if text[TOPIC] is not None)
        most = [name for name, _ in spoken.most_common(MOST_TOLD)]
        listed = reader.pick("; ", "；").join(most)
        return Told(reader.pick(f"They speak of {listed}", f"谈到 {listed}") if most else "")

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        """The rating, null where none was given: for the card alone, topics are not learnt from it."""
        return facts.matched(happened, c.TEXT_ID).select(c.RATING)

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """On the texts before and after the cutoff; `placed` is the share of those after it that has a topic."""
        assert isinstance(contender, Talk)
        told = list(contender.topics().values())
        said = [words(text) for text in (*contender.heard, *example.facts.said)]
        coherence, different = npmi(told, said), diversity(told)
        return {
            "coherence_diversity": max(coherence, 0.0) * different,
            "npmi": coherence,
            "diversity": different,
            "placed": float(answer[TOPIC].is_not_null().mean() or 0.0),  # type: ignore[arg-type]
            "topics": float(len(told)),
        }

    def reasons(self, contender: Contender, facts: Facts, *, top: int = 3) -> pl.DataFrame:
        """The words of its topic that a text holds; a word's effect falls with its place among the topic's words."""
        assert isinstance(contender, Talk)
        said, told = facts.said, contender.topics()
        rows = []
        for entity, text, number in zip(facts.entities, said, contender.place(said)[0].tolist(), strict=True):
            there = set(words(text))
            held = [(word, 1 / place) for place, word in enumerate(told.get(number, ()), start=1) if word in there]
            rows += [(entity, rank, word, 1.0, 0.0, effect) for rank, (word, effect) in enumerate(held[:top], start=1)]
        return pl.DataFrame(rows, schema=REASON_SCHEMA, orient="row")

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        """How many of the later texts each topic has, and their mean rating."""
        both = answer.with_columns(example.truth[c.RATING])
        found = both.group_by(TOPIC).agg(pl.len().alias("texts"), pl.col(c.RATING).mean().round(2).alias("stars"))
        found = found.with_columns((pl.col("texts") / max(len(both), 1)).round(3).alias("share"))
        return {"talked_about": found.sort("texts", TOPIC, descending=[True, False]).head(MOST_SHOWN).to_dicts()}
