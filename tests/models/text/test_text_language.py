"""Languages: known answers, short and mixed texts, and nothing to tell."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.text.language import languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("good", "en"),
        ("Thanks", "en"),
        ("not good, it broke after two days", "en"),
        ("@VirginAmerica plus you've added commercials http://t.co/x", "en"),
        ("不错", "zh"),
        ("質量很好", "zh"),
        ("iPhone 手机很好用", "zh"),
        ("nice质量不错", "zh"),
        ("これは良いです", "ja"),
        ("좋아요 배송이 빨라요", "ko"),
        ("Très bon produit, livraison rapide", "fr"),
        ("Sehr gute Qualität, schnelle Lieferung", "de"),
        ("O produto chegou muito antes do prazo e é ótimo", "pt"),
        ("La calidad es muy mala", "es"),
        ("отличное качество, спасибо", "ru"),
        ("जूते बहुत अच्छे हैं", "hi"),
        ("ดีมาก", "th"),
    ],
)
def test_a_text_is_in_its_language(text: str, language: str) -> None:
    assert languages([text]) == [language]


@pytest.mark.parametrize("text", ["", "   ", "12345", "😍😍", "!!!", "https://example.com/good @somebody"])
def test_what_holds_no_words_is_in_no_language(text: str) -> None:
    assert languages([text]) == ["und"]


@given(st.lists(st.text(st.characters(), max_size=40), max_size=5))
def test_every_text_has_one_code_and_it_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    found = languages(texts)
    assert all(re.fullmatch("[a-z]{2}|und", code) for code in found)
    assert found == [languages([text])[0] for text in texts]
