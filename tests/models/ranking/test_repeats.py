"""Repeats: milk and wardrobes differ, what is due is told from what was just taken, own habits count."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.ranking.repeats import Repeats, RepeatsConfig
from dongcha.models.ranking.sequences import Sequences

MILK, COFFEE, WARDROBE = 0, 1, 2


def timed(rows: list[list[tuple[float, int]]], until: float, catalogue: int = 3) -> Sequences:
    rows = [sorted(row) for row in rows]
    plain = Sequences.of([[item for _, item in row] for row in rows], catalogue)
    days = np.array([day for row in rows for day, _ in row], dtype=np.float64)
    return Sequences(plain.items, plain.starts, catalogue, days, np.full(len(rows), until))


def shop(seed: int = 5, people: int = 400, until: float = 300.0) -> Sequences:
    """Milk about weekly, coffee about monthly, a wardrobe once."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(people):
        row = [(random.uniform(0, until), WARDROBE)]
        for item, gap in ((MILK, 7.0), (COFFEE, 30.0)):
            day = random.uniform(0, gap)
            while day < until:
                row.append((day, item))
                day += gap * random.lognormal(0, 0.25)
        rows.append(row)
    return timed(rows, until)


@pytest.fixture(scope="module")
def known() -> Repeats:
    return Repeats(RepeatsConfig(ahead=7.0)).fit(shop())


def test_typical_gaps_and_chances_are_found(known: Repeats) -> None:
    assert np.exp(known.gap[[MILK, COFFEE]]) == pytest.approx([7, 30], rel=0.1)
    assert known.spread[[MILK, COFFEE]] == pytest.approx([0.3, 0.3], abs=0.05)
    assert known.chance[[MILK, COFFEE]].min() > 0.9
    assert known.chance[WARDROBE] < 0.05


def due(known: Repeats, row: list[tuple[float, int]], until: float) -> dict[int, float]:
    found = known.scores(timed([row], until))
    return dict(zip(found.items.tolist(), found.scores.tolist(), strict=True))


def test_what_is_due_comes_before_what_was_just_taken(known: Repeats) -> None:
    just_milk = due(known, [(70, COFFEE), (99, MILK), (50, WARDROBE)], 100)
    just_coffee = due(known, [(99, COFFEE), (93, MILK), (50, WARDROBE)], 100)
    assert just_coffee[MILK] > just_coffee[COFFEE] > just_coffee[WARDROBE]
    assert just_milk[COFFEE] > just_coffee[COFFEE]
    assert due(known, [(0, MILK)], 100)[MILK] < just_milk[MILK] / 2, "who has not come for so long has gone elsewhere"


def test_own_habit_counts(known: Repeats) -> None:
    loyal = due(known, [(float(day), WARDROBE) for day in range(0, 100, 7)], 105)
    assert loyal[WARDROBE] > 10 * due(known, [(98, WARDROBE)], 105)[WARDROBE]


def test_the_same_basket_is_one_occasion() -> None:
    doubled = timed([[(1, MILK), (1, MILK), (1.2, MILK)]] * 50, 300)
    assert Repeats().fit(doubled).chance[MILK] < 0.05


@given(st.lists(st.lists(st.integers(0, 4), max_size=8), max_size=6))
def test_any_rows_without_moments_give_chances_of_what_they_hold(rows: list[list[int]]) -> None:
    some = Sequences.of(rows, 5)
    found = Repeats(RepeatsConfig(ahead=3.0)).fit(some).scores(some)
    assert found.keys().tolist() == some.keys().tolist()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


def test_what_was_learnt_can_be_kept(known: Repeats, tmp_path: Path) -> None:
    known.save(tmp_path)
    assert np.array_equal(Repeats().load(tmp_path).gap, known.gap)
