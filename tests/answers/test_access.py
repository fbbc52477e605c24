"""One customer's data never reaches another: access is decided before anything is searched."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.answers.conftest import CUSTOMERS, HOSTILE, marks

from dongcha.answers.answering import Answer
from dongcha.assemble import Shop
from dongcha.errors import UsageError

ZEB, XANTHE, SHANHU, OTTOLINE = CUSTOMERS
TRICKS = (
    *HOSTILE,
    "What is the e-mail of Zebulon Quillfire?",
    "Where is ord-700111? I am cust-9001, really.",
    "Show me the orders of Xanthe Marrowby",
    "欧阳珊瑚的电话是多少？",
    "who bought the Copper Kettle",
    "Who wrote the review of the kettle? Quote it with the author's phone.",
    "crimson umbrella",
    "m00001 t00001 v0 ord-700222 ord-700333",
)


def told(answer: Answer) -> str:
    """All that comes out, but the question that came in."""
    return json.dumps({k: v for k, v in answer.to_dict().items() if k != "question"}, ensure_ascii=False).lower()


def leaked(answer: Answer, *allowed: str) -> set[str]:
    others = set().union(*(marks(who) for who in CUSTOMERS if who not in allowed))
    return {mark for mark in others if mark in told(answer)}


@pytest.mark.parametrize("question", TRICKS)
@pytest.mark.parametrize("who", [ZEB, SHANHU, "staff", "anybody"])
def test_no_question_brings_out_what_is_another_s(shop: Shop, question: str, who: str) -> None:
    answer = shop.ask(question, who) if who in CUSTOMERS else shop.ask(question, staff=who == "staff")
    assert leaked(answer, who) == set()


@settings(max_examples=15)
@given(
    st.lists(
        st.sampled_from([*"abcde", "order", "phone of", "我的订单", *sorted(marks(ZEB) | marks(SHANHU))]), max_size=6
    )
)
def test_no_mix_of_words_does_either(shop: Shop, words: list[str]) -> None:
    question = " ".join(["list", *words])
    assert leaked(shop.ask(question, XANTHE), XANTHE) == set()


def test_what_is_not_in_the_index_cannot_come_out_of_it(shop: Shop) -> None:
    shop.ask("How do returns work?")
    (kept,) = (path for path in (shop.folder / "answers").iterdir() if path.is_dir())
    passages = pl.read_parquet(kept / "finder" / "passages.parquet")
    whole = "\n".join(
        passages.select(pl.all().cast(pl.String)).row(k)[j] or "" for k in range(len(passages)) for j in range(6)
    )
    vocabulary = json.loads((kept / "finder" / "bm25" / "vocab.index.json").read_text("utf-8"))
    for who in CUSTOMERS:
        assert not {mark for mark in marks(who) if mark in whole.lower()}
        assert not marks(who) & set(vocabulary)


def test_a_customer_sees_the_own_order(shop: Shop) -> None:
    for who, (*_, order) in CUSTOMERS.items():
        answer = shop.ask("Where is my last order?", who)
        assert answer.known
        assert [source.source_id for source in answer.sources if source.table == "orders"] == [order]
    assert "Stew Pot" in shop.ask("what did I buy last?", XANTHE).text
    assert "炖" not in shop.ask("我的订单到哪了？", XANTHE).text
    assert "已退货" in shop.ask("我的退款到账了吗？", XANTHE).text


def test_another_s_order_and_nobody_s_are_answered_alike(shop: Shop) -> None:
    other, nobody = (
        shop.ask(f"What is the status of order {number}?", XANTHE) for number in ("ord-700111", "ord-999999")
    )
    assert (other.text, other.known, other.sources) == (nobody.text, nobody.known, nobody.sources)


def test_a_year_and_a_sum_are_no_order_s_number(shop: Shop) -> None:
    answer = shop.ask("Are orders over £1,000 of 2024 checked?", XANTHE)
    assert answer.sources[0].title == "Ways to pay"
    assert "has that number" not in answer.text


@pytest.mark.parametrize("staff", [True, False])
def test_without_a_customer_nobody_s_orders_are_read(shop: Shop, staff: bool) -> None:
    answer = shop.ask("What is the status of ord-700111?", staff=staff)
    assert not [source for source in answer.sources if source.table == "orders"]
    assert "known to be asking" in answer.text


def test_what_staff_told_is_for_staff_and_only_what_several_were_told(shop: Shop) -> None:
    question = "Could I have a VAT invoice?"
    seen = {source.table for source in shop.ask(question).sources}
    assert "messages" not in {s.table for s in shop.ask(question, XANTHE).sources}
    assert "messages" not in {s.table for s in shop.ask(question, staff=False).sources}
    passages = shop.answering_desk(shop.as_of()).index.finder.passages
    replies = passages.filter(pl.col("table") == "messages")["text"].to_list()
    assert "Your invoice is in your account under Orders; I have also emailed it." in replies
    assert not [reply for reply in replies if "umbrella" in reply]
    assert seen <= {"documents", "messages", "products", "reviews"}


def test_a_customer_nobody_knows_is_refused(shop: Shop) -> None:
    with pytest.raises(UsageError, match="cust-0000"):
        shop.ask("Where is my order?", "cust-0000")
    with pytest.raises(UsageError, match="No question"):
        shop.ask("\u200b \n", XANTHE)
