"""One language's topics over its own words, and how they grow by those of more texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.tokens import words
from dongcha.models.text.topic_counts import Array, Counts, counted, shared_words, text_vectors
from dongcha.models.text.topic_matching import SAME, affinity
from dongcha.models.text.topic_mixture import Mixture, best_number
from dongcha.models.text.topic_words import telling_words

FEWEST_TEXTS: Final = 3
"""A topic of fewer texts is none."""
UNNOTICED: Final = 4.0
"""How often a word may have been said without being counted."""


class Encoder(Protocol):
    """Anything that turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector for each text, (texts, any)."""
        ...


@dataclass(frozen=True)
class Topic:
    """What customers talk about, in one language."""

    number: int
    """Its own for ever: a refit keeps it, and no other topic ever gets it."""
    language: str
    words: tuple[str, ...]
    """Up to 25, the most telling first."""
    share: float
    """Of the texts that it was found in, all languages, those whose main topic it is."""
    new: bool = False
    """Whether it was not among the earlier topics."""


@dataclass(frozen=True)
class Language:
    """Topics of one language; at first none, over no words."""

    name: str
    vocabulary: tuple[str, ...] = ()
    said: float = 0.0
    """How many words were learnt from."""
    mixture: Mixture = field(default_factory=Mixture.empty)
    topics: tuple[Topic, ...] = ()

    def wider(self, texts: Sequence[Sequence[str]]) -> Language:
        """Over its own words and those that several of these texts share; what everybody says of its own words stays.

        A new word counts as said as often as it is here and may have been before, over all words ever learnt from.
        """
        known = set(self.vocabulary)
        new = tuple(word for word in shared_words(texts) if word not in known)
        counts, _ = counted(texts, self.vocabulary + new)
        said = self.said + float(counts.sum())
        before = UNNOTICED if self.said else 0.0
        share = (np.asarray(counts.sum(axis=0)).ravel()[len(self.vocabulary) :] + before) / max(said, 1.0)
        return replace(self, vocabulary=self.vocabulary + new, said=said, mixture=self.mixture.wider(share))

    def placed(self, counts: Counts, unknown: Array) -> tuple[Array, NDArray[np.int64], Array]:
        """Each text's weights (texts, topics), the column of its main topic, and the evidence for that, (texts,)."""
        weights = self.mixture.weights(counts)
        main = weights.argmax(axis=1)
        return weights, main, self.mixture.evidence(counts, unknown)[np.arange(len(main)), main]

    def alike(self, other: Language) -> Array:
        """How alike its topics and the other's are, (topics, other topics)."""
        mine, theirs = self.mixture.distributions, other.mixture.distributions
        return affinity(mine, self.vocabulary, theirs, other.vocabulary)

    def arrays(self) -> dict[str, Array]:
        """What of it are numbers, to be stored."""
        return {f"{self.name}.{name}": np.ascontiguousarray(values) for name, values in vars(self.mixture).items()}

    def to_json(self) -> dict[str, Any]:
        """The rest."""
        topics = [vars(topic) for topic in self.topics]
        return {"name": self.name, "vocabulary": self.vocabulary, "said": self.said, "topics": topics}

    @classmethod
    def read(cls, told: Mapping[str, Any], arrays: Mapping[str, Array]) -> Language:
        """From what `to_json` and `arrays` gave."""
        parts = ("distributions", "background", "shares")
        mixture = Mixture(*(arrays[f"{told['name']}.{part}"] for part in parts))
        topics = tuple(Topic(**topic | {"words": tuple(topic["words"])}) for topic in told["topics"])
        return cls(told["name"], tuple(told["vocabulary"]), told["said"], mixture, topics)


@dataclass(frozen=True)
class Search:
    """How to look for topics: how many (None: as many as the texts bear out), by which seed and which vectors."""

    topics: int | None
    seed: int
    encoder: Encoder | None

    def vectors(self, texts: Sequence[str], counts: Counts) -> NDArray[np.floating[Any]]:
        """The encoder's, or those learnt from the counts, (texts, any)."""
        return text_vectors(counts, self.seed) if self.encoder is None else self.encoder.encode(texts)

    def number(self, counts: Counts, vectors: NDArray[np.floating[Any]], background: Array, most: int) -> int:
        """How many topics to fit, at most `most`."""
        if self.topics is not None:
            return min(self.topics, most)
        return best_number(counts, vectors, background, most, self.seed)


def grow(language: Language, texts: Sequence[str], search: Search, number: int) -> Language:
    """The language with the topics of these texts after its own, numbered from `number`; itself if there are none."""
    cut = [words(text) for text in texts]
    wide = language.wider(cut)
    counts, unknown = counted(cut, wide.vocabulary)
    rows = np.flatnonzero(np.diff(counts.indptr))
    most = len(rows) // FEWEST_TEXTS
    if most < 2 or len(wide.vocabulary) < 2:
        return language
    counts, background = counts[rows], wide.mixture.background
    vectors = search.vectors([texts[k] for k in rows.tolist()], counts)
    k = search.number(counts, vectors, background, most)
    if k < 1:
        return language
    found = Language(
        language.name, wide.vocabulary, wide.said, Mixture.fit(counts, vectors, background, k, search.seed)
    )
    real = _real(found, counts, unknown[rows], language)
    mixture = found.mixture.take(real)
    columns = [telling_words(counts, distribution) for distribution in mixture.distributions]
    told = [tuple(wide.vocabulary[column] for column in its) for its in columns]
    new = tuple(Topic(number + k, language.name, its, 0.0, new=True) for k, its in enumerate(told))
    return replace(wide, mixture=wide.mixture.beside(mixture), topics=wide.topics + new)


def _real(found: Language, counts: Counts, unknown: Array, known: Language) -> NDArray[np.int64]:
    """The topics that texts are about and that are not known yet, the largest first."""
    _, main, evidence = found.placed(counts, unknown)
    sizes = np.bincount(main[evidence > 0], minlength=len(found.mixture.shares))
    known_as = found.alike(known).max(axis=1, initial=0.0)
    order = np.argsort(-sizes, kind="stable")
    return np.asarray(order[(sizes[order] >= FEWEST_TEXTS) & (known_as[order] < SAME)], dtype=np.int64)
