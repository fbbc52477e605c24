"""Who is who: a link known by the cutoff joins two ids, one learnt later changes nothing, and it can be taken back."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_shops import AS_OF, Row, Shop, a_lake, line, order_lines, told

from dongcha import columns as c
from dongcha.as_of import Horizon, Window
from dongcha.features.identities import people
from dongcha.features.labels import purchases
from dongcha.features.point_in_time import Snapshot
from dongcha.warehouse.tables import ALWAYS

Folders = pytest.TempPathFactory
NAMES = ("orders", "recency_days", "tenure_days", "events_90d", "views_90d")
QUICKLY = settings(max_examples=8, suppress_health_check=list(HealthCheck))
BEFORE = AS_OF.moment - timedelta(days=1)
AFTER = AS_OF.moment + timedelta(days=1)


def link(alias: str, customer: str | None, day: int = 0, **more: Any) -> Row:
    moment = BEFORE - timedelta(days=100 - day)
    return {c.MESSAGE_ID: f"{alias} {day}", c.ALIAS_ID: alias, c.CUSTOMER_ID: customer, c.HAPPENED_AT: moment, **more}


def ends(*rows: Row) -> dict[str, str]:
    frame = pl.DataFrame([{c.KNOWN_AT: row[c.HAPPENED_AT], **row} for row in rows], infer_schema_length=None)
    return dict(people(frame.with_columns(pl.col(c.CUSTOMER_ID).cast(pl.String))).rows())


def test_a_visitor_is_who_they_logged_in_as_last() -> None:
    assert ends(link("anon", "u1", 1), link("anon", "u2", 2)) == {"anon": "u2"}


def test_links_are_followed_to_their_end() -> None:
    assert ends(link("anon", "u1", 1), link("u1", "u2", 2), link("other", "u9", 3)) == {
        "anon": "u2",
        "u1": "u2",
        "other": "u9",
    }


@pytest.mark.parametrize("back", [None, "anon"])
def test_a_link_is_taken_back(back: str | None) -> None:
    assert ends(link("anon", "u1", 1), link("anon", back, 2), link("b", "u1", 3)) == {"b": "u1"}


def test_in_a_circle_the_newest_link_says_who_it_is() -> None:
    assert ends(link("a", "b", 1), link("b", "a", 2), link("x", "b", 3)) == {"b": "a", "x": "a"}


ids = st.sampled_from("abcdef")


@given(st.lists(st.tuples(ids, st.one_of(st.none(), ids)), max_size=12))
def test_following_links_agrees_with_a_slow_loop(pairs: list[tuple[str, str | None]]) -> None:
    newest = {alias: (to, day) for day, (alias, to) in enumerate(pairs) if not (to is None or to == alias)}
    for day, (alias, to) in enumerate(pairs):
        if (to is None or to == alias) and day > newest.get(alias, ("", -1))[1]:
            newest.pop(alias, None)
    # The newest link of each circle is obeyed last: its end leads nowhere.
    for start in sorted(newest):
        seen = [start]
        while seen[-1] in newest and newest[seen[-1]][0] not in seen:
            seen.append(str(newest[seen[-1]][0]))
        if seen[-1] in newest:
            circle = seen[seen.index(str(newest[seen[-1]][0])) :]
            newest.pop(str(newest[max(circle, key=lambda k: newest[k][1])][0]))
    expected = {}
    for alias in newest:
        at = alias
        while at in newest:
            at = str(newest[at][0])
        expected[alias] = at
    assert ends(*(link(alias, to, day) for day, (alias, to) in enumerate(pairs))) == expected if pairs else True


def views(*who: tuple[str | None, str | None]) -> list[Row]:
    return [
        {c.MESSAGE_ID: f"e{i}", c.CUSTOMER_ID: customer, c.ANONYMOUS_ID: anonymous, c.EVENT: c.PRODUCT_VIEWED}
        | {c.HAPPENED_AT: BEFORE}
        for i, (customer, anonymous) in enumerate(who)
    ]


@given(lines=order_lines(most=20), flags=st.lists(st.booleans(), min_size=20, max_size=20))
@QUICKLY
def test_a_customer_under_two_ids_is_told_as_one(
    lines: list[Row], flags: list[bool], tmp_path_factory: Folders
) -> None:
    under_two = [
        {**row, c.CUSTOMER_ID: f"former {row[c.CUSTOMER_ID]}" if flag and row[c.CUSTOMER_ID] else row[c.CUSTOMER_ID]}
        for row, flag in zip(lines, flags, strict=False)
    ]
    links = [link(f"former {name}", name) for name in "abcde"]
    one = {c.ORDERS: lines, c.EVENTS: views(("a", "x"), ("a", None))}
    two = {
        c.ORDERS: under_two,
        c.EVENTS: views((None, "x"), ("former a", None)),
        c.IDENTITIES: [*links, link("x", "a")],
    }
    before = told(tmp_path_factory.mktemp("one"), one, *NAMES)
    assert before.equals(told(tmp_path_factory.mktemp("two"), two, *NAMES))


@given(
    lines=order_lines(most=20),
    future=st.lists(st.tuples(st.sampled_from("abcdex"), st.sampled_from([*"abcde", None]), st.booleans()), min_size=1),
)
@QUICKLY
def test_links_of_the_future_change_no_feature(
    lines: list[Row], future: list[tuple[str, str | None, bool]], tmp_path_factory: Folders
) -> None:
    known = [link("x", "a", 1), link("b", "c", 2)]
    late = [
        # Either it happens later, or it happened and was learnt later.
        link(alias, to, 50 + i, **({c.HAPPENED_AT: AFTER} if happens_later else {c.KNOWN_AT: AFTER}))
        for i, (alias, to, happens_later) in enumerate(future)
    ]
    shop: Shop = {c.ORDERS: lines, c.EVENTS: views((None, "x"), ("b", "y"))}
    before = told(tmp_path_factory.mktemp("before"), {**shop, c.IDENTITIES: known}, *NAMES)
    after = told(tmp_path_factory.mktemp("after"), {**shop, c.IDENTITIES: known + late}, *NAMES)
    assert before.equals(after)


def test_a_merge_on_mistake_is_undone_as_if_it_had_never_been(tmp_path: Path) -> None:
    orders = [line("a", "2023-01-05"), line("b", "2023-02-05")]
    mistaken = [link("b", "a", 1)]
    never = told(tmp_path / "never", {c.ORDERS: orders}, *NAMES[:2])
    merged = told(tmp_path / "merged", {c.ORDERS: orders, c.IDENTITIES: mistaken}, *NAMES[:2])
    undone = told(tmp_path / "undone", {c.ORDERS: orders, c.IDENTITIES: [*mistaken, link("b", None, 2)]}, *NAMES[:2])
    assert merged["orders"].to_list() == [2.0]
    assert undone.equals(never)


def test_what_a_former_id_buys_after_the_cutoff_is_the_customer_s_own(tmp_path: Path) -> None:
    shop = {c.ORDERS: [line("a", "2023-01-05"), line("b", "2023-05-20")], c.IDENTITIES: [link("b", "a")]}
    bought = purchases(a_lake(tmp_path / "shop", shop), Window.after(AS_OF, Horizon(30)))
    assert bought[c.CUSTOMER_ID].to_list() == ["a"]


def test_a_customer_is_one_row_of_what_was_noted_last_of_each_trait(tmp_path: Path) -> None:
    def noted(who: str, moment: Any, **traits: Any) -> Row:
        return {c.CUSTOMER_ID: who, c.HAPPENED_AT: moment, **traits}

    shop = {
        c.CUSTOMERS: [
            noted("a", ALWAYS, city="Leeds", email="a@x"),
            noted("a", BEFORE, city="York"),
            noted("a", AFTER, city="Hull"),
            noted("former", BEFORE, city="Bath", name="Ann"),
        ],
        c.IDENTITIES: [link("former", "a")],
    }
    lake = a_lake(tmp_path / "shop", shop)
    rows = lake.engine.to_polars(Snapshot(lake, AS_OF).table(c.CUSTOMERS))
    assert rows.select(c.CUSTOMER_ID, c.CITY, c.EMAIL, c.NAME).rows() == [("a", "York", "a@x", "Ann")]
