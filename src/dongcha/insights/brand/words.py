"""Why a mood turned: the words that are said more since, and what they did to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.moods import MOOD
from dongcha.models.text.log_odds import log_odds
from dongcha.models.text.tokens import words

SURE: Final = 1.96
FEWEST: Final = 3
"""A word is told if so many reviews since the turn hold it."""
MOST_BEFORE: Final = 2_000
"""Reviews before the turn that those since it are compared with, the newest."""
Words = Mapping[str, frozenset[str]]
"""Text id → its words."""


def told_words(said: pl.DataFrame) -> dict[str, frozenset[str]]:
    """The words of each review."""
    once = said.unique(c.TEXT_ID)
    return {name: frozenset(words(text)) for name, text in once.select(c.TEXT_ID, c.TEXT).iter_rows()}


def usual(held: Iterable[frozenset[str]]) -> dict[str, float]:
    """The share of reviews that hold each word."""
    each = list(held)
    counted = Counter(word for one in each for word in one)
    return {word: count / len(each) for word, count in counted.items()}


def why(
    before: pl.DataFrame, since: pl.DataFrame, held: Words, shares: Mapping[str, float], level: float
) -> list[tuple[str, float, float, float]]:
    """Words with their share of reviews since and before the turn and their push, those that push most first.

    A word is told if it is said more since, surely so (`log_odds`), and if the reviews that hold it pull the mood the
    way it went. Its push is what it adds to the difference of the mean moods: share × how far the reviews that hold it
    lie from `level`, the mood before, since less before.
    """
    after, earlier = _counted(since, held, level), _counted(before.tail(MOST_BEFORE), held, level)
    texts, others = len(since), max(min(len(before), MOST_BEFORE), 1)
    more = {word: count for word, (count, _) in after.items() if count >= FEWEST}
    odds = log_odds(more, texts, {word: count for word, (count, _) in earlier.items()}, others, shares)
    turn = float(since[MOOD].mean() or 0.0) - level  # type: ignore[arg-type]
    found = []
    for word, held_by in more.items():
        count, pull = earlier.get(word, (0, 0.0))
        push = after[word][1] / texts - pull / others
        if odds[word] >= SURE and push * turn > 0:
            found.append((word, held_by / texts, count / others, push))
    return sorted(found, key=lambda told: (-abs(told[3]), told[0]))


def _counted(said: pl.DataFrame, held: Words, level: float) -> dict[str, tuple[int, float]]:
    """Word → how many of the reviews hold it, and the sum of how far their moods lie from the level."""
    counts: dict[str, tuple[int, float]] = {}
    for name, mood in said.select(c.TEXT_ID, MOOD).iter_rows():
        for word in held[name]:
            count, pull = counts.get(word, (0, 0.0))
            counts[word] = (count + 1, pull + mood - level)
    return counts
