"""Everything that can run, in one go: backtest, train, promote, score; only what changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import DongchaError, MissingDataError
from dongcha.insight_kit.base import Insight
from dongcha.jobs.score import Scored, score
from dongcha.jobs.study import Desk, Study
from dongcha.jobs.text_study import study_of
from dongcha.jobs.train import Trained, train


@dataclass(frozen=True)
class Outcome:
    """What a run did for one insight; `skipped` says what it lacked, `failed` what broke."""

    insight: str
    trained: Trained | None = None
    scored: Scored | None = None
    skipped: str = ""
    failed: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether everything was in the ledger already."""
        return bool(self.trained and self.trained.unchanged and self.scored and self.scored.unchanged)


def run(desk: Desk, insights: Iterable[Insight], as_of: AsOf) -> list[Outcome]:
    """Train and score every insight whose tables are loaded; the others say what they lack, and stop nobody."""
    return [_one(desk, insight, as_of) for insight in insights]


def _one(desk: Desk, insight: Insight, as_of: AsOf) -> Outcome:
    with desk.working():
        return _outcome(study_of(desk, insight, as_of))


def _outcome(study: Study) -> Outcome:
    try:
        trained, scored = train(study), score(study)
        _score_before(study)
        return Outcome(study.insight.name, trained, scored)
    except MissingDataError as lacking:
        return Outcome(study.insight.name, skipped=str(lacking))
    except DongchaError as broken:
        return Outcome(study.insight.name, failed=str(broken))


def _score_before(study: Study) -> None:
    """Score one horizon earlier too where customers are put in groups, so that their movement can be told."""
    groups = any(output.kind == "group" for output in study.insight.yields)
    if groups and study.insight.entity == c.CUSTOMER_ID:
        earlier = study_of(study.desk, study.insight, study.as_of - study.desk.plan.horizon)
        if len(earlier.facts(earlier.as_of).features):
            score(earlier)
