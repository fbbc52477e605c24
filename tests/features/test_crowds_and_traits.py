"""Who is known at a cutoff, and what of them: the crowds and the traits."""

from datetime import date
from pathlib import Path

from small_shops import AS_OF, Row, a_lake, line

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.point_in_time import Crowd, Snapshot
from dongcha.features.traits import traits
from dongcha.warehouse.tables import ALWAYS


def test_known_is_who_did_anything_or_registered_before_the_cutoff(tmp_path: Path) -> None:
    shop = {
        c.ORDERS: [line("buyer", "2023-01-01"), line("tomorrow", "2023-05-18"), line(None, "2023-01-01")],
        c.EVENTS: [{c.MESSAGE_ID: "1", c.CUSTOMER_ID: "looker", c.EVENT: c.PRODUCT_VIEWED, **_on("2023-05-01")}],
        c.REVIEWS: [{c.REVIEW_ID: "1", c.CUSTOMER_ID: "reviewer", **_on("2023-05-01")}],
        c.CUSTOMERS: [
            {c.CUSTOMER_ID: "registered", **_on("2023-05-01")},
            {c.CUSTOMER_ID: "created", c.CREATED_AT: AsOf.parse("2023-05-01").moment, c.HAPPENED_AT: ALWAYS},
            {c.CUSTOMER_ID: "created later", c.CREATED_AT: AsOf.parse("2023-06-01").moment, c.HAPPENED_AT: ALWAYS},
            {c.CUSTOMER_ID: "undated", c.HAPPENED_AT: ALWAYS},
        ],
    }
    found = Snapshot(a_lake(tmp_path, shop), AS_OF).features(["orders", "spend", "one_time_buyer"], Crowd.KNOWN)
    assert found.rows() == [
        ("buyer", 1.0, 10.0, 1.0),
        ("created", 0.0, None, 0.0),
        ("looker", 0.0, None, 0.0),
        ("registered", 0.0, None, 0.0),
        ("reviewer", 0.0, None, 0.0),
    ]


def test_a_shop_without_orders_knows_its_reviewers(tmp_path: Path) -> None:
    shop = {c.REVIEWS: [{c.REVIEW_ID: "1", c.CUSTOMER_ID: "a", c.RATING: 4.0, **_on("2023-05-01")}]}
    snapshot = Snapshot(a_lake(tmp_path, shop), AS_OF)
    assert snapshot.features(["reviews"], Crowd.KNOWN).rows() == [("a", 1.0)]
    assert snapshot.features([], Crowd.KNOWN).rows() == [("a",)]


def test_traits_are_what_tells_customers_apart(tmp_path: Path) -> None:
    def customer(who: str, born: date | None, extras: str | None) -> Row:
        return {
            c.CUSTOMER_ID: who, c.COUNTRY: "GB", c.CITY: "Leeds" if who == "a" else None, c.BIRTH_DATE: born,
            c.EXTRAS: extras, **_on("2023-01-01"),
        }  # fmt: skip

    shop = {
        c.CUSTOMERS: [
            customer("b", None, None),
            customer("a", date(1987, 5, 1), '{"kids": 2, "pets": ["cat"], "club": "gold"}'),
            customer("c", date(1990, 1, 1), '{"kids": 0, "club": ""}'),
        ]
    }
    found = traits(Snapshot(a_lake(tmp_path, shop), AS_OF))
    assert found.to_dict(as_series=False) == {
        c.CUSTOMER_ID: ["a", "b", "c"],
        "born": ["1980", None, "1990"],
        "extras.kids": ["2", None, "0"],
    }, "one country tells nobody apart, nor does one city, one club, or a list"


def _on(day: str) -> Row:
    return {c.HAPPENED_AT: AsOf.parse(day).moment}
