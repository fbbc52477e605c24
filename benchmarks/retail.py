"""Churn and lifetime value on Online Retail: every row accounted for, rolling backtests, peers in the same run.

    python -m benchmarks.retail online_retail.parquet [--folds 4] [--json]

Peers, fitted on the same cutoffs with the same features: LightGBM with its default settings, and for spend LightGBM on
log spend and with the Tweedie loss.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import dongcha
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insights.churn import Churn, Probability
from dongcha.insights.lifetime_value import LifetimeValue
from dongcha.insights.lifetime_value.contenders import LearnedForecast


class _DefaultLightGbm:
    """LightGBM as it comes."""

    objective: ClassVar[str] = "binary"

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    def fit(cls, X: np.ndarray, y: np.ndarray, *, sample_weight: np.ndarray, seed: int) -> Any:
        import lightgbm

        settings = {"objective": cls.objective, "seed": seed, "verbose": -1, "deterministic": True}
        return cls(lightgbm.train(settings, lightgbm.Dataset(X, cls.target(y), weight=sample_weight), 100))

    @staticmethod
    def target(y: np.ndarray) -> np.ndarray:
        return y

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(X))


class _LogSpend(_DefaultLightGbm):
    objective = "regression"

    @staticmethod
    def target(y: np.ndarray) -> np.ndarray:
        return np.log1p(y)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.expm1(np.maximum(self.model.predict(X), 0))


class _Tweedie(_DefaultLightGbm):
    objective = "tweedie"


class LightGbmChurn(Probability):
    """The peer for churn."""

    name = "lightgbm_default"
    role = Role.BASELINE
    algorithm = _DefaultLightGbm


class LightGbmLog(LearnedForecast):
    """A peer for spend."""

    name = "lightgbm_log"
    role = Role.BASELINE
    algorithm = _LogSpend


class LightGbmTweedie(LearnedForecast):
    """A peer for spend."""

    name = "lightgbm_tweedie"
    role = Role.BASELINE
    algorithm = _Tweedie


class ChurnBesidePeers(Churn):
    """Churn with the peer among its contenders."""

    def contenders(self) -> tuple[Contender, ...]:
        return (*super().contenders(), LightGbmChurn())


class ValueBesidePeers(LifetimeValue):
    """Lifetime value with the peers among its contenders."""

    def contenders(self) -> tuple[Contender, ...]:
        return (*super().contenders(), LightGbmLog(), LightGbmTweedie())


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop = dongcha.new(Path(folder) / "shop", currency="GBP", name="Online Retail")
        started = time.perf_counter()
        reports = [report.as_dict() for report in shop.load_layout("online-retail", asked.data)]
        loaded = time.perf_counter() - started
        for insight in (ChurnBesidePeers(), ValueBesidePeers()):
            shop.insights._insights[insight.name] = insight
        rows = shop.backtest("churn", "lifetime_value", folds=asked.folds)
        seconds = time.perf_counter() - started - loaded
    if asked.json:
        print(json.dumps({"load": reports, "load_seconds": loaded, "folds": rows, "seconds": seconds}, default=str))
        return
    for report in reports:
        parts = f"{report['accepted']:,} accepted + {report['quarantined']:,} quarantined"
        print(f"{report['table']}: {report['read']:,} = {parts}")
    print(f"loaded in {loaded:.1f} s; backtests in {seconds:.1f} s\n")
    for name in ("churn", "lifetime_value"):
        show(name, [row for row in rows if row["insight"] == name])


def show(name: str, rows: list[dict[str, Any]]) -> None:
    """One line per fold and contender, then the means, as a Markdown table."""
    metrics = list(rows[0]["metrics"])
    print(f"### {name}, {rows[0]['horizon_days']} days\n")
    print("| as of | contender | " + " | ".join(metrics) + " |\n|---|---|" + "---|" * len(metrics))
    everyone = [(row["as_of"], {**row["candidates"], **row["baselines"]}) for row in rows]
    for as_of, found in everyone:
        for contender, values in found.items():
            print(f"| {as_of} | {contender} | " + " | ".join(_figure(values[m]) for m in metrics) + " |")
    for contender in everyone[0][1]:
        means = [np.mean([found[contender][m] for _, found in everyone]) for m in metrics]
        print(f"| **mean** | **{contender}** | " + " | ".join(map(_figure, means)) + " |")
    chosen = [np.mean([row["metrics"][m] for row in rows]) for m in metrics]
    print("| **mean** | **as chosen on earlier folds** | " + " | ".join(map(_figure, chosen)) + " |")
    print(f"\npromoted: {rows[0]['promoted']}\n")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


if __name__ == "__main__":
    main()
