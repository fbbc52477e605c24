"""Backtests: every contender at rolling cutoffs, fitted only on what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.insight_kit.base import Insight, Metric
from dongcha.insight_kit.contender import Role
from dongcha.insight_kit.contest import Fold, chosen_in, mean_metrics, verdict
from dongcha.jobs.record import finish, new_run
from dongcha.jobs.study import Desk, Study
from dongcha.warehouse.ledger import BACKTESTS

JOB = "backtest"


def backtest(study: Study) -> list[Fold]:
    """The folds of this insight, from the ledger where the same work was done before, oldest first.

    Raises MissingDataError where a needed table is not loaded. An empty list: the history is too short.
    """
    study.require()
    fingerprint = study.fingerprint(JOB)
    done = study.desk.ledger.same_run(JOB, study.insight.name, fingerprint)
    if done is not None:
        return _recall(study.desk, done[c.RUN_ID])
    started = perf_counter()
    run = new_run(study, fingerprint)
    cutoffs = study.fold_cutoffs()
    folds = [_fold(study, number, cutoff, len(cutoffs)) for number, cutoff in enumerate(cutoffs, start=1)]
    study.desk.ledger.write(BACKTESTS, _rows(study, run, folds))
    finish(study, run, JOB, fingerprint, rows=sum(fold.n for fold in folds), seconds=perf_counter() - started)
    return folds


def _fold(study: Study, number: int, cutoff: AsOf, of: int) -> Fold:
    insight, test = study.insight, study.example(cutoff, study.as_of)
    names = [contender.name for contender in insight.contenders()]
    metrics = {}
    for done, name in enumerate(names):
        study.desk.progress(f"{insight.name}: backtest at {cutoff}", (number - 1) * len(names) + done, of * len(names))
        contender = study.fitted(name, cutoff)
        metrics[name] = insight.judge(contender, test, insight.answer(contender, test.facts, to_judge=True))
    return Fold(number, cutoff, len(test.facts.features), metrics)


def _rows(study: Study, run: dict[str, Any], folds: Sequence[Fold]) -> list[dict[str, Any]]:
    roles = {k.name: k.role.value for k in study.insight.contenders()}
    return [
        {
            **run,
            c.AS_OF: fold.as_of.moment,
            c.FOLD: fold.number,
            "horizon_days": study.desk.plan.horizon.days,
            "n": fold.n,
            c.CONTENDER: contender,
            "role": roles[contender],
            c.METRIC: metric,
            c.VALUE: value,
        }
        for fold in folds
        for contender, metrics in fold.metrics.items()
        for metric, value in metrics.items()
    ]


def _recall(desk: Desk, run_id: str) -> list[Fold]:
    rows = desk.ledger.of_run(BACKTESTS, run_id).sort(c.FOLD)
    folds = []
    for (number,), part in rows.group_by([c.FOLD], maintain_order=True):
        metrics: dict[str, dict[str, float]] = {}
        for row in part.iter_rows(named=True):
            metrics.setdefault(row[c.CONTENDER], {})[row[c.METRIC]] = row[c.VALUE]
        folds.append(Fold(int(str(number)), AsOf(part[c.AS_OF][0]), part["n"][0], metrics))
    return folds


def report(insight: Insight, folds: Sequence[Fold], horizon_days: int) -> list[dict[str, Any]]:
    """The folds as `dongcha backtest --json` prints them.

    `metrics` are those of the contender that earlier folds would have chosen (named in `contender`); `promoted` is the
    contender that all folds together promote, None where no candidate beats the baselines.
    """
    final = verdict(insight, folds)
    roles = {k.name: k.role for k in insight.contenders()}
    rows = []
    for fold in folds:
        chosen = chosen_in(insight, folds, fold)
        by_role = {role: {n: dict(m) for n, m in fold.metrics.items() if roles[n] is role} for role in Role}
        rows.append(
            {
                "insight": insight.name,
                "fold": fold.number,
                "as_of": str(fold.as_of),
                "horizon_days": horizon_days,
                "n": fold.n,
                "headline": insight.headline.name,
                "contender": chosen,
                "metrics": dict(fold.metrics[chosen]),
                "candidates": by_role[Role.CANDIDATE],
                "baselines": by_role[Role.BASELINE],
                "promoted": final.contender if final.promoted else None,
            }
        )
    return rows


def summary(folds: Sequence[Fold]) -> pl.DataFrame:
    """Mean of every metric per contender: contender, metric, value."""
    rows = [
        {c.CONTENDER: name, c.METRIC: metric, c.VALUE: value}
        for fold in folds
        for name, metrics in fold.metrics.items()
        for metric, value in metrics.items()
    ]
    frame = pl.DataFrame(rows, schema={c.CONTENDER: pl.String, c.METRIC: pl.String, c.VALUE: pl.Float64})
    return frame.group_by(c.CONTENDER, c.METRIC, maintain_order=True).agg(pl.col(c.VALUE).mean())


def quality(insight: Insight, folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """One dict per metric: insight, metric, ours (as chosen on earlier folds), the best baseline and its name, by."""
    if not folds:
        return []
    ours = [fold.metrics[chosen_in(insight, folds, fold)] for fold in folds]
    rivals = [k.name for k in insight.contenders() if k.role is Role.BASELINE]
    lines = []
    for metric in insight.judged_by:
        means = {name: mean_metrics(folds, name)[metric.name] for name in rivals}
        best_rival = max(rivals, key=partial(_good, metric, means))
        lines.append(
            {
                "insight": insight.name,
                "metric": metric.name,
                "ours": sum(found[metric.name] for found in ours) / len(ours),
                "baseline": means[best_rival],
                "name": best_rival,
                "folds": len(folds),
                "by": verdict(insight, folds).contender,
            }
        )
    return lines


def _good(metric: Metric, means: Mapping[str, float], name: str) -> float:
    return metric.goodness(means[name])
