"""A text as tokens, whatever its language; the one place that cuts words."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from dongcha.models.text.stop_words import CHINESE, ENGLISH

CHARACTERS_READ: Final = 20_000
"""Of a longer text only the beginning is read: what is meant stands there, and a pasted log must not cost minutes."""
STAND_IN: Final = {"url": "_url", "user": "_user"}
NOT: Final = "not_"

HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNSPACED: Final = r"\u3040-\u30ff\u31f0-\u31ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Kana, Thai, Lao, Burmese, Khmer: no spaces between words, and no dictionary here."""
MARKS: Final = r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
"""Vowel signs and accents, which Python's regex takes for no part of a word."""
LETTER: Final = rf"(?:[^\W\d_{HAN}{UNSPACED}]|[{MARKS}])"
EMOJI: Final = r"[\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"

MARKUP: Final = re.compile(r"<!--.{0,2000}?-->|</?[a-z][^<>]{0,500}>", re.DOTALL | re.IGNORECASE)
NO_SIGN: Final = re.compile(r"[\ufe0e\ufe0f\u200b\u200c\u2060\ufeff\u00ad\U0001f3fb-\U0001f3ff]")
"""What has no sign of its own, and colours of skin: one thumb up is one token."""
BLANKS: Final = re.compile(r"\s+")
LONG_RUN: Final = re.compile(r"([^\d\s])\1{2,}")
PIECE: Final = re.compile(
    rf"""
    (?P<han>[{HAN}]+)
    |(?P<unspaced>[{UNSPACED}]+)
    |(?P<url>(?:https?://|www\.)[^\s<>"{HAN}]+)
    |(?P<user>(?<!\w)@[a-z0-9_]+)
    |(?P<number>\d+(?:[.,]\d+)*(?!\w))
    |(?P<word>{LETTER}{{1,2}}-{LETTER}+|(?:{LETTER}|\d)+(?:'{LETTER}+)*)
    |(?P<face>(?<!\w)(?:[:;=]['^]?[-o]?(?:[)(\]\[/\\|*3]+|[dpo](?!\w))|<3+|\^[_.-]?\^))
    |(?P<emoji>{EMOJI}(?:\u200d{EMOJI})*)
    |(?P<tone>[!?]+|\.{{2,}}|~+)
    |(?P<stop>[.,;:。、\n])
    """,
    re.VERBOSE,
)

_NEGATORS: Final = """
    not no never none nothing nobody nowhere neither nor without cannot hardly barely scarcely lacks lacking
    aint dont doesnt didnt isnt arent wasnt werent wont wouldnt cant couldnt shouldnt havent hasnt hadnt
"""
_CHINESE_NEGATORS: Final = """
    不 没 没有 别 未 无 莫 勿 并非 不是 不会 不能 不要 不够 不太 不怎么 不大 毫无 从不 从未 从没 并不 并没有 没什么 绝不
"""
_CHINESE_DEGREES: Final = "是 很 太 怎么 那么 这么 非常 特别 十分 够 算 能 会 有 什么 再 感觉 觉得 的"
NEGATORS: Final = frozenset(_NEGATORS.split())
CONTRAST: Final = frozenset({"but", "however", "although", "though", "yet", "except"})
"""What ends a negation without a full stop: "not cheap but good"."""
CHINESE_NEGATORS: Final = frozenset(_CHINESE_NEGATORS.split())
CHINESE_DEGREES: Final = frozenset(_CHINESE_DEGREES.split())
"""What may stand between a Chinese negation and the word that it turns."""


class Piece(NamedTuple):
    """A token, what it is (han, unspaced, url, user, number, word, face, emoji, tone, stop), and where it stands."""

    kind: str
    token: str
    start: int
    end: int


def tokenise(text: str, *, negations: bool = True) -> list[str]:
    """Words, emoji, emoticons and telling punctuation, folded to one case and form, in the order of the text.

    Chinese runs are cut by jieba, others by their letters, scripts without spaces into overlapping pairs. Links become
    "_url", names after an @ "_user", markup nothing; a sign written three times or more is written twice.
    `negations`: a word that is denied is marked, "not good" → not, not_good: in English until the clause ends, in
    Chinese the next word that is more than a degree. Only the first 20,000 characters are read. Never raises; an empty
    text has no tokens.

    >>> tokenise("Soooo NOT good, 不好用😍😍")
    ['soo', 'not', 'not_good', '不好', '用', '😍', '😍']
    """
    return [piece.token for piece in located(normalised(text), negations=negations)]


def words(text: str) -> list[str]:
    """What a text is about: its words without stop words (English, Chinese), numbers, signs, links and names.

    >>> words("The 3 shoes arrived! 物流很快")
    ['shoes', 'arrived', '物流', '很快']
    """
    return [
        token
        for kind, token, _, _ in _pieces(normalised(text))
        if kind in {"word", "han", "unspaced"}
        and token not in ENGLISH
        and token not in CHINESE
        and (kind != "word" or (len(token) > 1 and not token.isdigit()))
    ]


def normalised(text: str) -> str:
    """The text as tokens are cut from it: no markup, one form (NFKC) and case, no long runs, single blanks."""
    text = MARKUP.sub("\n", html.unescape(text[:CHARACTERS_READ]))
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    return BLANKS.sub(_blank, LONG_RUN.sub(r"\1\1", NO_SIGN.sub("", text))).strip()


def _blank(run: re.Match[str]) -> str:
    return "\n" if "\n" in run.group() else " "


def located(normal: str, *, negations: bool = True) -> list[Piece]:
    """The tokens of a `normalised` text, each with its place in it."""
    pieces = _pieces(normal)
    return [piece for piece in (_denied(pieces) if negations else pieces) if piece.kind != "stop"]


def _pieces(normal: str) -> Iterator[Piece]:
    """What the text is made of; a "stop" ends a clause and is no token."""
    for found in PIECE.finditer(normal):
        kind, (start, end) = str(found.lastgroup), found.span()
        if kind == "han":
            for word in _cutter().cut(found.group()):
                yield Piece(kind, word, start, start + len(word))
                start += len(word)
        elif kind == "unspaced":
            for k in range(start, max(end - 1, start + 1)):
                yield Piece(kind, normal[k : min(k + 2, end)], k, min(k + 2, end))
        else:
            yield Piece(kind, STAND_IN.get(kind) or found.group(), start, end)


def _denied(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces, those under a negation marked."""
    clause_denied = next_denied = False
    for piece in pieces:
        kind, token, _, _ = piece
        if kind == "word":
            clause_denied &= token not in CONTRAST
            yield _marked(piece) if clause_denied else piece
            clause_denied |= token in NEGATORS or token.endswith("n't")
        elif kind == "han":
            yield _marked(piece) if next_denied and not _passes(token) else piece
            next_denied = token in CHINESE_NEGATORS or (next_denied and token in CHINESE_DEGREES)
        else:
            clause_denied &= kind in {"number", "url", "user"}
            next_denied = False
            yield piece


def _marked(piece: Piece) -> Piece:
    return piece._replace(token=NOT + piece.token)


def _passes(token: str) -> bool:
    return token in CHINESE_DEGREES or token in CHINESE_NEGATORS


def word_class(word: str) -> str:
    """What kind of word jieba's dictionary takes a Chinese one for: "n" a noun, "v" a verb, "a" an adjective, …"""
    return str(_cutter().tag(word)[0][1])


@cache
def _cutter() -> Any:
    """Jieba in Rust: the same words as the Python one, which took nine times as long (decision 0006)."""
    import rjieba

    return rjieba.Jieba()
