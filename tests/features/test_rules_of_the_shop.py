"""What counts: purchases, returns, gifts, moments at the edge; and what a snapshot can and cannot tell."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from small_shops import AS_OF, ENGINE, a_lake, frame, line, told

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.errors import MissingDataError
from dongcha.features import declare as kit
from dongcha.features.declare import Unit, catalogue, declare
from dongcha.features.grains import baskets
from dongcha.features.labels import purchases, span
from dongcha.features.point_in_time import Snapshot
from dongcha.warehouse.lake import Lake

NOON = AsOf.parse("2023-05-17T12:00:00")


def facts(folder: Path, *lines: dict[str, object], as_of: AsOf = AS_OF) -> dict[str, dict[str, float | None]]:
    """Customer → feature → value."""
    rows = told(folder, {c.ORDERS: list(lines)}, as_of=as_of).iter_rows(named=True)
    return {row[c.CUSTOMER_ID]: row for row in rows}


def test_a_returned_order_is_not_revenue(tmp_path: Path) -> None:
    a = facts(tmp_path, line("a", "2023-01-01"), line("a", "2023-01-09", quantity=-1.0, status="cancelled"))["a"]
    assert (a["orders"], a["spend"], a["returned_value"], a["net_spend"]) == (1, 10, 10, 0)


def test_an_order_whose_status_says_returned_is_not_revenue_either(tmp_path: Path) -> None:
    a = facts(tmp_path, line("a", "2023-01-01", status="Returned"))["a"]
    assert (a["orders"], a["returns"], a["net_spend"], a["return_share"]) == (1, 1, 0, 1)


def test_a_discount_that_was_given_is_not_given_back(tmp_path: Path) -> None:
    bought, back = line("a", "2023-01-01", discount=2), line("a", "2023-01-09", quantity=-1.0, discount=2)
    assert facts(tmp_path, bought, back)["a"]["net_spend"] == 0


def test_a_cancelled_order_is_no_purchase(tmp_path: Path) -> None:
    told = facts(tmp_path, line("a", "2023-01-01", status="CANCELLED"), line("b", "2023-01-01", status="shipped"))
    assert set(told) == {"b"}


def test_a_customer_who_only_brought_things_back_is_no_buyer(tmp_path: Path) -> None:
    assert facts(tmp_path, line("a", "2023-01-01", quantity=-1.0)) == {}


def test_a_free_order_is_an_order_that_brought_nothing_in(tmp_path: Path) -> None:
    told = facts(tmp_path, line("a", "2023-01-01"), line("a", "2023-02-01", price=0), line("b", "2023-02-01", price=0))
    assert set(told) == {"a", "b"}
    assert (told["a"]["orders"], told["a"]["gift_items"], told["b"]["spend"]) == (2, 1, 0)


def test_a_sale_to_nobody_known_is_nobodys_feature(tmp_path: Path) -> None:
    assert facts(tmp_path, line(None, "2023-01-01")) == {}


def test_the_moment_of_an_order_is_that_of_its_first_line(tmp_path: Path) -> None:
    early, late = line("a", "2023-05-07T12:00:00", order="1"), line("a", "2023-05-09T12:00:00", order="1", line=2)
    a = facts(tmp_path, late, early, as_of=NOON)["a"]
    assert (a["orders"], a["recency_days"], a["items"]) == (1, 10, 2)


def test_what_happens_at_the_very_cutoff_is_not_seen(tmp_path: Path) -> None:
    at = line("a", "2023-05-17T12:00:00")
    just_before = line("b", "2023-05-17T11:59:59.999999")
    assert set(facts(tmp_path, at, just_before, as_of=NOON)) == {"b"}


def test_what_is_learnt_at_the_very_cutoff_is_known(tmp_path: Path) -> None:
    known = line("a", "2023-05-01", known_at=NOON.moment)
    learnt_later = line("b", "2023-05-01", known_at=NOON.moment + timedelta(microseconds=1))
    assert set(facts(tmp_path, known, learnt_later, as_of=NOON)) == {"a"}


def test_a_time_of_another_zone_is_the_same_moment(tmp_path: Path) -> None:
    shanghai, utc = line("a", "2023-05-17T07:59:00+08:00"), line("b", "2023-05-16T23:59:00")
    noon = AsOf.parse("2023-05-17T20:00:00+08:00")
    told = facts(tmp_path, shanghai, utc, as_of=noon)
    assert told["a"]["recency_days"] == told["b"]["recency_days"] == pytest.approx(721 / 1440, abs=1e-6)
    assert told["a"]["age_days"] == 1


def test_the_machines_own_zone_changes_nothing(tmp_path: Path) -> None:
    shop = [line("a", "2023-05-01T23:30:00"), line("a", "2023-05-06T00:30:00")]
    before = facts(tmp_path, *shop)
    ENGINE.connection.raw_sql("SET TimeZone = 'Asia/Shanghai'")
    try:
        assert facts(tmp_path, *shop) == before
    finally:
        ENGINE.connection.raw_sql("SET TimeZone = 'UTC'")


def test_two_orders_of_a_day_are_no_gap(tmp_path: Path) -> None:
    days = ("2023-05-01T09:00:00", "2023-05-01T18:00:00", "2023-05-06")
    a = facts(tmp_path, *(line("a", day) for day in days))["a"]
    assert (a["orders"], a["purchase_days"], a["mean_gap_days"], a["std_gap_days"]) == (3, 2, 5, None)


def test_who_was_no_customer_a_year_ago_has_no_same_season(tmp_path: Path) -> None:
    told = facts(tmp_path, line("new", "2023-01-01"), line("old", "2021-06-01"))
    assert (told["new"]["same_season_orders"], told["old"]["same_season_orders"]) == (None, 0)


# -- what a snapshot can tell


def test_features_without_their_table_are_left_out(tmp_path: Path) -> None:
    snapshot = Snapshot(a_lake(tmp_path, {c.ORDERS: [line("a", "2023-01-01")]}), AS_OF)
    assert snapshot.available(["spend", "events_30d", "seen_after_order_days", "orders"]) == ["spend", "orders"]


def test_asking_for_them_names_the_table(tmp_path: Path) -> None:
    snapshot = Snapshot(a_lake(tmp_path, {c.ORDERS: [line("a", "2023-01-01")]}), AS_OF)
    with pytest.raises(MissingDataError, match="'seen_after_order_days' is told from the table 'events'"):
        snapshot.features(["seen_after_order_days"])
    with pytest.raises(MissingDataError, match="--as products"):
        snapshot.table(c.PRODUCTS)


def test_a_buyer_without_events_did_nothing(tmp_path: Path) -> None:
    shop = {c.ORDERS: [line("a", "2023-01-01")], c.EVENTS: []}
    assert told(tmp_path, shop, "events_30d", "last_event_days").row(0) == ("a", 0.0, None)


def test_a_shop_whose_every_row_was_erased_has_no_buyers(tmp_path: Path) -> None:
    lake = a_lake(tmp_path, {c.ORDERS: [], c.EVENTS: []})
    assert Snapshot(lake, AS_OF).features(["spend", "events_30d"]).rows() == []
    assert purchases(lake, WINDOW).rows() == []


def test_columns_come_as_asked_and_customers_sorted(tmp_path: Path) -> None:
    table = told(tmp_path, {c.ORDERS: [line("b", "2023-01-01"), line("a", "2023-01-01")]}, "spend", "recency_days")
    assert table.schema == {c.CUSTOMER_ID: pl.String, "spend": pl.Float64, "recency_days": pl.Float64}
    assert table[c.CUSTOMER_ID].to_list() == ["a", "b"]


def test_an_outsiders_feature_is_computed_like_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "_DECLARED", dict(catalogue()))
    words = ("Items in the largest order", "{value} items")
    declare("largest_order_items", baskets, Unit.ITEMS, lambda b: b.items.max(), en=words, zh=words)
    shop = {c.ORDERS: [line("a", "2023-01-01", quantity=3.0), line("a", "2023-01-02")]}
    assert told(tmp_path, shop, "largest_order_items")["largest_order_items"].to_list() == [3.0]


def test_a_snapshot_keeps_to_the_versions_it_was_made_of(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", ENGINE)
    _load(lake, tmp_path, line("a", "2023-01-01"))
    earlier = Snapshot(lake, AS_OF)
    _load(lake, tmp_path, line("b", "2023-01-01"))
    assert earlier.features(["spend"])[c.CUSTOMER_ID].to_list() == ["a"]
    assert Snapshot(lake, AS_OF, earlier.versions).features(["spend"]).height == 1
    assert Snapshot(lake, AS_OF).features(["spend"]).height == 2


def _load(lake: Lake, folder: Path, *lines: dict[str, object]) -> None:
    frame(c.ORDERS, lines).write_parquet(folder / "staged.parquet")
    lake.commit(c.ORDERS, [folder / "staged.parquet"])


# -- labels

WINDOW = Window.after(NOON, Horizon(90))


def bought(folder: Path, *lines: dict[str, object], known_by: AsOf | None = None) -> dict[str, tuple[object, ...]]:
    """Customer → orders, spend, net spend in the window."""
    rows = purchases(cast(Lake, a_lake(folder, {c.ORDERS: list(lines)})), WINDOW, known_by=known_by).rows()
    return {row[0]: row[1:] for row in rows}


def test_a_window_has_its_start_and_not_its_end(tmp_path: Path) -> None:
    start, end = line("a", "2023-05-17T12:00:00"), line("b", "2023-08-15T12:00:00")
    last = line("c", "2023-08-15T11:59:59.999999")
    before = line("d", "2023-05-17T11:59:59.999999")
    assert set(bought(tmp_path, start, end, last, before)) == {"a", "c"}


def test_no_moment_is_both_fact_and_label(tmp_path: Path) -> None:
    lines = [line("a", f"2023-05-17T{hour}") for hour in ("11:59:59.999999", "12:00:00", "12:00:00.000001")]
    seen = facts(tmp_path, *lines, as_of=NOON)["a"]["orders"]
    assert (seen, bought(tmp_path, *lines)["a"][0]) == (1, 2)


def test_what_came_back_is_taken_from_net_spend_only(tmp_path: Path) -> None:
    sale = line("a", "2023-06-01", quantity=3.0, discount=4)
    back = line("a", "2023-06-09", quantity=-1.0)
    assert bought(tmp_path, sale, back)["a"] == (1, 26.0, 16.0)


def test_who_bought_nothing_in_the_window_is_not_in_the_label(tmp_path: Path) -> None:
    cancelled = line("b", "2023-06-01", status="cancelled")
    assert bought(tmp_path, cancelled, line("c", "2023-06-01", quantity=-1.0)) == {}


def test_a_label_leaves_out_what_was_learnt_too_late(tmp_path: Path) -> None:
    late = line("a", "2023-06-01", known_at=datetime(2023, 9, 1, tzinfo=UTC))
    assert set(bought(tmp_path, late)) == {"a"}
    assert bought(tmp_path, late, known_by=WINDOW.end) == {}


def test_the_span_of_a_table_is_its_first_and_last_moment(tmp_path: Path) -> None:
    lake = a_lake(tmp_path, {c.ORDERS: [line("a", "2023-01-01"), line(None, "2023-06-01")]})
    assert span(lake) == (datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC))
    with pytest.raises(MissingDataError, match="'orders' is empty"):
        span(a_lake(tmp_path, {c.ORDERS: []}))
