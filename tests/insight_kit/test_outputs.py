"""The five kinds of answer: checked on the way in, the same on the way out."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import ContractError
from dongcha.insight_kit.outputs import Group, Output, Ranking, Series, Value, Vector, from_rows, to_rows

PAIRS = pl.List(pl.Struct({"label": pl.String, "value": pl.Float64}))
numbers = st.floats(-1e9, 1e9)
pairs = st.lists(st.fixed_dictionaries({"label": st.text(max_size=5), "value": numbers}), min_size=1, max_size=4)
answers = st.lists(
    st.tuples(st.one_of(st.none(), numbers), st.text(max_size=6), pairs, pairs, st.tuples(numbers, numbers)),
    min_size=1,
    max_size=6,
)
OUTPUTS: tuple[Output, ...] = (Value("v"), Group("g"), Ranking("r"), Series("s"), Vector("x", size=2))


@given(answers)
def test_every_kind_comes_back_from_the_ledger_as_it_went_in(rows: list[tuple[object, ...]]) -> None:
    ids = [f"c{k:02}" for k in range(len(rows))]
    schema = {
        "entity_id": pl.String,
        "v": pl.Float64,
        "g": pl.String,
        "r": PAIRS,
        "s": PAIRS,
        "x": pl.Array(pl.Float64, 2),
    }
    answer = pl.DataFrame([(i, *row) for i, row in zip(ids, rows, strict=True)], schema=schema, orient="row")
    for output in OUTPUTS:
        output.check(answer)
    assert from_rows(OUTPUTS, to_rows(OUTPUTS, answer)).equals(answer)


@pytest.mark.parametrize(
    ("output", "column", "what"),
    [
        (Value("p", lowest=0, highest=1), [1.5], "above"),
        (Value("p", lowest=0), [-0.1], "below"),
        (Value("p"), [float("inf")], "not finite"),
        (Value("p"), [float("nan")], "not finite"),
        (Value("p"), ["text"], "String"),
        (Group("p"), [1.0], "Float64"),
        (Value("q"), [1.0], "lacks"),
    ],
)
def test_an_answer_that_is_not_as_declared_is_refused(output: Output, column: list[object], what: str) -> None:
    with pytest.raises(ContractError, match=what):
        output.check(pl.DataFrame({"entity_id": ["a"], "p": column}))


def test_an_unknown_number_is_allowed() -> None:
    Value("p", lowest=0, highest=1).check(
        pl.DataFrame({"entity_id": ["a"], "p": [None]}, schema_overrides={"p": pl.Float64})
    )
