"""Scoring: the champion answers for everyone at a cutoff, with reasons, into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.insight_kit.outputs import to_rows
from dongcha.jobs.hand_over import hand_over
from dongcha.jobs.record import finish, new_run
from dongcha.jobs.study import Study, stamped
from dongcha.warehouse.ledger import REASONS, SCORES

JOB = "score"
TOP_REASONS = 5


@dataclass(frozen=True)
class Scored:
    """What a scoring did: the run, the version that answered, how many entities; whether it was there already."""

    run_id: str
    version: str
    rows: int
    unchanged: bool


def score(study: Study) -> Scored:
    """Let the champion answer at the study's cutoff.

    Raises MissingDataError where a table is missing, nothing was trained, or nobody is there to be scored.
    """
    study.require()
    insight, ledger = study.insight, study.desk.ledger
    version = ledger.champion(insight.name)
    if version is None:
        raise MissingDataError(f"{insight.name} has no champion yet.", f"Train one: dongcha train {insight.name}.")
    fingerprint = study.fingerprint(JOB, version)
    if (done := ledger.same_run(JOB, insight.name, fingerprint)) is not None:
        return Scored(done[c.RUN_ID], version, done["rows"], unchanged=True)
    started = perf_counter()
    study.desk.progress(f"{insight.name}: score", 0, 1)
    run = new_run(study, fingerprint, version)
    contender = study.desk.models.load(insight, version)
    facts = study.facts(study.as_of)
    if facts.features.is_empty():
        raise MissingDataError(
            f"{insight.name}: there is nobody and nothing to answer for before {study.as_of}.",
            "Choose a later --as-of.",
        )
    answer = insight.answer(contender, facts)
    ledger.write(SCORES, stamped(to_rows(insight.yields, answer), run))
    ledger.write(REASONS, stamped(insight.reasons(contender, facts, top=TOP_REASONS), run))
    hand_over(study, version, contender, facts)
    finish(study, run, JOB, fingerprint, rows=len(answer), seconds=perf_counter() - started)
    return Scored(run[c.RUN_ID], version, len(answer), unchanged=False)
