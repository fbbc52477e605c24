"""Texts with mistakes and other words in them: to measure what a model withstands, and to teach it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dongcha.models.text.tokens import HAN, tokenise

UNIT: Final = re.compile(rf"[{HAN}]|[^\W{HAN}]+|\s+|.", re.DOTALL)
"""A Chinese character, a word, blanks, or a sign; joined they are the text again."""
KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEAR: Final = {
    key: row[max(place - 1, 0) : place] + row[place + 1 : place + 2] for row in KEYS for place, key in enumerate(row)
}
MOST_WORDS: Final = 5_000
FEWEST_SEEN: Final = 5
REACH: Final = 2
DIRECTIONS: Final = 50
ALIKE_FROM: Final = 0.6


def with_typos(text: str, rate: float, random: np.random.Generator) -> str:
    """A share `rate` of the letters mistyped: a neighbour on the keyboard, left out, or doubled.

    Chinese characters are left out, doubled, or written as another one of the same text.
    """
    han = re.findall(f"[{HAN}]", text)
    hit = random.random(len(text)) < rate
    how = random.integers(3, size=len(text))
    return "".join(
        _mistyped(sign, int(how[place]), han, random) if hit[place] and sign.isalpha() else sign
        for place, sign in enumerate(text)
    )


def _mistyped(sign: str, how: int, han: Sequence[str], random: np.random.Generator) -> str:
    if how < 2:
        return "" if how == 0 else sign * 2
    others = NEAR.get(sign.lower()) or han or sign
    return others[int(random.integers(len(others)))]


def with_deletions(text: str, rate: float, random: np.random.Generator) -> str:
    """A share `rate` of the words, or Chinese characters, left out."""
    units = UNIT.findall(text)
    gone = random.random(len(units)) < rate
    return "".join(unit for unit, out in zip(units, gone, strict=True) if not (out and unit.isalnum()))


def with_swaps(text: str, rate: float, random: np.random.Generator) -> str:
    """A share `rate` of the words, or Chinese characters, changed places with the next one."""
    units = UNIT.findall(text)
    spots = [place for place, unit in enumerate(units) if unit.isalnum()]
    hit = random.random(len(spots)) < rate
    for here, there, swap in zip(spots, spots[1:], hit[1:], strict=False):
        if swap:
            units[here], units[there] = units[there], units[here]
    return "".join(units)


@dataclass(frozen=True)
class Alike:
    """Words that stand in the same company (Levy & Goldberg 2014: an SVD of positive pointwise mutual information).

    Not promised: the same meaning. "good" and "bad" keep the same company, so never teach polarity by these.
    """

    others: dict[str, tuple[str, ...]]
    """Word → at most three that are most alike, the most alike first."""

    @classmethod
    def fit(cls, texts: Sequence[str], *, seed: int = 0) -> Alike:
        """Learn from the texts' own words; where these are too few there are no others."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.linalg import svds

        rows = [tokenise(text, negations=False) for text in texts]
        seen = Counter(token for row in rows for token in row if token[0].isalpha())
        known = [word for word, count in seen.most_common(MOST_WORDS) if count >= FEWEST_SEEN]
        if len(known) < 2 * DIRECTIONS:
            return cls({})
        number = {word: place for place, word in enumerate(known)}
        ids = np.array([number.get(token, -1) for row in rows for token in [*row, *[""] * REACH]])
        pairs = [np.stack([ids[:-step], ids[step:]]) for step in range(1, REACH + 1)]
        left, right = np.concatenate(pairs, axis=1)
        both = (left >= 0) & (right >= 0)
        left, right = left[both], right[both]
        ones = np.ones(2 * len(left), np.float32)
        ends = np.concatenate([left, right]), np.concatenate([right, left])
        counts = coo_matrix((ones, ends), shape=(len(known), len(known))).tocsr().tocoo()
        total = np.maximum(np.bincount(counts.row, counts.data, len(known)), 1)
        counts.data = np.maximum(np.log(counts.data * total.sum() / (total[counts.row] * total[counts.col])), 0)
        left_vectors, sizes, _ = svds(counts.tocsr(), k=DIRECTIONS, v0=np.ones(len(known)), rng=seed)
        vectors = left_vectors * np.sqrt(sizes)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        near = vectors @ vectors.T
        np.fill_diagonal(near, -1)
        best = np.argsort(-near, axis=1, kind="stable")[:, :3]
        return cls(
            {
                word: tuple(known[other] for other in best[place] if near[place, other] >= ALIKE_FROM)
                for word, place in number.items()
            }
        )

    def with_others(self, text: str, rate: float, random: np.random.Generator) -> str:
        """A share `rate` of the words that have others alike put for one of these."""
        tokens, out, place = tokenise(text, negations=False), [], 0
        lower = text.lower()
        for token in tokens:
            start = lower.find(token, place)
            if start < 0:
                continue
            choice = self.others.get(token, ())
            put = choice[int(random.integers(len(choice)))] if choice and random.random() < rate else None
            out += [text[place:start], put or text[start : start + len(token)]]
            place = start + len(token)
        return "".join([*out, text[place:]])
