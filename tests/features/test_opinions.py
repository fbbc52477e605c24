"""What reviews speak of: product, brand, category and shop, as far as was known by then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.small_shop import put

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.opinions import opinions, rated_mood
from dongcha.features.point_in_time import Snapshot
from dongcha.features.texts import reviews
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import table

DAY = datetime(2024, 1, 1, tzinfo=UTC)


def rows(name: str, *given: dict[str, object]) -> pl.DataFrame:
    schema = table(name).schema
    whole = [dict.fromkeys(schema) | {"happened_at": DAY, "known_at": DAY} | row for row in given]
    return pl.DataFrame(whole, schema=schema)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake", Engine())
    said = (
        {"review_id": "1", "product_id": "p1", "rating": 5.0, "text": "lovely"},
        {"review_id": "2", "product_id": "p1", "rating": 1.0},
        {"review_id": "3", "product_id": "p2", "rating": 3.0, "text": "so so"},
        {"review_id": "4", "rating": 4.0, "text": "nice shop"},
        {"review_id": "5", "product_id": "p1", "text": "later", "happened_at": DAY + timedelta(days=30)},
    )
    put(lake, rows("reviews", *said), "reviews")
    products = (
        {"product_id": "p1", "brand": "Acme", "category": "Tea"},
        {"product_id": "p2", "brand": " ", "category": "Tea"},
        {"product_id": "p3", "brand": "New", "happened_at": DAY + timedelta(days=9)},
    )
    put(lake, rows("products", *products), "products")
    return lake


def spoken_of(lake: Lake, when: datetime) -> dict[str, list[str]]:
    facts = Snapshot(lake, AsOf(when))
    found = opinions(facts, reviews(facts)).group_by(c.SUBJECT_ID, maintain_order=True).agg(c.TEXT_ID)
    return {subject: [name.removeprefix("reviews/") for name in names] for subject, names in found.iter_rows()}


def test_a_review_speaks_of_its_product_its_brand_its_category_and_the_shop(lake: Lake) -> None:
    assert spoken_of(lake, DAY + timedelta(days=2)) == {
        "brand/Acme": ["1", "2"],
        "category/Tea": ["1", "2", "3"],
        "product/p1": ["1", "2"],
        "product/p2": ["3"],
        "shop/all": ["1", "2", "3", "4"],
    }


def test_later_reviews_are_not_there_yet(lake: Lake) -> None:
    assert spoken_of(lake, DAY + timedelta(days=31))["product/p1"] == ["1", "2", "5"]


def test_a_rating_alone_counts_and_has_no_words(lake: Lake) -> None:
    facts = Snapshot(lake, AsOf(DAY + timedelta(days=2)))
    silent = reviews(facts).filter(pl.col(c.RATING) == 1)
    assert silent[c.TEXT].str.strip_chars().to_list() == [""]


def test_without_products_there_are_products_by_id_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", Engine())
    put(lake, rows("reviews", {"review_id": "1", "product_id": "p1", "rating": 5.0}), "reviews")
    assert set(spoken_of(lake, DAY + timedelta(days=1))) == {"product/p1", "shop/all"}


@pytest.mark.parametrize(
    ("best", "ratings", "moods"), [(5.0, [1, 3, 5, 0], [-1, 0, 1, -1]), (1.0, [0, 1], [-1, 1]), (4.0, [2.5], [0])]
)
def test_ratings_are_moods_from_worst_to_best(best: float, ratings: list[float], moods: list[float]) -> None:
    frame = pl.DataFrame({c.RATING: [float(rating) for rating in ratings]})
    assert frame.select(rated_mood(best)).to_series().to_list() == moods
