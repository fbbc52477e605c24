"""Publishing: what the view says of everybody is what a profile says of one; only what changed is published again."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.published_shop import DAY, IDS, conclude, published_shop
from tests.small_shop import open_shop, order_lines, put

import dongcha
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.errors import MissingDataError, UnknownError
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sequence import timeline
from dongcha.jobs import publish
from dongcha.profiles.change import by_month, what_changed
from dongcha.profiles.orders import orders_of
from dongcha.profiles.pages import FRAMES, read_page, told_pages
from dongcha.profiles.retention import cohorts, repeats


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = published_shop(tmp_path_factory.mktemp("w") / "shop")
    made.publish()
    return made


@pytest.mark.parametrize("customer", IDS)
def test_the_view_holds_what_a_profile_tells(shop: Shop, customer: str) -> None:
    found = shop.profile(customer)
    assert found.pop("story")["who"]
    assert shop.view.get(customer) == found


def test_a_portrait_holds_answers_of_every_kind_and_what_is_said_of_texts(shop: Shop) -> None:
    found = shop.view.get("a")
    assert found is not None
    assert found["insights"][0]["answer"]["direction"] == [0.5, 0.0]
    assert found["insights"][0]["reasons"][0]["effect"] == -0.5
    assert [text["sounds"] for text in found["texts"]] == ["good", None, "good", None, "good"]
    assert [order["lines"] for order in found["orders"]] == [2]
    assert shop.view.get("z")["customer"] == {}  # type: ignore[index]


def test_the_latest_events_are_the_timelines_last(shop: Shop) -> None:
    events = timeline(Snapshot(shop.lake, shop.as_of()))
    for customer in IDS:
        mine = events.filter(customer_id=customer).drop("customer_id").to_dicts()
        assert shop.view.timeline(customer) == mine[-200:]
        assert shop.view.timeline(customer, 2) == mine[-2:]
    assert shop.view.timeline("nobody") is None


def test_how_many_are_portrayed_at_once_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {customer: (shop.view.get(customer), shop.view.timeline(customer)) for customer in IDS}
    monkeypatch.setattr(publish, "AT_A_TIME", 3)
    assert shop.publish(again=True).customers == len(IDS)
    assert {customer: (shop.view.get(customer), shop.view.timeline(customer)) for customer in IDS} == whole
    assert len(shop.view.answers("tone")[0]) == 10


def test_the_shop_in_numbers(shop: Shop) -> None:
    told = shop.view.overview
    assert (told["customers"], told["buyers"]) == (8, 6)
    assert told["means"]["inclination"] == pytest.approx((0.1 + 0.2 + 0.4 + 0.5) / 4)
    assert told["counts"]["leaning"] == [{"group": "left", "customers": 3}, {"group": "right", "customers": 1}]
    orders = [shop.view.get(customer)["summary"].get("spend", 0) for customer in IDS]  # type: ignore[index]
    assert sum(month["revenue"] for month in told["revenue_by_month"]) == pytest.approx(sum(orders))
    assert {row["table"]: row["rows"] for row in told["freshness"]}["reviews"] == 20
    assert shop.view.groups("inclined")[0]["size"] == 3  # type: ignore[index]
    assert (shop.view.products["p0"]["name"], shop.view.product_names.get("p2")) == ("Tea 0", None)


def test_pages_are_told_as_they_would_be_worked_out(shop: Shop) -> None:
    facts, horizon, zone = Snapshot(shop.lake, shop.as_of()), shop.desk.plan.horizon, shop.settings.zone
    orders = orders_of(facts)
    for name, expected in (
        ("months", by_month(orders, facts.as_of, zone)),
        ("change", pl.DataFrame([what_changed(orders, facts.as_of, horizon)])),
        ("cohorts", cohorts(orders, facts.as_of, zone)),
        ("repeats", repeats(orders)),
    ):
        assert_frame_equal(read_page(shop.view.page(name)), expected)
    assert set(FRAMES) <= {name for name in (*FRAMES, "alerts") if shop.view.page(name) is not None}
    assert shop.view.page("alerts") is None


def test_a_shop_without_orders_has_no_pages(tmp_path: Path) -> None:
    shop = dongcha.new(tmp_path)
    assert told_pages(Snapshot(shop.lake, AsOf.parse("2024-01-01")), Horizon(90), shop.settings.zone) == {}


def test_only_what_is_new_is_published(tmp_path: Path) -> None:
    shop = published_shop(tmp_path / "shop")
    first = shop.publish()
    assert not first.unchanged
    assert (shop.publish().unchanged, shop.view.run) == (True, first.run)
    conclude(shop, "r2", inclination=0.3)
    assert not shop.publish().unchanged
    assert shop.view.answer("inclined", "a")["answer"]["inclination"] == 0.3  # type: ignore[index]
    put(shop.lake, order_lines([{"order_id": "n", "customer_id": "new", "happened_at": DAY + timedelta(days=9)}]))
    shop.publish()
    assert shop.view.get("new")["summary"]["orders"] == 1  # type: ignore[index]


def test_a_shop_whose_customers_nobody_knows_has_a_view_too(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", order_lines([{"order_id": "o", "happened_at": DAY, "customer_id": None}]))
    assert shop.publish().customers == 0
    assert (shop.view.search().total, shop.view.get("a")) == (0, None)


def test_without_a_view_or_a_customer_it_says_so(tmp_path: Path) -> None:
    shop = published_shop(tmp_path / "shop")
    with pytest.raises(MissingDataError, match="dongcha publish"):
        shop.view.get("a")
    with pytest.raises(UnknownError, match="nobody"):
        shop.profile("nobody")
