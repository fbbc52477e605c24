"""What an erasure under way must remember so that another process can finish it; deleted when it has finished."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dongcha.errors import StoreError
from dongcha.jobs.erase.person import Person

FILE: Final = "erasing.json"


@dataclass(frozen=True)
class Begun:
    """An erasure that has begun: whom, what happened up to when (UTC), and what is done of it: place → rows."""

    person: Person
    until: datetime
    actor: str
    done: Mapping[str, int] = field(default_factory=dict)

    def with_done(self, more: Mapping[str, int]) -> Begun:
        """With what one more step did."""
        return replace(self, done={**self.done, **{k: self.done.get(k, 0) + n for k, n in more.items()}})


class Journal:
    """The file, which only its owner may read: until the end it holds the ids."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def read(self) -> Begun | None:
        """What was begun and not finished; None where nothing was."""
        if not self.file.exists():
            return None
        try:
            told = json.loads(self.file.read_text("utf-8"))
            return Begun(_person(told["person"]), datetime.fromisoformat(told["until"]), told["actor"], told["done"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self.file} cannot be read: {error}.", "Delete it, and erase that customer again."
            ) from None

    def write(self, begun: Begun) -> None:
        """Whole or not at all, and on the disk when it returns."""
        told = {**asdict(begun), "until": begun.until.isoformat()}
        draft = self.file.with_name(f".{FILE}.draft")
        handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as out:
            json.dump(told, out, ensure_ascii=False)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self.file)

    def end(self) -> None:
        """The erasure has finished."""
        self.file.unlink(missing_ok=True)
        self.file.with_name(f".{FILE}.draft").unlink(missing_ok=True)


def _person(told: Mapping[str, Any]) -> Person:
    lists = ("ids", "orders", "conversations", "texts", "called")
    return Person(told["id"], *(tuple(told[name]) for name in lists))
