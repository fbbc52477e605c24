"""What is praised and blamed: names are told from feelings, verbs and single products, in English and Chinese."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.text.aspect_terms import AspectTerms

ENGLISH = {
    "battery life": ["the battery life is great", "awful battery life", "battery life was terrible"],
    "screen": ["a lovely screen", "the screen is awful", "its screens are great"],
    "delivery": ["delivery was fast", "terrible delivery", "the delivery was really slow"],
}
CHINESE = {
    "物流": ["物流很快", "物流太慢了", "物流真的差"],
    "质量": ["质量不错", "质量非常好", "质量太差"],
    "包装": ["包装很精美", "包装太差", "包装很好"],
}


def texts_of(phrases: dict[str, list[str]], gap: str, count: int = 240) -> list[str]:
    random = np.random.default_rng(3)
    said = [phrase for each in phrases.values() for phrase in each]
    return [gap.join(random.choice(said, 2, replace=False)) for _ in range(count)]


def test_things_are_named_in_both_languages_and_feelings_are_not() -> None:
    terms = AspectTerms.of([*texts_of(ENGLISH, ". I love it, "), *texts_of(CHINESE, "，喜欢，")])
    assert set(terms.names) == {*ENGLISH, *CHINESE}
    assert terms.forms["screens"] == terms.forms["screen"] == "screen"


def test_what_is_said_of_one_product_alone_names_the_product() -> None:
    random = np.random.default_rng(5)
    said, about = [], []
    for row in range(400):
        product = row % 8
        thing = "guitar" if product == 0 else "screen"
        said.append(f"the {thing} is {random.choice(['great', 'awful'])}, the price is good")
        about.append(f"p{product}")
    assert set(AspectTerms.of(said, about).names) == {"screen", "price"}
    assert "guitar" in AspectTerms.of(said).names, "without products it cannot be told"


def test_a_mention_is_the_clause_around_the_longest_form_in_the_order_of_the_text() -> None:
    forms = {"battery life": "battery life", "battery": "battery", "screen": "screen", "质量": "质量"}
    terms = AspectTerms(forms)
    (found,) = terms.found(["Screens? The Screen is FINE, but battery life is bad；质量还行，batteries"])
    assert [(one.aspect, one.clause.strip()) for one in found] == [
        ("screen", "the screen is fine"),
        ("battery life", "battery life is bad"),
        ("质量", "质量还行"),
    ]


def test_other_languages_are_read_and_nothing_is_said_of_nothing() -> None:
    portuguese = ["o produto chegou bem, a entrega foi rápida e o prazo ok", "gostei do produto, a entrega demorou"]
    assert {"produto", "entrega"} <= set(AspectTerms.of(portuguese * 30).names)
    assert AspectTerms.of([]).forms == {}
    assert AspectTerms.of(["", "😍", "123", "ไม่ดี"] * 30).forms == {}
    assert AspectTerms({}).found(["the screen"]) == [[]]


def test_the_same_texts_give_the_same_terms_and_what_is_saved_comes_back(tmp_path: Path) -> None:
    said = texts_of(ENGLISH, ", ")
    terms = AspectTerms.of(said)
    assert terms == AspectTerms.of(list(said))
    terms.save(tmp_path)
    assert list(AspectTerms.load(tmp_path).forms.items()) == list(terms.forms.items())


@given(st.lists(st.text(max_size=80), max_size=4))
def test_any_text_is_read(texts: list[str]) -> None:
    terms = AspectTerms({"a": "a", "质": "质", "b+": "b+"})
    assert len(terms.found(texts)) == len(texts)
    AspectTerms.of(texts)


@pytest.mark.parametrize("text", ["the screen is great " * 20_000, "屏幕很好" * 20_000])
def test_a_very_long_text_is_read_from_its_beginning(text: str) -> None:
    (found,) = AspectTerms({"screen": "screen", "屏幕": "屏幕"}).found([text])
    assert 900 < len(found) <= 5_000
