"""Which words name what customers praise and blame, by how they stand in sentences: no labels, nothing downloaded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from dongcha.models.text.language import UNKNOWN, languages
from dongcha.models.text.lexicon import BAD, GOOD
from dongcha.models.text.stop_words import CHINESE, ENGLISH
from dongcha.models.text.tokens import located, normalised, word_class

MOST_TEXTS: Final = 10_000
"""Read evenly from all: more tell the same names."""
MOST_ASPECTS: Final = 40
"""In each language."""
FEWEST: Final = 5
LEAST_SHARE: Final = 0.002
"""An aspect is felt about in at least so many texts, and in this share of its language's."""
LEAST_SHARE_ELSEWHERE: Final = 0.01
STANDS: Final = 0.3
"""A name stands as one in at least this share of the texts that have it; others are verbs or adjectives."""
STANDS_MORE: Final = 0.4
"""The same of what may also be a word of feeling ("value"), or in Chinese a verb ("包装")."""
STANDS_ELSEWHERE: Final = 0.5
SPREAD: Final = 0.6
"""Products that name it, over those that would by chance: "sleeves" is said of shirts alone, "fit" of all clothes."""
COMPANY: Final = 0.5
"""From this share of its texts on an English name is called by two words: "life" is "battery life"."""
ADJECTIVE_ENDS: Final = ("able", "ible", "al", "ous", "ful", "ive", "less", "ic")
LANGUAGE_CHARACTERS: Final = 300
"""Enough of a text to tell its language."""

_DETERMINERS: Final = "the a an my our your their his her its this these those no any each of with"
_COPULAS: Final = """
    is was are were isn't wasn't aren't weren't has had seem seems looks feels sounds could would
"""
_DEGREES: Final = """
    很 太 不 没 没有 真 非常 有点 有些 还 挺 特别 比较 也 是 都 超 超级 一般 得 不是 十分 极 最 更 够
    相当 蛮 好 实在 确实 略 稍 稍微 简直 不够 有
"""
_ITSELF: Final = """
    product products item items stuff purchase buy choice idea piece pieces unit set pair addition job gift present
    part lot bit ones problem problems issue issues friend day days time times money star stars
    review reviews deal deals option options spot state solution luck bang device
    东西 产品 商品 宝贝 总体 整体 方面 唯一 绝对 五星 朋友 问题 个人 时候 时间 感觉 一看 好物 卖家 店家 商家 买家
    老公 老婆 看着 想象 纯属 死活
"""
DETERMINERS: Final = frozenset(_DETERMINERS.split())
COPULAS: Final = frozenset(_COPULAS.split())
BEGINNINGS: Final = (None, "and")
DEGREES: Final = frozenset(_DEGREES.split())
ITSELF: Final = frozenset(_ITSELF.split())
"""What names the thing bought, its buyer or its seller, or says that there is something to say."""
FEELINGS: Final = GOOD | BAD
NOUNS: Final = ("n", "vn", "an", "b", "j")
SHORT: Final = 4
COMMONEST: Final = 60
"""In languages without a list, what is short and among so many commonest words is taken for a function word."""
SHORTEST: Final = {"han": 2, "word": 3}
KINDS: Final = ("word", "han", "number")


def mined(texts: Sequence[str], about: Sequence[str | None] | None = None) -> dict[str, str]:
    """Form → name of what is praised and blamed, the aspects that most products' texts feel about first.

    `about` names each text's product, null or none where it is not known. An English name is a word that stands as a
    noun does, behind a determiner and before a function word or the clause's end; it is felt about where a word of
    feeling stands before it or behind its "is" (the double propagation of Qiu et al. 2011, one step from a list of
    feelings; Hu & Liu 2004 count such names). A Chinese one begins a clause and is followed by a degree or a feeling,
    and jieba does not call it an adjective. Elsewhere short frequent words serve as function words, and what stands
    between them most often is taken. Names of single products are left out. Plural and singular are one aspect.
    Not promised: that two words for one thing ("delivery", "shipping") are told to be one.
    """
    rows = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), MOST_TEXTS)).astype(np.int64)).tolist()
    read = [texts[row] for row in rows]
    products = [(about[row] if about is not None else None) or row for row in rows]
    spoken = languages([text[:LANGUAGE_CHARACTERS] for text in read])
    forms: dict[str, str] = {}
    for language, _ in sorted(Counter(spoken).items(), key=lambda pair: (-pair[1], pair[0])):
        if language != UNKNOWN:
            mine = [row for row, named in enumerate(spoken) if named == language]
            for form, name in _of_language(language, [read[k] for k in mine], [products[k] for k in mine]).items():
                forms.setdefault(form, name)
    return forms


def _of_language(language: str, texts: Sequence[str], products: Sequence[object]) -> dict[str, str]:
    said = [_clauses(text) for text in texts]
    evidence = _Evidence()
    kind = "han" if language == "zh" else "word"
    function = {"en": ENGLISH, "zh": CHINESE}.get(language) or _short_and_common(said)
    for row, clauses in enumerate(said):
        for tokens in clauses:
            for place, (of_kind, word) in enumerate(tokens):
                if of_kind != kind or word in function or len(word) < SHORTEST[kind]:
                    continue
                standing = _Standing([token for _, token in tokens], place, function)
                evidence.add(row, standing, _stance(standing, language))
    return _named(evidence, _kept(evidence, language, len(texts), products), language)


def _clauses(text: str) -> list[list[tuple[str, str]]]:
    """The runs of (kind, word) between which nothing but blanks stands."""
    normal, found, end = normalised(text), list[list[tuple[str, str]]](), -1
    for piece in located(normal, negations=False):
        if piece.kind not in KINDS:
            end = -1
            continue
        if end < 0 or normal[end : piece.start].strip(" "):
            found.append([])
        found[-1].append((piece.kind, piece.token))
        end = piece.end
    return found


def _short_and_common(said: Sequence[Sequence[Sequence[tuple[str, str]]]]) -> frozenset[str]:
    often = Counter(word for clauses in said for word in {token for tokens in clauses for _, token in tokens})
    commonest = sorted(often, key=lambda word: (-often[word], word))[:COMMONEST]
    return frozenset(word for word in commonest if len(word) <= SHORT)


@dataclass(frozen=True)
class _Standing:
    """A word at its place in a clause."""

    tokens: Sequence[str]
    place: int
    function: frozenset[str]

    def at(self, step: int) -> str | None:
        place = self.place + step
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    @property
    def before(self) -> str | None:
        """The word of content before it, that is no feeling."""
        word = self.at(-1)
        return None if word is None or word in self.function or word in FEELINGS or len(word) < 2 else word

    def is_function(self, step: int) -> bool:
        """Whether a function word or the clause's end stands there."""
        word = self.at(step)
        return word is None or word in self.function

    def felt_within(self, first: int, last: int) -> bool:
        return any(word in FEELINGS for word in self.tokens[self.place + first : self.place + last + 1])


class _Stance(NamedTuple):
    """Whether a word stands as a name does, whether something is felt about it there, and whether of a degree."""

    stands: bool = False
    felt: bool = False
    degree: bool = False


def _stance(standing: _Standing, language: str) -> _Stance:
    if language == "zh":
        begins = standing.is_function(-1)
        degree, felt = standing.at(1) in DEGREES, standing.felt_within(1, 3)
        return _Stance(begins and (degree or felt or standing.at(1) is None), begins and felt, begins and degree)
    if not standing.is_function(1):
        return _Stance()
    before = standing.at(-1)
    if language != "en":
        stands = before in standing.function or standing.at(-2) in standing.function
        return _Stance(stands, stands)
    described = before in FEELINGS and before not in ENGLISH
    start = before if standing.is_function(-1) else standing.at(-2)
    is_something = standing.at(1) in COPULAS
    stands = described or start in DETERMINERS or (is_something and start in BEGINNINGS)
    return _Stance(stands, described or (is_something and standing.felt_within(2, 4)))


@dataclass
class _Evidence:
    """By word, the texts that have it, in which it stands as a name, is felt about, is of a degree; its company."""

    there: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    stands: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    felt: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    degree: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    company: dict[str, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))

    def add(self, row: int, standing: _Standing, stance: _Stance) -> None:
        word = standing.tokens[standing.place]
        self.there[word].add(row)
        for says, kept in zip(stance, (self.stands, self.felt, self.degree), strict=True):
            if says:
                kept[word].add(row)
        if standing.before is not None:
            self.company[word][standing.before].add(row)

    def share(self, kept: Mapping[str, set[int]], word: str) -> float:
        return len(kept[word]) / len(self.there[word]) if word in kept else 0.0


def _kept(evidence: _Evidence, language: str, texts: int, products: Sequence[object]) -> list[str]:
    """The names, those felt about in most products' texts first."""
    least = LEAST_SHARE if language in ("en", "zh") else LEAST_SHARE_ELSEWHERE
    often = np.array(list(Counter(products).values()), dtype=np.float64)
    worth: dict[str, int] = {}
    for word, rows in evidence.felt.items():
        if len(rows) < max(FEWEST, least * texts) or word in ITSELF | DEGREES or not _is_name(evidence, word, language):
            continue
        naming = evidence.there[word]
        by_chance = float(np.sum(1 - (1 - len(naming) / texts) ** often))
        if len({products[row] for row in naming}) >= SPREAD * by_chance:
            worth[word] = len({products[row] for row in rows})
    return sorted(worth, key=lambda word: (-worth[word], word))


def _is_name(evidence: _Evidence, word: str, language: str) -> bool:
    stands = evidence.share(evidence.stands, word)
    if language == "zh":
        kind = word_class(word)
        if kind.startswith(NOUNS):
            return stands >= STANDS
        return kind == "v" and word not in FEELINGS and evidence.share(evidence.degree, word) >= STANDS_MORE / 2
    if language == "en":
        return stands >= (STANDS_MORE if word in FEELINGS else STANDS)
    return stands >= STANDS_ELSEWHERE


def _named(evidence: _Evidence, kept: Sequence[str], language: str) -> dict[str, str]:
    """Form → name: plural with singular, and a word with the one that it mostly comes with."""
    forms: dict[str, str] = {}
    for word in kept:
        if word in forms:
            continue
        alike = [word, *(form for form in _numbers(word) if form in evidence.there)]
        name = max(alike, key=lambda form: (len(evidence.there[form]), form == word))
        together = _mostly_with(evidence, name) if language == "en" else []
        for form in (*together, *alike):
            forms.setdefault(form, (*together, name)[0])
        if len(set(forms.values())) >= MOST_ASPECTS:
            break
    return forms


def _numbers(word: str) -> Iterator[str]:
    """What may be the word's plural or singular."""
    if not word.isascii():
        return
    yield from (word + "s", word + "es")
    if word.endswith("y"):
        yield word[:-1] + "ies"
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss"):
        yield from (word[:-1], word[:-2]) if word.endswith("es") else (word[:-1],)


def _mostly_with(evidence: _Evidence, word: str) -> list[str]:
    """The pairs of a word with the noun that stands before it in most of its texts."""
    company = evidence.company.get(word, {}).items()
    often = [before for before, rows in company if len(rows) >= COMPANY * len(evidence.there[word])]
    return [f"{before} {word}" for before in sorted(often) if not before.endswith(ADJECTIVE_ENDS)]
