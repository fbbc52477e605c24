"""Rolling cutoffs: when a backtest asks, and which past moments a model may learn from."""

from __future__ import annotations

from datetime import timedelta

from dongcha.as_of import AsOf, Horizon
from dongcha.errors import UsageError


def rolling_cutoffs(first: AsOf, last: AsOf, horizon: Horizon, step_days: int, folds: int) -> list[AsOf]:
    """At most `folds` cutoffs, oldest first, `step_days` apart, the newest with exactly its horizon before `last`.

    Facts run from `first` to just before `last`; a cutoff with no fact before it is left out.

    >>> first, last = AsOf.parse("2010-12-01"), AsOf.parse("2011-12-09")
    >>> rolling_cutoffs(first, last, Horizon(90), step_days=30, folds=3)
    [AsOf(2011-07-12), AsOf(2011-08-11), AsOf(2011-09-10)]
    """
    if folds < 1:
        raise UsageError(f"A backtest with {folds} folds measures nothing.", "Use at least 1 fold.")
    return _backward(last - horizon, first, step_days)[:folds][::-1]


def training_cutoffs(first: AsOf, now: AsOf, horizon: Horizon, step_days: int) -> list[AsOf]:
    """Every past moment, oldest first, whose label was complete by `now`; the newest is `now` less the horizon.

    >>> training_cutoffs(AsOf.parse("2010-12-01"), AsOf.parse("2011-06-12"), Horizon(90), step_days=30)
    [AsOf(2011-01-13), AsOf(2011-02-12), AsOf(2011-03-14)]
    """
    return _backward(now - horizon, first, step_days)[::-1]


def _backward(newest: AsOf, first: AsOf, step_days: int) -> list[AsOf]:
    """From `newest` back by `step_days`, leaving a history of at least one step before the oldest."""
    if step_days < 1:
        raise UsageError(f"Cutoffs {step_days} days apart never move.", "Use a step of at least 1 day.")
    history = (newest.moment - first.moment) // timedelta(days=step_days)
    return [AsOf(newest.moment - timedelta(days=step_days * back)) for back in range(max(history, 0))]
