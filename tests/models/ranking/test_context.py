"""What people in one's situation take: planted leanings, and what is not known."""

from __future__ import annotations

import numpy as np

from dongcha.models.ranking.context import Context
from dongcha.models.ranking.sequences import Sequences

NORTH, SOUTH, UNKNOWN = 0, 1, -1


def shop() -> tuple[np.ndarray, Sequences]:
    """300 northerners who take items 0 and 2, 100 southerners who take 1 and 2; a second trait says nothing."""
    traits = np.array([[NORTH, k % 3] for k in range(300)] + [[SOUTH, k % 3] for k in range(100)])
    return traits, Sequences.of([[0, 2]] * 300 + [[1, 2]] * 100, 4)


def listed(context: Context, *traits: list[int]) -> list[list[int]]:
    return [[i for i in row if i >= 0] for row in context.of(np.array(traits)).listed(3)[0].tolist()]


def test_each_is_offered_what_those_alike_take() -> None:
    traits, taken = shop()
    north, south = listed(Context().fit(traits, taken), [NORTH, 0], [SOUTH, 0])
    assert set(north[:2]) == {0, 2}
    assert set(south[:2]) == {1, 2}


def test_of_whom_nothing_is_known_is_offered_what_everybody_takes() -> None:
    traits, taken = shop()
    context = Context().fit(traits, taken)
    assert listed(context, [UNKNOWN, UNKNOWN]) == [[2, 0, 1]]
    assert listed(context, [77, 99]) == [[2, 0, 1]], "values that nobody had say nothing"


def test_one_buyer_of_a_rare_value_does_not_decide() -> None:
    traits, taken = shop()
    one = np.vstack([traits, [[2, 0]]])
    grown = Sequences.of([list(row) for row in np.split(taken.items, taken.starts[1:-1])] + [[3]], 4)
    assert listed(Context().fit(one, grown), [2, UNKNOWN])[0][:2] == [2, 0]


def test_a_trait_that_says_nothing_does_not_undo_one_that_does() -> None:
    traits, taken = shop()
    assert (
        listed(Context().fit(traits, taken), [SOUTH, 2])[0][0]
        == listed(Context().fit(traits[:, :1], taken), [SOUTH])[0][0]
    )


def test_nothing_taken_is_nothing_offered() -> None:
    context = Context().fit(np.zeros((2, 1), np.int64), Sequences.of([[], []], 3))
    assert listed(context, [0]) == [[]]
