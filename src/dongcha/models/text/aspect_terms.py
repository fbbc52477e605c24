"""The things that a shop's own texts praise and blame, by name, and where each text speaks of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from dongcha.models.text.aspect_mining import mined
from dongcha.models.text.aspects import clauses
from dongcha.models.text.tokens import HAN, LETTER, normalised

FILE: Final = "aspect_terms.json"


class Mention(NamedTuple):
    """An aspect's name, and the clause of the normalised text that speaks of it."""

    aspect: str
    clause: str


@dataclass(frozen=True)
class AspectTerms:
    """What is praised and blamed: `forms` maps each word or pair of words, as texts have it, to its aspect's name.

    >>> terms = AspectTerms({"battery": "battery", "batteries": "battery"})
    >>> terms.found(["Great screen, but the batteries die fast."])
    [[Mention(aspect='battery', clause=' the batteries die fast')]]
    """

    forms: dict[str, str]

    @classmethod
    def of(cls, texts: Sequence[str], about: Sequence[str | None] | None = None) -> AspectTerms:
        """Mined from the texts themselves (see `aspect_mining.mined`); `about`: what product each is about."""
        return cls(mined(texts, about))

    @property
    def names(self) -> list[str]:
        """The aspects, each once, those that most is felt about first."""
        return list(dict.fromkeys(self.forms.values()))

    def found(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Where each text speaks of an aspect, in its order; of overlapping forms the longest."""
        return [self._mentions(normalised(text)) for text in texts]

    def _mentions(self, normal: str) -> list[Mention]:
        if self._pattern is None:
            return []
        places = list(self._pattern.finditer(normal))
        around = clauses(normal, [found.span() for found in places])
        return [Mention(self.forms[found.group()], part) for found, part in zip(places, around, strict=True)]

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if not self.forms:
            return None
        ordered = sorted(self.forms, key=lambda form: (-len(form), form))
        spaced = "|".join(re.escape(form) for form in ordered if not re.search(f"[{HAN}]", form))
        unspaced = "|".join(re.escape(form) for form in ordered if re.search(f"[{HAN}]", form))
        parts = [rf"(?<!{LETTER})(?:{spaced})(?!{LETTER})" if spaced else "", unspaced]
        return re.compile("|".join(part for part in parts if part))

    def save(self, folder: Path) -> None:
        """As JSON."""
        (folder / FILE).write_text(json.dumps(self.forms, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> AspectTerms:
        """Read what `save` wrote."""
        return cls(json.loads((folder / FILE).read_text("utf-8")))
