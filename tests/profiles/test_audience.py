"""Audiences: a small language that selects, and cannot do anything else."""

import contextlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import DongchaError, MissingDataError, UsageError
from dongcha.profiles.audience import audience

CHURN = pl.DataFrame({"entity_id": ["a", "b", "c"], "churn_probability": [0.9, 0.5, None]})
SEGMENT = pl.DataFrame({"entity_id": ["b", "c", "d"], "segment": ["loyal", "new", "loyal"]})


def chosen(rule: str) -> list[str]:
    return audience(rule, [CHURN, SEGMENT])["entity_id"].to_list()


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        ("churn_probability > 0.6", ["a"]),
        ("churn_probability >= 0.5 and segment == 'loyal'", ["b"]),
        ("churn_probability > 0.6 or segment == 'loyal'", ["a", "b", "d"]),
        ("not segment == 'loyal'", ["c"]),
        ("segment in ['new', 'old']", ["c"]),
        ("0.4 < churn_probability < 0.6", ["b"]),
        ("churn_probability > -1", ["a", "b"]),
        ("(churn_probability > 0.6) or (segment != 'loyal')", ["a", "c"]),
    ],
)
def test_a_rule_selects_whom_it_says(rule: str, ids: list[str]) -> None:
    assert chosen(rule) == ids


def test_an_unknown_name_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match="Did you mean churn_probability"):
        chosen("churn_probabilty > 0.5")


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os').system('true')",
        "churn_probability.real > 1",
        "(lambda: 1)() > 0",
        "[x for x in (1,)]",
        "churn_probability",
        "churn_probability > ",
        "",
        "churn_probability is 1",
        "segment > 3",
        "(" * 5000,
        "not " * 2000 + "segment == 'x'",
    ],
)
def test_anything_but_a_rule_is_refused_with_a_sentence(rule: str) -> None:
    with pytest.raises(UsageError):
        chosen(rule)


@given(st.text(max_size=40))
def test_no_text_whatever_breaks_the_reader(rule: str) -> None:
    with contextlib.suppress(DongchaError):
        chosen(rule)


def test_with_nothing_scored_it_says_what_to_do() -> None:
    with pytest.raises(MissingDataError, match="dongcha run"):
        audience("a > 1", [])
