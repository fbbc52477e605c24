"""Neighbours and linear weights: known answers, and what belongs together is found."""

import numpy as np
import pytest

from dongcha.models.ranking.neighbours import MOST_ITEMS, Ease, Neighbours, NeighboursConfig
from dongcha.models.ranking.sequences import Sequences


def test_neighbours_have_known_answers() -> None:
    taken = Sequences.of([[0, 1], [1, 0, 0], [1, 2], [3]], 5)
    found = Neighbours(NeighboursConfig(power=0.5, fading=0.5)).fit(taken).scores(Sequences.of([[2, 0], [3], []], 5))
    # 0 and 1 were taken together by two rows, of 2 and 3 that took them; 1 and 2 by one, of 3 and 1.
    assert found.items.tolist() == [1]
    assert found.scores == pytest.approx([2 / np.sqrt(6) + 0.5 / np.sqrt(3)])


def clubs(rows: int = 500, seed: int = 1) -> Sequences:
    """Every row takes five of the ten items of its own club, of six."""
    random = np.random.default_rng(seed)
    made = [(club * 10 + random.choice(10, 5, replace=False)).tolist() for club in random.integers(6, size=rows)]
    return Sequences.of(made, 60)


@pytest.mark.parametrize("ranker", [Neighbours(), Ease(ridge=20.0)])
def test_what_belongs_together_is_found(ranker: Neighbours | Ease) -> None:
    shop = clubs()
    asked = Sequences.of([[0, 1, 2], [55, 51]], 60)
    items, _ = ranker.fit(shop).scores(asked).without(asked).listed(5)
    assert (items // 10).tolist() == [[0] * 5, [5] * 5]


def test_linear_weights_are_the_ridge_regression_of_each_item_on_the_others() -> None:
    shop = clubs(200)
    held = np.minimum(shop.matrix().toarray(), 1)
    others = np.arange(60) != 7
    known = held[:, others]
    by_hand = np.linalg.solve(known.T @ known + 3.0 * np.eye(59), known.T @ held[:, 7])
    assert Ease(ridge=3.0).fit(shop).weights.toarray()[others, 7] == pytest.approx(by_hand, abs=1e-4)


def test_linear_weights_refuse_large_catalogues() -> None:
    with pytest.raises(ValueError, match="too large"):
        Ease().fit(Sequences.of([[0]], MOST_ITEMS + 1))
