"""A small shop with every table and answers of every kind, for tests of the serving view and what reads it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from tests.small_shop import CameBack, open_shop, order_lines, put

from dongcha.assemble import Shop
from dongcha.insight_kit.outputs import Group, Ranking, Value, Vector, to_rows
from dongcha.warehouse.ledger import REASONS, RUNS, SCORES
from dongcha.warehouse.tables import table

IDS = ["a", "a/b", "a/recommendations", "c 1", 'o\'brien "x"', "ü?&=#%", "王伟", "z"]
"""In the order of bytes."""
DAY = datetime(2024, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
MADE = datetime(2024, 6, 1, tzinfo=UTC)


class Inclined(CameBack):
    """Numbers, a group, a ranking and a vector about customers."""

    name = "inclined"
    question: ClassVar[dict[str, str]] = {"en": "Who is inclined?", "zh": "谁有意？"}
    yields = (
        Value("inclination", "probability", 0, 1),
        Group("leaning"),
        Ranking("wishes", of="product_id"),
        Vector("direction", size=2),
    )


class Tone(CameBack):
    """How a text sounds."""

    name = "tone"
    entity = "text_id"
    yields = (Value("tone", lowest=-1, highest=1), Group("sounds"))


def rows_of(name: str, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows in the contract's exact schema, null where left out."""
    schema = table(name).schema
    return pl.DataFrame([{k: row.get(k) for k in schema} for row in rows], schema=schema)


def published_shop(folder: Path) -> Shop:
    """Eight customers, one known only by an event and one only by name; answers are written as a job writes them."""
    bought = [
        {
            "order_id": f"o{k}-{n}",
            "line": line,
            "customer_id": customer,
            "product_id": f"p{(k + line) % 3}",
            "price": 9.99 + k,
            "happened_at": DAY + timedelta(days=7 * n + k),
        }
        for k, customer in enumerate(IDS[:6])
        for n in range(k + 8 if k else 1)
        for line in (1, 2)
    ]
    shop = open_shop(folder, order_lines(bought), CameBack(), Inclined(), Tone())
    names = ["Ann Lee", "Béa Müller", None, "Oscar Moore", "Nora O'Brien", "Ünal Öz", "王伟", None]
    known = [
        {
            "customer_id": customer,
            "name": name,
            "email": f"{name.split()[0].lower()}@mail.example" if name and name.isascii() else None,
            "city": "Leeds" if k % 2 else None,
            "country": "GB",
            "birth_date": date(1980 + k, 2, 3),
            "created_at": DAY - timedelta(days=100),
            "happened_at": DAY - timedelta(days=100),
            "consent": True,
        }
        for k, (customer, name) in enumerate(zip(IDS[:7], names, strict=False))
    ]
    put(shop.lake, rows_of("customers", known), "customers")
    products = [{"product_id": f"p{k}", "name": f"Tea {k}", "category": "Tea", "happened_at": DAY} for k in range(2)]
    put(shop.lake, rows_of("products", products), "products")
    said = [
        {
            "review_id": f"r{k}",
            "customer_id": IDS[k % 3],
            "product_id": "p0",
            "rating": 4.0,
            "text": f"Ann Lee says {k}",
            "happened_at": DAY + timedelta(days=k),
        }
        for k in range(20)
    ]
    put(shop.lake, rows_of("reviews", said), "reviews")
    seen = [{"message_id": "e1", "customer_id": "z", "event": "Product Viewed", "product_id": "p1", "happened_at": DAY}]
    put(shop.lake, rows_of("events", seen), "events")
    conclude(shop, "r1")
    return shop


def conclude(shop: Shop, run_id: str, inclination: float = 0.1) -> None:
    """Write answers of both insights into the ledger, as one more run of each."""
    mine = IDS[:5]
    inclined = pl.DataFrame(
        {
            "entity_id": mine,
            "inclination": [inclination + 0.1 * k if k != 2 else None for k in range(5)],
            "leaning": ["left", "right", "left", None, "left"],
            "wishes": [[{"label": "p0", "value": 2.0}, {"label": "p1", "value": 1.0 / 3}] for _ in mine],
            "direction": pl.Series([[0.5, -k / 7] for k in range(5)], dtype=pl.Array(pl.Float64, 2)),
        }
    )
    tone = pl.DataFrame(
        {"entity_id": [f"reviews/r{k}" for k in range(0, 20, 2)], "tone": [0.25] * 10, "sounds": ["good"] * 10}
    )
    reasons = {"entity_id": "a", "rank": 1, "feature": "recency_days", "value": 4.0, "typical": None, "effect": -0.5}
    for name, answer in (("inclined", inclined), ("tone", tone)):
        stamp = {"run_id": f"{name}-{run_id}", "insight": name, "version": "v1", "as_of": MADE, "made_at": shop.clock()}
        marks = [pl.lit(value).alias(k) for k, value in stamp.items()]
        shop.ledger.write(SCORES, to_rows(shop.insights[name].yields, answer).with_columns(marks))
        shop.ledger.write(REASONS, [{**stamp, **reasons}] if name == "inclined" else [])
        shop.ledger.write(RUNS, [{**stamp, "job": "score", "fingerprint": run_id, "rows": len(answer)}])
