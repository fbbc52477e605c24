"""Training: the contender that the backtest favours, fitted on everything known, promoted only if it earns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import orjson

from dongcha import columns as c
from dongcha.evaluation.drift import drift
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.contest import Fold, Verdict, mean_metrics, verdict
from dongcha.insight_kit.facts import Example
from dongcha.jobs.backtest import backtest
from dongcha.jobs.hand_over import hand_over
from dongcha.jobs.record import finish, new_run
from dongcha.jobs.study import Study
from dongcha.warehouse.ledger import CARDS, Ledger

JOB = "train"


@dataclass(frozen=True)
class Trained:
    """What a training did: the version, who answers in it, whether it became champion and why."""

    version: str
    contender: str
    beats_baseline: bool
    champion: str
    why: str
    unchanged: bool


def train(study: Study) -> Trained:
    """Make a version from everything known at the study's cutoff, and promote it where it earns it.

    Raises MissingDataError where a needed table is not loaded or no training example is complete.
    """
    study.require()
    insight, ledger = study.insight, study.desk.ledger
    fingerprint = study.fingerprint(JOB)
    if (done := ledger.same_run(JOB, insight.name, fingerprint)) is not None:
        return _recall(ledger, insight, done[c.VERSION])
    folds = backtest(study)
    started = perf_counter()
    decision = verdict(insight, folds)
    version = f"v{len(ledger.versions(insight.name)) + 1}"
    run = new_run(study, fingerprint, version)
    study.desk.progress(f"{insight.name}: train {decision.contender}", 0, 1)
    contender = study.fitted(decision.contender, study.as_of, _followed(study, decision.contender))
    study.desk.models.save(insight, version, contender)
    hand_over(study, version, contender, study.lesson(study.as_of)[1])
    ledger.write(CARDS, [{**run, "card": orjson.dumps(_card(study, run, decision, folds)).decode()}])
    _promote(study, run, decision, folds)
    finish(
        study, run, JOB, fingerprint, rows=len(study.lesson(study.as_of)[1].features), seconds=perf_counter() - started
    )
    return _recall(ledger, insight, version, unchanged=False)


def _followed(study: Study, name: str) -> Contender | None:
    """The present champion, where the contender goes on with its names."""
    version = study.desk.ledger.champion(study.insight.name)
    if version is None or type(study.insight.contender(name)).follow is Contender.follow:
        return None
    return study.desk.models.load(study.insight, version)


def _card(study: Study, run: dict[str, Any], decision: Verdict, folds: Sequence[Fold]) -> dict[str, Any]:
    """The model card: what the version was made from, how good it is beside the baselines, and its limits."""
    insight = study.insight
    names = [k.name for k in insight.contenders()]
    return {
        **study.recipe(),
        "version": run[c.VERSION],
        "made_at": run[c.MADE_AT].isoformat(),
        "contender": decision.contender,
        "beats_baseline": decision.promoted,
        "why": decision.why,
        "headline": insight.headline.name,
        "trained_on": [{"as_of": str(e.facts.as_of), "n": len(e.facts.features)} for e in study.lesson(study.as_of)[0]],
        "folds": [{"fold": f.number, "as_of": str(f.as_of), "n": f.n, "metrics": f.metrics} for f in folds],
        "mean_metrics": {name: mean_metrics(folds, name) for name in names} if folds else {},
        "quality": _quality(study, decision.contender, folds),
        "limits": insight.limits,
    }


def _quality(study: Study, name: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """Calibration and fairness on the last fold, by a model that had not seen it."""
    if not folds:
        return {}
    cutoff = folds[-1].as_of
    example = study.example(cutoff, study.as_of)
    answer = study.insight.answer(study.fitted(name, cutoff), example.facts, to_judge=True)
    groups = study.groups(example.facts)
    return {"as_of": str(cutoff), **study.insight.examine(example, answer, groups), "drift": _drift(study, example)}


def _drift(study: Study, example: Example) -> list[dict[str, Any]]:
    """The features that have moved most between the last fold and now, by population stability index."""
    then, now = example.facts, study.lesson(study.as_of)[1]
    names = tuple(name for name in now.features.columns if name != c.ENTITY_ID)
    moved = drift(then.matrix(names), now.matrix(names), names)
    return [{"feature": name, "stability_index": index} for name, index in list(moved.items())[:MOST_DRIFTED]]


def _promote(study: Study, run: dict[str, Any], decision: Verdict, folds: Sequence[Fold]) -> None:
    """Make the version champion unless the present one did better on the same folds."""
    insight, ledger, version = study.insight, study.desk.ledger, run[c.VERSION]
    present = ledger.champion(insight.name)
    if present is None:
        why = decision.why
    else:
        better, compared = _at_least_as_good(study, present, decision.contender, folds)
        if not better:
            return
        why = f"{decision.why} {compared}"
    ledger.promote(insight.name, version, made_at=run[c.MADE_AT], actor=study.desk.actor, why=why)


def _at_least_as_good(study: Study, present: str, contender: str, folds: Sequence[Fold]) -> tuple[bool, str]:
    """Whether the challenger's folds are at least as good as the champion's, on the cutoffs both were tested at."""
    card = study.desk.ledger.card(study.insight.name, present) or {}
    head = study.insight.headline
    old = {f["as_of"]: f["metrics"][card["contender"]][head.name] for f in card.get("folds", [])}
    new = {str(f.as_of): f.metrics[contender][head.name] for f in folds}
    shared = sorted(old.keys() & new.keys())
    if not shared:
        return True, f"No cutoff is shared with {present}, which is older."
    ours, theirs = (sum(side[k] for k in shared) / len(shared) for side in (new, old))
    compared = f"On {len(shared)} shared cutoffs {head.name} is {ours:.3f}; {present} had {theirs:.3f}."
    return head.goodness(ours) >= head.goodness(theirs) - TIE, compared


MOST_DRIFTED = 5
TIE = 1e-3
"""Headlines closer than this are a tie, and the fresher version answers."""


def _recall(ledger: Ledger, insight: Insight, version: str, *, unchanged: bool = True) -> Trained:
    card = ledger.card(insight.name, version) or {}
    return Trained(
        version,
        card["contender"],
        card["beats_baseline"],
        ledger.champion(insight.name) or version,
        card["why"],
        unchanged,
    )
