"""Several rankers' candidates put in one order by a learnt judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.ranking.popularity import Popularity
from dongcha.models.ranking.scored import Scored, union
from dongcha.models.ranking.sequences import Items, Sequences

FILE: Final = "blend.txt"
MOST_LISTS: Final = 20_000
LIGHTGBM: Final = {
    "objective": "rank_xendcg",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
}
SEVERAL: Final = {"objective": "lambdarank", "lambdarank_truncation_level": 20}
"""Where a row wants several items: on Online Retail NDCG@10 .393 against .389 by XE-NDCG, with the same lists."""
ROUNDS: Final = 150


class Ranker(Protocol):
    """What scores some items for every history."""

    def scores(self, histories: Sequences) -> Scored:
        """Items that are worth a look, with their scores."""


@dataclass(frozen=True)
class Candidates:
    """Every row's items that any ranker found, and what the rankers say of them: facts (candidates, columns)."""

    keys: Items
    rows: Items
    items: Items
    facts: NDArray[np.float32]


def candidates(
    rankers: Sequence[Ranker], popularity: Popularity, histories: Sequences, each: int, *, unseen_only: bool = True
) -> Candidates:
    """The best `each` of every ranker, judged by all of them; `unseen_only`: without what a row's history holds."""
    found = [ranker.scores(histories) for ranker in rankers]
    if unseen_only:
        found = [part.without(histories) for part in found]
    keys = union([part.top(each) for part in found])
    rows, items = keys // histories.catalogue, keys % histories.catalogue
    columns: list[NDArray[Any]] = []
    for part in found:
        lowest, highest = _extremes(part)
        score = part.at(keys, otherwise=np.nan)
        span = np.maximum(highest - lowest, 1e-9)[rows]
        columns += [score, (score - lowest[rows]) / span, _places(part).at(keys, otherwise=np.nan)]
    columns += [np.log1p(popularity.taken[items]), np.log1p(histories.lengths()[rows])]
    if not unseen_only:
        columns.append(Scored.of(histories.matrix()).at(keys))
    return Candidates(keys, rows, items, np.column_stack(columns).astype(np.float32))


def _extremes(part: Scored) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each row's lowest and highest score; 0 where it has none."""
    lowest, highest = np.zeros(len(part), dtype=np.float32), np.zeros(len(part), dtype=np.float32)
    has = np.diff(part.starts) > 0
    lowest[has] = np.minimum.reduceat(part.scores, part.starts[:-1][has]) if has.any() else 0
    highest[has] = np.maximum.reduceat(part.scores, part.starts[:-1][has]) if has.any() else 0
    return lowest, highest


def _places(part: Scored) -> Scored:
    return Scored(part.items, part.places().astype(np.float32), part.starts, part.catalogue)


@dataclass(frozen=True)
class Lists:
    """Candidates of which is known what was wanted next; rows for which no ranker found it are left out."""

    facts: NDArray[np.float32]
    hit: NDArray[np.float32]
    sizes: Items
    several: bool
    """Whether a row may want several items."""

    @classmethod
    def of(
        cls,
        rankers: Sequence[Ranker],
        popularity: Popularity,
        histories: Sequences,
        wanted: Items | Sequences,
        *,
        seed: int = 0,
        each: int = 100,
        unseen_only: bool = True,
    ) -> Lists:
        """`wanted`: each row's next item, shape (rows,), or any number of items a row, which no ranker has seen."""
        rows = np.arange(len(histories))
        if len(rows) > MOST_LISTS:
            rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_LISTS, replace=False))
        known = candidates(rankers, popularity, histories.take(rows), each, unseen_only=unseen_only)
        hit = np.isin(known.keys, _keys(wanted, rows, histories.catalogue))
        found = np.zeros(len(rows), dtype=bool)
        found[known.rows[hit]] = True
        kept = found[known.rows]
        sizes = np.bincount(known.rows[kept], minlength=len(rows))
        return cls(known.facts[kept], hit[kept].astype(np.float32), sizes[sizes > 0], _several(wanted))


@dataclass(frozen=True)
class Blend:
    """A gradient-boosted judge of candidates (LambdaMART's kin: XE-NDCG, Bruch 2021), learnt on what came next.

    `each`: how many candidates every ranker brings. `unseen_only`: never what a history holds already.
    """

    booster: Any
    each: int = 100
    unseen_only: bool = True

    @classmethod
    def fit(
        cls,
        rankers: Sequence[Ranker],
        popularity: Popularity,
        histories: Sequences,
        wanted: Items | Sequences,
        *,
        seed: int = 0,
        each: int = 100,
        unseen_only: bool = True,
    ) -> Blend:
        """Learn from rows of which is known what came next, which no ranker has seen.

        `wanted`: each row's next item, shape (rows,), or any number of items a row.

        Raises MissingDataError where no ranker ever found what was wanted.
        """
        lists = Lists.of(rankers, popularity, histories, wanted, seed=seed, each=each, unseen_only=unseen_only)
        return cls.learnt([lists], seed=seed, each=each, unseen_only=unseen_only)

    @classmethod
    def learnt(cls, lists: Sequence[Lists], *, seed: int = 0, each: int = 100, unseen_only: bool = True) -> Blend:
        """Learn from lists made at several moments, each with the rankers of its own; MissingDataError as in `fit`."""
        import lightgbm

        facts, hit = np.concatenate([part.facts for part in lists]), np.concatenate([part.hit for part in lists])
        if not len(hit):
            raise MissingDataError("No ranker found anything that was wanted next.", "Load a longer history.")
        shown = lightgbm.Dataset(facts, hit, group=np.concatenate([part.sizes for part in lists]))
        settings = LIGHTGBM | {"seed": seed} | (SEVERAL if any(part.several for part in lists) else {})
        return cls(lightgbm.train(settings, shown, ROUNDS), each, unseen_only)

    def scores(self, rankers: Sequence[Ranker], popularity: Popularity, histories: Sequences) -> Scored:
        """Every row's candidates with the judge's scores."""
        found = candidates(rankers, popularity, histories, self.each, unseen_only=self.unseen_only)
        starts = np.searchsorted(found.rows, np.arange(len(histories) + 1))
        judged = self.booster.predict(found.facts).astype(np.float32) if len(found.items) else np.empty(0, np.float32)
        return Scored(found.items, judged, starts, histories.catalogue)

    def save(self, folder: Path) -> None:
        """LightGBM's own text."""
        (folder / FILE).write_text(f"{self.each} {self.unseen_only:d}\n{self.booster.model_to_string()}", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Blend:
        """Read what `save` wrote."""
        import lightgbm

        first, text = (folder / FILE).read_text("utf-8").split("\n", 1)
        each, unseen_only = map(int, first.split())
        return cls(lightgbm.Booster(model_str=text), each, bool(unseen_only))


def _several(wanted: Items | Sequences) -> bool:
    return isinstance(wanted, Sequences) and bool(wanted.lengths().max(initial=0) > 1)


def _keys(wanted: Items | Sequences, rows: Items, catalogue: int) -> Items:
    if isinstance(wanted, Sequences):
        return wanted.take(rows).keys()
    has = wanted[rows] >= 0
    return np.arange(len(rows))[has] * catalogue + wanted[rows][has]
