"""Why trees say what they say, in NumPy: the pushes of TreeSHAP, exact, for trees of few leaves.

Lundberg, Erion and Lee, "Consistent Individualized Feature Attribution for Tree Ensembles" (2018), path-dependent as
LightGBM's `pred_contrib`. What a leaf adds to the pushes depends only on which columns of its path a row agrees with:
2^columns cases, worked out once. A row is then explained by comparing it with every split and looking its cases up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial, prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_COLUMNS: Final = 10
"""Columns on the way to one leaf; each more doubles the cases."""
ROWS: Final = 256
"""Rows compared at once."""
LEFT_IF_MISSING, MISSING_IS_NAN, MISSING_IS_ZERO, NAMED = 2, 8, 4, 1
"""Bits of LightGBM's decision type."""


@dataclass(frozen=True)
class TreePushes:
    """All splits and leaves of an ensemble, in arrays.

    Splits: `column`, `threshold`, `missing_left`. A slot is one column on the way to one leaf, leaf by leaf: a row
    agrees with it where it meets all its conditions, which are a split and the side to fall to. `cases` holds each
    slot's push for every case of its leaf, from `place` on. `mean` is what all trees say on average.
    """

    width: int
    mean: float
    column: Ints
    threshold: Array
    missing_left: NDArray[np.bool_]
    split: Ints
    to_left: NDArray[np.bool_]
    first_condition: Ints
    bit: Ints
    first_slot: Ints
    leaf: Ints
    place: Ints
    cases: Array
    by_column: Ints
    first_of_column: Ints
    columns: Ints

    @classmethod
    def of(cls, text: str) -> TreePushes:
        """From a booster's own text. Raises ValueError for splits it does not know or too many columns to a leaf."""
        head, *trees = text.split("\nTree=")
        width = int(_lines(head)["max_feature_idx"]) + 1
        splits: list[tuple[int, float, bool]] = []
        everything = [leaf for tree in trees for leaf in _leaves(_lines(tree), splits)]
        leaves = [leaf for leaf in everything if leaf.conditions]
        if any(len(leaf.conditions) > MOST_COLUMNS for leaf in leaves):
            raise ValueError(f"more than {MOST_COLUMNS} columns on the way to a leaf")
        slots = [(number, *slot) for number, leaf in enumerate(leaves) for slot in leaf.slots()]
        conditions = [condition for slot in slots for condition in slot[3]]
        columns = np.array([slot[1] for slot in slots], dtype=np.int64)
        by_column = np.argsort(columns, kind="stable")
        there, first_of_column = np.unique(columns[by_column], return_index=True)
        return cls(
            width=width,
            mean=sum(leaf.value * prod(leaf.shares.values()) for leaf in everything),
            column=np.array([k[0] for k in splits], dtype=np.int64),
            threshold=np.array([k[1] for k in splits]),
            missing_left=np.array([k[2] for k in splits], dtype=bool),
            split=np.array([k[0] for k in conditions], dtype=np.int64),
            to_left=np.array([k[1] for k in conditions], dtype=bool),
            first_condition=_starts([len(slot[3]) for slot in slots]),
            bit=np.array([1 << slot[2] for slot in slots], dtype=np.int64),
            first_slot=_starts([len(leaf.conditions) for leaf in leaves]),
            leaf=np.array([slot[0] for slot in slots], dtype=np.int64),
            place=_starts([len(slot[4]) for slot in slots]),
            cases=np.concatenate([slot[4] for slot in slots]) if slots else np.empty(0),
            by_column=by_column,
            first_of_column=first_of_column,
            columns=there,
        )

    def __call__(self, X: Array) -> Array:
        """The pushes on the raw score, shape (rows, columns); X likewise, float64, NaN for missing."""
        X = np.asarray(X, dtype=np.float64)
        found = np.zeros((len(X), self.width))
        if len(self.leaf):
            for start in range(0, len(X), ROWS):
                found[start : start + ROWS, self.columns] = self._some(X[start : start + ROWS])
        return found

    def _some(self, X: Array) -> Array:
        values = X[:, self.column]
        left = np.where(np.isnan(values), self.missing_left, values <= self.threshold)
        met = left[:, self.split] == self.to_left
        agrees = np.logical_and.reduceat(met, self.first_condition, axis=1)
        case = np.add.reduceat(agrees * self.bit, self.first_slot, axis=1)
        pushes = self.cases[self.place + case[:, self.leaf]]
        return np.add.reduceat(pushes[:, self.by_column], self.first_of_column, axis=1)


def _starts(lengths: list[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64) if lengths else np.empty(0, np.int64)


@dataclass(frozen=True)
class _Leaf:
    """A leaf and the way to it: column → its conditions, and the share of rows that all of them let through."""

    value: float
    conditions: Mapping[int, list[tuple[int, bool]]]
    shares: Mapping[int, float]

    def slots(self) -> Iterator[tuple[int, int, list[tuple[int, bool]], Array]]:
        """Column, its bit, its conditions, and its push in every case."""
        cases = self._cases()
        for bit, column in enumerate(self.conditions):
            yield column, bit, self.conditions[column], cases[:, bit]

    def _cases(self) -> Array:
        """Shape (2^columns, columns): the Shapley values of a product of ones, zeros and shares."""
        shares = list(self.shares.values())
        m = len(shares)
        weights = [factorial(s) * factorial(m - s - 1) / factorial(m) for s in range(m)]
        inside = (np.arange(1 << m)[:, None] >> np.arange(m) & 1).astype(np.float64)
        found = np.empty((1 << m, m))
        for i in range(m):
            # Sets of the others, by size: sums of products in which each other column is in or out.
            sums: list[Any] = [1.0]
            for j in (k for k in range(m) if k != i):
                more = zip([*sums, 0.0], [0.0, *sums], strict=True)
                sums = [out * shares[j] + with_it * inside[:, j] for out, with_it in more]
            found[:, i] = (inside[:, i] - shares[i]) * sum(w * s for w, s in zip(weights, sums, strict=True))
        found *= self.value
        return found


def _leaves(tree: Mapping[str, str], splits: list[tuple[int, float, bool]]) -> Iterator[_Leaf]:
    """A tree's leaves; its splits are put behind those of the trees before it."""
    if int(tree["num_leaves"]) < 2:
        yield _Leaf(float(tree["leaf_value"]), {}, {})
        return
    start = len(splits)
    kinds = _numbers(tree, "decision_type")
    for column, threshold, kind in zip(
        _numbers(tree, "split_feature"), map(float, tree["threshold"].split()), kinds, strict=True
    ):
        if kind & (NAMED | MISSING_IS_ZERO):
            raise ValueError(f"a split of kind {kind}")
        # Where nothing was missing when it learnt, LightGBM takes what is missing now for a zero.
        missing_left = bool(kind & LEFT_IF_MISSING) if kind & MISSING_IS_NAN else threshold >= 0
        splits.append((column, threshold, missing_left))
    children = {True: _numbers(tree, "left_child"), False: _numbers(tree, "right_child")}
    values = list(map(float, tree["leaf_value"].split()))
    leaf_rows, rows = _numbers(tree, "leaf_count"), _numbers(tree, "internal_count")

    def below(node: int, way: tuple[tuple[int, bool, float], ...]) -> Iterator[_Leaf]:
        if node < 0:
            yield _leaf(values[~node], way, splits)
            return
        for left, side in children.items():
            child = side[node]
            share = (rows[child] if child >= 0 else leaf_rows[~child]) / rows[node]
            yield from below(child, (*way, (start + node, left, share)))

    yield from below(0, ())


def _leaf(value: float, way: tuple[tuple[int, bool, float], ...], splits: list[tuple[int, float, bool]]) -> _Leaf:
    conditions: dict[int, list[tuple[int, bool]]] = {}
    shares: dict[int, list[float]] = {}
    for split, left, share in way:
        column = splits[split][0]
        conditions.setdefault(column, []).append((split, left))
        shares.setdefault(column, []).append(share)
    return _Leaf(value, conditions, {column: prod(some) for column, some in shares.items()})


def _lines(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.splitlines() if "=" in line)


def _numbers(tree: Mapping[str, Any], name: str) -> list[int]:
    return list(map(int, tree[name].split()))
