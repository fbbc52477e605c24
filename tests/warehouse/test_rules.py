"""Rules say the same in Polars and in SQL, and hold nothing but comparisons."""

import sqlite3

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import UsageError
from dongcha.warehouse.rules import MOST_COMPARISONS, Kind, in_polars, in_sql

KINDS = {"x": Kind.NUMBER, "y": Kind.NUMBER, "group": Kind.TEXT}
NUMBERS = st.sampled_from([None, -1.0, 0.0, 0.5, 1.0])
TEXTS = st.sampled_from([None, "", "a", "b", "é", "王"])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS), min_size=1, max_size=8)

number = st.sampled_from(["x", "y", "0", "0.5", "-1"])
text = st.sampled_from(["group", "'a'", "'é'", "'王'", "''"])
sign = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
comparison = st.one_of(
    st.tuples(number, sign, number).map(" ".join),
    st.tuples(number, sign, number, sign, number).map(" ".join),
    st.tuples(text, sign, text).map(" ".join),
    st.tuples(number, st.sampled_from(["in [0, 0.5]", "not in (-1, 1)"])).map(" ".join),
    st.tuples(text, st.sampled_from(["in ['a', '王']", "not in ['b']"])).map(" ".join),
)
rules = st.recursive(
    comparison,
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from(["and", "or"]), part).map(lambda p: f"({' '.join(p)})"),
        part.map(lambda p: f"not ({p})"),
    ),
    max_leaves=6,
)


@given(rules, ROWS)
def test_a_rule_selects_the_same_in_polars_and_in_sql(rule: str, rows: list[tuple[float, float, str]]) -> None:
    frame = pl.DataFrame(rows, {"x": pl.Float64, "y": pl.Float64, "g": pl.String}, orient="row").with_row_index("n")
    chosen = frame.rename({"g": "group"}).filter(in_polars(rule, KINDS).fill_null(False))["n"].to_list()
    condition, values = in_sql(rule, KINDS, {"group": "g"})
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (n INTEGER, x REAL, y REAL, g TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", frame.rows())
        assert [n for (n,) in connection.execute(f"SELECT n FROM t WHERE {condition} ORDER BY n", values)] == chosen
    connection.close()


@pytest.mark.parametrize(
    "rule",
    [
        "x > 'a'",
        "group == 1",
        "x in []",
        "x in [y]",
        "x in ['a']",
        "[0] < x",
        "x == True",
        "x == None",
        "group == b'a'",
        "x < 1" + "0" * 400,
        "group == '\\ud800'",
        "group == '\\x00'",
        " or ".join(["x > 0"] * (MOST_COMPARISONS + 1)),
        '"x" > 0; drop table t',
    ],
)
def test_what_cannot_be_compared_is_refused(rule: str) -> None:
    for say in (lambda: in_polars(rule, KINDS), lambda: in_sql(rule, KINDS, {})):
        with pytest.raises(UsageError):
            say()


def test_as_many_comparisons_as_are_allowed_can_be_run() -> None:
    condition, values = in_sql(" or ".join(["x > 0"] * MOST_COMPARISONS), KINDS, {})
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (x REAL)")
        assert connection.execute(f"SELECT * FROM t WHERE {condition}", values).fetchall() == []
    connection.close()


def test_values_go_beside_the_sql_never_into_it() -> None:
    condition, values = in_sql('group == "\'; DROP TABLE t; --"', KINDS, {})
    assert (condition, values) == ('("group" = ?)', ["'; DROP TABLE t; --"])
