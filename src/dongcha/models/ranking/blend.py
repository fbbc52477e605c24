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
from dongcha.models.ranking.scored import Scored, stacked
from dongcha.models.ranking.sequences import Items, Sequences, distinct
from dongcha.models.trees import load_trees, save_trees

FILE: Final = "blend.txt"
TREES: Final = "judge.txt"
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
FEW_LISTS: Final = {"num_leaves": 7, "min_data_in_leaf": 50}
FEW: Final = 3_000
"""With fewer lists to learn from than this the trees are smaller."""
TOO_FEW: Final = 30
"""With fewer lists than this nothing is learnt: how far the rankers agree decides."""
ROUNDS: Final = 150
ROWS_AT_ONCE: Final = 500
AGREED_FROM: Final = 20.0
"""A ranker's place p adds 1 / (p + this) to how far the rankers agree (reciprocal rank fusion, Cormack et al. 2009)."""


class Ranker(Protocol):
    """What scores some items for every history."""

    def scores(self, histories: Sequences) -> Scored:
        """Items that are worth a look, with their scores."""


@dataclass(frozen=True)
class Candidates:
    """Every row's items that any ranker found, and what the rankers say of them: facts (candidates, columns).

    The first column is how far the rankers agree on the candidate.
    """

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
    # All rankers' rows one under the other, so that each step is one for all of them.
    whole, size = stacked(found), histories.catalogue * len(histories)
    places = whole.places()
    keys = distinct(whole.keys()[places < each] % size)
    rows, items = keys // histories.catalogue, keys % histories.catalogue
    shape = (len(found), len(keys))
    at = whole.place_of((np.arange(len(found))[:, None] * size + keys).ravel()).reshape(shape)
    score, place = (_there(values, at) for values in (whole.scores, places))
    lowest, highest = (extreme.reshape(len(found), -1)[:, rows] for extreme in _extremes(whole))
    told = np.stack([score, (score - lowest) / np.maximum(highest - lowest, 1e-9), place], axis=1)
    agreed = np.where(np.isnan(place), 0, 1 / (place + AGREED_FROM)).astype(np.float32).sum(axis=0)
    columns = [agreed, *told.reshape(3 * len(found), len(keys))]
    columns += [np.log1p(popularity.taken[items]), np.log1p(histories.lengths()[rows])]
    if not unseen_only:
        columns.append(Scored.held(histories).at(keys))
    return Candidates(keys, rows, items, np.column_stack(columns).astype(np.float32))


def _extremes(part: Scored) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each row's lowest and highest score; 0 where it has none."""
    lowest, highest = np.zeros(len(part), dtype=np.float32), np.zeros(len(part), dtype=np.float32)
    has = part.lengths() > 0
    lowest[has] = np.minimum.reduceat(part.scores, part.starts[:-1][has]) if has.any() else 0
    highest[has] = np.maximum.reduceat(part.scores, part.starts[:-1][has]) if has.any() else 0
    return lowest, highest


def _there(values: NDArray[Any], at: Items) -> NDArray[np.float32]:
    """The values at these places, NaN at -1."""
    found = np.full(at.shape, np.nan, dtype=np.float32)
    found[at >= 0] = values[at[at >= 0]]
    return found


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
        facts, hits, sizes = [], [], []
        for some in _parts(rows):
            known = candidates(rankers, popularity, histories.take(some), each, unseen_only=unseen_only)
            hit = np.isin(known.keys, _keys(wanted, some, histories.catalogue))
            found = np.bincount(known.rows, hit, minlength=len(some)) > 0
            facts.append(known.facts[found[known.rows]])
            hits.append(hit[found[known.rows]].astype(np.float32))
            sizes.append(np.bincount(known.rows, minlength=len(some))[found])
        if not facts:
            return cls(np.empty((0, 1), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), _several(wanted))
        return cls(np.concatenate(facts), np.concatenate(hits), np.concatenate(sizes), _several(wanted))


@dataclass(frozen=True)
class Blend:
    """A gradient-boosted judge of candidates (LambdaMART's kin: XE-NDCG, Bruch 2021), learnt on what came next.

    `each`: how many candidates every ranker brings. `unseen_only`: never what a history holds already. Where too little
    was there to learn from there is no `booster`, and candidates go by how far the rankers agree.
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
        if not any(len(part.sizes) for part in lists):
            raise MissingDataError("No ranker found anything that was wanted next.", "Load a longer history.")
        return cls.learnt_or_agreed(lists, seed=seed, each=each, unseen_only=unseen_only)

    @classmethod
    def learnt_or_agreed(
        cls, lists: Sequence[Lists], *, seed: int = 0, each: int = 100, unseen_only: bool = True
    ) -> Blend:
        """The same, but where there are no lists the rankers' agreement decides."""
        import lightgbm

        lists = [part for part in lists if len(part.sizes)]
        if sum(len(part.sizes) for part in lists) < TOO_FEW:
            return cls(None, each, unseen_only)
        facts, hit = np.concatenate([part.facts for part in lists]), np.concatenate([part.hit for part in lists])
        sizes = np.concatenate([part.sizes for part in lists])
        shown = lightgbm.Dataset(facts, hit, group=sizes)
        settings = LIGHTGBM | {"seed": seed} | (SEVERAL if any(part.several for part in lists) else {})
        settings |= FEW_LISTS if len(sizes) < FEW else {}
        return cls(lightgbm.train(settings, shown, ROUNDS), each, unseen_only)

    def scores(self, rankers: Sequence[Ranker], popularity: Popularity, histories: Sequences) -> Scored:
        """Every row's candidates with the judge's scores."""
        items, judged, counts = [np.empty(0, np.int64)], [np.empty(0, np.float32)], [np.zeros(1, np.int64)]
        for some in _parts(np.arange(len(histories))):
            found = candidates(rankers, popularity, histories.take(some), self.each, unseen_only=self.unseen_only)
            items.append(found.items)
            judged.append(self._judged(found))
            counts.append(np.bincount(found.rows, minlength=len(some)))
        starts = np.cumsum(np.concatenate(counts))
        return Scored(np.concatenate(items), np.concatenate(judged), starts, histories.catalogue)

    def _judged(self, found: Candidates) -> NDArray[np.float32]:
        if self.booster is None or not len(found.items):
            return found.facts[:, 0]
        return np.asarray(self.booster.predict(found.facts), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """LightGBM's own text and ONNX, or neither."""
        (folder / FILE).write_text(f"{self.each} {self.unseen_only:d}\n", "utf-8")
        if self.booster is not None:
            save_trees(self.booster, folder / TREES)

    @classmethod
    def load(cls, folder: Path) -> Blend:
        """Read what `save` wrote."""
        each, unseen_only = map(int, (folder / FILE).read_text("utf-8").split())
        booster = load_trees(folder / TREES) if (folder / TREES).exists() else None
        return cls(booster, each, bool(unseen_only))


def _parts(rows: Items) -> list[Items]:
    """Some rows at a time: facts of all at once would fill the memory."""
    return [rows[k : k + ROWS_AT_ONCE] for k in range(0, len(rows), ROWS_AT_ONCE)]


def _several(wanted: Items | Sequences) -> bool:
    return isinstance(wanted, Sequences) and bool(wanted.lengths().max(initial=0) > 1)


def _keys(wanted: Items | Sequences, rows: Items, catalogue: int) -> Items:
    if isinstance(wanted, Sequences):
        return wanted.take(rows).keys()
    has = wanted[rows] >= 0
    return np.arange(len(rows))[has] * catalogue + wanted[rows][has]
