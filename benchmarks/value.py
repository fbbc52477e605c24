"""Lifetime value on loaded workspaces: every contender, its intervals, and what it says of customers who are gone.

    python -m benchmarks.value WORKSPACE… [--folds 4] [--sure 0.95] [--json]

Rolling backtest; candidates beside both baselines (the past mean; BG/NBD with Gamma-Gamma) on the same customers and
cutoffs. The interval score is Gneiting & Raftery's (2007, eq. 43): the width, plus 10 times what was missed by; smaller
is better. "Gone" are those whom churn's blend, fitted at the same cutoff, gives more than `--sure` of silence: what
they were told to spend, and what they spent. Last come deciles by forecast of the contender that answers by all folds,
and how churn's surest bins hold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import dongcha
from benchmarks.retail import _figure
from dongcha.evaluation import metrics
from dongcha.insight_kit.contest import Fold, verdict
from dongcha.insights.churn import CHURNED, PROBABILITY
from dongcha.insights.lifetime_value.names import COVERAGE, HIGH, LOW, SPENT, VALUE
from dongcha.jobs.study import Study

CHURN_BINS: Final = ((0.9, 0.95), (0.95, 0.99), (0.99, 1.0))


@dataclass(frozen=True)
class Told:
    """One contender's answer at one cutoff, what was spent, and the chance of silence; shape (customers,) each."""

    spent: np.ndarray
    forecast: np.ndarray
    low: np.ndarray
    high: np.ndarray
    silent: np.ndarray

    @property
    def held(self) -> np.ndarray:
        return (self.low <= self.spent) & (self.spent <= self.high)

    def of(self, rows: np.ndarray) -> Told:
        return Told(*(part[rows] for part in (self.spent, self.forecast, self.low, self.high, self.silent)))

    def score(self) -> float:
        """The mean interval score."""
        missed = np.maximum(self.low - self.spent, 0) + np.maximum(self.spent - self.high, 0)
        return float((self.high - self.low + 2 / (1 - COVERAGE) * missed).mean())


def joined(answers: Sequence[Told]) -> Told:
    """Several cutoffs' answers as one."""
    names = ("spent", "forecast", "low", "high", "silent")
    return Told(*(np.concatenate([getattr(answer, name) for answer in answers]) for name in names))


def figures(answers: Sequence[Told], sure: float) -> dict[str, float]:
    """Means over the cutoffs; of the gone, over all of them together."""
    gone = (everyone := joined(answers)).of(everyone.silent > sure)
    rows = [
        {
            "gini": metrics.normalised_gini(told.spent, told.forecast),
            "spearman": metrics.spearman(told.spent, told.forecast),
            "mae": metrics.mae(told.spent, told.forecast),
            "rmse": metrics.rmse(told.spent, told.forecast),
            "total": metrics.total_ratio(told.spent, told.forecast),
            "total off by": abs(metrics.total_ratio(told.spent, told.forecast) - 1),
            "covered": float(told.held.mean()),
            "width": float((told.high - told.low).mean()),
            "interval score": told.score(),
        }
        for told in answers
    ]
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    if not len(gone.spent):
        return {**means, "gone": 0.0}
    said = {"gone: told": gone.forecast.mean(), "gone: most": gone.forecast.max(), "gone: spent": gone.spent.mean()}
    return {**means, "gone": float(len(gone.spent)), **said, "gone: covered": float(gone.held.mean())}


def deciles(told: Told) -> Iterator[dict[str, float]]:
    """Tenths by forecast: what was told, spent, who spent nothing, and how the interval held."""
    for part in np.array_split(np.argsort(told.forecast, kind="stable"), 10):
        some = told.of(part)
        yield {
            "forecast": some.forecast.mean(),
            "spent": some.spent.mean(),
            "spent nothing": (some.spent == 0).mean(),
            "covered": some.held.mean(),
            "width": (some.high - some.low).mean(),
            "forecast above it": (some.forecast > some.high).mean(),
        }


def measure(folder: Path, folds: int, sure: float) -> dict[str, Any]:
    """Everything about one workspace."""
    shop = dongcha.open(folder)
    studies = [Study(shop.desk, shop.insights[name], shop.as_of()) for name in ("lifetime_value", "churn")]
    value, churn = studies
    answers: dict[str, list[Told]] = {k.name: [] for k in value.insight.contenders()}
    leaving: dict[str, list[np.ndarray]] = {k.name: [] for k in churn.insight.contenders()}
    fell, kept = [], []
    for number, cutoff in enumerate(value.fold_cutoffs()[-folds:], start=1):
        example, beside = (study.example(cutoff, study.as_of) for study in studies)
        fell.append(beside.label(CHURNED))
        for name, chances in leaving.items():
            chances.append(churn.fitted(name, cutoff).predict(beside.facts)[PROBABILITY].to_numpy())
        judged = {}
        for name, found in answers.items():
            contender = value.fitted(name, cutoff)
            answer = value.insight.answer(contender, example.facts, to_judge=True)
            judged[name] = value.insight.judge(contender, example, answer)
            columns = (answer[column].to_numpy() for column in (VALUE, LOW, HIGH))
            found.append(Told(example.label(SPENT), *columns, leaving["blend"][-1]))
        kept.append(Fold(number, cutoff, len(example.truth), judged))
    decided = verdict(value.insight, kept)
    return {
        "customers": sum(fold.n for fold in kept),
        "folds": len(kept),
        "why": decided.why,
        "contenders": {name: figures(found, sure) for name, found in answers.items()},
        "deciles": list(deciles(joined(answers[decided.contender]))),
        "churn": {name: list(surest(np.concatenate(p), np.concatenate(fell))) for name, p in leaving.items()},
    }


def surest(chance: np.ndarray, fell: np.ndarray) -> Iterator[dict[str, float]]:
    """In each of the surest bins: customers, the mean chance told, and the share that fell silent."""
    for least, most in CHURN_BINS:
        rows = (chance > least) & (chance <= most)
        if rows.any():
            yield {"above": least, "customers": int(rows.sum()), "told": chance[rows].mean(), "fell": fell[rows].mean()}


def drawn(name: str, found: dict[str, Any]) -> str:
    """What was measured of one workspace, as Markdown."""
    parts = [
        [{"contender": contender, **row} for contender, row in found["contenders"].items()],
        found["deciles"],
        [{"churn by": contender, **row} for contender, rows in found["churn"].items() for row in rows],
    ]
    head = f"### {name}: {found['customers']} customers over {found['folds']} cutoffs\n\n{found['why']}"
    return "\n\n".join([head, *(table(part) for part in parts if part)]) + "\n"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows with the same keys as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else _figure(float(value))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspaces", type=Path, nargs="+")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--sure", type=float, default=0.95)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for folder in asked.workspaces:
        found = measure(folder, asked.folds, asked.sure)
        print(json.dumps({folder.name: found}, default=float) if asked.json else drawn(folder.name, found), flush=True)


if __name__ == "__main__":
    main()
