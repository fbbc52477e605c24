"""Whether churn and lifetime value gain from the behaviour vector: the same blend with and without it.

    python -m benchmarks.vectors FOLDER [--folds 4] [--insight churn|lifetime_value] [--recent 3] [--size 32]
                                 [--one-encoder] [--seed 7] [--json]

FOLDER: a workspace with orders that name products. The champion's algorithm learns from

- `features, all cutoffs`: the features at all past cutoffs, as in the backtest;
- `features, same cutoffs`: the features at only those past cutoffs that have a vector;
- `features and vector`: both, at those cutoffs. Only beside the line above does it tell what the vector adds.

A fold's newest --recent past cutoffs have a vector. Its encoder is trained on what was known at the oldest of them, so
none of its vectors knows what came later. With --one-encoder all folds share the one that is trained as of the first
fold's newest past cutoff, as in docs/decisions/0005-who-reads-the-vector.md; a training takes minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

import dongcha
from dongcha.as_of import AsOf
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.parts import Encoded
from dongcha.insights.churn import Churn
from dongcha.insights.lifetime_value import LifetimeValue
from dongcha.jobs.study import Study
from dongcha.models.vectors.weighted import Weighted

CHAMPION: Final = "blend"
ALL: Final = "features, all cutoffs"
SAME: Final = "features, same cutoffs"
BOTH: Final = "features and vector"
Row = dict[str, float]
Figures = dict[str, Row]
"""What each way of learning is judged at, in one fold."""


class _Churn(Churn):
    """The same question, with histories at hand."""

    needs = replace(Churn.needs, history=True)


class _LifetimeValue(LifetimeValue):
    """The same question, with histories at hand."""

    needs = replace(LifetimeValue.needs, history=True)


INSIGHTS: Final[Mapping[str, Callable[[], Insight]]] = {"churn": _Churn, "lifetime_value": _LifetimeValue}


def study_of(shop: Any, insight: Insight, folds: int) -> Study:
    """The insight's study with so many folds."""
    return Study(replace(shop.desk, plan=replace(shop.desk.plan, folds=folds)), insight, shop.as_of())


class Encoders:
    """The encoder of each moment, trained when it is first asked for."""

    def __init__(self, study: Study, size: int, seed: int) -> None:
        self.study, self.size, self.seed = study, size, seed
        self.names = tuple(f"behaviour_{k}" for k in range(size))
        self.trained: dict[AsOf, tuple[Encoded, Weighted]] = {}
        self.seconds = 0.0

    def vectors(self, facts: Facts, moment: AsOf) -> np.ndarray:
        """By what was learnt of everything known at `moment`, and of nothing later; shape (entities, size)."""
        if moment not in self.trained:
            began = time.process_time()
            encoder, then = Encoded(), self.study.facts(moment)
            encoder.learn(then, self.seed)
            self.trained[moment] = encoder, Weighted.fit([encoder.numbers(then)], self.size)
            self.seconds += time.process_time() - began
        encoder, drawn = self.trained[moment]
        return drawn.transform([encoder.numbers(facts)])

    def beside(self, example: Example, moment: AsOf) -> Example:
        """The example with its vectors as features, by the encoder of `moment`, which must not be later."""
        if moment > example.facts.as_of:
            raise ValueError(f"An encoder of {moment} would know what came after {example.facts.as_of}.")
        vectors = self.vectors(example.facts, moment)
        columns = [pl.Series(name, vectors[:, k]) for k, name in enumerate(self.names)]
        return replace(example, facts=replace(example.facts, features=example.facts.features.with_columns(columns)))


# -- measuring


def champion(insight: Insight, names: Sequence[str]) -> Any:
    """A fresh blend that also looks at `names`, where they are at hand."""
    contender: Any = insight.contender(CHAMPION)
    contender.learned.wanted = (*contender.learned.wanted, *names)
    return contender


def judged(insight: Insight, contender: Contender, past: Sequence[Example], test: Example, seed: int) -> Row:
    """Fitted on the past, its answers beside what came."""
    contender.fit(past, test.facts, seed=seed)
    return insight.judge(contender, test, insight.answer(contender, test.facts))


def fold(study: Study, encoders: Encoders, cutoff: AsOf, first: AsOf) -> Figures:
    """The three ways at one cutoff; past cutoffs from `first` on have a vector."""
    past, test = study.past(cutoff), study.example(cutoff, study.as_of)
    recent = [example for example in past if example.facts.as_of >= first]
    with_vectors = [encoders.beside(example, first) for example in (*recent, test)]
    ways = {
        ALL: (past, test, ()),
        SAME: (recent, test, ()),
        BOTH: (with_vectors[:-1], with_vectors[-1], encoders.names),
    }
    insight, seed = study.insight, encoders.seed
    return {
        name: judged(insight, champion(insight, names), seen, asked, seed)
        for name, (seen, asked, names) in ways.items()
    }


def firsts(study: Study, recent: int, one_encoder: bool) -> dict[AsOf, AsOf]:
    """Each fold's cutoff, and the oldest past cutoff that has a vector in it."""
    cutoffs = study.fold_cutoffs()
    if one_encoder:
        return dict.fromkeys(cutoffs, study.past(cutoffs[0])[-1].facts.as_of)
    return {cutoff: study.past(cutoff)[-recent:][0].facts.as_of for cutoff in cutoffs}


def table(insight: Insight, found: Sequence[Figures]) -> str:
    """Means over the folds, ways down, metrics across; then the headline's differences fold by fold."""
    names = [metric.name for metric in insight.judged_by]
    rows = [f"| {insight.name} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for way in (ALL, SAME, BOTH):
        means = [float(np.mean([figures[way][name] for figures in found])) for name in names]
        rows.append(f"| {way} | " + " | ".join(f"{mean:.4f}" for mean in means) + " |")
    gains = ", ".join(f"{figures[BOTH][names[0]] - figures[SAME][names[0]]:+.4f}" for figures in found)
    return "\n".join([*rows, "", f"{names[0]}, what the vector adds at the same cutoffs, by fold: {gains}"])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--insight", choices=tuple(INSIGHTS), default="churn")
    parser.add_argument("--recent", type=int, default=3, help="past cutoffs with a vector, in each fold")
    parser.add_argument("--size", type=int, default=32, help="numbers in the vector")
    parser.add_argument("--one-encoder", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    insight = INSIGHTS[asked.insight]()
    study = study_of(dongcha.open(asked.folder), insight, asked.folds)
    encoders = Encoders(study, asked.size, asked.seed)
    plan = firsts(study, asked.recent, asked.one_encoder)
    found = [fold(study, encoders, cutoff, first) for cutoff, first in plan.items()]
    if asked.json:
        lines = [
            {"cutoff": str(cutoff), "encoder_as_of": str(first), "figures": figures}
            for (cutoff, first), figures in zip(plan.items(), found, strict=True)
        ]
        print(json.dumps({"insight": insight.name, "encoder_cpu_seconds": encoders.seconds, "folds": lines}))
        return
    print("; ".join(f"{cutoff} by an encoder of {first}" for cutoff, first in plan.items()))
    print(f"{len(encoders.trained)} encoders, {encoders.seconds:.0f} CPU seconds\n")
    print(table(insight, found))


if __name__ == "__main__":
    main()
