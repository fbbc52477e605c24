"""What is held out: nothing after the moment is shown, and what is asked is each row's first product after it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.holdout import MOST_EVENTS, held_out, until
from dongcha.models.behaviour.timelines import PRODUCT, Timelines
from dongcha.models.ranking.sequences import Sequences

ITEMS = 6


@st.composite
def shops(draw: st.DrawFn) -> Timelines:
    rows = draw(st.lists(st.lists(st.integers(0, ITEMS), max_size=6), min_size=1, max_size=8))
    days = [sorted(draw(st.lists(st.integers(0, 20), min_size=len(row), max_size=len(row)))) for row in rows]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    items = np.array([item for row in rows for item in row], dtype=np.int64)
    return Timelines(starts, {PRODUCT: items}, {PRODUCT: ITEMS}, np.array([d for row in days for d in row], float))


@given(shops(), st.integers(-1, 21))
def test_the_first_product_after_the_moment_is_asked_and_nothing_after_it_is_shown(some: Timelines, day: int) -> None:
    shown, wanted = until(some, day)
    assert (shown.days <= day).all()
    for row, (start, end) in enumerate(zip(some.starts[:-1], some.starts[1:], strict=True)):
        days, items = some.days[start:end], some.fields[PRODUCT][start:end]
        first = items[(days > day) & (items < ITEMS)][:1].tolist()
        assert shown.fields[PRODUCT][shown.starts[row] : shown.starts[row + 1]].tolist() == items[days <= day].tolist()
        assert wanted[row] == (first[0] if first and (days <= day).any() else -1)


def steady(rows: int, seed: int = 0) -> Timelines:
    random = np.random.default_rng(seed)
    lengths = random.integers(3, 12, rows)
    days = np.concatenate([np.sort(random.uniform(0, 365, n)) for n in lengths])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Timelines(starts, {PRODUCT: random.integers(0, ITEMS, len(days))}, {PRODUCT: ITEMS}, days)


def test_the_share_of_customers_is_held_out_at_the_least_cost_of_events() -> None:
    some = steady(2_000)
    shown, wanted = held_out(some, 0, 0.1)
    assert 200 <= (wanted >= 0).sum() <= 205
    later = some.where(some.days <= shown.days.max() + 0.5)
    assert len(some.days) - len(later.days) < len(some.days) - len(shown.days) < 0.05 * len(some.days)


def test_where_customers_hardly_overlap_in_time_their_newest_products_are_held_out() -> None:
    """As in MovieLens, where each customer rates all on one day: no moment lies within many of them."""
    lengths = np.full(300, 10)
    days = np.repeat(np.arange(300.0), 10) + np.tile(np.arange(10) / 100, 300)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    some = Timelines(starts, {PRODUCT: np.arange(3000) % ITEMS}, {PRODUCT: ITEMS}, days)
    shown, wanted = held_out(some, 0, 0.1)
    assert (wanted >= 0).sum() == 30
    assert len(some.days) - len(shown.days) == 30 < MOST_EVENTS * len(some.days)


def test_without_moments_the_newest_products_of_the_share_are_held_out() -> None:
    sequences = Sequences.of([[1, 2, 3], [4, 5], [], [0, 1, 2, 3]], ITEMS)
    shown, wanted = held_out(Timelines.of(sequences), 0, 1.0)
    assert wanted.tolist() == [3, -1, -1, 3]
    assert shown.lengths().tolist() == [2, 2, 0, 3]


def test_too_short_histories_are_refused() -> None:
    with pytest.raises(MissingDataError, match="longer history"):
        held_out(Timelines.of(Sequences.of([[1, 2], []], ITEMS)), 0, 0.1)
