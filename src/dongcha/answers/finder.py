"""The passages and how they are found: everything a question may be answered from, but a customer's own orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dongcha import columns as c
from dongcha.answers.passages import KEY, SOURCE_ID
from dongcha.models.text.bm25 import Bm25, content
from dongcha.models.text.encoders import Encoder
from dongcha.models.text.hybrid import Hybrid, best
from dongcha.models.text.likeness import EncoderLikeness, GramLikeness

FILE: Final = "passages.parquet"
OF_EACH_TABLE: Final = 5
"""Candidates of each table that are looked at closely."""
TABLES: Final = (c.DOCUMENTS, c.PRODUCTS, c.REVIEWS, c.MESSAGES)
FEATURES: Final = ("covered", "covered_by_title", "ahead")
"""What part of the question's content, rare words weighing more, stands in a passage and in its title; and by what part
of its own score a passage leads the best of another source."""


@dataclass(frozen=True)
class Passage:
    """What can be quoted, and where it stands."""

    table: str
    source_id: str
    title: str
    url: str
    text: str


@dataclass(frozen=True)
class Candidate:
    """A passage beside a question, by FEATURES."""

    row: int
    passage: Passage
    score: float
    features: NDArray[np.float64]


class _Stems(dict[int, tuple[frozenset[str], frozenset[str]]]):
    """Of each row the content of its key and of its title, cut when first asked for."""

    def __init__(self, keys: pl.Series, titles: pl.Series) -> None:
        super().__init__()
        self.texts, self.titles = keys, titles

    def __missing__(self, row: int) -> tuple[frozenset[str], frozenset[str]]:
        self[row] = frozenset(content(self.texts[row])), frozenset(content(self.titles[row]))
        return self[row]


@dataclass(frozen=True)
class Finder:
    """Hybrid search over passages (see `passages.PASSAGES`)."""

    passages: pl.DataFrame
    hybrid: Hybrid

    @classmethod
    def fit(cls, passages: pl.DataFrame, encoder: Encoder | None = None) -> Finder:
        """Learn from at least one passage; `encoder` takes the place of likeness by grams."""
        keys = passages[KEY].to_list()
        likeness = GramLikeness.fit(keys) if encoder is None else EncoderLikeness.fit(keys, encoder)
        return cls(passages, Hybrid(Bm25.fit(keys), likeness))

    def candidates(
        self, question: str, tables: Iterable[str], without: tuple[str, str] | None = None
    ) -> list[Candidate]:
        """The best of each of the tables, best first; other tables, and the source `without`, are not looked at."""
        asked, found = content(question), []
        lexical, cosine = self.hybrid.scores(question)
        for table in (table for table in TABLES if table in set(tables)):
            among = self._in_table[table]
            if without is not None and without[0] == table:
                among = among & (self._sources != without[1])
            both = self.hybrid.among(lexical, cosine, among)
            rows = best(both, OF_EACH_TABLE)
            for row in rows:
                others = rows[self._sources[rows] != self._sources[row]]
                next_best = float(both[others[0]]) if len(others) else 0.0
                found.append(self._beside(asked, int(row), float(both[row]), next_best))
        return sorted(found, key=lambda candidate: -candidate.score)

    def _beside(self, asked: Sequence[str], row: int, score: float, next_best: float) -> Candidate:
        passage = self.passage(row)
        weights = {stem: self.hybrid.bm25.rarity(stem) for stem in asked}
        whole = sum(weights.values()) or 1.0
        key, title = self._stems[row]
        features = [
            sum(weight for stem, weight in weights.items() if stem in key) / whole,
            sum(weight for stem, weight in weights.items() if stem in title) / whole,
            1 - next_best / score,
        ]
        return Candidate(row, passage, score, np.array(features))

    def passage(self, row: int) -> Passage:
        told: dict[str, Any] = self.passages.row(row, named=True)
        return Passage(told[c.TABLE], told[SOURCE_ID], told[c.TITLE], told[c.URL], told[c.TEXT])

    @cached_property
    def _stems(self) -> _Stems:
        return _Stems(self.passages[KEY], self.passages[c.TITLE])

    @cached_property
    def _sources(self) -> NDArray[Any]:
        return self.passages[SOURCE_ID].to_numpy()

    @cached_property
    def _in_table(self) -> dict[str, NDArray[np.bool_]]:
        return {table: (self.passages[c.TABLE] == table).to_numpy() for table in TABLES}

    def save(self, folder: Path) -> None:
        """Parquet, safetensors, NumPy arrays and JSON."""
        self.passages.write_parquet(folder / FILE)
        self.hybrid.bm25.save(folder)
        self.hybrid.likeness.save(folder)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> Finder:
        """Read what `save` wrote, with the same encoder."""
        likeness = GramLikeness.load(folder) if encoder is None else EncoderLikeness.load(folder, encoder)
        return cls(pl.read_parquet(folder / FILE), Hybrid(Bm25.load(folder), likeness))
