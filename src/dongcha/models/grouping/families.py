"""Products that have nothing but names, grouped by the word that says what each one is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

FILE: Final = "families.json"
MOST: Final = 40
"""More families than this are too many to tell apart by the few things that a customer did."""
FEWEST_NAMES: Final = 3
"""A word that ends fewer names is no family."""
ENDS_FROM: Final = 0.3
"""A word that ends a smaller share of the names it is in says what things are like (RED), not what they are."""
SPLIT: Final = re.compile(r"[一-鿿]+|[^\W\d_]{3,}")
"""A run of Chinese characters, or a word of at least three letters."""
CHINESE_NOUN: Final = 2
"""Chinese is written without spaces: a name's last two characters say what the thing is."""


@dataclass(frozen=True)
class Families:
    """Families by head noun: in English as in Chinese the last word of a name says what the thing is.

    A product belongs to the family whose word comes last in its name, and to none where no family's word is in it. The
    same names give the same families, in any order.

    >>> names = ["LUNCH BAG", "JUMBO BAGS", "PAPER BAG", "RED BAG SPOTTY", "CAKE STAND", "OAK STAND", "LAMP STAND"]
    >>> families = Families.fit(names)
    >>> families.words, families.of(["Bag, red", "Stand for a bag", "Globe"])
    (('BAG', 'STAND'), ['BAG', 'BAG', None])
    """

    words: tuple[str, ...]
    """The families' words in capitals, the commonest first."""

    @classmethod
    def fit(cls, names: Sequence[str], most: int = MOST) -> Families:
        """The words that end the most names, plurals counted with their singular."""
        split = [words_of(name) for name in names]
        known = {word for words in split for word in words}
        heads = Counter(_singular(words[-1], known) for words in split if words)
        inside = Counter(word for words in split for word in {_singular(word, known) for word in words})
        told = [word for word in heads if heads[word] >= max(FEWEST_NAMES, ENDS_FROM * inside[word])]
        return cls(tuple(sorted(told, key=lambda word: (-heads[word], word))[:most]))

    def of(self, names: Sequence[str | None]) -> list[str | None]:
        """Each name's family, None where no family's word is in it."""
        return [self._family(name) for name in names]

    def _family(self, name: str | None) -> str | None:
        for word in reversed(words_of(name or "")):
            if (found := _singular(word, self._known)) in self._known:
                return found
        return None

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words)

    def save(self, folder: Path) -> None:
        """As JSON."""
        (folder / FILE).write_text(json.dumps(self.words, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Families:
        """Read what `save` wrote."""
        return cls(tuple(json.loads((folder / FILE).read_text("utf-8"))))


def words_of(name: str) -> list[str]:
    """A name's words in capitals; of a run of Chinese characters its last two."""
    return [word[-CHINESE_NOUN:] if word[0] >= "一" else word for word in SPLIT.findall(name.upper())]


def _singular(word: str, known: frozenset[str] | set[str]) -> str:
    """Without its plural's ending where the singular is known too."""
    for ending in ("S", "ES"):
        if word.endswith(ending) and word.removesuffix(ending) in known:
            return word.removesuffix(ending)
    return word
