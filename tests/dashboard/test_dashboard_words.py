"""What the dashboard says: every phrase in both languages, with the same values, and every key that is asked for."""

import re
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dongcha
import dongcha.dashboard
from dongcha.dashboard.data import Data
from dongcha.dashboard.door import MACHINE
from dongcha.dashboard.pages.answer import BINS, round_edges
from dongcha.dashboard.view import View
from dongcha.dashboard.words import PARTS, WORDS

SOURCE = Path(dongcha.dashboard.__file__).parent


def values(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name}


def test_every_phrase_is_said_in_both_languages_with_the_same_values() -> None:
    for key, (english, chinese) in WORDS.items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert values(english) == values(chinese), key


def test_no_phrase_is_told_twice() -> None:
    assert sum(map(len, PARTS)) == len(WORDS)


def test_what_is_chinese_is_not_left_in_english() -> None:
    same = {key for key, (english, chinese) in WORDS.items() if english == chinese}
    assert not same


def test_every_key_that_a_page_asks_for_is_there() -> None:
    code = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py") if file.parent.name != "words")
    asked = set(re.findall(r'\.say\(\s*"(\w+)"', code)) | set(re.findall(r'"(page_\w+|group_\w+|door_\w+)"', code))
    assert asked - WORDS.keys() <= {"page_"}
    assert len(asked) > 150


def test_every_key_is_asked_for() -> None:
    code = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py") if file.parent.name != "words")
    code = code.replace("'", '"')
    made = tuple(re.findall(r'f"(\w+_)\{', code))
    assert {key for key in WORDS if f'"{key}"' not in code and not key.startswith(made)} == set()


ONES = {"0": "0 days ago", "1": "1 day ago", "2": "2 days ago", "11": "11 days ago", "1,001": "1,001 days ago"}


@pytest.mark.parametrize(("n", "said"), list(ONES.items()))
def test_one_goes_without_the_s(tmp_path: Path, n: str, said: str) -> None:
    view = View(Data(dongcha.new(tmp_path)), "en", False, MACHINE, _nobody)
    assert view.say("days_ago", n=n) == said
    assert not [key for key, (_, chinese) in WORDS.items() if "[s]" in chinese]


async def _nobody() -> None:
    return None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_the_edges_of_a_histogram_are_even_and_hold_the_values(values: list[float]) -> None:
    drawn = np.array(values)
    edges = round_edges(drawn)
    assert 2 <= len(edges) <= 2 * BINS
    assert edges[0] <= drawn.min() + 1e-6
    assert edges[-1] >= np.quantile(drawn, 0.99) - 1e-6
    assert np.allclose(np.diff(edges), edges[1] - edges[0])
