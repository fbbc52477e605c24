"""Messages of Segment's API become rows: known answers, and what holds of any message whatever."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha import columns as c
from dongcha.sources.segment import LONGEST_MESSAGE_ID, TYPES, Refused, as_moment, message_id, rows_of, spread
from dongcha.warehouse.tables import CONTRACT

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
Message = dict[str, Any]


def message(kind: str = "track", **fields: Any) -> Message:
    return {"type": kind, "messageId": "m1", "userId": "u1", "anonymousId": None, **fields}


def told(sent: Message) -> list[tuple[str, Message]]:
    """The rows, without the fields that are null and those that all rows have."""
    common = {c.HAPPENED_AT, c.KNOWN_AT, c.SOURCE}
    return [
        (t.table, {k: v for k, v in t.row.items() if v is not None and k not in common}) for t in rows_of(sent, NOW)
    ]


def moment_of(**fields: Any) -> datetime | None:
    return as_moment(rows_of(message(event="x", **fields), NOW)[0].row[c.HAPPENED_AT])


def test_an_order_is_its_lines_and_the_event() -> None:
    products = [{"product_id": "a", "price": "10.10", "quantity": 2, "brand": "x"}, {"sku": 7, "price": 5}]
    properties = {"order_id": "o1", "revenue": 25.2, "currency": "GBP", "discount": 2.52, "products": products}
    first, second, event = told(message(event="Order Completed", properties=properties))
    order = {"order_id": "o1", "customer_id": "u1", "currency": "GBP"}
    line = {"product_id": "a", "quantity": "2", "price": "10.10", "discount": "2.0200", "extras": '{"brand":"x"}'}
    assert first == ("orders", {**order, "line": "1", **line})
    assert second[1] | {"line": "2", "product_id": "7", "quantity": "1", "price": "5"} == second[1]
    assert event[0] == "events"
    assert (event[1]["event"], event[1]["value"], "product_id" in event[1]) == ("Order Completed", "25.2", False)


def test_an_order_without_products_is_one_line_of_its_worth() -> None:
    line, _ = told(message(event="Order Completed", properties={"order_id": "o1", "total": 30, "revenue": 25}))
    assert (line[1]["price"], line[1]["quantity"], line[1]["line"]) == ("25", "1", "1")


@pytest.mark.parametrize("event", ["Order Refunded", "Order Cancelled"])
def test_a_refund_is_lines_below_zero_beyond_the_order_s_own(event: str) -> None:
    products = [{"product_id": "a", "price": 5, "quantity": 2}, {"product_id": "b", "price": 5}]
    refund = told(message(event=event, properties={"order_id": "o1", "products": products}))
    assert [(table, row["quantity"]) for table, row in refund] == [("orders", "-2"), ("orders", "-1")]
    assert all(int(row["line"]) >= 100_000_000 for _, row in refund)
    again = told(message(event=event, messageId="m2", properties={"order_id": "o1", "total": 3}))
    assert again[0][1]["price"] == "3"
    assert again[0][1]["line"] not in {row["line"] for _, row in refund}


def test_a_review_is_a_review_and_no_event_beside() -> None:
    properties = {"product_id": "p", "review_body": "nice", "rating": "4"}
    ((table, row),) = told(message(event="Product Reviewed", properties=properties))
    assert table == "reviews"
    assert (row["review_id"], row["customer_id"], row["text"], row["rating"]) == ("m1", "u1", "nice", "4")


@pytest.mark.parametrize("place", ["traits", "context"])
def test_identify_tells_a_customer_s_traits_wherever_the_sdk_puts_them(place: str) -> None:
    traits = {
        "email": "a@x", "firstName": "Ann", "lastName": "Lee", "address": {"city": "York", "postalCode": "Y1"},
        "birthday": "1990-05-01T00:00:00+08:00", "createdAt": 1_700_000_000, "plan": "pro", "consent": True,
    }  # fmt: skip
    sent = message("identify", **{place: traits if place == "traits" else {"traits": traits}})
    ((table, row),) = told(sent)
    assert table == "customers"
    assert {k: row[k] for k in ("customer_id", "email", "name", "city", "birth_date", "consent")} == {
        "customer_id": "u1", "email": "a@x", "name": "Ann Lee", "city": "York", "birth_date": "1990-05-01",
        "consent": "true",
    }  # fmt: skip
    assert as_moment(row["created_at"]) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    extras = orjson.loads(row["extras"])
    assert (extras["plan"], extras["address"]) == ("pro", {"postalCode": "Y1"})


def test_identify_and_alias_link_ids_and_an_alias_of_itself_unlinks() -> None:
    assert told(message("identify", anonymousId="anon"))[1] == (
        "identities",
        {"message_id": "m1", "alias_id": "anon", "customer_id": "u1"},
    )
    assert told(message("alias", previousId="old"))[0][1]["customer_id"] == "u1"
    assert "customer_id" not in told(message("alias", previousId="u1"))[0][1]


def test_a_visitor_s_page_has_an_anonymous_id_and_no_customer() -> None:
    ((_, row),) = told(message("page", userId=None, anonymousId="anon", name="Home", properties={"url": "/"}))
    assert row == {
        "message_id": "m1", "anonymous_id": "anon", "event": "Page Viewed", "channel": "web",
        "extras": '{"name":"Home","url":"/"}',
    }  # fmt: skip


def test_a_guest_who_buys_is_a_customer_under_the_anonymous_id() -> None:
    line, event = told(message(event="Order Completed", userId=None, anonymousId="anon", properties={"total": 3}))
    assert (line[1]["customer_id"], event[1].get("customer_id")) == ("anon", None)


def test_screen_and_group_are_events() -> None:
    assert told(message("screen", name="Cart"))[0][1]["event"] == "Screen Viewed"
    assert told(message("group", groupId="g", traits={"plan": "x"}))[0][1]["event"] == "Group Joined"


def test_a_sender_s_wrong_clock_is_corrected() -> None:
    an_hour_fast = {"timestamp": "2024-03-01T12:59:00Z", "sentAt": "2024-03-01T13:00:00Z"}
    assert moment_of(**an_hour_fast) == NOW - timedelta(minutes=1)


def test_a_late_event_is_when_it_happened_and_known_when_it_came() -> None:
    late = {"timestamp": "2023-12-31T23:00:00+01:00", "sentAt": "2024-03-01T12:00:00Z"}
    (row,) = rows_of(message(event="x", **late), NOW)
    assert as_moment(row.row[c.HAPPENED_AT]) == datetime(2023, 12, 31, 22, tzinfo=UTC)
    assert as_moment(row.row[c.KNOWN_AT]) == NOW


def test_nothing_happens_after_it_was_received_and_what_says_so_by_days_is_refused() -> None:
    assert moment_of(timestamp="2024-03-01T12:00:05Z") == NOW
    assert moment_of() == NOW
    with pytest.raises(Refused, match="future"):
        moment_of(timestamp="2024-03-03T12:00:00Z")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (5, "not a JSON object"),
        (message("click"), "type is none of"),
        (message(), "event is missing"),
        (message(event=" "), "event is missing"),
        (message(event="x", userId=" "), "neither a userId nor an anonymousId"),
        (message("page", userId=None), "neither a userId nor an anonymousId"),
        (message("alias"), "previousId"),
        (message("group"), "groupId is missing"),
        (message(event="x", properties=[1]), "properties is not an object"),
        (message("identify", context={"traits": [1]}, userId=" "), "neither a userId nor an anonymousId"),
        (message(event="x", messageId="a" * 101), "over 100 characters"),
        (message(event="x", messageId=7), "messageId is not a text"),
        (message(event="x", timestamp="yesterday"), "not an ISO 8601 time"),
        (message(event="x", timestamp="9999-12-31T23:59:59Z", sentAt="0001-01-01T00:00:00Z"), "not a time of this era"),
        (message(event="Order Completed", properties={"products": [{"price": "a lot"}]}), "price is not a finite"),
    ],
)
def test_a_message_that_cannot_be_rows_is_refused_with_the_reason(sent: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        rows_of(sent, NOW)


def test_a_batch_hands_its_time_of_sending_to_every_message_and_no_null() -> None:
    body = {"batch": [{"type": "page", "userId": None}, 5], "sentAt": "2024-03-01T12:00:00Z"}
    assert spread(body) == [{"sentAt": "2024-03-01T12:00:00Z", "type": "page"}, 5]
    with pytest.raises(Refused, match="no list called batch"):
        spread({"batch": {}})


def test_a_message_without_an_id_is_known_again_by_what_it_says_and_when() -> None:
    def made(**fields: Any) -> str | None:
        sent = {"type": "track", "event": "x", "userId": "u", **fields}
        return message_id(sent, orjson.dumps(sent))

    when = {"timestamp": "2024-03-01T12:00:00Z"}
    assert made(**when, sentAt="2024-03-01T12:00:01Z") == made(**when, sentAt="2024-03-01T12:09:00Z")
    assert made(**when) != made(**when, event="y")
    assert made() is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(lambda m: m.isoformat() + "Z")
an_id = st.sampled_from(["u1", "anon", 7, "", None]) | json_values
product = st.fixed_dictionaries({}, optional={"product_id": an_id, "price": json_values, "quantity": json_values})
anything = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES), "messageId": st.just("m1") | json_values},
    optional={
        "userId": an_id,
        "anonymousId": an_id,
        "previousId": an_id,
        "groupId": an_id,
        "event": st.sampled_from(["Order Completed", "Order Refunded", "Product Reviewed", "x"]) | json_values,
        "timestamp": moments | json_values,
        "sentAt": moments | json_values,
        "context": st.dictionaries(st.sampled_from(["traits", "campaign", "sessionId"]), json_values) | json_values,
        "traits": st.dictionaries(st.sampled_from(["email", "createdAt", "address", "consent", "x"]), json_values),
        "properties": st.fixed_dictionaries(
            {"products": st.lists(product, max_size=3) | json_values},
            optional={"order_id": an_id, "discount": json_values, "total": json_values, "rating": json_values},
        ),
    },
)


@given(anything)
def test_any_message_becomes_rows_of_the_contract_or_is_refused_with_a_reason(sent: Message) -> None:
    received = orjson.loads(orjson.dumps(sent))
    try:
        rows = rows_of(received, NOW)
    except Refused:
        return
    assert rows
    assert rows == rows_of(received, NOW)
    for row in rows:
        contract = CONTRACT[row.table]
        assert row.row.keys() <= contract.schema.keys()
        assert all(value is None or isinstance(value, str) for value in row.row.values())
        happened, known = as_moment(row.row[c.HAPPENED_AT]), as_moment(row.row[c.KNOWN_AT])
        assert happened is not None
        assert known == NOW
        assert happened <= known
        assert "\x00" not in "".join(filter(None, row.row.values()))


@given(moments, st.timedeltas(timedelta(days=-3000), timedelta(days=3000)))
def test_how_far_off_a_sender_s_clock_is_changes_nothing(timestamp: str, off: timedelta) -> None:
    sent = NOW
    right = as_moment(timestamp)
    assert right is not None
    right = min(right, NOW)
    moved = {"timestamp": (right + off).isoformat(), "sentAt": (sent + off).isoformat()}
    assert moment_of(**moved) == right


cents = st.integers(1, 10**6).map(lambda n: str(Decimal(n) / 100))


@given(st.lists(cents, min_size=1, max_size=6), cents)
def test_an_order_s_discount_is_shared_out_to_the_last_cent(prices: list[str], discount: str) -> None:
    products = [{"product_id": "p", "price": price} for price in prices]
    properties = {"order_id": "o", "discount": discount, "products": products}
    lines = [
        t.row for t in rows_of(message(event="Order Completed", properties=properties), NOW) if t.table == c.ORDERS
    ]
    assert sum(Decimal(line[c.DISCOUNT] or 0) for line in lines) == Decimal(discount)


@given(st.text(max_size=120) | json_values)
def test_the_id_that_tells_a_message_again_is_short_and_the_same(own: Any) -> None:
    sent = message(event="x", messageId=own, timestamp="2024-03-01T12:00:00Z")
    text = orjson.dumps(sent)
    found = message_id(sent, text)
    assert found is not None
    assert 0 < len(found) <= LONGEST_MESSAGE_ID
    assert found == message_id(orjson.loads(text), text)
