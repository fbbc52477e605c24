"""Windows and questions: nothing is lost by cutting, and a question says nothing but how long one has waited."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.behaviour.moments import asked_at, windows, with_questions
from dongcha.models.behaviour.timelines import GAP, GAPS, PRODUCT, Timelines

rows = st.lists(st.integers(0, 9), min_size=0, max_size=6)


def dated(lengths: list[int]) -> Timelines:
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    count = int(starts[-1])
    days = 100.0 + np.concatenate([np.arange(n) * 3.0 for n in lengths]) if count else np.empty(0)
    return Timelines(starts, {PRODUCT: np.arange(count)}, {PRODUCT: max(count, 1)}, days)


@given(rows, st.integers(1, 4))
def test_windows_hold_every_event_once_the_newest_windows_whole(lengths: list[int], length: int) -> None:
    whole = dated(lengths)
    cut = windows(whole, length)
    assert cut.starts[-1] == whole.starts[-1]
    assert np.array_equal(cut.fields[PRODUCT], whole.fields[PRODUCT])
    assert cut.lengths().max(initial=0) <= length
    assert len(cut) == sum(-(-n // length) for n in lengths)
    ends = set(cut.starts.tolist())
    assert {end for end, n in zip(whole.starts[1:].tolist(), lengths, strict=True) if n} <= ends
    assert {end - length for end, n in zip(whole.starts[1:].tolist(), lengths, strict=True) if n > length} <= ends
    assert np.array_equal(cut.fields[GAP], whole.gaps()), "a window's first event keeps its gap"


@given(rows)
def test_asking_adds_one_empty_event_to_every_row_that_has_any(lengths: list[int]) -> None:
    asked = asked_at(dated(lengths), 130.0)
    assert asked.lengths().tolist() == [n + (n > 0) for n in lengths]
    last = asked.starts[1:][asked.lengths() > 0] - 1
    assert (asked.fields[PRODUCT][last] == asked.sizes[PRODUCT]).all()
    assert asked.days is not None
    assert (asked.days[last] == 130.0).all()


def test_questions_lie_within_long_gaps_and_leave_the_events_as_they_are() -> None:
    whole = dated([200, 1, 50])
    asked = with_questions(whole, 0.5, seed=3)
    added = asked.fields[PRODUCT] == asked.sizes[PRODUCT]
    assert 90 < added.sum() < 160
    assert np.array_equal(asked.fields[PRODUCT][~added], whole.fields[PRODUCT])
    coded = asked.coded()
    row_starts = coded.starts[:-1][coded.lengths() > 0]
    assert (coded.fields[GAP][row_starts] == GAPS).all()
    assert asked.days is not None
    within = np.diff(asked.days)[np.setdiff1d(np.arange(1, len(asked.days)), row_starts) - 1]
    assert (within >= 0).all()
    assert (within <= 3.0).all()
