"""What somebody did next: the first moment counts, as one event with the products most of its lines are about."""

from pathlib import Path
from typing import Any

import polars as pl
from small_shops import a_lake, line

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.labels import first_actions
from dongcha.features.next_events import begins, micros_of, voted
from dongcha.features.numbering import numbered

CUTOFF = AsOf.parse("2023-03-01")
WINDOW = Window.after(CUTOFF, Horizon(30))


def event(customer: str, moment: str, name: str, product: str | None = None) -> dict[str, Any]:
    who = {c.CUSTOMER_ID: customer, c.MESSAGE_ID: f"{customer} {moment} {name}", c.PRODUCT_ID: product}
    return {**who, c.EVENT: name, c.HAPPENED_AT: AsOf.parse(moment).moment}


def found(folder: Path, known_by: AsOf | None = None, **tables: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    rows = first_actions(a_lake(folder, tables), WINDOW, known_by=known_by)
    return {row[c.CUSTOMER_ID]: row for row in rows.iter_rows(named=True)}


def test_the_first_moment_in_the_window_counts_with_all_its_lines(tmp_path: Path) -> None:
    lines = [
        line("a", "2023-02-28"),
        line("a", "2023-03-02T12:00:00", product="p1", order="o"),
        line("a", "2023-03-02T12:00:00", product="p2", order="o", line=2),
        line("a", "2023-03-09", product="p3"),
        line("b", "2023-03-31"),
        line("c", "2023-03-01"),
    ]
    happened = found(tmp_path, orders=lines)
    assert set(happened) == {"a", "c"}
    assert happened["a"] == {
        "customer_id": "a",
        "event": "Order Completed",
        "products": ["p1", "p2"],
        "days_until": 1.5,
    }
    assert happened["c"]["days_until"] == 0


def test_any_event_is_an_action_but_what_is_done_to_a_customer(tmp_path: Path) -> None:
    events = [
        event("a", "2023-03-02", "Email Delivered"),
        event("a", "2023-03-03", "Email Opened"),
        event("b", "2023-03-02", "Email Delivered"),
    ]
    happened = found(tmp_path, orders=[line("a", "2023-03-04"), line("b", "2023-03-05")], events=events)
    assert (happened["a"]["event"], happened["a"]["products"]) == ("Email Opened", [])
    assert happened["b"]["event"] == "Order Completed"


def test_of_one_moment_the_event_with_most_lines_counts(tmp_path: Path) -> None:
    lines = [
        line("a", "2023-03-02", product="p1", order="back", quantity=-1.0),
        line("a", "2023-03-02", product="p2", order="new"),
        line("a", "2023-03-02", product="p3", order="new", line=2),
    ]
    happened = found(tmp_path, orders=lines)
    assert (happened["a"]["event"], happened["a"]["products"]) == ("Order Completed", ["p2", "p3"])


def test_what_was_learnt_later_is_left_out_by_who_must_not_know_it(tmp_path: Path) -> None:
    lines = [line("a", "2023-03-02", known_at=AsOf.parse("2023-05-01").moment), line("a", "2023-03-12")]
    assert found(tmp_path, orders=lines)["a"]["days_until"] == 1
    assert found(tmp_path, known_by=WINDOW.end, orders=lines)["a"]["days_until"] == 11


def test_most_lines_decide_the_category_then_its_name() -> None:
    lines = pl.DataFrame({"row": [1, 1, 1, 2, 2, 3, 3], "category": ["x", "y", "y", "b", "a", None, "c"]})
    assert voted(lines, ["row"])["category"].to_list() == ["y", "a", "c"]
    assert voted(pl.DataFrame({"row": [1], "category": [None]}, schema_overrides={"category": pl.String}), ["row"])[
        "category"
    ].to_list() == [None]


def test_a_visit_ends_after_half_an_hour_without_an_event() -> None:
    moments = pl.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "happened_at": [
                AsOf.parse(t).moment
                for t in ("2023-03-01T10:00:00", "2023-03-01T10:30:00", "2023-03-01T11:01:00", "2023-03-01T11:02:00")
            ],
        }
    )
    customers, _ = numbered(moments["customer_id"])
    assert begins(customers, micros_of(moments["happened_at"])).tolist() == [True, False, True, True]
