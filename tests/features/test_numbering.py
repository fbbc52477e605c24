"""Words become the same numbers, whether few rows are looked up one by one or many in a frame."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.features import numbering
from dongcha.features.next_events import acted, begins, most_told
from dongcha.features.numbering import numbered, placed

WORDS = st.sampled_from(["", "a", "b", "é", "杯", "a b"])


@given(st.lists(st.none() | WORDS, max_size=12))
def test_numbers_follow_the_words_order_however_many_there_are(words: list[str | None]) -> None:
    column = pl.Series(words, dtype=pl.String)
    codes, names = numbered(column)
    assert names == sorted({word for word in words if word is not None})
    assert [None if code < 0 else names[code] for code in codes.tolist()] == words
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "FEW", 0)
        many, same = numbered(column)
    assert (many.tolist(), same) == (codes.tolist(), names)


@given(st.lists(WORDS, max_size=8), st.sets(WORDS))
def test_places_are_found_however_many_there_are(ids: list[str], among: set[str]) -> None:
    whole = pl.Series(list(among), dtype=pl.String)
    found = placed(pl.Series(ids, dtype=pl.String), whole)
    assert [None if place < 0 else whole[place] for place in found.tolist()] == [k if k in among else None for k in ids]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "FEW", 0)
        assert placed(pl.Series(ids, dtype=pl.String), whole).tolist() == found.tolist()


LINES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)), max_size=15)


@given(LINES)
def test_the_event_with_most_lines_of_a_moment_is_what_was_done(lines: list[tuple[int, int, int]]) -> None:
    names = ["Cart Viewed", "Email Sent", "Order Completed"]
    rows, moments, events = np.array(lines, dtype=np.int64).reshape(-1, 3).T
    kept = acted(rows, moments, events, names)
    expected = []
    for who, when in sorted({line[:2] for line in lines}):
        own = [event for *at, event in lines if at == [who, when] and event != 1]
        if own:
            most = min(own, key=lambda event: (-own.count(event), event))
            expected += [(who, when, most)] * own.count(most)
    assert [lines[place] for place in kept.tolist()] == expected


@given(st.lists(st.lists(st.integers(-1, 3), min_size=1, max_size=6), max_size=6))
def test_most_lines_decide_and_a_kind_before_none(groups: list[list[int]]) -> None:
    which = np.array([k for k, kinds in enumerate(groups) for _ in kinds], dtype=np.int64)
    kinds = np.array([kind for some in groups for kind in some], dtype=np.int64)
    expected = [min(some, key=lambda kind: (kind < 0, -some.count(kind), kind)) for some in groups]
    assert most_told(which, kinds, len(groups)).tolist() == expected


def test_a_visit_of_somebody_else_begins_anew() -> None:
    minutes = np.array([0, 30, 61, 61], dtype=np.int64) * 60_000_000
    assert begins(np.array([0, 0, 0, 1]), minutes).tolist() == [True, False, True, True]
