"""How much of a simulated shop's hidden truth is found: churn against its own best possible AUC, groups against theirs.

    python -m benchmarks.recovery [--customers 20000] [--seed 7] [--language en] [--json]

Beside ours: recency alone for churn, the past mean for spend, RFM cells and k-means on RFM for the groups.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import dongcha
from dongcha import columns as c
from dongcha.features.point_in_time import Snapshot
from dongcha.jobs.recovery import churn_recovery, expected_auc, segment_recovery, value_recovery
from dongcha.sources.simulate import Truth, simulate, write

RFM = ("recency_days", "orders", "spend")
SURE = 0.95
"""Who is likelier silent than this, by all that their order history and the hidden traits tell, is gone."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.customers, asked.language, asked.seed)
    if asked.json:
        print(json.dumps(found))
        return
    print("| | figure |\n|---|---|")
    for name, value in found.items():
        print(f"| {name} | {value:,.3f} |" if isinstance(value, float) else f"| {name} | {value} |")


def measure(folder: Path, customers: int, language: str, seed: int) -> dict[str, Any]:
    """Simulate, load, run, compare."""
    simulated = simulate(customers, language=language, seed=seed)  # type: ignore[arg-type]
    write(simulated, folder / "raw")
    shop = dongcha.new(folder / "shop", language=language)
    started = time.perf_counter()
    for file in sorted((folder / "raw").glob("*.parquet")):
        shop.load(file, file.stem)
    loaded = time.perf_counter() - started
    outcomes = shop.run()
    ran = time.perf_counter() - started - loaded
    truth, as_of, horizon = simulated.secrets, shop.as_of(), shop.desk.plan.horizon
    churn = churn_recovery(shop.scores("churn"), truth, as_of, horizon)
    facts = Snapshot(shop.lake, as_of).features([*RFM, "spend_per_30d"]).rename({c.CUSTOMER_ID: c.ENTITY_ID})
    past = facts.select(c.ENTITY_ID, (pl.col("spend_per_30d") * horizon.days / 30).alias("lifetime_value"))
    segments = shop.scores("segmentation")
    index, planted = segment_recovery(segments, truth)
    return {
        "customers": customers,
        "load seconds": loaded,
        "run seconds": ran,
        "answered by": ", ".join(o.trained.contender for o in outcomes if o.trained),
        "churn AUC, ours": churn.ours,
        "churn AUC, recency alone": recency_auc(facts, truth, as_of, horizon.days),
        "churn AUC, best possible from order histories": churn.best_observable,
        "churn AUC, best possible knowing who has left": churn.best,
        "spend Spearman, ours": value_recovery(shop.scores("lifetime_value"), truth, as_of, horizon),
        "spend Spearman, past mean": value_recovery(past, truth, as_of, horizon),
        **gone_worth({"ours": shop.scores("lifetime_value"), "past mean": past}, truth, as_of, horizon.days),
        "groups, ours": segments["segment"].n_unique(),
        "groups, planted": planted,
        "groups ARI, ours": index,
        "groups ARI, RFM cells": segment_recovery(segments, truth, "rfm_cell")[0],
        "groups ARI, k-means on RFM with the planted number": rfm_k_means(facts, truth, planted, seed),
    }


def gone_worth(told: Mapping[str, pl.DataFrame], truth: Truth, as_of: Any, days: int) -> dict[str, float]:
    """The mean spend told to who is planted to be silent with more than 95 %, and what they are planted to spend."""
    planted = truth.churn_probability(as_of, days).join(truth.expected_spend(as_of, days), on=c.CUSTOMER_ID)
    gone = planted.filter(pl.col("observed_probability") > SURE)
    found = {f"spend of who is gone, planted ({len(gone)} customers)": gone["expected_spend"].mean()}
    for name, scores in told.items():
        theirs = scores.filter(pl.col(c.ENTITY_ID).is_in(gone[c.CUSTOMER_ID].implode()))["lifetime_value"]
        found[f"spend of who is gone, {name}"] = float(theirs.mean())
    return found


def recency_auc(facts: pl.DataFrame, truth: Truth, as_of: Any, days: int) -> float:
    """Expected AUC of the simplest rule: the longer ago the last order, the likelier silence."""
    planted = truth.churn_probability(as_of, days)
    joined = facts.join(planted, left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    return expected_auc(joined["probability"].to_numpy(), joined["recency_days"].to_numpy())


def rfm_k_means(facts: pl.DataFrame, truth: Truth, groups: int, seed: int) -> float:
    """Textbook RFM segmentation: k-means on standardised logs."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    logs = StandardScaler().fit_transform(np.log1p(facts.select(RFM).to_numpy()))
    found = KMeans(groups, n_init=10, random_state=seed).fit_predict(logs)
    frame = facts.select(c.ENTITY_ID).with_columns(segment=pl.Series(found))
    return segment_recovery(frame, truth)[0]


if __name__ == "__main__":
    main()
