"""Tokens of texts in any language: known answers, and no text is too odd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.text.tokens import CHARACTERS_READ, located, normalised, tokenise, words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Not good. But cheap", ["not", "not_good", "but", "cheap"]),
        ("I don't like it, I love it!", ["i", "don't", "not_like", "not_it", "i", "love", "it", "!"]),
        ("not cheap but good", ["not", "not_cheap", "but", "good"]),
        ("不喜欢，喜欢", ["不", "not_喜欢", "喜欢"]),
        ("不是很喜欢", ["不是", "很", "not_喜欢"]),
        ("没有用过，质量好", ["没有", "not_用过", "质量", "好"]),
        ("Soooooo goooood", ["soo", "good"]),
        ("哈哈哈哈", ["哈哈"]),
        ("👍🏽👍❤️", ["👍", "👍", "❤"]),
        ("👩‍👧 :-) <3", ["👩‍👧", ":-)", "<3"]),
        ("<p>A&amp;B</p><br/>see https://a.b/c?d=e @jo_e", ["a", "b", "see", "_url", "_user"]),
        ("ＦＵＬＬ　ｗｉｄｔｈ", ["full", "width"]),
        ("T-shirt, well-made: 12.5", ["t-shirt", "well", "made", "12.5"]),
        ("iPhone12手机很nice", ["iphone12", "手机", "很", "nice"]),
        ("अच्छा नहीं", ["अच्छा", "नहीं"]),
        ("Très bon; não", ["très", "bon", "não"]),
        ("これは", ["これ", "れは"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_a_text_is_cut_as_a_reader_would(text: str, tokens: list[str]) -> None:
    assert tokenise(text) == tokens


def test_negation_may_be_left_out() -> None:
    assert tokenise("not good 不喜欢", negations=False) == ["not", "good", "不", "喜欢"]


def test_what_a_text_is_about_is_its_words_without_little_ones() -> None:
    assert words("The 2 dresses were NOT blue!! 😍 @me 这个手机的屏幕不清晰 http://x.y") == [
        "dresses",
        "blue",
        "手机",
        "屏幕",
        "清晰",
    ]


def test_no_more_than_the_beginning_of_a_long_text_is_read() -> None:
    long = "word " * 25_000
    assert tokenise(long) == ["word"] * (CHARACTERS_READ // 5)
    assert tokenise(long + "end") == tokenise(long)


@pytest.mark.parametrize("odd", ["<" * 100_000, "@" * 100_000, "a'" * 50_000, "&amp;" * 20_000, "不" * 100_000])
def test_no_text_of_100_kilobytes_is_too_odd(odd: str) -> None:
    assert len(tokenise(odd)) <= CHARACTERS_READ


@given(st.text(st.characters(), max_size=60))
def test_any_text_has_tokens_with_no_blank_in_them_and_at_their_places(text: str) -> None:
    normal = normalised(text)
    pieces = located(normal, negations=False)
    assert [piece.token for piece in pieces] == tokenise(text, negations=False)
    assert all(piece.token and not piece.token.isspace() for piece in pieces)
    starts = [(piece.start, piece.end) for piece in pieces if piece.kind != "unspaced"]
    assert starts == sorted(starts)
    for piece in pieces:
        if piece.kind not in {"url", "user"}:
            assert normal[piece.start : piece.end] == piece.token


@given(st.lists(st.sampled_from(["good", "bad", "not", "never", "but", ".", "质量", "不", "好", "😍", "don't"])))
def test_marking_negation_changes_no_more_than_the_marks(parts: list[str]) -> None:
    text = " ".join(parts)
    assert [token.removeprefix("not_") for token in tokenise(text)] == tokenise(text, negations=False)
