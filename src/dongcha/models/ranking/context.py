"""What people in one's situation take: all that can be told of who has taken nothing yet."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

Traits = NDArray[np.int64]

ORDERED: Final = 2_000
"""Only the items that everybody takes most are put in an order: a situation moves them, it seldom finds rare ones."""
OFFERED: Final = 200
PRIOR: Final = 100.0
"""A trait's value counts as if it had taken this many items more, as everybody does."""
ROWS_AT_ONCE: Final = 500


class Context:
    """An item's share of everybody's, times how much more often one's traits take it: the mean over the traits.

    A product over the traits, as in naive Bayes, trusts alike traits (income, house, children) several times over: on
    Complete Journey's seven it fell behind popularity (NDCG@10 .033 against .056), the mean did not (.056). Rare values
    are drawn towards everybody (Dirichlet prior).
    """

    def fit(self, traits: Traits, taken: Sequences) -> Context:
        """Count; returns itself. `traits`: (rows, traits), the number of each value, -1 where it is not known."""
        from scipy.sparse import csr_matrix

        popularity = np.bincount(taken.items, minlength=taken.catalogue)
        most = np.argsort(-popularity, kind="stable")[:ORDERED]
        self.items, self.catalogue = np.sort(most[popularity[most] > 0]), taken.catalogue
        share = popularity[self.items] / max(popularity.sum(), 1)
        self.everybody = np.log(share)
        place = np.full(taken.catalogue, -1)
        place[self.items] = np.arange(len(self.items))
        self.shifts: list[Any] = []
        rows, items = taken.rows(), place[taken.items]
        for values in traits.T:
            known = (values[rows] >= 0) & (items >= 0)
            shape = (int(values.max(initial=-1)) + 1, len(self.items))
            counts = csr_matrix((np.ones(known.sum()), (values[rows[known]], items[known])), shape=shape).toarray()
            total = counts.sum(axis=1, keepdims=True)
            self.shifts.append(np.log((counts + PRIOR * share) / (total + PRIOR) / share))
        return self

    def of(self, traits: Traits) -> Scored:
        """The likeliest items for people with these traits, (rows, traits); values never seen say nothing."""
        alike, which = (traits, np.zeros(1, np.int64)) if len(traits) == 1 else _each_once(traits)
        offered = min(OFFERED, len(self.items))
        items, scores = np.empty((len(alike), offered), np.int64), np.empty((len(alike), offered), np.float32)
        for start in range(0, len(alike), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            whole = self._scores(alike[some])
            best = np.sort(np.argsort(-whole, axis=1, kind="stable")[:, :offered], axis=1)
            items[some], scores[some] = self.items[best], np.take_along_axis(whole, best, axis=1)
        starts = np.arange(len(alike) + 1) * offered
        return Scored(items.ravel(), scores.ravel(), starts, self.catalogue).take(which)

    def _scores(self, alike: Traits) -> NDArray[np.float64]:
        """Of all `items`, for each row of traits."""
        sizes = np.array([len(shift) for shift in self.shifts], dtype=np.int64)
        known = (alike >= 0) & (alike < sizes)
        scores = np.tile(self.everybody, (len(alike), 1))
        for shift, values, seen in zip(self.shifts, alike.T, known.T, strict=True):
            scores[seen] += shift[values[seen]] / known.sum(axis=1)[seen, None]
        return scores


def _each_once(traits: Traits) -> tuple[Traits, NDArray[np.int64]]:
    """The different rows, and which of them each row is."""
    found, which = np.unique(traits, axis=0, return_inverse=True)
    return found, which.ravel()
