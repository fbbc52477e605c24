"""How a text feels about one thing in it, marked by its place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dongcha.models.text.linear import LinearSigns, Signs, signs
from dongcha.models.text.sparse import Sparse
from dongcha.models.text.tokens import HAN

Array = NDArray[np.float64]
Span = tuple[int, int]
Chances = Callable[[Sequence[str]], Array]
"""Texts to their chances of bad, neutral and good, shape (texts, 3)."""

FILE: Final = "aspects.safetensors"
CLAUSE_END: Final = re.compile(
    r"[,.;:!?，。；：！？、…\n]|\b(?:but|however|although|though|while|whereas|except)\b|但是|但|不过|可是|只是|就是|然而|却",
    re.IGNORECASE,
)
LETTERS_NEAR: Final = 25
HAN_NEAR: Final = 6
"""A word of an alphabet takes about four times the room."""


def clause(text: str, span: Span) -> str:
    """The part of the text between the two commas, full stops or turns ("but", "但") around the span.

    >>> clause("great screen, but the battery dies fast.", (22, 29))
    ' the battery dies fast'
    """
    return clauses(text, [span])[0]


def clauses(text: str, spans: Sequence[Span]) -> list[str]:
    """The clause around each span; the text is cut once, since a long one may speak of a thing a thousand times."""
    ends = [found.span() for found in CLAUSE_END.finditer(text)] if spans else []
    before, after = [end for _, end in ends], [start for start, _ in ends]
    starts = [bisect_right(before, start) for start, _ in spans]
    stops = [bisect_left(after, end) for _, end in spans]
    return [
        text[before[k - 1] if k else 0 : after[n] if n < len(after) else len(text)]
        for k, n in zip(starts, stops, strict=True)
    ]


def near(text: str, span: Span, reach: int = 1) -> str:
    """The span with a few words, or `reach` times a few, on each side.

    >>> near("屏幕很好电池不太耐用", (4, 6))
    '屏幕很好电池不太耐用'
    """
    start, end = span
    room = reach * (HAN_NEAR if re.search(f"[{HAN}]", text) else LETTERS_NEAR)
    return text[max(start - room, 0) : end + room]


@dataclass(frozen=True)
class Aspects:
    """Linear signs on a text's grams, each counted once more in the clause of the aspect and twice more close to it.

    So the nearer a word, the more it weighs. Without labelled examples `clause_polarity` answers.
    """

    sparse: Sparse
    linear: LinearSigns

    @classmethod
    def fit(cls, texts: Sequence[str], spans: Sequence[Span], labels: ArrayLike, *, seed: int = 0) -> Aspects:
        """Learn from texts, the places (start, end) of an aspect in each, and how each is felt (see `signs`).

        Raises MissingDataError where there are not two texts each of two signs.
        """
        sparse = Sparse.fit(texts)
        return cls(sparse, LinearSigns.fit(_rows(sparse, texts, spans), signs(labels), seed=seed))

    def probabilities(self, texts: Sequence[str], spans: Sequence[Span]) -> Array:
        """Chances of bad, neutral and good, shape (texts, 3)."""
        return self.linear.chances(_rows(self.sparse, texts, spans))

    def polarity(self, texts: Sequence[str], spans: Sequence[Span]) -> Array:
        """The chance of good less that of bad, in [-1, 1], shape (texts,)."""
        chances = self.probabilities(texts, spans)
        return np.asarray(chances[:, 2] - chances[:, 0], dtype=np.float64)

    def named(self, texts: Sequence[str], spans: Sequence[Span]) -> Signs:
        """Each aspect's sign, shape (texts,)."""
        return self.linear.named(self.probabilities(texts, spans))

    def save(self, folder: Path) -> None:
        """As safetensors."""
        from safetensors.numpy import save_file

        self.sparse.save(folder)
        save_file(dict(vars(self.linear)), folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Aspects:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        return cls(Sparse.load(folder), LinearSigns(**load_file(folder / FILE)))


def clause_polarity(chances: Chances, shares: ArrayLike, texts: Sequence[str], clauses: Sequence[str]) -> Array:
    """How what each clause names is felt by a model that only ratings taught, in [-1, 1], shape (texts,).

    Two thirds its polarity of the clause, one third of the whole text: many a clause names a thing and no more. Each is
    told as if the moods were equally common (Bayes' rule; `shares`, (3,), of those that taught the model), so that a
    clause which says nothing is no praise where nearly all reviews are good. Every text is read once.
    """
    read = sorted({*texts, *clauses})
    told = chances(read)
    even = np.divide(told, shares, out=np.zeros_like(told), where=np.asarray(shares) > 0)
    even /= np.maximum(even.sum(axis=1, keepdims=True), 1e-12)
    felt = dict(zip(read, (even[:, 2] - even[:, 0]).tolist(), strict=True))
    both = [(2 * felt[part] + felt[text]) / 3 for text, part in zip(texts, clauses, strict=True)]
    return np.array(both, dtype=np.float64)


def _rows(sparse: Sparse, texts: Sequence[str], spans: Sequence[Span]) -> Any:
    """Grams (texts, columns): of the text, its clause, and two widths around the aspect, added up."""
    pairs = list(zip(texts, spans, strict=True))
    views = [list(texts), [clause(*pair) for pair in pairs], [near(*pair) for pair in pairs]]
    views.append([near(*pair, 2) for pair in pairs])
    return sum((sparse.transform(view) for view in views[1:]), sparse.transform(views[0])).tocsr()
