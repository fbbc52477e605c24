"""Topics of short texts: their words and shares, each text's own, those that are new, numbers that outlive a refit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.language import UNKNOWN, languages
from dongcha.models.text.tokens import words
from dongcha.models.text.topic_counts import Array, counted
from dongcha.models.text.topic_language import Encoder, Language, Search, Topic, grow
from dongcha.models.text.topic_matching import matched

SHAPE: Final = "topics.json"
WEIGHTS: Final = "topics.safetensors"

NONE: Final = -1
FEWEST_IN_LANGUAGE: Final = 20
SMALLEST_LANGUAGE: Final = 0.005
"""A language of a smaller share of the texts gets no topics: a few texts are always taken for a wrong one."""
READ: Final = 50_000
"""Of more texts than this a random sample is learnt from."""
AT_ONCE: Final = 10_000


@dataclass(frozen=True)
class Placement:
    """Where texts stand among the topics, whose order is that of `Topics.topics`."""

    numbers: NDArray[np.int64]
    """Each text's main topic by its number, (texts,); -1 where none makes it likelier than the background."""
    weights: NDArray[np.float32]
    """What part of a text's own words each topic tells, (texts, topics): rows of sum 1, or of 0 where none fits."""
    evidence: Array
    """Nats by which the main topic makes the text likelier than the background, (texts,)."""
    clarity: Array
    """The same per word, times the root of how many different words it has: neither long nor repeated texts gain."""

    def nearest(self, number: int, top: int = 3) -> NDArray[np.int64]:
        """Rows of the texts that show a topic best, at most `top`."""
        own = np.flatnonzero(self.numbers == number)
        return np.asarray(own[np.argsort(-self.clarity[own], kind="stable")[:top]], dtype=np.int64)


@dataclass(frozen=True)
class Topics:
    """All topics, language by language.

    Texts are cut into content words, grouped by k-means on vectors learnt from which words keep company (or an
    encoder's), and each group's own words are found beside what everybody says by EM (a mixture of unigrams with a
    background). Nothing depends on the order of the texts, and a text said twice is learnt from once. Not promised:
    that a topic is one thing in a reader's eyes, nor that praise and blame of one thing fall together.
    """

    languages: tuple[Language, ...] = ()
    next_number: int = 0

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Every topic: languages in the order in which they were found, in each the earliest and largest first."""
        return tuple(topic for language in self.languages for topic in language.topics)

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        *,
        topics: int | None = None,
        seed: int = 0,
        encoder: Encoder | None = None,
        earlier: Topics | None = None,
    ) -> Topics:
        """Find topics in texts, any number, any languages; the same texts and seed give the same topics.

        `topics`: how many to look for in each language; by default as many as foretell texts not learnt from, at most
        27. Few or empty texts give none. `earlier`: topics whose numbers are kept by those that are still there.
        """
        found = cls(next_number=earlier.next_number if earlier else 0)._grown(texts, Search(topics, seed, encoder))
        return found._numbered_as(earlier) if earlier else found._marked(new=False)

    def with_new(self, texts: Sequence[str], *, seed: int = 0, encoder: Encoder | None = None) -> Topics:
        """These topics, and those in which later texts that fit none of them come together, under new numbers."""
        return self._marked(new=False)._grown(texts, Search(None, seed, encoder))

    def place(self, texts: Sequence[str]) -> Placement:
        """Each text's topics. A text is read in the language most of whose words it has; no encoder is needed."""
        parts = [self._placed(texts[start : start + AT_ONCE]) for start in range(0, max(len(texts), 1), AT_ONCE)]
        return Placement(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _placed(self, texts: Sequence[str]) -> tuple[Any, ...]:
        cut = [words(text) if self.languages else [] for text in texts]
        lengths = np.array([len(text) for text in cut], dtype=np.int64)
        numbers, evidence = np.full(len(cut), NONE), np.zeros(len(cut))
        weights = np.zeros((len(cut), len(self.topics)), dtype=np.float32)
        read = [counted(cut, language.vocabulary) for language in self.languages]
        known = np.array([lengths - unknown for _, unknown in read]).reshape(len(read), len(cut))
        column = 0
        for k, (language, (counts, unknown)) in enumerate(zip(self.languages, read, strict=True)):
            columns = slice(column, column := column + len(language.topics))
            rows = np.flatnonzero((known.argmax(axis=0) == k) & (known[k] > 0))
            its, main, evidence[rows] = language.placed(counts[rows], unknown[rows])
            fits = evidence[rows] > 0
            numbers[rows[fits]] = np.array([topic.number for topic in language.topics])[main[fits]]
            weights[rows[fits], columns] = its[fits]
        different = np.array([len(set(text)) for text in cut])
        return numbers, weights, evidence, evidence / np.maximum(lengths, 1) * np.sqrt(different)

    def _grown(self, texts: Sequence[str], search: Search) -> Topics:
        """Grown by the topics of those texts that fit none yet."""
        placed = self.place(texts).numbers
        misfits = sorted({text for text, number in zip(texts, placed, strict=True) if number == NONE})
        if len(misfits) > READ:
            misfits = [misfits[k] for k in np.sort(np.random.default_rng(search.seed).permutation(len(misfits))[:READ])]
        spoken = languages(misfits)
        grown, number = {language.name: language for language in self.languages}, self.next_number
        for name in _large_enough(spoken, grown):
            own = [text for text, language in zip(misfits, spoken, strict=True) if language == name]
            grown[name] = grow(grown.get(name, Language(name)), own, search, number)
            number = max([number, *(topic.number + 1 for topic in grown[name].topics)])
        found = Topics(tuple(language for language in grown.values() if language.topics), number)
        after = found.place(texts).numbers
        shares = {t.number: float((after == t.number).mean()) for t in found.topics if t.number >= self.next_number}
        return found._each(lambda topic: replace(topic, share=shares.get(topic.number, topic.share)))

    def _numbered_as(self, earlier: Topics) -> Topics:
        """The topics that were there before under their earlier numbers, the others under new ones."""
        numbers: dict[int, int] = {}
        before = {language.name: language for language in earlier.languages}
        for language in self.languages:
            was = before.get(language.name, Language(language.name))
            pairs = matched(language.alike(was)).items()
            numbers |= {language.topics[row].number: was.topics[column].number for row, column in pairs}
        others = [topic.number for topic in self.topics if topic.number not in numbers]
        fresh = {number: earlier.next_number + k for k, number in enumerate(others)}
        both = numbers | fresh
        kept = self._each(lambda t: replace(t, number=both[t.number], new=t.number in fresh))
        return replace(kept, next_number=earlier.next_number + len(fresh))

    def _marked(self, *, new: bool) -> Topics:
        return self._each(lambda topic: replace(topic, new=new))

    def _each(self, change: Callable[[Topic], Topic]) -> Topics:
        changed = [replace(it, topics=tuple(change(topic) for topic in it.topics)) for it in self.languages]
        return replace(self, languages=tuple(changed))

    def save(self, folder: Path) -> None:
        """Numbers as safetensors, the rest as JSON: words that several texts share, no text."""
        from safetensors.numpy import save_file

        arrays = {name: values for language in self.languages for name, values in language.arrays().items()}
        save_file(arrays, folder / WEIGHTS)
        shape = {"languages": [language.to_json() for language in self.languages], "next_number": self.next_number}
        (folder / SHAPE).write_text(json.dumps(shape, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Topics:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        told, arrays = json.loads((folder / SHAPE).read_text("utf-8")), load_file(folder / WEIGHTS)
        return cls(tuple(Language.read(language, arrays) for language in told["languages"]), told["next_number"])


def _large_enough(spoken: Sequence[str], known: Container[str]) -> list[str]:
    """The languages to look for topics in, the largest first."""
    fewest = max(FEWEST_IN_LANGUAGE, SMALLEST_LANGUAGE * len(spoken))
    sizes = Counter(spoken)
    large = [name for name in sizes if name != UNKNOWN and (name in known or sizes[name] >= fewest)]
    return sorted(large, key=lambda name: (-sizes[name], name))
