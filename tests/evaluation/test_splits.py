"""Rolling cutoffs: no fold may learn from what had not yet happened."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.as_of import AsOf, Horizon
from dongcha.errors import UsageError
from dongcha.evaluation.splits import rolling_cutoffs, training_cutoffs

FIRST = AsOf(datetime(2020, 1, 1, 8, 26, tzinfo=UTC))
spans, horizons, steps, folds = st.integers(0, 900), st.integers(1, 200), st.integers(1, 120), st.integers(1, 12)


@given(span=spans, days=horizons, step=steps)
def test_every_training_label_was_complete_by_the_cutoff_and_every_example_had_a_past(
    span: int, days: int, step: int
) -> None:
    now, horizon = FIRST + Horizon(span + 1), Horizon(days)
    for cutoff in training_cutoffs(FIRST, now, horizon, step):
        assert cutoff + horizon <= now
        assert cutoff.moment - FIRST.moment >= timedelta(days=step)


@given(span=spans, days=horizons, step=steps, wanted=folds)
def test_folds_are_even_oldest_first_and_end_within_the_facts(span: int, days: int, step: int, wanted: int) -> None:
    last, horizon = FIRST + Horizon(span + 1), Horizon(days)
    found = rolling_cutoffs(FIRST, last, horizon, step, wanted)
    assert len(found) <= wanted
    assert all(later.moment - sooner.moment == timedelta(days=step) for sooner, later in pairwise(found))
    assert not found or found[-1] + horizon == last


@given(span=spans, days=horizons, step=steps)
def test_more_facts_at_the_end_only_move_a_fold_they_never_lend_it_labels(span: int, days: int, step: int) -> None:
    horizon, now = Horizon(days), FIRST + Horizon(span + 1)
    assert set(training_cutoffs(FIRST, now, horizon, step)) <= set(
        training_cutoffs(FIRST, now + Horizon(step), horizon, step)
    )


def test_the_online_retail_folds_are_those_of_the_issue() -> None:
    found = rolling_cutoffs(AsOf.parse("2010-12-01T08:26:00"), AsOf.parse("2011-12-09"), Horizon(90), 30, 4)
    assert [str(cutoff) for cutoff in found] == ["2011-06-12", "2011-07-12", "2011-08-11", "2011-09-10"]


def test_a_history_shorter_than_the_horizon_has_no_cutoff() -> None:
    assert rolling_cutoffs(FIRST, FIRST + Horizon(60), Horizon(90), 30, 4) == []


@pytest.mark.parametrize(("step", "wanted"), [(0, 4), (30, 0)])
def test_a_plan_that_measures_nothing_is_refused(step: int, wanted: int) -> None:
    with pytest.raises(UsageError):
        rolling_cutoffs(FIRST, FIRST + Horizon(400), Horizon(90), step, wanted)
