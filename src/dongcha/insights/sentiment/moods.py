"""Who may say how a text feels: words that ratings taught, plain word counts, or the moods' shares alone."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.memo import Memo, digest
from dongcha.models.text.aspect_terms import AspectTerms
from dongcha.models.text.aspects import clause_polarity
from dongcha.models.text.polarity import Polarity
from dongcha.models.text.word_counts import WordCounts

SENTIMENT: Final = "sentiment"
MOOD: Final = "mood"
RATED: Final = "rated"
MOODS: Final = {"bad": "差", "neutral": "中", "good": "好"}
"""From sign -1 to sign 1."""
ASPECTS: Final = "aspects"
SHARES_FILE: Final = "shares.json"
_MINED: Final[Memo[AspectTerms]] = Memo()
"""The contenders of a cutoff speak of the same aspects."""


class Mood(Contender):
    """What all share: taught by the ratings that came with texts; a text's own rating is never read.

    What is praised and blamed is mined from all texts before the cutoff, and felt clause by clause.
    """

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        texts, moods = [], []
        for example in past:
            known = np.isfinite(example.label(RATED))
            texts += [text for text, there in zip(example.facts.said, known, strict=True) if there]
            moods.append(example.label(RATED)[known])
        if not texts:
            raise MissingDataError("No text came with a rating.", "Load reviews with their ratings.")
        signs = np.concatenate(moods).astype(np.int64)
        self.shares = np.bincount(signs + 1, minlength=len(MOODS)) / len(signs)
        self.terms = _terms(now)
        self.learn(texts, signs, seed)

    def predict(self, facts: Facts) -> pl.DataFrame:
        said, taught = facts.said, _of_a_kind_that_taught(facts)
        chances, signs = np.empty((len(said), len(MOODS))), np.empty(len(said), dtype=np.int64)
        reviews, others = ([said[row] for row in np.flatnonzero(rows)] for rows in (taught, ~taught))
        if reviews:
            chances[taught] = self.chances(reviews)
            signs[taught] = self.named(reviews, chances[taught])
        if others:
            chances[~taught] = self.elsewhere(others)
            signs[~taught] = np.argmax(chances[~taught], axis=1) - 1
        named = [list(MOODS)[sign + 1] for sign in signs]
        return facts.features.select(
            c.ENTITY_ID,
            pl.Series(SENTIMENT, chances[:, 2] - chances[:, 0], pl.Float64),
            pl.Series(MOOD, named, pl.String),
        )

    def beside(self, facts: Facts) -> pl.DataFrame:
        """Each text's aspects in the order in which it names them, each with the mean polarity of its clauses."""
        said = facts.said
        found = [(row, *mention) for row, mentions in enumerate(self.terms.found(said)) for mention in mentions]
        felt = clause_polarity(self.chances, self.shares, [said[row] for row, *_ in found], [k for *_, k in found])
        columns = {"row": pl.UInt32, c.LABEL: pl.String, "clause": pl.String}
        told = pl.DataFrame(found, columns, orient="row").with_columns(pl.Series(c.VALUE, felt, pl.Float64))
        each = told.group_by("row", c.LABEL, maintain_order=True).agg(pl.col(c.VALUE).mean())
        listed = each.group_by("row", maintain_order=True).agg(pl.struct(c.LABEL, c.VALUE).alias(ASPECTS))
        rows = pl.DataFrame({"row": range(len(said))}, {"row": pl.UInt32})
        return rows.join(listed, on="row", how="left", maintain_order="left").select(pl.col(ASPECTS).fill_null([]))

    def save(self, folder: Path) -> None:
        self.terms.save(folder)
        (folder / SHARES_FILE).write_text(json.dumps(self.shares.tolist()), "utf-8")

    def load(self, folder: Path) -> None:
        if not (folder / SHARES_FILE).exists():
            # A version of before there were aspects answers on, without them.
            self.terms, self.shares = AspectTerms({}), np.full(len(MOODS), 1 / len(MOODS))
            return
        self.terms = AspectTerms.load(folder)
        self.shares = np.array(json.loads((folder / SHARES_FILE).read_text("utf-8")))

    @abstractmethod
    def learn(self, texts: Sequence[str], moods: np.ndarray, seed: int) -> None:
        """`moods`: -1, 0 or 1, shape (texts,)."""

    @abstractmethod
    def chances(self, texts: Sequence[str]) -> np.ndarray:
        """Of bad, neutral and good, shape (texts, 3)."""

    def elsewhere(self, texts: Sequence[str]) -> np.ndarray:
        """The same of texts of another kind than those that came with ratings, shape (texts, 3)."""
        return self.chances(texts)

    def named(self, texts: Sequence[str], chances: np.ndarray) -> np.ndarray:
        """-1, 0 or 1, shape (texts,): the likeliest."""
        return np.asarray(np.argmax(chances, axis=1) - 1, dtype=np.int64)

    @abstractmethod
    def words(self, texts: Sequence[str], most: int) -> list[list[tuple[str, float]]]:
        """For each text the words that decided, strongest first, each with its push towards good."""


class RatingTaught(Mood):
    """Linear on words and runs of characters, calibrated on texts it was not shown: see `models.text.polarity`."""

    name = "rating_taught"

    def learn(self, texts: Sequence[str], moods: np.ndarray, seed: int) -> None:
        # As stars: neutral and good alone, 0 and 1, would be read as thumbs down and up.
        self.model = Polarity.fit(texts, 3 + 2 * moods, seed=seed)

    def chances(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.probabilities(texts)

    def elsewhere(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.elsewhere(texts)

    def named(self, texts: Sequence[str], chances: np.ndarray) -> np.ndarray:
        return self.model.linear.named(chances).astype(np.int64)

    def words(self, texts: Sequence[str], most: int) -> list[list[tuple[str, float]]]:
        return self.model.reasons(texts, most)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.model = Polarity.load(folder)


class NaiveBayes(Mood):
    """How often each word came with each mood."""

    name = "naive_bayes"
    role = Role.BASELINE

    def learn(self, texts: Sequence[str], moods: np.ndarray, seed: int) -> None:
        self.model = WordCounts.fit(texts, moods.astype(np.int64) + 1, len(MOODS))

    def chances(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.probabilities(texts) if texts else np.empty((0, len(MOODS)))

    def words(self, texts: Sequence[str], most: int) -> list[list[tuple[str, float]]]:
        pushes = [{word: told[2] - told[0] for word, told in self.model.reasons(text).items()} for text in texts]
        return [sorted(each.items(), key=lambda push: (-abs(push[1]), push[0]))[:most] for each in pushes]

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.model = WordCounts.load(folder)


class CommonMood(Mood):
    """The moods' shares, whatever the text says."""

    name = "common_mood"
    role = Role.BASELINE

    def learn(self, texts: Sequence[str], moods: np.ndarray, seed: int) -> None:
        """Nothing but the shares."""

    def chances(self, texts: Sequence[str]) -> np.ndarray:
        return np.tile(self.shares, (len(texts), 1))

    def words(self, texts: Sequence[str], most: int) -> list[list[tuple[str, float]]]:
        return [[] for _ in texts]


def _of_a_kind_that_taught(facts: Facts) -> np.ndarray:
    """Which entities are reviews, bool, shape (entities,): messages come with no rating."""
    assert facts.texts is not None, "these entities are not texts"
    if c.TABLE not in facts.texts.columns:
        return np.ones(len(facts.features), dtype=bool)
    return (facts.matched(facts.texts, c.TEXT_ID)[c.TABLE] != c.MESSAGES).fill_null(True).to_numpy().copy()


def _terms(now: Facts) -> AspectTerms:
    assert now.texts is not None, "these entities are not texts"
    texts, about = now.texts[c.TEXT].fill_null("").to_list(), now.texts[c.PRODUCT_ID].to_list()
    return _MINED.get(digest((texts, about), ()), lambda: AspectTerms.of(texts, about))
