"""Trainings that need not be repeated: kept in memory by a digest of all that decides what they come to."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

import numpy as np

MOST_KEPT: Final = 6
"""With rolling cutoffs the same few models are asked for again and again."""

T = TypeVar("T")


class Memo(Generic[T]):
    """The newest few models, by key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str, make: Callable[[], T]) -> T:
        """What is kept under `key`, made where it is not there."""
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


def digest(told: object, arrays: Iterable[np.ndarray | None]) -> str:
    """24 hexadecimal digits that differ wherever `told`, by its repr, or an array does."""
    found = hashlib.blake2b(repr(told).encode(), digest_size=12)
    for array in arrays:
        found.update(np.ascontiguousarray(array))  # type: ignore[arg-type]
    return found.hexdigest()
