"""Peers that need nothing but NumPy, SciPy and, for ALS, `implicit`, each with settings chosen on its training data.

A peer must be at its best: where it has settings, they are chosen from a short list by NDCG@10 on each row's last item,
fitted without it. What is finally foretold is never part of that.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.sequences import Items, Sequences

Dense = Callable[[Sequences], NDArray[np.float32]]
"""Histories → scores of every item, shape (rows, catalogue)."""
Ndcg = Callable[[Dense, Sequences, Items], float]
Setting = Mapping[str, float]

CHECKED_ROWS: Final = 2_000
RIDGES: Final = (20, 100, 250, 500, 1500)
TUNED_ITEMS: Final = 4_000
"""EASE's ridge is chosen over the most taken items where a catalogue is larger: each try is a matrix inversion."""
FADES: Final = (0.5, 0.7, 0.85, 1.0)


@dataclass(frozen=True)
class Peer:
    """A way to fit, and the settings to choose from; `missing` tells why it cannot be run here."""

    name: str
    fit: Callable[..., Dense]
    settings: Sequence[Setting] = ({},)
    tuned_items: int | None = None
    missing: str | None = None

    def best(self, known: Sequences, ndcg: Ndcg, seed: int) -> Setting:
        """The setting that foretold best each row's last item when fitted without it."""
        if len(self.settings) == 1:
            return self.settings[0]
        known = known if self.tuned_items is None else most_taken(known, self.tuned_items)
        before, wanted = known.without_last(), known.last()
        rows = np.flatnonzero((before.lengths() > 0) & ~_again(before, wanted))
        if not len(rows):
            return self.settings[0]
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:CHECKED_ROWS])
        reached = [ndcg(self.fit(before, **one), before.take(rows), wanted[rows]) for one in self.settings]
        return self.settings[int(np.argmax(reached))]


def most_taken(sequences: Sequences, count: int) -> Sequences:
    """Of every row only the `count` most taken items, renumbered."""
    taken = np.bincount(sequences.items, minlength=sequences.catalogue)
    kept = np.sort(np.argsort(-taken, kind="stable")[:count])
    number = np.full(sequences.catalogue, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    stays = number[sequences.items] >= 0
    starts = np.concatenate([[0], np.cumsum(np.bincount(sequences.rows()[stays], minlength=len(sequences)))])
    return Sequences(number[sequences.items[stays]], starts, len(kept))


def _again(before: Sequences, wanted: Items) -> NDArray[np.bool_]:
    """Whether a row wants what it already holds."""
    held = before.rows() * before.catalogue + before.items
    return np.isin(np.arange(len(before)) * before.catalogue + wanted, held)


def popularity(known: Sequences) -> Dense:
    """What is taken most, alike for everybody."""
    taken = np.bincount(known.items, minlength=known.catalogue).astype(np.float32)
    return lambda histories: np.tile(taken, (len(histories), 1))


def _scaled(counts: Any, often: NDArray[Any], lead: float, follow: float) -> Any:
    from scipy.sparse import diags

    often = np.maximum(often, 1).astype(np.float32)
    return (diags(often**-lead) @ counts @ diags(often**-follow)).tocsr().astype(np.float32)


def _cosines(known: Sequences, power: float) -> Any:
    taken = known.matrix()
    taken.data[:] = 1
    together = (taken.T @ taken).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    return _scaled(together, np.asarray(taken.sum(axis=0)).ravel(), power, power)


def _steps(known: Sequences, lead: float, follow: float, reach: int = 3) -> Any:
    from scipy.sparse import csr_matrix

    rows, items, size = known.rows(), known.items, known.catalogue
    counts = csr_matrix((size, size), dtype=np.float32)
    for step in range(1, reach + 1):
        same = rows[step:] == rows[:-step]
        weight = np.full(int(same.sum()), 1 / step, dtype=np.float32)
        counts = counts + csr_matrix((weight, (items[:-step][same], items[step:][same])), shape=(size, size))
    return _scaled(counts, np.bincount(items, minlength=size), lead, follow)


def _recent(histories: Sequences, fade: float) -> Any:
    return histories.matrix((fade ** histories.ages()).astype(np.float32))


def item_knn(known: Sequences, fade: float, power: float) -> Dense:
    """Who took both, divided by how often each was taken to `power` (.5: cosine), the history fading item by item."""
    cosines = _cosines(known, power)
    return lambda histories: (_recent(histories, fade) @ cosines).toarray()


def knn_transitions(known: Sequences, fade: float, follow: float, mix: float) -> Dense:
    """`mix` times the cosine of who took both, and what followed within 3 steps, each weighing 1 / steps."""
    both = mix * _cosines(known, 0.5) + _steps(known, 0.5, follow)
    return lambda histories: (_recent(histories, fade) @ both).toarray()


def ease(known: Sequences, ridge: float) -> Dense:
    """Steck 2019: the best linear item-item weights with a zero diagonal, in closed form."""
    taken = known.matrix()
    taken.data[:] = 1
    gram = (taken.T @ taken).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += ridge
    weights = np.linalg.inv(gram)
    weights /= -np.diag(weights).copy()
    weights[np.diag_indices_from(weights)] = 0

    def scores(histories: Sequences) -> NDArray[np.float32]:
        held = histories.matrix()
        held.data[:] = 1
        return np.asarray(held @ weights, dtype=np.float32)

    return scores


def als(known: Sequences, seed: int, factors: float, regularization: float, alpha: float) -> Dense:
    """`implicit`'s alternating least squares (Hu, Koren & Volinsky 2008)."""
    model = importlib.import_module("implicit.als").AlternatingLeastSquares(
        factors=int(factors), regularization=regularization, alpha=alpha, iterations=15, random_state=seed
    )
    model.fit(known.matrix(), show_progress=False)

    def scores(histories: Sequences) -> NDArray[np.float32]:
        people = model.recalculate_user(np.arange(len(histories)), histories.matrix())
        return np.asarray(people @ model.item_factors.T, dtype=np.float32)

    return scores


def _grid(**options: Sequence[float]) -> list[Setting]:
    return [dict(zip(options, one, strict=True)) for one in product(*options.values())]


def peers(known: Sequences, seed: int) -> list[Peer]:
    """All of them, for these sequences; those that would not fit in memory, or are not installed, say so."""
    size, lengths = float(known.catalogue), known.lengths().astype(np.float64)
    pairs = min(float((lengths**2).sum()), size**2)
    absent = None if importlib.util.find_spec("implicit") else "the package implicit is not installed"
    factorings = _grid(factors=(64, 128), regularization=(0.01, 1.0), alpha=(1.0, 10.0))
    return [
        Peer("popularity", popularity),
        Peer("item-kNN", item_knn, _grid(fade=FADES, power=(0.3, 0.5)), missing=_too_large(pairs * 12 * 4)),
        Peer(
            "kNN + transitions",
            knn_transitions,
            _grid(fade=FADES, follow=(0.0, 0.25, 0.5), mix=(0.3, 1.0)),
            missing=_too_large(pairs * 12 * 6),
        ),
        Peer("EASE", ease, _grid(ridge=RIDGES), tuned_items=TUNED_ITEMS, missing=_too_large(size**2 * 4 * 4)),
        Peer("ALS (implicit)", lambda known, **one: als(known, seed, **one), factorings, missing=absent),
    ]


def _too_large(bytes_needed: float) -> str | None:
    """Why it would not fit in the memory that is free, or None."""
    free = _free_bytes()
    if bytes_needed < free:
        return None
    return f"it would need {bytes_needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free"


def _free_bytes() -> float:
    try:
        lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
        return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        return 8e9
