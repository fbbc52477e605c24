"""Signs from sparse rows by linear models, with chances that mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dongcha.errors import MissingDataError

Array = NDArray[np.float64]
Signs = NDArray[np.int8]

SIGNS: Final = np.array([-1, 0, 1], dtype=np.int8)
MIDDLE_STAR: Final = 3
FOLDS: Final = 5
MANY: Final = 10_000
"""From so many texts on one fold in five is enough to calibrate on."""
FEWEST: Final = 2
"""Texts of a sign below which it is not learnt."""
PLAIN_C: Final = 10.0
WEIGHED_C: Final = 3.0
ITERATIONS: Final = 200
LEANINGS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def signs(labels: ArrayLike) -> Signs:
    """Ratings as -1, 0, 1, shape (labels,): stars 1-5 around 3; 0 and 1 as bad and good; -1, 0 and 1 as they are.

    >>> signs([5, 3, 1, 4]).tolist(), signs([0, 1]).tolist(), signs([-1, 0, 1]).tolist()
    ([1, 0, -1, 1], [-1, 1], [-1, 0, 1])
    """
    values = np.asarray(labels, dtype=np.float64)
    if not len(values) or values.min() < 0:
        return np.sign(values).astype(np.int8)
    middle = 0.5 if values.max() <= 1 else MIDDLE_STAR
    return np.sign(values - middle).astype(np.int8)


@dataclass(frozen=True)
class LinearSigns:
    """A linear model per sign against the others, calibrated on rows it was not shown.

    Each is the mean of two logistic regressions: on the rows, and on the rows times naive Bayes' log-count ratio (Wang
    & Manning 2012). Both are linear, so their mean is one set of weights, and a column's part in an answer is exact.
    What the margins of held-out folds meant is learnt by a multinomial logistic regression (Platt 1999).
    """

    weights: NDArray[np.float32]
    """Shape (heads, columns): for the larger sign alone where there are two, else for each."""
    intercepts: Array
    slopes: Array
    """Margins to log-odds, shape (heads, 3)."""
    offsets: Array
    """Shape (3,); -inf for a sign that was never seen."""
    leaning: Array
    """Added to the log-odds to name a sign, shape (3,): a rare one needs less than half the chance to be named."""
    beside: Array
    """What numbers told beside the columns add to the log-odds, shape (numbers, 3)."""

    @classmethod
    def fit(cls, X: Any, y: Signs, beside: Array | None = None, *, seed: int = 0) -> LinearSigns:
        """Learn from a CSR matrix (rows, columns) and signs (rows,); rows of a sign seen once are left out.

        `beside`: a few numbers about each row, (rows, numbers); what they add is learnt on held-out rows.

        Raises MissingDataError where there are not two rows each of two signs.
        """
        known = [sign for sign in (-1, 0, 1) if np.sum(y == sign) >= FEWEST]
        if len(known) < 2:
            raise MissingDataError("Fewer than two texts each of two moods.", "Load texts with good and bad ratings.")
        kept = np.flatnonzero(np.isin(y, known))
        X, y, beside = X[kept], y[kept], _numbers(beside, len(y))[kept]
        heads = known[-1:] if len(known) == 2 else known
        margins, rows = _held_out_margins(X, y, heads, seed)
        slopes, offsets = calibrated(np.hstack([margins, beside[rows]]), y[rows])
        of_margins, of_beside = slopes[: len(heads)], slopes[len(heads) :]
        leaning = _leaning(margins @ of_margins + beside[rows] @ of_beside + offsets, y[rows])
        return cls(*_heads(X, y, heads), of_margins, offsets, leaning, of_beside)

    def log_odds(self, X: Any, beside: Array | None = None) -> Array:
        """Of bad, neutral and good, shape (rows, 3), up to what all three share; -inf for a sign never seen."""
        margins = np.asarray(X @ self.weights.T, dtype=np.float64) + self.intercepts
        told = _numbers(beside, len(margins), len(self.beside))
        return np.asarray(margins @ self.slopes + told @ self.beside + self.offsets, dtype=np.float64)

    def chances(self, X: Any, beside: Array | None = None) -> Array:
        """Of bad, neutral and good, shape (rows, 3); a row of zeros, beside too, says nothing and is neutral."""
        from scipy.special import softmax

        chances = softmax(self.log_odds(X, beside), axis=1)
        silent = (np.diff(X.indptr) == 0) & ~_numbers(beside, X.shape[0], len(self.beside)).any(axis=1)
        chances[silent] = [0, 1, 0]
        return np.asarray(chances, dtype=np.float64)

    def named(self, chances: Array) -> Signs:
        """The sign that the chances speak for, shape (rows,)."""
        with np.errstate(divide="ignore"):
            return np.asarray(SIGNS[np.argmax(np.log(chances) + self.leaning, axis=1)])

    @property
    def direction(self) -> Array:
        """Each column's push on log(P(good) / P(bad)), shape (columns,)."""
        bad, good = self.ends
        return np.asarray((self.slopes[:, good] - self.slopes[:, bad]) @ self.weights, dtype=np.float64)

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest sign that was seen, as places in SIGNS."""
        known = np.flatnonzero(np.isfinite(self.offsets))
        return int(known[0]), int(known[-1])


def _heads(X: Any, y: Signs, heads: Sequence[int]) -> tuple[NDArray[np.float32], Array]:
    """For each sign the weights against all others, and the intercepts."""
    from sklearn.linear_model import LogisticRegression

    weights, intercepts = [], []
    for sign in heads:
        ratio = _log_ratio(X, y == sign)
        weighed = X.copy()
        weighed.data *= ratio[X.indices]
        rest = {"class_weight": "balanced", "max_iter": ITERATIONS}
        one = LogisticRegression(C=PLAIN_C, **rest).fit(X, y == sign)
        two = LogisticRegression(C=WEIGHED_C, **rest).fit(weighed, y == sign)
        weights.append((one.coef_[0] + ratio * two.coef_[0]) / 2)
        intercepts.append((one.intercept_[0] + two.intercept_[0]) / 2)
    return np.array(weights, dtype=np.float32), np.array(intercepts, dtype=np.float64)


def _log_ratio(X: Any, target: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much more often each gram stands in texts of the target, as a logarithm, each count begun at one."""
    rows = np.repeat(target, np.diff(X.indptr))
    inside, outside = (np.bincount(X.indices[side], minlength=X.shape[1]) + 1.0 for side in (rows, ~rows))
    return np.asarray(np.log(inside / inside.sum() / (outside / outside.sum())), dtype=np.float32)


def _held_out_margins(X: Any, y: Signs, heads: Sequence[int], seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Margins by models that were not shown the text, and the texts' rows."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(min(FOLDS, np.unique(y, return_counts=True)[1].min()), shuffle=True, random_state=seed)
    margins, rows = [], []
    for shown, held in folds.split(y, y):
        weights, intercepts = _heads(X[shown], y[shown], heads)
        margins.append(np.asarray(X[held] @ weights.T, dtype=np.float64) + intercepts)
        rows.append(held)
        if len(y) >= MANY:
            break
    return np.concatenate(margins), np.concatenate(rows)


def _numbers(beside: Array | None, rows: int, numbers: int = 0) -> Array:
    return np.zeros((rows, numbers)) if beside is None else beside


def calibrated(margins: Array, y: Signs) -> tuple[Array, Array]:
    """Slopes (numbers, 3) and offsets (3,) from margins, or any numbers (rows, numbers), to log-odds."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=1000).fit(margins, y)
    slopes, offsets = np.zeros((margins.shape[1], 3)), np.full(3, -np.inf)
    places = np.searchsorted(SIGNS, model.classes_)
    if len(places) == 2:
        offsets[places[0]], places = 0.0, places[1:]
    slopes[:, places], offsets[places] = model.coef_.T, model.intercept_
    return slopes, offsets


def _leaning(log_odds: Array, y: Signs) -> Array:
    """The one that names held-out texts best, by the mean of accuracy and macro-F1."""
    from sklearn.metrics import accuracy_score, f1_score

    share = np.array([np.mean(y == sign) for sign in SIGNS])
    rare = np.where(share > 0, -np.log(np.maximum(share, 1e-12)), 0.0)

    def reached(strength: float) -> float:
        told = SIGNS[np.argmax(log_odds + strength * rare, axis=1)]
        return float(accuracy_score(y, told) + f1_score(y, told, average="macro"))

    return np.asarray(max(LEANINGS, key=reached) * rare, dtype=np.float64)
