"""Groups from the latent of customers beside k-means on RFM and on the axes of segmentation: do they come again, and
what do they tell?

    python -m benchmarks.latent online_retail.parquet [--groups 6] [--seed 7] [--json]
    python -m benchmarks.latent --customers 4000 [--groups 6] [--seed 7] [--json]

Every contender makes the same number of groups at a cutoff 90 days before the end, and is measured alike:

- `again, bootstrap`: fitted whole on two bootstrap samples of the customers, the adjusted Rand index between the groups
  that the two give all customers; `again, earlier`: between those of this cutoff and those fitted 90 days earlier.
- `axes`, `taste`: the share of the variance of the standardised axes, and of the shares of categories (of price classes
  where no category is known), that the groups explain; `later spend`, `later taste`: of what follows in 90 days.
- `planted`: on a simulated shop (--customers), the adjusted Rand index against its hidden groups.

For the latent also: how alike its maps from two bootstrap samples are (1 - Procrustes disparity) and, on a simulated
shop, how far up its oddness ranks the planted impostors (AUC), beside an isolation forest on the axes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

import dongcha
from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.evaluation.metrics import adjusted_rand, auc
from dongcha.features.labels import SPEND, purchases
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sequence import timeline
from dongcha.insight_kit.vocabulary import Vocabulary
from dongcha.insights.segmentation import FEATURES, RFM
from dongcha.models.generative.groups import LatentGroups
from dongcha.models.generative.vae import Vae
from dongcha.models.grouping.k_means import KMeans, KMeansConfig, Scale, explained
from dongcha.sources.simulate import simulate, write

AHEAD: Final = Horizon(90)
IMPOSTORS: Final = "impostors"
PRICE_CLASSES: Final = 10


@dataclass(frozen=True)
class Known:
    """What is known of customers at a cutoff: `table` has customer_id and the axes, `events` their timeline."""

    table: pl.DataFrame
    events: pl.DataFrame

    @classmethod
    def at(cls, shop: Any, as_of: AsOf) -> Known:
        snapshot = Snapshot(shop.lake, as_of)
        return cls(snapshot.features(list(FEATURES)), timeline(snapshot))

    def matrix(self, names: tuple[str, ...] = FEATURES) -> np.ndarray:
        return self.table.select(pl.col(names).fill_null(float("nan"))).to_numpy()

    @property
    def customers(self) -> pl.Series:
        return self.table[c.CUSTOMER_ID]

    def drawn(self, seed: int) -> Known:
        """A bootstrap sample of the customers."""
        rows = np.random.default_rng(seed).integers(0, len(self.table), len(self.table))
        return Known(self.table[rows], self.events)


@dataclass(frozen=True)
class Latent:
    """The autoencoder in the words of the history it learnt from."""

    vocabulary: Vocabulary
    vae: Vae

    @classmethod
    def fit(cls, known: Known, seed: int) -> Latent:
        vocabulary = Vocabulary.fit(known.events)
        return cls(vocabulary, Vae.fit(_timelines(vocabulary, known), known.matrix(), seed=seed))

    def inputs(self, known: Known) -> tuple[Any, np.ndarray]:
        return _timelines(self.vocabulary, known), known.matrix()


def _timelines(vocabulary: Vocabulary, known: Known) -> Any:
    """Row k is what the k-th customer did; a bootstrap sample names some twice, so each gets a name of its own."""
    names = pl.Series(c.CUSTOMER_ID, np.arange(len(known.customers)).astype(str))
    twins = pl.DataFrame({c.CUSTOMER_ID: known.customers, "twin": names})
    events = known.events.join(twins, on=c.CUSTOMER_ID, how="inner", maintain_order="right_left")
    return vocabulary.timelines(events.with_columns(pl.col("twin").alias(c.CUSTOMER_ID)).drop("twin"), names)


Grouping = Callable[[Known], np.ndarray]
CONTENDERS: Final = ("RFM + k-means", "axes + k-means", "latent places", "latent pictures")


def fitted(known: Known, groups: int, seed: int) -> tuple[dict[str, Grouping], Latent]:
    """Each contender's way from what is known to groups, and the latent itself."""
    config = KMeansConfig((groups,), bootstraps=1)
    latent = Latent.fit(known, seed)
    rfm = KMeans.fit(known.matrix(RFM), seed=seed, config=config)
    axes = KMeans.fit(known.matrix(), seed=seed, config=config)
    places = LatentGroups.fit(latent.vae.encode(*latent.inputs(known)), seed=seed, config=config)
    pictures = LatentGroups.fit(latent.vae.picture(*latent.inputs(known)), seed=seed, config=config)
    ways: tuple[Grouping, ...] = (
        lambda some: rfm.predict(some.matrix(RFM)),
        lambda some: axes.predict(some.matrix()),
        lambda some: places.predict(latent.vae.encode(*latent.inputs(some))),
        lambda some: pictures.predict(latent.vae.picture(*latent.inputs(some))),
    )
    return dict(zip(CONTENDERS, ways, strict=True)), latent


def measure(shop: Any, truth: pl.DataFrame | None, groups: int, seed: int) -> dict[str, Any]:
    """Fit everybody four times and compare."""
    now = shop.as_of() - AHEAD
    known, before, after = Known.at(shop, now), Known.at(shop, now - AHEAD), Known.at(shop, shop.as_of())
    started = time.process_time()
    ways, latent = fitted(known, groups, seed)
    seconds = time.process_time() - started
    samples = [fitted(known.drawn(seed + k), groups, seed + k) for k in (1, 2)]
    earlier, _ = fitted(before, groups, seed)
    spend, later, bought = _later(shop, known, after, now)
    axes = Scale.fit(known.matrix()).transform(known.matrix())
    taste = tastes(known.events, known.customers)
    planted = None if truth is None else _beside(known.customers, truth, "group").to_numpy()
    rows = {}
    for name, way in ways.items():
        labels = way(known)
        one, two = (sample[name](known) for sample, _ in samples)
        rows[name] = {
            "again, bootstrap": adjusted_rand(one, two),
            "again, earlier": adjusted_rand(labels, earlier[name](known)),
            "axes": explained(labels, axes),
            "taste": explained(labels, taste),
            "later spend": explained(labels, spend[:, None]),
            "later taste": explained(labels[bought], later[bought]),
        }
        if planted is not None:
            rows[name]["planted"] = adjusted_rand(planted, labels)
    maps = [other.vae.map(*other.inputs(known)) for _, other in samples]
    told = {"customers": len(known.table), "one fit of all, CPU seconds": seconds, "map, alike": _alike(*maps)}
    return {"groups": rows, "told": {**told, **_oddness(latent, known, planted, axes, seed)}}


def _later(shop: Any, known: Known, after: Known, now: AsOf) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log of what each customer spent afterwards, the tastes they showed, and who showed any."""
    happened = purchases(shop.lake, Window.after(now, AHEAD))
    spend = _beside(known.customers, happened, SPEND).cast(pl.Float64).fill_null(0.0).clip(0).log1p().to_numpy()
    events = after.events.filter(pl.col(c.HAPPENED_AT) >= now.moment)
    shown = tastes(events, known.customers)
    return spend, shown, shown.sum(axis=1) > 0


def tastes(events: pl.DataFrame, customers: pl.Series) -> np.ndarray:
    """Shares of each customer's events by category, or by price class where no category is known."""
    sold = events.filter(pl.col(c.PRICE) > 0)
    classes = pl.col(c.PRICE).log(2).floor().clip(-1, PRICE_CLASSES).cast(pl.Int64).cast(pl.String)
    named = sold.with_columns(taste=pl.col(c.CATEGORY) if _mostly_known(sold[c.CATEGORY]) else classes)
    counted = named.filter(pl.col("taste").is_not_null()).group_by(c.CUSTOMER_ID, "taste").len()
    wide = counted.pivot("taste", index=c.CUSTOMER_ID, values="len", sort_columns=True)
    rows = pl.DataFrame({c.CUSTOMER_ID: customers}).join(wide, on=c.CUSTOMER_ID, how="left", maintain_order="left")
    counts = rows.drop(c.CUSTOMER_ID).fill_null(0).to_numpy().astype(np.float64)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _mostly_known(column: pl.Series) -> bool:
    return column.null_count() < len(column) / 2


def _beside(customers: pl.Series, frame: pl.DataFrame, column: str) -> pl.Series:
    rows = pl.DataFrame({c.CUSTOMER_ID: customers})
    return rows.join(frame.select(c.CUSTOMER_ID, column), on=c.CUSTOMER_ID, how="left", maintain_order="left")[column]


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.spatial import procrustes

    return float(1 - procrustes(one.astype(float), other.astype(float))[2])


def _oddness(latent: Latent, known: Known, planted: np.ndarray | None, axes: np.ndarray, seed: int) -> dict[str, float]:
    if planted is None:
        return {}
    from sklearn.ensemble import IsolationForest

    odd = (planted == IMPOSTORS).astype(float)
    forest = -IsolationForest(random_state=seed).fit(axes).score_samples(axes)
    return {
        "impostors": float(odd.sum()),
        "impostors AUC, latent": auc(odd, latent.vae.anomaly(*latent.inputs(known))),
        "impostors AUC, isolation forest": auc(odd, forest),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--customers", type=int, default=4_000)
    parser.add_argument("--groups", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop, truth = _opened(Path(folder), asked.data, asked.customers, asked.seed)
        found = measure(shop, truth, asked.groups, asked.seed)
    if asked.json:
        print(json.dumps(found))
        return
    metrics = list(found["groups"][CONTENDERS[0]])
    print("| groups | " + " | ".join(metrics) + " |\n|---|" + "---|" * len(metrics))
    for name, row in found["groups"].items():
        print(f"| {name} | " + " | ".join(f"{row[metric]:.3f}" for metric in metrics) + " |")
    print()
    for name, value in found["told"].items():
        print(f"{name}: {value:,.3f}" if isinstance(value, float) else f"{name}: {value:,}")


def _opened(folder: Path, data: Path | None, customers: int, seed: int) -> tuple[Any, pl.DataFrame | None]:
    """A shop from the file, or a simulated one with its truth."""
    if data is not None:
        shop = dongcha.new(folder / "shop", currency="GBP", name="Online Retail")
        shop.load_layout("online-retail", data)
        return shop, None
    simulated = simulate(customers, language="en", seed=seed)
    write(simulated, folder / "raw")
    shop = dongcha.new(folder / "shop", language="en")
    for file in sorted((folder / "raw").glob("*.parquet")):
        shop.load(file, file.stem)
    return shop, simulated.secrets.frames["customers"]


if __name__ == "__main__":
    main()
