"""Everything that is learnt before a question is asked, kept in the workspace, made anew when the facts change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import polars as pl
from filelock import FileLock

from dongcha import columns as c
from dongcha.answers.elsewhere import ELSEWHERE
from dongcha.answers.finder import Finder
from dongcha.answers.passages import all_passages
from dongcha.answers.plain import plain
from dongcha.answers.sureness import Sureness
from dongcha.errors import MissingDataError
from dongcha.features.point_in_time import Snapshot
from dongcha.features.texts import STAFF
from dongcha.models.text.encoders import Encoder
from dongcha.models.text.intents import Intents
from dongcha.privacy.redaction import redacted

READS: Final = (c.DOCUMENTS, c.PRODUCTS, c.REVIEWS, c.MESSAGES, c.CUSTOMERS)
"""The tables whose change makes the index old; customers for the names that are redacted."""
FINDER: Final = "finder"
INTENTS: Final = "intents"
MOST_MESSAGES: Final = 20_000


@dataclass(frozen=True)
class Index:
    """What finds passages, how sure it may be, and what questions are for (None where no message has an intent)."""

    finder: Finder
    sureness: Sureness
    intents: Intents | None

    @classmethod
    def build(cls, facts: Snapshot, encoder: Encoder | None, seed: int) -> Index:
        """Read and learn; MissingDataError where no table has anything to quote."""
        passages = all_passages(facts)
        if passages.is_empty():
            raise MissingDataError(
                "Nothing to answer from is loaded.", "Load pages with: dongcha load FILE --as documents."
            )
        finder = Finder.fit(passages, encoder)
        return cls(finder, Sureness.fit(finder, seed=seed), _intents(facts, seed))

    def save(self, folder: Path) -> None:
        (folder / FINDER).mkdir()
        self.finder.save(folder / FINDER)
        self.sureness.save(folder)
        if self.intents is not None:
            (folder / INTENTS).mkdir()
            self.intents.save(folder / INTENTS)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None) -> Index:
        intents = Intents.load(folder / INTENTS) if (folder / INTENTS).is_dir() else None
        return cls(Finder.load(folder / FINDER, encoder), Sureness.load(folder), intents)


def name_of(facts: Snapshot, settings: str) -> str:
    """A name that is another whenever the facts, the cutoff or the settings are."""
    read = {table: facts.versions[table] for table in READS if facts.has(table)}
    return blake2b(f"{read} {facts.as_of} {settings}".encode(), digest_size=12).hexdigest()


def kept(folder: Path, name: str, encoder: Encoder | None, build: Callable[[], Index]) -> Index:
    """The index of that name in the folder, built where it is not there; every other one is removed.

    So what was erased from the tables is gone from here as soon as anything is asked. Written whole or not at all; of
    two processes one builds and the other waits.
    """
    place = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if place.is_dir():
            try:
                return Index.load(place, encoder)
            except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
                pass  # Damaged: what follows makes it anew.
        index = build()
        for old in (path for path in folder.iterdir() if path.is_dir()):
            shutil.rmtree(old, ignore_errors=True)
        draft = folder / ".draft"
        draft.mkdir()
        index.save(draft)
        draft.rename(place)
        return index


def _intents(facts: Snapshot, seed: int) -> Intents | None:
    """From how the shop labelled what customers began a conversation with."""
    if not facts.has(c.MESSAGES):
        return None
    rows = facts.table(c.MESSAGES)
    lines = facts.lake.engine.to_polars(rows.filter(rows[c.SENDER].lower().notin(STAFF)))
    first = lines.sort(c.HAPPENED_AT, c.MESSAGE_ID).group_by(c.CONVERSATION_ID, maintain_order=True).first()
    labelled = first.drop_nulls(c.INTENT).tail(MOST_MESSAGES)
    texts = [asked(text) for text in labelled[c.TEXT]]
    pairs = sorted(set(zip(texts, labelled[c.INTENT], strict=True)))
    try:
        return Intents.fit(*zip(*pairs, strict=True), elsewhere=ELSEWHERE, seed=seed) if pairs else None
    except MissingDataError:
        return None


def asked(text: str) -> str:
    """A question as intents are read from it: plain, and without numbers that name one order or person."""
    return redacted(plain(text))
