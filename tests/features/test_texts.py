"""What customers said as of a cutoff: whose words count, what a text is, which came with a rating."""

from pathlib import Path
from typing import Any

from small_shops import AS_OF, Row, a_lake

from dongcha import columns as c
from dongcha.as_of import AsOf, Window
from dongcha.features.labels import written
from dongcha.features.point_in_time import Snapshot
from dongcha.features.texts import TEXTS, texts


def review(number: str, day: str, **more: Any) -> Row:
    return {c.REVIEW_ID: number, c.CUSTOMER_ID: "a", c.HAPPENED_AT: AsOf.parse(day).moment, **more}


def message(number: str, sender: str, text: str) -> Row:
    who = {c.MESSAGE_ID: number, c.CONVERSATION_ID: "t", c.CUSTOMER_ID: "a", c.SENDER: sender}
    return {**who, c.TEXT: text, c.HAPPENED_AT: AsOf.parse("2023-05-01").moment}


SHOP = {
    c.REVIEWS: [
        review("1", "2023-05-01", title="Good", text="Fits well.", rating=5.0, product_id="p"),
        review("2", "2023-05-02", text="no stars", rating=None),
        review("3", "2023-05-03", title=" ", rating=1.0),
        review("4", "2023-05-18", text="tomorrow", rating=2.0),
    ],
    c.MESSAGES: [
        message("1", "customer", "where is it?"),
        message("2", "Agent", "on its way"),
        message("3", "客服", "好"),
    ],
}


def test_a_text_is_what_a_customer_said_before_the_cutoff(tmp_path: Path) -> None:
    found = texts(Snapshot(a_lake(tmp_path, SHOP), AS_OF))
    assert found.schema == TEXTS
    assert found.select(c.TEXT_ID, c.TEXT, c.RATING, c.PRODUCT_ID).rows() == [
        ("messages/1", "where is it?", None, None),
        ("reviews/1", "Good\nFits well.", 5.0, "p"),
        ("reviews/2", "no stars", None, None),
    ]


def test_a_shop_where_nobody_says_anything_has_no_texts(tmp_path: Path) -> None:
    assert texts(Snapshot(a_lake(tmp_path, {c.ORDERS: []}), AS_OF)).schema == TEXTS


def test_what_was_written_is_of_the_window_with_its_rating(tmp_path: Path) -> None:
    lake = a_lake(tmp_path, SHOP)
    later = Window(AS_OF, AsOf.parse("2023-06-01"))
    assert written(lake, later).select(c.TEXT_ID, c.RATING).rows() == [("reviews/4", 2.0)]
    assert written(lake, later, known_by=AS_OF).is_empty()
