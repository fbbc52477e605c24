"""Which ratings came in a window: the newest of each customer and product, known by then."""

from pathlib import Path
from typing import Any

from small_shops import a_lake

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.labels import ratings_given

CUTOFF = AsOf.parse("2023-03-01")
WINDOW = Window.after(CUTOFF, Horizon(30))


def review(row: tuple[int, str | None, str | None, float | None, str], known: str = "") -> dict[str, Any]:
    number, who, product, stars, moment = row
    when = {c.HAPPENED_AT: AsOf.parse(moment).moment, c.KNOWN_AT: AsOf.parse(known or moment).moment}
    return {c.REVIEW_ID: f"v{number}", c.CUSTOMER_ID: who, c.PRODUCT_ID: product, c.RATING: stars, **when}


def test_the_newest_rating_of_each_pair_counts_if_it_came_in_the_window_and_was_known(tmp_path: Path) -> None:
    reviews = [
        review((1, "a", "p", 1.0, "2023-03-02")),
        review((2, "a", "p", 4.0, "2023-03-09")),
        review((3, "a", None, 3.0, "2023-03-05")),
        review((4, "b", "p", 5.0, "2023-02-28")),
        review((5, "b", "p", 2.0, "2023-03-31")),
        review((6, "c", "q", None, "2023-03-02")),
        review((7, None, "q", 5.0, "2023-03-02")),
        review((8, "d", "q", 2.0, "2023-03-02"), known="2023-05-01"),
    ]
    lake = a_lake(tmp_path, {c.REVIEWS: reviews})
    known = ratings_given(lake, WINDOW, known_by=AsOf.parse("2023-04-01"))
    assert known.rows() == [("a", None, 3.0), ("a", "p", 4.0)]
    assert ratings_given(lake, WINDOW).rows() == [*known.rows(), ("d", "q", 2.0)]
