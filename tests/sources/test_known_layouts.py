"""Public data sets come in whole: every row accounted for, every penny kept."""

from pathlib import Path

import polars as pl
import pytest
from tests.public_data import public_data

import dongcha
from dongcha.as_of import AsOf
from dongcha.assemble import Shop
from dongcha.errors import InputError, UsageError
from dongcha.features.point_in_time import Snapshot


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return dongcha.new(tmp_path / "shop")


def rows_of(shop: Shop, table: str) -> pl.DataFrame:
    return shop.lake.engine.to_polars(shop.lake.engine.read(shop.lake.files(table)))


def accounted(shop: Shop, layout: str, path: Path) -> dict[str, tuple[int, int]]:
    """Table → rows read and rows refused; every report balances."""
    reports = shop.load_layout(layout, path)
    assert all(report.read == report.accepted + report.quarantined for report in reports)
    assert all(report.accepted == shop.lake.rows(report.table) for report in reports)
    return {report.table: (report.read, report.quarantined) for report in reports}


def test_online_retail_comes_in_whole_and_its_buyers_are_the_published_ones(shop: Shop) -> None:
    path = public_data("online_retail_uci/online_retail.parquet")
    assert accounted(shop, "online-retail", path)["orders"] == (541_909, 2_477)
    raw = pl.read_parquet(path).filter(pl.col("UnitPrice") > 0)
    orders = rows_of(shop, "orders")
    value = (orders["quantity"] * orders["price"].cast(pl.Float64)).sum()
    assert value == pytest.approx((raw["Quantity"] * raw["UnitPrice"]).sum(), rel=1e-9)
    assert orders["customer_id"].null_count() > 130_000
    assert len(Snapshot(shop.lake, AsOf.parse("2011-09-10")).features(["orders"])) == 3_370


@pytest.mark.parametrize(("name", "rows"), [("cdnow_master.parquet", 69_659), ("cdnow.parquet", 6_696)])
def test_cdnow_comes_in_whole(shop: Shop, name: str, rows: int) -> None:
    path = public_data(f"clv/{name}")
    assert accounted(shop, "cdnow", path) == {"orders": (rows, 0)}
    raw = pl.read_parquet(path)
    spent = raw["spent" if "spent" in raw.columns else "Price"].sum()
    assert float(rows_of(shop, "orders")["price"].sum()) == pytest.approx(spent, rel=1e-9)


def test_the_complete_journey_keeps_the_value_of_every_line(shop: Shop) -> None:
    path = public_data("complete_journey")
    read = accounted(shop, "complete-journey", path)
    assert read["orders"] == (75_000, 0)
    assert {table: read[table][0] for table in ("products", "customers", "exposures", "outcomes")} == {
        "products": 92_331,
        "customers": 801,
        "exposures": 6_589,
        "outcomes": 2_102,
    }
    orders = rows_of(shop, "orders")
    value = orders["quantity"] * orders["price"].cast(pl.Float64) - orders["discount"].cast(pl.Float64)
    raw = pl.read_parquet(path / "transactions_sample.parquet")
    assert sorted(value.round(2)) == pytest.approx(sorted(raw["sales_value"].round(2)))


def test_olist_comes_in_whole(shop: Shop) -> None:
    read = accounted(shop, "olist", public_data("olist_sample"))
    assert (read["orders"][0], read["reviews"][0], read["products"][0]) == (31_117, 12_809, 32_951)


@pytest.mark.parametrize(
    ("name", "rows"), [("musical_instruments_5core_2014.parquet", 10_261), ("all_beauty_5core_2018.parquet", 5_269)]
)
def test_amazon_reviews_come_in_whole(shop: Shop, name: str, rows: int) -> None:
    assert accounted(shop, "amazon-reviews", public_data(f"amazon_reviews/{name}"))["reviews"][0] == rows


def test_a_wrong_layout_or_file_is_told(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="online-retail"):
        shop.load_layout("online-retale", tmp_path)
    with pytest.raises(InputError, match="is not there"):
        shop.load_layout("cdnow", tmp_path / "nowhere")
    file = tmp_path / "other.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(file)
    with pytest.raises(InputError, match="not laid out as online-retail"):
        shop.load_layout("online-retail", file)
    assert shop.lake.tables() == []


def test_airline_tweets_are_reviews_of_the_airline_they_speak_to(shop: Shop) -> None:
    path = public_data("brand_monitoring/twitter_us_airline_sentiment.parquet")
    assert accounted(shop, "airline-tweets", path) == {"reviews": (14_640, 0)}
    said = rows_of(shop, "reviews")
    assert said["product_id"].drop_nulls().n_unique() == 6
    assert said["product_id"].null_count() == 4
    assert sorted(said["rating"].unique()) == [1.0, 3.0, 5.0]
    assert f"{said['happened_at'].min():%Y-%m-%d %H}" == "2015-02-17 07", "midnight before, on the Pacific coast"
