"""One vector for every task: churn, category and product propensity from the vector, hand-made features, and both.

    python -m benchmarks.universal FOLDER [--seed 7] [--horizon 90] [--no-vector] [--json]

FOLDER: a workspace with orders. One cutoff, a horizon before the end; the behaviour model is trained on what was known
then, and the heads are tested by 5-fold over customers. All inputs get the same head: ridge lines on standardised
columns, the penalty chosen within the training folds. As the RecSys Challenge 2025 asks: churn is silence; propensity
is who buys each of the 20 best sold categories and products, mean AUC. Beside them: recency alone, and how often one
bought the very category or product before.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

import dongcha
from dongcha import columns as c
from dongcha.as_of import Horizon
from dongcha.evaluation import metrics
from dongcha.features.declare import about_customers
from dongcha.features.labels import products_bought
from dongcha.insight_kit.base import Needs
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.parts import counted
from dongcha.insight_kit.pretrained import history_of, pretrain
from dongcha.insight_kit.probing import FEWEST, Asked
from dongcha.insights.behaviour import SIZE, Behaviour
from dongcha.jobs.study import Study
from dongcha.models.tabular.log_scaling import LogScaler
from dongcha.models.vectors.principal import Principal
from dongcha.models.vectors.probes import LinearHeads

FOLDS: Final = 5
PENALTIES: Final = (0.02, 0.1, 0.5, 2.0)
Inputs = Mapping[str, np.ndarray]


class _Profile(Behaviour):
    """The same questions, with every feature at hand."""

    needs = Needs((c.ORDERS,), about_customers(), products_bought, history=True)


def example_of(shop: Any, horizon: Horizon) -> Example:
    """The facts a horizon before the end, and what came."""
    end = shop.as_of()
    return Study(shop.desk, _Profile(), end).example(end - horizon, end, horizon)


def inputs(facts: Facts, seed: int, vector: bool) -> dict[str, np.ndarray]:
    """What the heads may read, each of shape (customers, columns)."""
    names = tuple(name for name in facts.features.columns if name != c.ENTITY_ID)
    numbers = facts.matrix(names)
    features = LogScaler.fit(numbers).transform(numbers)
    found = {"recency": np.log1p(facts.matrix(("recency_days",))), "features": features}
    if vector:
        states = pretrain(facts, seed=seed).states(facts)
        behaviour = Principal.fit(states, SIZE).transform(states)
        found |= {"vector": behaviour, "both": np.hstack([features, behaviour])}
    return found


# -- measuring


def splits(rows: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(learn from, test on), bool, shape (rows,)."""
    fold = np.random.default_rng(seed).permutation(rows) % FOLDS
    return ((fold != k, fold == k) for k in range(FOLDS))


def mean_auc(answers: np.ndarray, scores: np.ndarray) -> float:
    """Mean over the questions, shape (rows, questions) each."""
    return float(np.mean([metrics.auc(answers[:, k], scores[:, k]) for k in range(answers.shape[1])]))


def out_of_fold(X: np.ndarray, Y: np.ndarray, seed: int) -> np.ndarray:
    """Every row's scores from heads that did not see it, the penalty chosen within what they saw."""
    scores = np.zeros(Y.shape)
    for learn, test in splits(len(X), seed):
        inner_learn, inner_test = next(splits(int(learn.sum()), seed + 1))
        seen, wanted = X[learn], Y[learn]
        tried = {}
        for penalty in PENALTIES:
            guess = LinearHeads.fit(seen[inner_learn], wanted[inner_learn], penalty).predict(seen[inner_test])
            told = [k for k in range(Y.shape[1]) if 0 < wanted[inner_test, k].sum() < inner_test.sum()]
            tried[penalty] = mean_auc(wanted[inner_test][:, told], guess[:, told])
        best = max(tried, key=lambda penalty: tried[penalty])
        scores[test] = LinearHeads.fit(seen, wanted, best).predict(X[test])
    return scores


def own_past(facts: Facts, asked: Asked) -> dict[str, np.ndarray]:
    """How often each customer bought the very thing before, by family."""
    timeline = history_of(facts).timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED)
    families = {"category": (c.CATEGORY, asked.categories), "product": (c.PRODUCT_ID, asked.products)}
    return {name: counted(timeline, facts.entities, *told) for name, told in families.items()}


def measure(example: Example, found: Inputs, seed: int) -> list[dict[str, Any]]:
    """One line per task and input."""
    asked = Asked.of(example.facts)
    past = own_past(example.facts, asked)
    lines = []
    for family, happened in asked.answers(example).items():
        answers = happened.astype(np.float64)
        clear = [k for k, count in enumerate(happened.sum(axis=0)) if FEWEST <= count <= len(happened) - FEWEST]
        if not clear:
            print(f"{family}: skipped, nothing to ask about")
            continue
        scores = {name: out_of_fold(X, answers[:, clear], seed) for name, X in found.items()}
        if "both" in found:
            scores["both, averaged"] = np.mean([_ranks(scores[name]) for name in ("features", "vector")], axis=0)
        if family in past:
            scores["own past"] = past[family][:, clear]
        for name, guess in scores.items():
            auc = mean_auc(answers[:, clear], guess)
            lines.append({"task": family, "questions": len(clear), "input": name, "auc": auc})
    return lines


def _ranks(scores: np.ndarray) -> np.ndarray:
    return np.asarray(scores.argsort(axis=0).argsort(axis=0), dtype=np.float64)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--horizon", type=int, default=90)
    parser.add_argument("--no-vector", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    example = example_of(dongcha.open(given.folder), Horizon(given.horizon))
    began = time.perf_counter()
    found = inputs(example.facts, given.seed, not given.no_vector)
    seconds = time.perf_counter() - began
    lines = measure(example, found, given.seed)
    if given.json:
        print(json.dumps({"as_of": str(example.facts.as_of), "seconds": seconds, "lines": lines}))
        return
    print(f"{len(example.facts.features)} customers as of {example.facts.as_of}; vectors took {seconds:.0f} s\n")
    print(table(lines))


def table(lines: list[dict[str, Any]]) -> str:
    """Inputs down, tasks across."""
    tasks = list(dict.fromkeys((line["task"], line["questions"]) for line in lines))
    by = {(line["input"], line["task"]): line["auc"] for line in lines}
    rows = [
        "| AUC | " + " | ".join(f"{task} ({count})" for task, count in tasks) + " |",
        "|---" * (len(tasks) + 1) + "|",
    ]
    for name in dict.fromkeys(line["input"] for line in lines):
        cells = [f"{by[name, task]:.3f}" if (name, task) in by else "–" for task, _ in tasks]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
