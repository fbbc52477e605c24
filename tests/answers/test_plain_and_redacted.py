"""Texts of unknown origin are shown as plain text, and without what reaches a person."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.answers.plain import plain
from dongcha.privacy.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb\u2060c\ufeff", "abc"),
        ("pay \u202e001\u202c now", "pay 001 now"),
        ("hi\U000e0049\U000e0047\U000e004e", "hi"),
        ("ok\ufe0f\U000e0100\U000e0101", "ok"),
        ("see <a href='https://e.example/?d=1'>here</a>", "see here"),
        ("<img src=x onerror=alert(1)>fine", "fine"),
        ("<script>steal()</script>fine", "fine"),
        ("<scr<script>x</script>ipt>alert(1)</script>", "alert(1)"),
        ("&lt;b&gt;bold", "bold"),
        ("![cat](https://e.example/?d=card) [click](https://e.example)", "cat click"),
        ("\x1b]8;;https://e.example\x07link\x1b]8;;\x07 \x1b[2Jgone", "link gone"),
        ("<!-- hidden", ""),
        ("价格 < 5，数量 > 3", "价格 < 5，数量 > 3"),
        ("a < b", "a < b"),
    ],
)
def test_what_is_hidden_or_acts_is_gone(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.sampled_from("<>/!?ab&lt;gt\u200b\x1b[]()\n ")) | st.text())
def test_nothing_unseen_and_no_tag_is_left(text: str) -> None:
    shown = plain(text)
    assert not re.search(r"<[a-z!?/]", shown, re.IGNORECASE)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("write to ann.lee+1@shop.co.uk or ANN@X.ORG", "write to [e-mail] or [e-mail]"),
        ("call +44 7624 508075 or 13812345678 or (020) 7946-0958", "call [number] or [number] or [number]"),
        ("card 4111 1111 1111 1111", "card [number]"),
        ("order o00012345 and INV-2024-001", "order [number] and [number]"),
        ("我叫王小明，电话13812345678", "我叫[name]，电话[number]"),
        ("see https://x.example/?id=7", "see [link]"),
        ("Within 30 days, from £1,000; size 42, 2.5 litres, 18 个月, 5000元", None),
    ],
)
def test_what_reaches_a_person_goes_and_the_rest_stays(text: str, kept: str | None) -> None:
    assert redacted(text) == (text if kept is None else kept)


@given(st.text(), st.lists(st.sampled_from(["Zoë Quill", "Ann Lee", "王小明", "O'Neil Brown-Smith"]), min_size=1))
def test_a_known_name_never_stays(text: str, names: list[str]) -> None:
    said = redacted(f"{text} {' and '.join(names)} {text}", names)
    assert not any(name in said for name in names)
