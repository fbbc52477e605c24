"""A small shop in which every insight has answered, for tests of faces: the answers are drawn, not learnt."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.small_shop import START, order_lines, put

import dongcha
from dongcha.as_of import AsOf
from dongcha.assemble import Shop
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.outputs import Output, to_rows
from dongcha.warehouse.ledger import AUDIT, CARDS, REASONS, RUNS, SCORES
from dongcha.warehouse.tables import table

CUSTOMERS, PRODUCTS, DAYS = 30, 8, 300
NASTY = '<img src=x onerror="document.title=1">'
GROUPS = {
    "segment": ("active, new", "slipping, long-standing"),
    "mood_alert": ("steady", "falling"),
    "mood": ("positive",),
}
MADE_AT = datetime(2024, 1, 1, tzinfo=UTC)


def rows(name: str, content: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Rows in the table's exact schema; what is left out is null, and all happens at the start unless it says when."""
    schema = table(name).schema
    whole = [{"happened_at": START, "known_at": START, **row} for row in content]
    frame = pl.DataFrame(whole, infer_schema_length=None)
    missing = [pl.lit(None).alias(k) for k in schema if k not in frame.columns]
    return frame.with_columns(missing).select(pl.col(k).cast(t) for k, t in schema.items())


def told_shop(folder: Path) -> Shop:
    """Orders, customers, products, events, reviews and pages; and an answer, reasons and a card of every insight."""
    shop = dongcha.new(folder, name="Willow & Rye", currency="GBP")
    rng = np.random.default_rng(7)
    orders = [
        {
            "order_id": f"o{k:03}-{n}", "customer_id": f"c{k:03}", "product_id": f"p{(k + n) % PRODUCTS}",
            "currency": "GBP", "price": round(float(rng.lognormal(3, 0.5)), 2),
            "happened_at": START + timedelta(days=float(day)),
        }
        for k in range(CUSTOMERS)
        for n, day in enumerate(np.sort(rng.uniform(0, DAYS if k % 2 else 120, 1 + k % 5)))
    ]  # fmt: skip
    last = {"order_id": "last", "customer_id": "c000", "product_id": "p0", "currency": "GBP", "price": 9.0}
    put(shop.lake, order_lines([*orders, {**last, "happened_at": START + timedelta(days=DAYS)}]))
    people = [
        {"customer_id": f"c{k:03}", "name": f"Ann Number{k}", "email": f"ann{k}@example.org",
         "phone": f"+44 7000 0000{k:02}", "city": "Leeds", "country": "GB", "created_at": START}
        for k in range(CUSTOMERS)
    ]  # fmt: skip
    people[3]["name"] = NASTY
    goods = [
        {"product_id": f"p{k}", "name": f"Mug {k}" if k else NASTY, "category": "Kitchen"} for k in range(PRODUCTS)
    ]
    events = [
        {"message_id": f"e{k}", "customer_id": f"c{k % CUSTOMERS:03}", "product_id": "p1", "event": event,
         "happened_at": START + timedelta(days=DAYS - 5)}
        for k, event in enumerate(["Product Viewed"] * 20 + ["Product Added"] * 15)
    ]  # fmt: skip
    said = [
        {"review_id": f"v{k}", "customer_id": f"c{k:03}", "product_id": f"p{k % PRODUCTS}", "rating": float(1 + k % 5),
         "text": f"The delivery was {'late' if k % 2 else 'fast'}. Regards, Ann Number{k}, ann{k}@example.org",
         "happened_at": START + timedelta(days=200 + k)}
        for k in range(CUSTOMERS)
    ]  # fmt: skip
    pages = [{"document_id": "d1", "title": "Returns", "text": "You can return anything within 30 days. Post is free.",
              "url": "https://shop.example/returns"}]  # fmt: skip
    told = {"customers": people, "products": goods, "events": events, "reviews": said, "documents": pages}
    for name, content in told.items():
        put(shop.lake, rows(name, content), name)
    runs = [(insight, shop.as_of()) for insight in shop.insights]
    runs.append((shop.insights["segmentation"], shop.as_of() - shop.desk.plan.horizon))
    written: dict[str, list[pl.DataFrame]] = {name: [] for name in (SCORES, REASONS, CARDS, AUDIT, RUNS)}
    for insight, as_of in runs:
        for name, frame in _answer(insight, as_of, rng).items():
            written[name].append(frame)
    for name, frames in written.items():
        shop.ledger.write(name, pl.concat(frames))
    return shop


def _answer(insight: Insight, as_of: AsOf, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Ledger table → its rows, as a run would write them. Moods have no champion, so that questions find no model."""
    entities = {
        "customer_id": [f"c{k:03}" for k in range(CUSTOMERS)],
        "text_id": [f"reviews/v{k}" for k in range(CUSTOMERS)],
        "order_id": [f"o{k:03}-0" for k in range(CUSTOMERS)],
        "subject_id": ["shop/all", "category/Kitchen", *(f"product/p{k}" for k in range(PRODUCTS))],
    }[insight.entity]
    answer = pl.DataFrame({"entity_id": entities})
    answer = answer.with_columns(_column(output, len(entities), rng) for output in insight.yields)
    run = {"run_id": f"{insight.name}-{as_of}", "insight": insight.name, "version": "v1", "as_of": as_of.moment,
           "made_at": MADE_AT}  # fmt: skip
    feature = {"customer_id": "recency_days", "order_id": "order_value"}.get(insight.entity, "delivery")
    why = {"rank": 1, "feature": feature, "value": 41.0, "typical": 20.0, "effect": 0.3}
    promoted = {"insight": insight.name, "made_at": MADE_AT, "actor": "ann", "action": "promote", "version": "v1",
                "why": "It beats the baseline."}  # fmt: skip
    return {
        SCORES: to_rows(insight.yields, answer).with_columns(pl.lit(v).alias(k) for k, v in run.items()),
        REASONS: pl.DataFrame([{**run, **why, "entity_id": entity} for entity in entities]),
        CARDS: pl.DataFrame([{**run, "version": version, "card": _card(insight, version)} for version in ("v1", "v2")]),
        AUDIT: pl.DataFrame([promoted] if insight.name != "sentiment" else [], schema=list(promoted)).cast(
            {k: pl.String for k in promoted if k != "made_at"} | {"made_at": pl.Datetime("us", "UTC")}
        ),
        RUNS: pl.DataFrame([{**run, "job": "score", "rows": len(entities)}]),
    }


def _column(output: Output, n: int, rng: np.random.Generator) -> pl.Series:
    low = output.lowest if output.lowest is not None else -3.0
    high = output.highest if output.highest is not None else 100.0
    numbers = rng.uniform(low, high, n)
    if output.kind == "value":
        return pl.Series(output.name, numbers)
    if output.kind == "group":
        kinds = GROUPS.get(output.name, ("#1 delivery, late", "#2 mugs, nice"))
        return pl.Series(output.name, [kinds[k % len(kinds)] for k in range(n)])
    if output.kind == "vector":
        return pl.Series(output.name, rng.normal(size=(n, output.dtype.shape[0])), output.dtype)  # type: ignore[attr-defined]
    labels = [f"p{k}" for k in range(4)] if getattr(output, "of", "") else ["delivery", "quality", "price", "size"]
    if output.kind == "series":
        labels = [f"2023-0{month}-01T00:00:00" for month in range(1, 7)]
    pairs = [[{"label": label, "value": float(rng.uniform(low, min(high, 20)))} for label in labels] for _ in range(n)]
    return pl.Series(output.name, pairs, output.dtype)


def _card(insight: Insight, version: str) -> str:
    names = [k.name for k in insight.contenders()]
    metrics = {name: {m.name: 0.5 + place / 10 for m in insight.judged_by} for place, name in enumerate(names)}
    folds = [{"fold": k, "as_of": f"2023-0{k}-01", "n": CUSTOMERS, "metrics": metrics} for k in (4, 5)]
    tenths = [{"rows": 3, "forecast": k / 10, "actual": k / 12} for k in range(10)]
    quality = {
        "as_of": "2023-05-01",
        "calibration": tenths,
        "drift": [{"feature": "recency_days", "stability_index": 0.4}],
    }
    card = {
        "insight": insight.name, "version": version, "contender": names[0], "beats_baseline": True, "folds": folds,
        "headline": insight.headline.name, "as_of": "2023-10-28", "made_at": "2024-01-01", "seed": 7,
        "why": "It beats the baseline.", "horizon_days": 90, "dongcha": "0.1.0",
        "trained_on": [{"as_of": "2023-03-01", "n": 9}], "mean_metrics": metrics, "quality": quality,
        "limits": insight.limits,
    }  # fmt: skip
    return json.dumps(card)
