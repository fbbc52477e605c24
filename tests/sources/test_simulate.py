"""The simulated shop keeps the contract: keys, relations, schema, window, determinism, both languages."""

import hashlib
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from functools import cache

import polars as pl
import pytest

from dongcha import columns as c
from dongcha.errors import UsageError
from dongcha.sources.simulate import Simulated, Truth, simulate, write
from dongcha.sources.simulate.chinese import WORDS as CHINESE
from dongcha.sources.simulate.english import WORDS as ENGLISH
from dongcha.warehouse.tables import CONTRACT

START, DAYS = date(2022, 3, 1), 500
MONEY_COLUMNS = {c.ORDERS: (c.PRICE, c.DISCOUNT), c.PRODUCTS: (c.PRICE, c.COST)}
RELATIONS = [
    (table, c.CUSTOMER_ID, c.CUSTOMERS)
    for table in (c.EVENTS, c.ORDERS, c.REVIEWS, c.MESSAGES, c.EXPOSURES, c.OUTCOMES)
] + [(table, c.PRODUCT_ID, c.PRODUCTS) for table in (c.EVENTS, c.ORDERS, c.REVIEWS, c.STOCK)]

DIGEST = """
import hashlib, io
from datetime import date
from dongcha.sources.simulate import simulate
shop = simulate(150, language="zh", start=date(2022, 3, 1), days=300, products=60, seed=11)
total = hashlib.sha256()
for frames in (shop.tables, shop.truth):
    for name in sorted(frames):
        buffer = io.BytesIO()
        frames[name].write_ipc(buffer)
        total.update(name.encode() + buffer.getvalue())
print(total.hexdigest())
"""


@cache
def shop(language: str) -> Simulated:
    return simulate(800, language=language, start=START, days=DAYS, products=120, seed=3)  # type: ignore[arg-type]


@pytest.fixture(params=["en", "zh"])
def either(request: pytest.FixtureRequest) -> Simulated:
    return shop(request.param)


def test_all_ten_tables_are_there_and_none_is_empty(either):
    assert set(either.tables) == set(CONTRACT) - {c.IDENTITIES}
    assert all(frame.height for frame in either.tables.values())


def test_every_table_has_the_schema_of_the_contract(either):
    for name, frame in either.tables.items():
        assert dict(frame.schema) == CONTRACT[name].schema, name


def test_keys_are_unique(either):
    for name, frame in either.tables.items():
        assert not frame.select(CONTRACT[name].key).is_duplicated().any(), name


def test_what_the_contract_requires_is_never_null(either):
    for name, frame in either.tables.items():
        required = [column.name for column in CONTRACT[name].columns if column.required]
        assert frame.select(pl.col(required).null_count().sum()).row(0) == (0,) * len(required), name


@pytest.mark.parametrize(("table", "column", "parent"), RELATIONS)
def test_whoever_is_referred_to_exists(either, table, column, parent):
    orphans = (
        either.tables[table].filter(pl.col(column).is_not_null()).join(either.tables[parent], on=column, how="anti")
    )
    assert orphans.is_empty()


def test_outcomes_and_returns_refer_to_orders_that_exist(either):
    orders = either.tables[c.ORDERS]
    assert either.tables[c.OUTCOMES].join(orders, on=c.ORDER_ID, how="anti").is_empty()
    returned = orders.filter(pl.col(c.QUANTITY) < 0)
    of = returned.select(pl.col(c.EXTRAS).str.json_path_match("$.returns").alias(c.ORDER_ID), c.LINE, c.HAPPENED_AT)
    first = of.join(orders, on=[c.ORDER_ID, c.LINE], how="left", suffix="_first")
    assert returned.height > 0
    assert (first[c.HAPPENED_AT] > first["happened_at_first"]).all()


def test_nothing_is_dated_outside_the_window_or_known_before_it_happened(either):
    first = datetime(START.year, START.month, START.day, tzinfo=UTC)
    for name, frame in either.tables.items():
        assert frame[c.HAPPENED_AT].min() >= first, name
        assert frame[c.KNOWN_AT].max() < first + timedelta(days=DAYS), name
        assert (frame[c.KNOWN_AT] >= frame[c.HAPPENED_AT]).all(), name


def test_a_customer_is_registered_before_the_first_order(either):
    first = either.tables[c.ORDERS].group_by(c.CUSTOMER_ID).agg(pl.col(c.HAPPENED_AT).min().alias("first"))
    joined = either.tables[c.CUSTOMERS].join(first, on=c.CUSTOMER_ID, how="left")
    assert joined["first"].null_count() == 0
    assert (joined[c.CREATED_AT] <= joined["first"]).all()


def test_nobody_is_logged_in_before_registering(either):
    events = either.tables[c.EVENTS].join(either.tables[c.CUSTOMERS], on=c.CUSTOMER_ID)
    assert (events[c.HAPPENED_AT] >= events[c.CREATED_AT]).all()
    assert either.tables[c.EVENTS].filter(pl.col(c.CUSTOMER_ID).is_null())[c.ANONYMOUS_ID].null_count() == 0


def test_an_order_on_line_leaves_its_whole_visit(either):
    events = either.tables[c.EVENTS]
    ordered = events.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED).select(c.SESSION_ID, c.HAPPENED_AT)
    steps = events.join(ordered, on=c.SESSION_ID, suffix="_ordered")
    assert ordered[c.SESSION_ID].is_unique().all()
    assert (steps[c.HAPPENED_AT] <= steps["happened_at_ordered"]).all()
    kinds = steps.group_by(c.SESSION_ID).agg(pl.col(c.EVENT).n_unique().alias("kinds"))
    assert (kinds["kinds"] == 5).all()


def test_money_is_never_negative_and_never_more_than_the_line(either):
    for name, money in MONEY_COLUMNS.items():
        assert either.tables[name].select(pl.min_horizontal(pl.col(money).min())).item() >= 0
    lines = either.tables[c.ORDERS].select(
        pl.col(c.DISCOUNT).cast(float), (pl.col(c.QUANTITY) * pl.col(c.PRICE).cast(float)).abs()
    )
    assert (lines[c.DISCOUNT] <= lines[c.QUANTITY]).all()


def test_the_same_seed_makes_the_same_bytes_in_another_process():
    digests = [
        subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert digests[0] == digests[1]
    assert len(digests[0].strip()) == hashlib.sha256().digest_size * 2


def test_another_seed_makes_another_shop():
    a, b = (simulate(60, days=150, products=36, seed=seed).tables[c.ORDERS] for seed in (1, 2))
    assert not a.equals(b)


def test_more_customers_leave_the_products_as_they_were():
    a, b = (simulate(customers, days=150, products=36).tables[c.PRODUCTS] for customers in (40, 90))
    assert a.equals(b)


@pytest.mark.parametrize("customers", [1, 7])
def test_a_tiny_shop_is_still_a_shop(customers):
    tiny = simulate(customers, days=130, products=24)
    assert tiny.tables[c.CUSTOMERS].height == customers
    assert set(tiny.tables) == set(CONTRACT) - {c.IDENTITIES}


def test_a_written_shop_is_read_back_whole(tmp_path):
    simulated = shop("en")
    write(simulated, tmp_path)
    for name, frame in simulated.tables.items():
        assert pl.read_parquet(tmp_path / f"{name}.parquet").equals(frame)
    again = Truth.read(tmp_path / "truth").churn_probability("2022-12-01", 60)
    assert again.equals(simulated.churn_probability("2022-12-01", 60))


def test_the_chinese_shop_is_as_full_as_the_english_one():
    def sizes(words):
        people, reviews, desk = words.people, words.reviews, words.desk
        return {
            "names": min(len(people.women), len(people.men), len(people.families)) >= 40,
            "cities": len(people.cities) >= 30,
            "brands": len({brand for kind in words.categories for brand in kind.brands}),
            "nouns": len({noun for kind in words.categories for noun in kind.nouns}),
            "phrases": sum(len(a.praise) + len(a.blame) for a in reviews.aspects),
            "asks": sum(len(i.asks) for i in desk.intents),
            "pages": len(words.pages),
        }

    assert sizes(ENGLISH) == sizes(CHINESE)


def test_each_shop_speaks_its_language():
    def share_of_chinese(simulated, table, column):
        return simulated.tables[table][column].drop_nulls().str.contains(r"\p{Han}").mean()

    for table, column in ((c.REVIEWS, c.TEXT), (c.MESSAGES, c.TEXT), (c.PRODUCTS, c.NAME), (c.CUSTOMERS, c.NAME)):
        assert share_of_chinese(shop("zh"), table, column) > 0.95
        assert share_of_chinese(shop("en"), table, column) == 0


def test_no_slot_of_a_phrase_is_left_open(either):
    for table in (c.REVIEWS, c.MESSAGES, c.DOCUMENTS):
        assert not either.tables[table][c.TEXT].str.contains(r"[{}]").any()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"customers": 0}, "0 customers"),
        ({"days": 30}, "30 days"),
        ({"products": 3}, "3 products"),
        ({"language": "fr"}, "fr"),
    ],
)
def test_an_impossible_shop_is_refused_with_a_sentence(wrong, says):
    with pytest.raises(UsageError, match=says):
        simulate(**{"customers": 10, "days": 150, **wrong})
