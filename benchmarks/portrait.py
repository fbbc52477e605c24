"""What each part of the portrait brings: behaviour, feeling and topics alone, in pairs and together.

    python -m benchmarks.portrait FOLDER [--folds 3] [--horizon 90] [--seed 7] [--json]
    python -m benchmarks.portrait --amazon musical_instruments_5core_2014.parquet [--folds 3]

FOLDER: a workspace with orders and reviews. `--amazon`: a file of the layout amazon-reviews, of which a workspace is
made where each review also stands for a purchase. Every part is learnt at a cutoff, the fusions from what then
happened, lines too; all are tested one horizon later: AUC of who falls silent, mean AUC of who buys each of the 20 best
sold categories and products, NDCG@10 over the 300 best sold products. Parts are put together even, each by a learnt
weight, or by a small network. Beside them: recency alone, and what sells best.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

import dongcha
from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import new_workspace
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.insight_kit.facts import Example
from dongcha.insight_kit.parts import Counted, Encoded, Feeling, Part, Themes
from dongcha.insight_kit.probing import Asked, bought_ndcg, measured
from dongcha.insights.portrait import SIZE, Portrait
from dongcha.jobs.study import Study
from dongcha.models.vectors.network import Learned
from dongcha.models.vectors.weighted import Weighted

PARTS: Final[Mapping[str, tuple[type[Part], ...]]] = {
    "behaviour": (Encoded, Counted),
    "feeling": (Feeling,),
    "topics": (Themes,),
}
Numbers = dict[str, list[tuple[np.ndarray, np.ndarray]]]
"""Part → its numbers at the earlier and the later cutoff."""


def examples(study: Study, horizon: Horizon, folds: int) -> Iterator[tuple[AsOf, Example, Example]]:
    """(cutoff, the example a horizon before it, the example at it), newest first."""
    cutoff = study.as_of - horizon
    for _ in range(folds):
        earlier = cutoff - horizon
        yield cutoff, study.example(earlier, cutoff, horizon), study.example(cutoff, cutoff + horizon, horizon)
        cutoff = earlier


def numbers(earlier: Example, later: Example, seed: int) -> Numbers:
    """Every part learnt once."""
    found: Numbers = {}
    for name, kinds in PARTS.items():
        for kind in kinds:
            part = kind()
            part.learn(earlier.facts, seed)
            both = part.numbers(earlier.facts), part.numbers(later.facts)
            found.setdefault(name, []).append(both)
    return found


def fused(told: Sequence[tuple[np.ndarray, np.ndarray]], how: str, answers: list[np.ndarray], seed: int) -> Any:
    """Vectors at both cutoffs, and the learnt weights where there are any."""
    then, now = [pair[0] for pair in told], [pair[1] for pair in told]
    if how == "network":
        network = Learned.fit(then, SIZE, answers=answers, seed=seed)
        return network.transform(then), network.transform(now), None
    weighted = Weighted.fit(then, SIZE, answers=answers if how == "weighted" else (), seed=seed)
    return weighted.transform(then), weighted.transform(now), weighted.weights.round(2).tolist()


def fold(earlier: Example, later: Example, seed: int) -> dict[tuple[str, str], dict[str, Any]]:
    """(parts, how they are fused) → figures."""
    found = numbers(earlier, later, seed)
    answers = list(Asked.of(earlier.facts).answers(earlier).values())
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    recency = [np.log1p(example.facts.matrix(("recency_days",))) for example in (earlier, later)]
    lines["recency", "–"] = measured(earlier, recency[0], later, recency[1])
    nothing = [np.zeros((len(example.facts.features), 1)) for example in (earlier, later)]
    bought = [example.truth[PRODUCTS_BOUGHT] for example in (earlier, later)]
    lines["what sells best", "–"] = {"next_event_ndcg": bought_ndcg(nothing[0], bought[0], nothing[1], bought[1])}
    for count in range(1, len(PARTS) + 1):
        for names in combinations(PARTS, count):
            told = [pair for name in names for pair in found[name]]
            for how in ("even", "weighted", "network") if len(told) > 1 else ("even", "network"):
                then, now, weights = fused(told, how, answers, seed)
                lines["+".join(names), how] = measured(earlier, then, later, now) | {"weights": weights}
    return lines


def amazon_workspace(file: Path, folder: Path) -> Path:
    """Reviews, each standing for a purchase too: of one thing, at a price of 1, when it was reviewed."""
    new_workspace(folder)
    shop = dongcha.open(folder)
    shop.load_layout("amazon-reviews", file)
    raw = pl.read_parquet(file)
    orders = raw.select(
        pl.format("{}-{}", "reviewerID", "unixReviewTime").alias(c.ORDER_ID),
        pl.col("reviewerID").alias(c.CUSTOMER_ID),
        pl.col("asin").alias(c.PRODUCT_ID),
        pl.lit(1).alias(c.QUANTITY),
        pl.lit(1.0).alias(c.PRICE),
        pl.from_epoch("unixReviewTime").alias(c.HAPPENED_AT),
    ).with_columns(pl.int_range(1, pl.len() + 1).over(c.ORDER_ID).alias(c.LINE))
    orders.write_parquet(folder / "orders.parquet")
    shop.load(folder / "orders.parquet", c.ORDERS)
    return folder


def run(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    shop, horizon = dongcha.open(folder), Horizon(asked.horizon)
    study = Study(shop.desk, Portrait(), shop.as_of())
    folds, began = [], time.process_time()
    for cutoff, earlier, later in examples(study, horizon, asked.folds):
        print(f"as of {cutoff}: {len(later.facts.features):,} customers", flush=True)
        folds.append(fold(earlier, later, asked.seed))
    lines = [{"parts": parts, "fusion": how} | _mean([each[parts, how] for each in folds]) for parts, how in folds[0]]
    return {"folds": len(folds), "cpu_seconds": time.process_time() - began, "lines": lines}


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = [name for name in rows[0] if name != "weights"]
    weights = [row["weights"] for row in rows if row.get("weights")]
    return {k: float(np.mean([row.get(k, np.nan) for row in rows])) for k in names} | {"weights": weights}


@contextmanager
def asked_for(about: str, folds: int) -> Iterator[tuple[argparse.Namespace, Path]]:
    """What the command line says, and the workspace that it names or has made of a file."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--amazon", type=Path)
    parser.add_argument("--folds", type=int, default=folds)
    parser.add_argument("--horizon", type=int, default=90)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if (asked.folder is None) == (asked.amazon is None):
        parser.error("name a workspace, or a file after --amazon")
    with tempfile.TemporaryDirectory() as scratch:
        yield asked, asked.folder or amazon_workspace(asked.amazon, Path(scratch) / "shop")


def main() -> None:
    """Run and print."""
    with asked_for(__doc__ or "", folds=3) as (asked, folder):
        found = run(folder, asked)
    if asked.json:
        print(json.dumps(found))
        return
    print(f"mean over {found['folds']} folds; {found['cpu_seconds']:.0f} CPU s\n")
    columns = ("churn_auc", "category_auc", "product_auc", "probe_auc", "next_event_ndcg")
    print("| parts | fused | " + " | ".join(columns) + " | weights |\n" + "|---" * (len(columns) + 3) + "|")
    for line in found["lines"]:
        cells = [f"{line[k]:.3f}" if k in line and not np.isnan(line[k]) else "–" for k in columns]
        print(f"| {line['parts']} | {line['fusion']} | " + " | ".join(cells) + f" | {line['weights'] or ''} |")


if __name__ == "__main__":
    main()
