"""An order is told from what was known before it: the same by a slow loop, whatever came later, one alone or all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_shops import a_lake

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.features.declare import about_orders
from dongcha.features.orders_as_of import Asked, Orders, Past, People
from dongcha.features.placed import accounts, categories, placed
from dongcha.features.placing import told
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.live_orders import LiveOrders, OrderBook

START = datetime(2023, 3, 1, tzinfo=UTC)
END = AsOf(START + timedelta(days=400))
QUICKLY = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Row = dict[str, Any]
Shop = dict[str, list[Row]]
Folders = pytest.TempPathFactory
LATE = st.sampled_from([timedelta(0), timedelta(0), timedelta(microseconds=1), HOUR, 8 * DAY, 40 * DAY])
MOMENTS = st.one_of(
    st.integers(0, 60).map(lambda k: START + k * HOUR),
    st.integers(0, 60).map(lambda k: START + k * DAY),
)


EXTRAS = (None, '{"channel":"web","ship_city":"Leeds"}', '{"ship_city":"York","payment":"card"}')
CITIES = ("leeds ", "York", None)


@st.composite
def order(draw: st.DrawFn, number: int) -> list[Row]:
    at = draw(MOMENTS)
    of = {
        c.ORDER_ID: f"o{number}",
        c.CUSTOMER_ID: draw(st.sampled_from(["a", "b", None])),
        c.HAPPENED_AT: at,
        c.KNOWN_AT: at + draw(LATE),
        c.EXTRAS: draw(
            st.sampled_from([None, '{"channel":"web","ship_city":"Leeds"}', '{"ship_city":"York","payment":"card"}'])
        ),
    }
    return [
        {
            **of,
            c.LINE: line,
            c.PRODUCT_ID: draw(st.sampled_from(["p", "q", None])),
            c.QUANTITY: float(draw(st.integers(1, 3))),
            c.PRICE: Decimal(draw(st.integers(0, 999))) / 10,
            c.DISCOUNT: draw(st.sampled_from([None, Decimal("1.5")])),
        }
        for line in range(1, draw(st.integers(1, 2)) + 1)
    ]


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    orders = [draw(order(number)) for number in range(draw(st.integers(1, 14)))]
    bad = [
        {
            c.OUTCOME_ID: f"f{k}",
            c.ORDER_ID: lines[0][c.ORDER_ID],
            c.NAME: draw(st.sampled_from(["fraud", "praise"])),
            c.HAPPENED_AT: lines[0][c.HAPPENED_AT],
            c.KNOWN_AT: lines[0][c.HAPPENED_AT] + draw(LATE),
        }
        for k, lines in enumerate(orders)
        if draw(st.booleans())
    ]
    noted = [
        {
            c.CUSTOMER_ID: who,
            c.HAPPENED_AT: at,
            c.CREATED_AT: at,
            c.CITY: draw(st.sampled_from(["leeds ", "York", None])),
        }
        for who in ("a", "b")
        for at in draw(st.lists(MOMENTS, max_size=2, unique=True))
    ]
    products = [{c.PRODUCT_ID: "p", c.CATEGORY: "tea", c.HAPPENED_AT: START, c.KNOWN_AT: START}]
    return {
        c.ORDERS: [line for lines in orders for line in lines],
        c.OUTCOMES: bad,
        c.CUSTOMERS: noted,
        c.PRODUCTS: products,
    }


def book(folders: Folders, shop: Shop) -> OrderBook:
    facts = Snapshot(
        a_lake(folders.mktemp("shop"), {k: rows for k, rows in shop.items() if rows or k == c.ORDERS}), END
    )
    return OrderBook(placed(facts, ["fraud"]), accounts(facts), categories(facts), Horizon(30))


def by_order(kept: OrderBook) -> dict[str, dict[str, float]]:
    """Order → every feature."""
    past = Past(Orders.of(kept.orders))
    found = told(Asked(past.orders, past, past, People(kept.accounts)))
    return {str(one): {k: float(v[row]) for k, v in found.items()} for row, one in enumerate(past.orders.order_id)}


def same(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(a == other[name] or (math.isnan(a) and math.isnan(other[name])) for name, a in one.items())


def lines_of(shop: Shop, order_id: str) -> list[Row]:
    return [line for line in shop[c.ORDERS] if line[c.ORDER_ID] == order_id]


# -- a slow loop


def worth(lines: Sequence[Row]) -> float:
    return sum(line[c.QUANTITY] * float(line[c.PRICE]) - float(line[c.DISCOUNT] or 0) for line in lines)


def dearest(lines: Sequence[Row]) -> str | None:
    best = max(lines, key=lambda line: (line[c.QUANTITY] * float(line[c.PRICE]), -line[c.LINE]))
    product: str | None = best[c.PRODUCT_ID]
    return product


def slowly(shop: Shop, order_id: str) -> dict[str, float]:
    """Some features of one order, each asked of every other order in turn."""
    mine = lines_of(shop, order_id)
    at, who = mine[0][c.HAPPENED_AT], mine[0][c.CUSTOMER_ID]
    others = {line[c.ORDER_ID]: lines_of(shop, line[c.ORDER_ID]) for line in shop[c.ORDERS]}
    known = [k for k in others.values() if k[0][c.HAPPENED_AT] < at and k[0][c.KNOWN_AT] <= at]

    def is_bad(lines: Sequence[Row]) -> bool:
        told_of = [o for o in shop[c.OUTCOMES] if o[c.ORDER_ID] == lines[0][c.ORDER_ID] and o[c.NAME] == "fraud"]
        return any(o[c.KNOWN_AT] <= at for o in told_of)

    own = [k for k in known if k[0][c.CUSTOMER_ID] == who]
    day = [k for k in own if k[0][c.HAPPENED_AT] >= at - DAY]
    like = [k for k in known if dearest(k) == dearest(mine) and at - 37 * DAY <= k[0][c.HAPPENED_AT] < at - 7 * DAY]
    noted = [r for r in shop[c.CUSTOMERS] if r[c.CUSTOMER_ID] == who and r[c.HAPPENED_AT] < at]
    city = [r[c.CITY] for r in sorted(noted, key=lambda r: r[c.HAPPENED_AT]) if r[c.CITY] is not None]
    to = "leeds" if "Leeds" in (mine[0][c.EXTRAS] or "") else "york" if mine[0][c.EXTRAS] else None
    nan = float("nan")
    last = max((k[0][c.HAPPENED_AT] for k in own), default=None)
    nobody, nothing = who is None, dearest(mine) is None
    return {
        "order_value": worth(mine),
        "orders_before": nan if nobody else len(own),
        "orders_before_24h": nan if nobody else len(day),
        "spend_before_24h": nan if nobody else sum(map(worth, day)),
        "since_order_days": nan if nobody or last is None else (at - last) / DAY,
        "bad_orders_before": nan if nobody else sum(map(is_bad, own)),
        "product_orders_30d": nan if nothing else len(like),
        "product_bad_share_30d": sum(map(is_bad, like)) / len(like) if like and not nothing else nan,
        "ships_elsewhere": float(city[-1].strip().lower() != to) if city and to and not nobody else nan,
    }


@given(shop=shops())
@QUICKLY
def test_an_order_is_told_as_a_slow_loop_tells_it(shop: Shop, tmp_path_factory: Folders) -> None:
    for order_id, found in by_order(book(tmp_path_factory, shop)).items():
        for name, value in slowly(shop, order_id).items():
            assert found[name] == pytest.approx(value, abs=1e-9, nan_ok=True), (order_id, name)


# -- time


@given(shop=shops(), more=shops(), place=st.integers(0, 13))
@QUICKLY
def test_what_comes_or_is_learnt_later_changes_no_order(
    shop: Shop, more: Shop, place: int, tmp_path_factory: Folders
) -> None:
    """Of any table, and lines that are added to the order itself."""
    ids = sorted({line[c.ORDER_ID] for line in shop[c.ORDERS]})
    order_id = ids[place % len(ids)]
    at = lines_of(shop, order_id)[0][c.HAPPENED_AT]
    after = {name: [*rows, *(later(row, name, at) for row in more[name])] for name, rows in shop.items()}
    again = [
        {**line, c.LINE: 90 + k, c.KNOWN_AT: line[c.KNOWN_AT] + HOUR} for k, line in enumerate(lines_of(shop, order_id))
    ]
    after[c.ORDERS] += again
    before, found = (by_order(book(tmp_path_factory, told_of))[order_id] for told_of in (shop, after))
    assert same(before, found), {k: (v, found[k]) for k, v in before.items() if v != found[k]}


def later(row: Row, table: str, at: datetime) -> Row:
    """The row under a new key; it happens at the moment or later, or it is learnt after it."""
    keys = {c.ORDERS: c.ORDER_ID, c.OUTCOMES: c.OUTCOME_ID, c.PRODUCTS: c.PRODUCT_ID}
    moved = {**row, keys[table]: f"new {row[keys[table]]}"} if table in keys else dict(row)
    learnt = row.get(c.KNOWN_AT) or row[c.HAPPENED_AT]
    if row[c.HAPPENED_AT] < at:
        return {**moved, c.KNOWN_AT: max(learnt, at + timedelta(microseconds=1))}
    return {**moved, c.KNOWN_AT: max(learnt, row[c.HAPPENED_AT])}


@given(shop=shops())
@QUICKLY
def test_an_order_that_is_being_placed_is_told_as_it_will_be(shop: Shop, tmp_path_factory: Folders) -> None:
    """At request time by one customer's rows, in a batch among everybody's: equal to the last bit."""
    kept = book(tmp_path_factory, shop)
    live = LiveOrders(kept)
    for order_id, batch in by_order(kept).items():
        facts = live.facts({order_id: lines_of(shop, order_id)}, (), (), END)
        now = dict(zip(about_orders(), facts.matrix(about_orders())[0], strict=True))
        assert same(batch, now), {k: (v, now[k]) for k, v in batch.items() if v != now[k]}


@given(shop=shops(), cut=st.integers(0, 60))
@QUICKLY
def test_what_was_only_received_counts_as_if_it_were_stored(shop: Shop, cut: int, tmp_path_factory: Folders) -> None:
    """Of one's own orders; what others bought is as of the last publishing, and is left out of the comparison."""
    moment = START + cut * DAY
    old = {
        name: [row for row in rows if name != c.ORDERS or row[c.HAPPENED_AT] < moment] for name, rows in shop.items()
    }
    if not old[c.ORDERS]:
        return
    whole, live = by_order(book(tmp_path_factory, shop)), LiveOrders(book(tmp_path_factory, old))
    for order_id, batch in whole.items():
        mine = lines_of(shop, order_id)
        fresh = [{**row, c.TABLE: c.ORDERS} for row in shop[c.ORDERS] if row[c.CUSTOMER_ID] == mine[0][c.CUSTOMER_ID]]
        facts = live.facts({order_id: mine}, fresh, (), END)
        own = [n for n in about_orders() if "bad" not in n and not n.startswith("product_")]
        assert same({n: batch[n] for n in own}, dict(zip(own, facts.matrix(own)[0], strict=True)))


def test_orders_of_one_request_know_of_each_other(tmp_path_factory: Folders) -> None:
    line = {c.LINE: 1, c.CUSTOMER_ID: "new", c.PRODUCT_ID: "p", c.QUANTITY: 1.0, c.PRICE: 5.0}
    asked = {
        name: [{**line, c.ORDER_ID: name, c.HAPPENED_AT: START + k * HOUR, c.KNOWN_AT: START + k * HOUR}]
        for k, name in enumerate(("first", "second"))
    }
    stored = {**line, c.CUSTOMER_ID: "other", c.ORDER_ID: "o", c.HAPPENED_AT: START, c.PRICE: Decimal(5)}
    live = LiveOrders(book(tmp_path_factory, {c.ORDERS: [stored]}))
    assert live.facts(asked, (), (), END).column("orders_before").tolist() == [0.0, 1.0]
    assert live.facts({"second": asked["second"]}, (), (), END).column("orders_before").tolist() == [0.0]


def test_a_shop_without_any_order_can_be_asked(tmp_path_factory: Folders) -> None:
    live = LiveOrders(book(tmp_path_factory, {c.ORDERS: [], c.PRODUCTS: []}))
    line = {c.LINE: 1, c.CUSTOMER_ID: "a", c.QUANTITY: 2.0, c.PRICE: 5.0, c.HAPPENED_AT: START}
    facts = live.facts({"o": [line]}, (), (), END)
    assert facts.column("order_value").tolist() == [10.0]
    assert facts.column("orders_before").tolist() == [0.0]


def test_a_line_that_claims_to_be_worth_the_world_breaks_nothing(tmp_path_factory: Folders) -> None:
    of = {c.CUSTOMER_ID: "a", c.PRODUCT_ID: "p", c.LINE: 1, c.PRICE: Decimal("9" * 14)}
    orders = [
        {**of, c.ORDER_ID: f"o{k}", c.QUANTITY: pieces, c.HAPPENED_AT: START + k * HOUR}
        for k, pieces in enumerate((1e300, float("inf"), float("nan"), 1e12))
    ]
    found = by_order(book(tmp_path_factory, {c.ORDERS: orders}))
    assert set(found) == {"o0", "o3"}
    assert found["o3"]["spend_before_24h"] == found["o0"]["order_value"] == 1e11
