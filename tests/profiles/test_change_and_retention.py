"""Months, what changed, cohorts, lives and funnels: known answers, and that the parts make the whole."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.small_shop import START, open_shop, order_lines, put

from dongcha.as_of import AsOf, Horizon
from dongcha.features.point_in_time import Snapshot
from dongcha.profiles.change import by_month, what_changed
from dongcha.profiles.orders import ORDERS, orders_of
from dongcha.profiles.retention import cohorts, funnel, lifetimes, repeats, shopping_funnel, survival

ZONE = ZoneInfo("UTC")
AS_OF = AsOf.parse("2023-04-01")


def orders(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """(customer, day, spend) as orders."""
    made = [
        (customer, f"o{k}", datetime.fromisoformat(day).replace(tzinfo=UTC), spend)
        for k, (customer, day, spend) in enumerate(rows)
    ]
    return pl.DataFrame(made, schema=ORDERS, orient="row")


def test_a_month_without_an_order_is_zero_and_a_cut_month_is_marked() -> None:
    found = by_month(orders(("a", "2023-01-05", 10), ("b", "2023-01-06", 5), ("a", "2023-03-20", 7)),
                     AsOf.parse("2023-03-25"), ZONE)  # fmt: skip
    assert found.select("month", "orders", "revenue", "customers", "new", "whole").rows() == [
        (date(2023, 1, 1), 2, 15.0, 2, 2, True),
        (date(2023, 2, 1), 0, 0.0, 0, 0, True),
        (date(2023, 3, 1), 1, 7.0, 1, 0, False),
    ]


def test_a_month_is_of_the_shops_own_calendar() -> None:
    late = orders(("a", "2023-01-31T20:00:00", 1.0))
    assert by_month(late, AS_OF, ZoneInfo("Asia/Shanghai"))["month"].to_list() == [date(2023, 2, 1)]


def test_no_orders_are_no_months() -> None:
    assert by_month(orders(), AS_OF, ZONE).is_empty()
    assert cohorts(orders(), AS_OF, ZONE).is_empty()


def test_what_changed_names_the_new_the_lost_and_those_who_came_back() -> None:
    found = what_changed(
        orders(
            ("kept", "2023-02-10", 10), ("kept", "2023-03-10", 12), ("kept", "2023-03-11", 12),
            ("lost", "2023-02-11", 30),
            ("back", "2022-06-01", 99), ("back", "2023-03-05", 7),
            ("new", "2023-03-06", 5),
        ),
        AS_OF, Horizon(30),
    )  # fmt: skip
    assert (found.before, found.now) == (40.0, 36.0)
    assert (found.new, found.back, found.lost) == (5.0, 7.0, -30.0)
    assert (found.frequency, found.basket) == (10.0, 4.0)
    assert (found.new_customers, found.back_customers, found.lost_customers, found.kept_customers) == (1, 1, 1, 1)


placed = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(0, 89), st.floats(0, 1e4, allow_nan=False)), max_size=30
)


@given(placed)
def test_the_parts_of_a_change_add_up_to_it(rows: list[tuple[str, int, float]]) -> None:
    made = [(who, (START + timedelta(days=day)).isoformat()[:10], spend) for who, day, spend in rows]
    found = what_changed(orders(*made), AS_OF, Horizon(30))
    parts = found.new + found.back + found.lost + found.frequency + found.basket
    assert parts == pytest.approx(found.now - found.before, abs=1e-6)


def test_a_cohort_is_followed_month_by_month_and_the_cut_month_is_left_out() -> None:
    found = cohorts(
        orders(("a", "2023-01-05", 1), ("b", "2023-01-09", 1), ("a", "2023-03-05", 1), ("c", "2023-02-01", 1),
               ("a", "2023-04-02", 1)),
        AsOf.parse("2023-04-10"), ZONE,
    )  # fmt: skip
    assert found.select("cohort", "after", "size", "customers").rows() == [
        (date(2023, 1, 1), 0, 2, 2), (date(2023, 1, 1), 1, 2, 0), (date(2023, 1, 1), 2, 2, 1),
        (date(2023, 2, 1), 0, 1, 1), (date(2023, 2, 1), 1, 1, 0),
    ]  # fmt: skip
    assert found["share"].to_list() == [1.0, 0.0, 0.5, 1.0, 0.0]


def test_a_life_ends_with_the_last_order_once_silence_has_passed() -> None:
    found = lifetimes(
        orders(("a", "2023-01-01", 1), ("a", "2023-01-11", 1), ("b", "2023-03-22", 1)), AS_OF, Horizon(30)
    )
    assert found.rows() == [("a", 10.0, True), ("b", 10.0, False)]


def test_kaplan_and_meier_by_hand() -> None:
    """The leukaemia patients on 6-MP of Freireich et al. (1963), the example of every textbook of survival."""
    ended_at = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    still = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = survival(np.array([*ended_at, *still], float), np.array([True] * 9 + [False] * 12))
    assert found["days"].to_list() == [0, 6, 7, 10, 13, 16, 22, 23]
    assert found["at_risk"].to_list() == [21, 21, 17, 15, 12, 11, 7, 6]
    assert found["share"].round(4).to_list() == [1, 0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    inside = found.filter(pl.col("days") > 0)
    assert ((inside["low"] < inside["share"]) & (inside["share"] < inside["high"])).all()
    assert inside.row(0)[4:] == pytest.approx((0.6197, 0.9516), abs=1e-3)


lives = st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=40)


@given(lives)
def test_a_share_of_survivors_only_falls(rows: list[tuple[int, bool]]) -> None:
    days, ended = (np.array(part) for part in zip(*rows, strict=True))
    found = survival(days.astype(float), ended)
    assert (found["share"].diff().drop_nulls() <= 1e-12).all()
    assert found["days"].is_unique().all()
    assert found["share"].is_between(0, 1).all()
    if ended.all():  # without censoring it is the plain share of those who lasted longer
        assert found["share"].to_list() == pytest.approx([(days > d).mean() if d or d in days else 1.0
                                                          for d in found["days"]])  # fmt: skip


def test_repeats_count_who_got_so_far() -> None:
    found = repeats(orders(("a", "2023-01-05", 1), ("a", "2023-01-06", 1), ("b", "2023-01-05", 1)), 3)
    assert found.rows() == [(1, 2, 1.0), (2, 1, 0.5), (3, 0, 0.0)]


def test_a_step_of_a_funnel_needs_all_before_it() -> None:
    assert funnel(("one", "two", "three"), [{"a", "b"}, {"b"}, {"a", "b", "c"}]).rows() == [
        ("one", 2, 1.0), ("two", 1, 0.5), ("three", 1, 0.5),
    ]  # fmt: skip
    assert funnel(("one",), [set()]).is_empty()


def test_orders_of_a_snapshot_are_whole_orders_without_what_was_cancelled_or_comes_later(tmp_path) -> None:  # type: ignore[no-untyped-def]
    day = START + timedelta(days=3)
    lines = [
        {"order_id": "1", "line": 1, "customer_id": "a", "price": 10.0, "happened_at": day},
        {"order_id": "1", "line": 2, "customer_id": "a", "price": 5.0, "happened_at": day},
        {"order_id": "2", "customer_id": "a", "price": 7.0, "status": "cancelled", "happened_at": day},
        {"order_id": "3", "customer_id": None, "price": 7.0, "happened_at": day},
        {"order_id": "4", "customer_id": "a", "price": 7.0, "happened_at": day + timedelta(days=30)},
    ]
    shop = open_shop(tmp_path, order_lines(lines))
    snapshot = Snapshot(shop.lake, AsOf(day + timedelta(days=1)))
    assert orders_of(snapshot).rows() == [("a", "1", day, 15.0)]
    assert shopping_funnel(snapshot, Horizon(30)).is_empty()


def test_the_shopping_funnel_reads_events_and_orders(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from dongcha.warehouse.tables import table

    day = START + timedelta(days=3)
    shop = open_shop(tmp_path, order_lines([{"order_id": "1", "customer_id": "a", "happened_at": day}]))
    did = [("a", "Product Viewed"), ("b", "Product Viewed"), ("a", "Product Added"), ("c", "Product Added")]
    schema = table("events").schema
    rows = pl.DataFrame(
        [{"message_id": str(k), "customer_id": who, "event": event, "happened_at": day, "known_at": day}
         for k, (who, event) in enumerate(did)]
    )  # fmt: skip
    missing = [pl.lit(None).alias(k) for k in schema if k not in rows.columns]
    put(shop.lake, rows.with_columns(missing).select(pl.col(k).cast(t) for k, t in schema.items()), "events")
    found = shopping_funnel(Snapshot(shop.lake, AsOf(day + timedelta(days=1))), Horizon(30))
    assert found.select("step", "customers").rows() == [("viewed", 2), ("added", 1), ("ordered", 1)]
