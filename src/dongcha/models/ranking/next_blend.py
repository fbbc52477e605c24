"""What comes next, at its best: all guesses multiplied, then set right by trees that see how they came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.next_guesses import Crowd
from dongcha.models.ranking.next_step import Array, Codes, Pool, Steps
from dongcha.models.ranking.next_trees import BoostedChoice

CANDIDATES: Final = 40
"""How many of a row's likeliest things the trees look at; the others keep what the pool gives them."""
FEWEST: Final = 200
"""With fewer rows than this to learn from, trees learn chance: the pool answers alone."""


@dataclass(frozen=True)
class Lesson:
    """Rows of a crowd, the thing that came next to each, its weight, and which of them are held out."""

    crowd: Crowd
    rows: Codes
    came: Codes
    weight: float
    held_out: NDArray[np.bool_]


@dataclass(frozen=True)
class NextBlend:
    """A pool of guesses, and trees on its likeliest things; none where there was too little to learn from."""

    pool: Pool
    trees: BoostedChoice | None

    @classmethod
    def fit(cls, lessons: Sequence[Lesson], *, seed: int = 0) -> NextBlend:
        """Learn from crowds of several moments, whose things are numbered alike."""
        guesses = [lesson.crowd.guesses(lesson.rows) for lesson in lessons]
        pool = Pool.fit(guesses, [lesson.came for lesson in lessons], [lesson.weight for lesson in lessons])
        lists = [_shortlist(le.crowd, le.rows, g, pool.predict(g)) for le, g in zip(lessons, guesses, strict=True)]
        hits = [one.things == lesson.came[:, None] for one, lesson in zip(lists, lessons, strict=True)]
        # A thing that came although it was not among the likeliest teaches the trees nothing.
        listed = np.concatenate([hit.any(axis=1) for hit in hits])
        if listed.sum() < FEWEST:
            return cls(pool, None)
        X, logs = (np.concatenate([getattr(one, name) for one in lists])[listed] for name in ("X", "logs"))
        came = np.concatenate([hit.argmax(axis=1) for hit in hits])[listed]
        held_out = np.concatenate([lesson.held_out for lesson in lessons])[listed]
        return cls(pool, BoostedChoice.fit(X, logs, came, held_out, seed=seed))

    def predict(self, crowd: Crowd, rows: Codes) -> Array:
        """Each thing's probability to come next, shape (rows, things); a row sums to 1."""
        guesses = crowd.guesses(rows)
        found = self.pool.predict(guesses)
        if self.trees is None:
            return found
        likely = _shortlist(crowd, rows, guesses, found)
        mass = np.take_along_axis(found, likely.things, 1).sum(axis=1, keepdims=True)
        np.put_along_axis(found, likely.things, mass * self.trees.predict(likely.X, likely.logs), 1)
        return found

    def save(self, folder: Path) -> None:
        """JSON, and LightGBM's own text."""
        self.pool.save(folder)
        if self.trees is not None:
            self.trees.save(folder)

    @classmethod
    def load(cls, folder: Path, *, with_trees: bool) -> NextBlend:
        """Read what `save` wrote."""
        return cls(Pool.load(folder), BoostedChoice.load(folder) if with_trees else None)


@dataclass(frozen=True)
class _Shortlist:
    """Each row's likeliest things, shape (rows, k), and what the trees see of each, shape (rows, k, columns)."""

    things: Codes
    X: Array
    logs: Array


def _shortlist(crowd: Crowd, rows: Codes, guesses: dict[str, Array], found: Array) -> _Shortlist:
    things = np.argsort(-found, axis=1, kind="stable")[:, :CANDIDATES]
    logs = np.log(np.take_along_axis(found, things, 1))
    mine = crowd.steps.take(rows)
    times, since = _own_times(mine, crowd.day)
    about_thing = [np.log(np.take_along_axis(guess, things, 1)) for guess in guesses.values()]
    about_thing += [logs, np.take_along_axis(times, things, 1), np.take_along_axis(since, things, 1)]
    about_row = [np.bincount(mine.rows, minlength=len(rows)), mine.waited(crowd.day, np.nan)]
    place = np.broadcast_to(np.arange(things.shape[1], dtype=np.float64), things.shape)
    spread = [np.broadcast_to(np.asarray(column, dtype=np.float64)[:, None], things.shape) for column in about_row]
    return _Shortlist(things, np.stack([*about_thing, place, *spread], axis=2), logs)


def _own_times(mine: Steps, day: float) -> tuple[Array, Array]:
    """How often each row did each thing, and how many days ago last (NaN: never), both (rows, things)."""
    shape = (mine.count, mine.things)
    times, newest = np.zeros(shape), np.full(shape, -np.inf)
    np.add.at(times, (mine.rows, mine.first), 1.0)
    np.maximum.at(newest, (mine.rows, mine.first), mine.days)
    return times, np.where(np.isfinite(newest), day - newest, np.nan)
