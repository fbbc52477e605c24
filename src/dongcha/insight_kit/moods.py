"""How texts feel where some came with ratings: a rating says its own, the others are read by what ratings taught."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.opinions import rated_mood
from dongcha.insight_kit.memo import Memo, digest
from dongcha.models.text.polarity import Polarity

MOOD: Final = "mood"
STARS: Final = 5.0
THUMB: Final = 1.0
"""The best rating of a shop that counts stars, and of one that has thumbs: down 0, up 1."""
MOST_TAUGHT: Final = 20_000
FILE: Final = "moods.json"
WORDS: Final = "words"
_TAUGHT: Final = Memo[Polarity | None]()


@dataclass(frozen=True)
class Moods:
    """The best rating that there is, and what ratings taught the words; None where they taught nothing."""

    best: float
    words: Polarity | None

    @classmethod
    def fit(cls, rated: pl.DataFrame, best: float, *, seed: int) -> Moods:
        """Learn from the newest of these texts; columns as `features.texts.TEXTS`, every rating known."""
        newest = rated.sort(c.HAPPENED_AT, c.TEXT_ID, descending=True)
        taught = newest.filter(pl.col(c.TEXT) != "").head(MOST_TAUGHT).with_columns(rated_mood(best).alias(MOOD))
        texts, moods = taught[c.TEXT].to_list(), taught[MOOD].sign().to_numpy()
        return cls(best, _TAUGHT.get(digest((texts, seed), [moods]), lambda: _learnt(texts, moods, seed)))

    def of(self, said: pl.DataFrame) -> pl.DataFrame:
        """The same rows with their `mood`, Float64 from -1 to 1; null where nothing tells it.

        Messages are read as texts of another kind than those that taught: see `Polarity.elsewhere`.
        """
        felt = said.with_columns(rated_mood(self.best).alias(MOOD))
        if self.words is None:
            return felt
        unrated = felt.filter(pl.col(MOOD).is_null() & (pl.col(c.TEXT) != "")).unique(c.TEXT_ID).sort(c.TEXT_ID)
        message = pl.col(c.TEXT_ID).str.starts_with(f"{c.MESSAGES}/")
        read = [
            _read(unrated.filter(~message), self.words.probabilities),
            _read(unrated.filter(message), self.words.elsewhere),
        ]
        joined = felt.join(pl.concat(read), on=c.TEXT_ID, how="left", maintain_order="left")
        return joined.with_columns(pl.coalesce(MOOD, "read").alias(MOOD)).drop("read")

    def save(self, folder: Path) -> None:
        """Write everything that `of` needs."""
        (folder / FILE).write_text(json.dumps({"best": self.best}), "utf-8")
        if self.words is not None:
            (folder / WORDS).mkdir()
            self.words.save(folder / WORDS)

    @classmethod
    def load(cls, folder: Path) -> Moods:
        """Read what `save` wrote."""
        best = json.loads((folder / FILE).read_text("utf-8"))["best"]
        return cls(best, Polarity.load(folder / WORDS) if (folder / WORDS).is_dir() else None)


def _read(texts: pl.DataFrame, tell: Callable[[Sequence[str]], np.ndarray]) -> pl.DataFrame:
    """text_id and the mood `read` from the words, by what tells the chances of bad, neutral and good."""
    chances = tell(texts[c.TEXT].to_list()) if len(texts) else np.empty((0, 3))
    return texts.select(c.TEXT_ID, pl.Series("read", chances[:, 2] - chances[:, 0], pl.Float64))


def _learnt(texts: list[str], moods: np.ndarray, seed: int) -> Polarity | None:
    try:
        # As stars: neutral and good alone, 0 and 1, would be read as thumbs down and up.
        return Polarity.fit(texts, 3 + 2 * moods, seed=seed)
    except MissingDataError:
        return None
