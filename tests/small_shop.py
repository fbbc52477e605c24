"""A small shop made by hand of numbers, and the smallest insight, for tests of the machinery around insights."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

import dongcha
from dongcha.assemble import Shop
from dongcha.features.labels import purchases
from dongcha.insight_kit.base import Insight, Metric, Needs
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import Value
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import table

START = datetime(2023, 1, 1, tzinfo=UTC)


def order_lines(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Order lines in the contract's exact schema; what a row leaves out is sensible or null."""
    schema = table("orders").schema
    whole = [{"line": 1, "product_id": "p", "quantity": 1.0, "price": 10.0, **row} for row in rows]
    frame = pl.DataFrame(whole).with_columns(pl.col("happened_at").cast(schema["happened_at"]))
    if "known_at" not in frame.columns:
        frame = frame.with_columns(known_at="happened_at")
    missing = [pl.lit(None).alias(k) for k in schema if k not in frame.columns]
    return frame.with_columns(missing).select(pl.col(k).cast(t) for k, t in schema.items())


def put(lake: Lake, frame: pl.DataFrame, name: str = "orders") -> None:
    """Commit rows to the lake."""
    lake.folder.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=lake.folder)) / "staged.parquet"
    frame.write_parquet(staged)
    lake.commit(name, [staged])


def seeded_orders(customers: int = 120, days: int = 300, seed: int = 1) -> pl.DataFrame:
    """Customers who each buy at their own pace; half of them stop somewhere."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        gap, end = rng.gamma(2, 15), days if k % 2 else rng.uniform(30, days)
        moment, n = rng.uniform(0, 60), 0
        while moment < end:
            price = round(float(rng.lognormal(3, 0.5)), 2)
            happened = START + timedelta(days=float(moment))
            rows.append({"order_id": f"{k}-{n}", "customer_id": f"c{k:03}", "price": price, "happened_at": happened})
            moment, n = moment + rng.exponential(gap), n + 1
    return order_lines(rows)


def open_shop(folder: Path, orders: pl.DataFrame | None = None, *insights: Insight, folds: int = 2) -> Shop:
    """A workspace with these orders; with insights given, those alone."""
    shop = dongcha.new(folder)
    text = (folder / "dongcha.toml").read_text("utf-8")
    text = text.replace("horizon_days = 90", "horizon_days = 40").replace("folds = 4", f"folds = {folds}")
    (folder / "dongcha.toml").write_text(text, "utf-8")
    if insights:
        shop.insights._insights = {insight.name: insight for insight in insights}
    put(shop.lake, seeded_orders() if orders is None else orders)
    return shop


class Rate(Contender):
    """Says of everyone what share of past customers bought again, plus a push."""

    name = "rate"
    role = Role.BASELINE
    push = 0.0

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.rate = float(np.mean(np.concatenate([example.label("came_back") for example in past])))

    def predict(self, facts: Facts) -> pl.DataFrame:
        guess = np.clip(self.rate + self.push * (facts.column("recency_days") < 40), 0, 1)
        return facts.features.select("entity_id").with_columns(came_back_probability=pl.Series(guess))

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        return ("recency_days",), (facts.column("recency_days")[:, None] < 40) * self.push

    def save(self, folder: Path) -> None:
        (folder / "rate.txt").write_text(repr(self.rate), "utf-8")

    def load(self, folder: Path) -> None:
        self.rate = float((folder / "rate.txt").read_text("utf-8"))


class Recent(Rate):
    """Knows that recent customers come back more often."""

    name = "recent"
    role = Role.CANDIDATE
    push = 0.3


class Contrary(Rate):
    """Believes the opposite of what is so."""

    name = "contrary"
    role = Role.CANDIDATE
    push = -0.3


class CameBack(Insight):
    """The smallest insight: who will buy again?"""

    name = "came_back"
    question: ClassVar[dict[str, str]] = {"en": "Who will buy again?", "zh": "谁会再来买？"}
    needs = Needs(("orders",), ("recency_days", "orders"), purchases)
    yields = (Value("came_back_probability", "probability", 0, 1),)
    judged_by = (Metric("brier", more_is_better=False),)
    kinds: tuple[type[Rate], ...] = (Recent, Rate)

    def contenders(self) -> tuple[Contender, ...]:
        return tuple(kind() for kind in self.kinds)

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        bought = facts.entities.is_in(happened["customer_id"].implode())
        return pl.DataFrame({"came_back": bought.cast(pl.Float64)})

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        guess = answer["came_back_probability"].to_numpy()
        return {"brier": float(np.mean((guess - example.label("came_back")) ** 2))}


class Hopeless(CameBack):
    """The same question with no candidate that beats the baseline."""

    kinds = (Contrary, Rate)


class NeedsReviews(CameBack):
    """The same question, asked of a table that is not there."""

    name = "needs_reviews"
    needs = Needs(("orders", "reviews"), ("recency_days",), purchases)
    yields = (Value("other_probability", "probability", 0, 1),)
