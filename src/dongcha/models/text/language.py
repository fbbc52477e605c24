"""Which language each text is in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

UNKNOWN: Final = "und"
"""ISO 639-2's word for texts that tell no language: empty ones, numbers, emoji alone."""
CHARACTERS_READ: Final = 2_000
HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
KANA: Final = re.compile(r"[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
HANGUL: Final = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
LETTER: Final = re.compile(r"[^\W\d_]")
NO_LANGUAGE: Final = re.compile(r"<[^<>]{0,500}>|https?://\S+|www\.\S+|@\w+")
LETTERS_A_SIGN: Final = 3
"""A Chinese character or a Hangul syllable says as much as this many letters of an alphabet."""
JAPANESE_FROM: Final = 0.1
"""Han characters with this share of kana among them are Japanese."""
PRIOR: Final = {"en": 8.0, "de": 4.0, "es": 4.0, "fr": 4.0, "it": 4.0, "pt": 4.0, "ru": 4.0}
"""What short texts are taken for, in nats: the library, which holds all languages alike, takes "good" for Somali."""
_ALPHABETIC: Final = """
    af am ar bg bn ca cs da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ka kk km kn lo lt lv mk ml mn
    mr ms my ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi
"""
ALPHABETIC: Final = frozenset(_ALPHABETIC.split())
"""Languages told apart; each small one more would take short texts away from the others."""


def languages(texts: Sequence[str]) -> list[str]:
    """Each text's main language as an ISO 639-1 code ("zh", "en", …; "und" where there is none to tell).

    Chinese, Japanese and Korean by the share of their scripts, some 65 others by naive Bayes over byte n-grams (Lui &
    Baldwin 2012, `py3langid`) with a prior for English and six more languages, which decides in texts of a word or two
    only. Not promised: the language of such a text. Only the first 2,000 characters are read. Never raises.
    """
    return [_language(text[:CHARACTERS_READ]) for text in texts]


def _language(text: str) -> str:
    text = NO_LANGUAGE.sub(" ", text)
    han, kana, hangul = (len(script.findall(text)) for script in (HAN, KANA, HANGUL))
    letters = len(LETTER.findall(text))
    if not letters:
        return UNKNOWN
    signs = han + kana + hangul
    if signs * LETTERS_A_SIGN >= letters - signs:
        if hangul > han + kana:
            return "ko"
        return "ja" if kana > JAPANESE_FROM * (han + kana) else "zh"
    scores: dict[str, float] = {name: score + PRIOR.get(name, 0.0) for name, score in _identifier().rank(text.lower())}
    return max(scores, key=lambda name: scores[name])


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(ALPHABETIC)
    return identifier
