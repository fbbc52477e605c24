"""Who answers: contenders compared over rolling folds, the choice in each fold made on earlier folds only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dongcha.as_of import AsOf
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Role


@dataclass(frozen=True)
class Fold:
    """One cutoff of a backtest: every contender's metrics on the same entities."""

    number: int
    as_of: AsOf
    n: int
    metrics: Mapping[str, Mapping[str, float]]
    """Contender → metric → value."""


@dataclass(frozen=True)
class Verdict:
    """What the folds say: who should answer, and why."""

    contender: str
    promoted: bool
    """Whether a candidate beat every baseline; if not, the best baseline answers."""
    why: str


def mean_metrics(folds: Sequence[Fold], contender: str) -> dict[str, float]:
    """A contender's metrics, averaged over the folds."""
    rows = [fold.metrics[contender] for fold in folds]
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def best(insight: Insight, folds: Sequence[Fold], role: Role) -> str:
    """The contender of a role with the best mean headline among the acceptable; the first declared on a tie."""
    names = [k.name for k in insight.contenders() if k.role is role]
    if not folds:
        return names[0]
    means = {name: mean_metrics(folds, name) for name in names}
    allowed = [name for name in names if not insight.unacceptable(means[name])] or names
    return max(allowed, key=lambda name: insight.headline.goodness(means[name][insight.headline.name]))


def chosen_in(insight: Insight, folds: Sequence[Fold], fold: Fold) -> str:
    """The candidate that the folds before this one would have chosen: what a user would have had."""
    return best(insight, [earlier for earlier in folds if earlier.number < fold.number], Role.CANDIDATE)


def verdict(insight: Insight, folds: Sequence[Fold]) -> Verdict:
    """Who answers from now on: the best candidate where it is acceptable and beats every baseline."""
    candidate, baseline = best(insight, folds, Role.CANDIDATE), best(insight, folds, Role.BASELINE)
    if not folds:
        return Verdict(baseline, False, "The history is too short for a backtest: the baseline answers.")
    ours, theirs = mean_metrics(folds, candidate), mean_metrics(folds, baseline)
    head = insight.headline
    compared = (
        f"{head.name} {ours[head.name]:.3f} against {theirs[head.name]:.3f} of {baseline} over {len(folds)} folds"
    )
    if reason := insight.unacceptable(ours):
        return Verdict(baseline, False, f"{candidate} is not acceptable: {reason}; {compared}.")
    if head.goodness(ours[head.name]) <= head.goodness(theirs[head.name]):
        return Verdict(baseline, False, f"{candidate} does not beat the baseline: {compared}.")
    return Verdict(candidate, True, f"{candidate} beats the baseline: {compared}.")
