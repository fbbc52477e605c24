"""Which words are said more: rare ones prove nothing, usual ones must rise far."""

from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.text.log_odds import log_odds

USUAL = {"broke": 0.02, "box": 0.4, "late": 0.1}


def test_a_word_that_rises_is_told_and_one_that_stays_is_not() -> None:
    found = log_odds({"broke": 20, "box": 40}, 100, {"broke": 2, "box": 40}, 100, USUAL)
    assert found["broke"] > 3
    assert abs(found["box"]) < 0.1


def test_a_word_said_once_proves_nothing() -> None:
    assert log_odds({"broke": 1}, 10, {}, 100, USUAL)["broke"] < 1.96


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_sets_exchanged_turn_the_sign(here: int, there: int) -> None:
    one = log_odds({"late": here}, 40, {"late": there}, 40, USUAL)["late"]
    other = log_odds({"late": there}, 40, {"late": here}, 40, USUAL)["late"]
    assert abs(one + other) < 1e-9
