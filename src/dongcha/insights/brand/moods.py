"""From reviews to moods by day: a rating says its own, a review without one is read by what ratings taught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.opinions import rated_mood
from dongcha.insight_kit.memo import Memo, digest
from dongcha.insight_kit.vocabulary import DAY_MICROSECONDS
from dongcha.models.change.spread import Days
from dongcha.models.text.polarity import Polarity

MOOD: Final = "mood"
UNRATED_SHARE: Final = 0.05
"""Where fewer reviews have no rating, those are left out."""
MOST_TAUGHT: Final = 20_000
_TAUGHT: Final = Memo[Polarity | None]()


@dataclass(frozen=True)
class Moods:
    """How a review feels: by its rating; without one by its words, where many have none and words could be learnt."""

    best: float
    words: Polarity | None

    @classmethod
    def fit(cls, said: pl.DataFrame, best: float, *, seed: int) -> Moods:
        """`said`: columns as OPINIONS. Raises MissingDataError where no review has a rating."""
        reviews = said.unique(c.TEXT_ID).sort(c.HAPPENED_AT, c.TEXT_ID, descending=True)
        rated = reviews.drop_nulls(c.RATING)
        if rated.is_empty():
            raise MissingDataError("No review came with a rating.", "Load reviews with their ratings.")
        if len(reviews) - len(rated) < UNRATED_SHARE * len(reviews):
            return cls(best, None)
        taught = rated.filter(pl.col(c.TEXT) != "").head(MOST_TAUGHT).with_columns(rated_mood(best).alias(MOOD))
        texts, moods = taught[c.TEXT].to_list(), taught[MOOD].sign().to_numpy()
        key = digest((texts, seed), [moods])
        return cls(best, _TAUGHT.get(key, lambda: _learnt(texts, moods, seed)))

    def of(self, said: pl.DataFrame) -> pl.DataFrame:
        """The same rows with their `mood`, -1 to 1; without those whose mood nothing tells."""
        felt = said.with_columns(rated_mood(self.best).alias(MOOD))
        if self.words is None:
            return felt.drop_nulls(MOOD)
        unrated = felt.filter(pl.col(MOOD).is_null() & (pl.col(c.TEXT) != "")).unique(c.TEXT_ID).sort(c.TEXT_ID)
        read = pl.Series("read", self.words.polarity(unrated[c.TEXT].to_list()), pl.Float64)
        told = unrated.select(c.TEXT_ID, read)
        joined = felt.join(told, on=c.TEXT_ID, how="left", maintain_order="left")
        return joined.with_columns(pl.coalesce(MOOD, "read").alias(MOOD)).drop("read").drop_nulls(MOOD)

    def save(self, folder: Path) -> None:
        """The words, where there are any."""
        if self.words is not None:
            (folder / "words").mkdir()
            self.words.save(folder / "words")

    @classmethod
    def load(cls, folder: Path, best: float) -> Moods:
        """Read what `save` wrote."""
        return cls(best, Polarity.load(folder / "words") if (folder / "words").is_dir() else None)


def _learnt(texts: list[str], moods: np.ndarray, seed: int) -> Polarity | None:
    try:
        # As stars: neutral and good alone, 0 and 1, would be read as thumbs down and up.
        return Polarity.fit(texts, 3 + 2 * moods, seed=seed)
    except MissingDataError:
        return None


def day_of(moment: pl.Expr) -> pl.Expr:
    """Days since 1970 with their fractions, UTC."""
    return moment.dt.epoch("us") / DAY_MICROSECONDS


def by_day(felt: pl.DataFrame) -> dict[str, Days]:
    """Subject → its moods by day (UTC), brought to [0, 1]; `felt` as `Moods.of` gives it."""
    told = felt.select(c.SUBJECT_ID, day_of(pl.col(c.HAPPENED_AT)).alias("day"), ((pl.col(MOOD) + 1) / 2).alias(MOOD))
    return {
        str(subject): Days.of(part["day"].to_numpy(), part[MOOD].to_numpy())
        for (subject,), part in told.sort(c.SUBJECT_ID, maintain_order=True).group_by([c.SUBJECT_ID])
    }
