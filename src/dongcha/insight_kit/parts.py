"""What is known of a customer as numbers, part by part: what they did, how they feel, what they talk about."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.memo import Memo, digest
from dongcha.insight_kit.moods import MOOD, STARS, THUMB, Moods
from dongcha.insight_kit.pretrained import Pretrained, history_of, pretrain
from dongcha.models.tabular.log_scaling import signed_log
from dongcha.models.text.dense import Dense

FEATURES: Final = ("recency_days", "orders", "spend", "mean_gap_days", "orders_30d", "orders_90d")
WORDS: Final = {c.EVENT: 20, c.CATEGORY: 50, c.PRODUCT_ID: 200}
"""What the counts count, and how many of its values at most, the commonest."""
FILE: Final = "part.json"
THEMES: Final = 24
PRIOR_TEXTS: Final = 2.0
"""A mean mood is drawn towards neither by so many texts."""
LONG_AGO: Final = 1000.0
"""Days since the last text of somebody who never wrote one."""


class Part(ABC):
    """Numbers about every entity, learnt from what was known at one cutoff and read off at any later one."""

    name: ClassVar[str]

    @abstractmethod
    def learn(self, facts: Facts, seed: int) -> None:
        """Learn from the histories alone, as of the facts' cutoff. MissingDataError where there is nothing to."""

    @abstractmethod
    def numbers(self, facts: Facts) -> np.ndarray:
        """Shape (entities, any width), float64, no NaN."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything `numbers` needs, without pickle."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""


class Encoded(Part):
    """The pretrained behaviour model's state at the cutoff."""

    name = "encoder"

    def learn(self, facts: Facts, seed: int) -> None:
        self.model = pretrain(facts, seed=seed)

    def numbers(self, facts: Facts) -> np.ndarray:
        return self.model.states(facts)

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        self.model = Pretrained.load(folder)


class Counted(Part):
    """Logs of how often what was done, of which category and product, how lately and for how much."""

    name = "counts"

    def learn(self, facts: Facts, seed: int) -> None:
        timeline = history_of(facts).timeline
        self.features = tuple(name for name in FEATURES if name in facts.features.columns)
        self.words = {column: commonest(timeline[column], most) for column, most in WORDS.items()}
        self.typical = np.nan_to_num(np.nanmedian(signed_log(facts.matrix(self.features)), axis=0))

    def numbers(self, facts: Facts) -> np.ndarray:
        timeline = history_of(facts).timeline
        numbers = signed_log(facts.matrix(self.features))
        counts = [counted(timeline, facts.entities, column, words) for column, words in self.words.items()]
        return np.hstack([np.where(np.isnan(numbers), self.typical, numbers), *(np.log1p(found) for found in counts)])

    def save(self, folder: Path) -> None:
        told = {"features": self.features, "words": self.words, "typical": self.typical.tolist()}
        (folder / FILE).write_text(json.dumps(told, ensure_ascii=False), "utf-8")

    def load(self, folder: Path) -> None:
        told = json.loads((folder / FILE).read_text("utf-8"))
        self.features, self.words, self.typical = tuple(told["features"]), told["words"], np.array(told["typical"])


_themes: Memo[Dense] = Memo()


def _key(said: pl.DataFrame, seed: int) -> str:
    return digest(seed, [said.select(c.TEXT, c.RATING).hash_rows().to_numpy()])


class Feeling(Part):
    """How one's reviews and messages felt: how many, the mean, the last and the worst mood, how long ago.

    A rated text's mood is its rating; another's is what ratings taught its words, if they taught anything.
    """

    name = "feeling"

    def learn(self, facts: Facts, seed: int) -> None:
        rated = history_of(facts).said.drop_nulls(c.RATING)
        self.moods = Moods.fit(rated, STARS if (rated[c.RATING] > THUMB).any() else THUMB, seed=seed)

    def numbers(self, facts: Facts) -> np.ndarray:
        said = self.moods.of(history_of(facts).said).sort(c.HAPPENED_AT, c.TEXT_ID)
        days = (pl.lit(facts.as_of.moment) - pl.col(c.HAPPENED_AT).max()).dt.total_seconds() / 86_400
        mood = pl.col(MOOD).fill_null(0.0)
        mine = said.group_by(c.CUSTOMER_ID).agg(
            pl.len().cast(pl.Float64).log1p().alias("texts"),
            (mood.sum() / (pl.len() + PRIOR_TEXTS)).alias("mean"),
            mood.last().alias("last"),
            mood.min().alias("worst"),
            (mood < 0).sum().cast(pl.Float64).log1p().alias("bad"),
            days.log1p().alias("days"),
            pl.col(c.TEXT).str.len_chars().mean().log1p().alias("length"),
            pl.lit(1.0).alias("speaks"),
        )
        told = facts.matched(mine, c.CUSTOMER_ID).drop(c.ENTITY_ID)
        return told.with_columns(pl.col("days").fill_null(np.log1p(LONG_AGO))).fill_null(0.0).to_numpy()

    def save(self, folder: Path) -> None:
        self.moods.save(folder)

    def load(self, folder: Path) -> None:
        self.moods = Moods.load(folder)


class Themes(Part):
    """What one talks about: the mean direction of one's texts among the shop's latent themes (`models.text.dense`)."""

    name = "topics"

    def learn(self, facts: Facts, seed: int) -> None:
        said = history_of(facts).said
        self.model = _themes.get(_key(said, seed), lambda: Dense.fit(said[c.TEXT].to_list(), width=THEMES, seed=seed))

    def numbers(self, facts: Facts) -> np.ndarray:
        said = history_of(facts).said
        rows = pl.DataFrame({c.CUSTOMER_ID: facts.entities, "row": np.arange(len(facts.entities))})
        mine = said.join(rows, on=c.CUSTOMER_ID, maintain_order="left")
        found = np.zeros((len(facts.entities), self.model.width))
        np.add.at(found, mine["row"].to_numpy(), self.model.encode(mine[c.TEXT].to_list()))
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), dtype=np.float64)

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        self.model = Dense.load(folder)


def commonest(column: pl.Series, most: int) -> list[str]:
    """The commonest values, ties by name."""
    name = column.name
    counted = column.drop_nulls().value_counts(name="n").sort("n", name, descending=[True, False])
    return counted[name].head(most).to_list()


def counted(timeline: pl.DataFrame, entities: pl.Series, column: str, words: Sequence[str]) -> np.ndarray:
    """How often each entity had each word, shape (entities, words), float64."""
    rows = pl.DataFrame({c.CUSTOMER_ID: entities, "row": np.arange(len(entities))})
    places = pl.DataFrame({column: words, "place": np.arange(len(words))}, schema_overrides={column: pl.String})
    found = timeline.join(rows, on=c.CUSTOMER_ID).join(places, on=column).group_by("row", "place").len()
    counts = np.zeros((len(entities), len(words)))
    counts[found["row"].to_numpy(), found["place"].to_numpy()] = found["len"].to_numpy()
    return counts
