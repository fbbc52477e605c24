"""Runs of words and of characters as numbers: fast enough that a text costs no more than reading it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.tokens import Piece

Keys = NDArray[np.uint64]
Places = NDArray[np.int64]

MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
WIDE_FROM: Final = 0x2E80
"""From this code on signs stand for syllables or words (Chinese, Japanese, Korean); before it, for sounds."""
WIDE_LENGTHS: Final = (1, 3)
LETTER_LENGTHS: Final = (3, 5)


class Grams(NamedTuple):
    """Each gram's row, its 64-bit key (two different grams share one by a chance of about 1 in 10^19), and its place.

    A gram covers the `spans` first, …, last of its row's tokens or characters, counted over all rows.
    """

    rows: Places
    keys: Keys
    first: Places
    length: Places


def word_grams(rows: Sequence[Sequence[Piece]], longest: int = 2) -> Grams:
    """All runs of 1 to `longest` tokens within a row."""
    keys = np.array([_key(piece.token) for row in rows for piece in row], dtype=np.uint64)
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    run, found = keys, [(owner, keys, np.arange(len(keys)), np.ones(len(keys), np.int64))]
    for length in range(2, longest + 1):
        run = run[:-1] * MULTIPLIER + keys[length - 1 :]
        whole = owner[length - 1 :] == owner[: len(run)]
        first = np.flatnonzero(whole)
        found.append((owner[first], run[whole], first, np.full(len(first), length)))
    return Grams(*(np.concatenate(part) for part in zip(*found, strict=True)))


def character_grams(normal: Sequence[str]) -> Grams:
    """Runs of 1 to 3 signs where one is Chinese, Japanese or Korean; elsewhere of 3 to 5 letters, within a word.

    Of `normalised` texts, each put between two blanks. A word's beginning and end count as a letter, so that short
    words have grams and prefixes are told from the rest.
    """
    padded = [f" {text} ".replace("\n", " ") for text in normal]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(normal)), [len(text) for text in padded])
    mixed = _mix(codes.astype(np.uint64))
    blanks = np.concatenate([[0], np.cumsum(codes == ord(" "))])
    wides = np.concatenate([[0], np.cumsum(codes >= WIDE_FROM)])
    run, found = mixed, []
    for length in range(1, max(WIDE_LENGTHS[1], LETTER_LENGTHS[1]) + 1):
        if length > 1:
            run = run[:-1] * MULTIPLIER + mixed[length - 1 :]
        count = len(run)
        wide = wides[length : length + count] > wides[:count]
        inner = blanks[length - 1 : length - 1 + count] - blanks[1 : count + 1] if length > 2 else np.zeros(count)
        fits = np.where(wide, _within(length, WIDE_LENGTHS), _within(length, LETTER_LENGTHS) & (inner == 0))
        first = np.flatnonzero(fits & (owner[:count] == owner[length - 1 :]))
        found.append((owner[first], run[first], first, np.full(len(first), length)))
    return Grams(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _within(length: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= length <= bounds[1]


def _mix(keys: Keys) -> Keys:
    """Spread small numbers over 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    keys = (keys + MULTIPLIER) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


@lru_cache(maxsize=200_000)
def _key(token: str) -> int:
    return int.from_bytes(blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
