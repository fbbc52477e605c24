"""The steps of an erasure, each of which may be repeated: what a killed one left is finished by the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Final

from dongcha import columns as c
from dongcha.errors import UnknownError
from dongcha.jobs.erase import derived, kept
from dongcha.jobs.erase.journal import Begun, Journal
from dongcha.jobs.erase.person import Person, find, keys_of
from dongcha.jobs.flush import flush_waiting
from dongcha.jobs.study import Desk
from dongcha.warehouse.erased import owner
from dongcha.warehouse.inbox import Inbox
from dongcha.warehouse.ledger import AUDIT

READERS_SECONDS: Final = 5.0
"""So long the files of older versions stay for those who are reading them, and then what the log tells of them."""
ACTION: Final = "erase"


@dataclass(frozen=True)
class Place:
    """The workspace that somebody is to leave."""

    folder: Path
    desk: Desk
    inbox: Inbox
    entities: Mapping[str, str]
    """Insight → what it answers for."""
    publish: Callable[[], object]
    """Makes the serving view anew from what is there."""
    readers_seconds: float = READERS_SECONDS


@dataclass(frozen=True)
class Erasure:
    """What was erased. `name` is the digest that stands for the customer in the audit log; moments are UTC."""

    name: str
    until: datetime
    ids: int
    """Under how many ids they were known; 0 where they were erased before and nothing came since."""
    rows: Mapping[str, int]
    """Place → rows, messages or files that were deleted there."""


def erase(place: Place, customer_id: str) -> Erasure:
    """Let everything about one customer leave the workspace, all their ids, and finish what was begun before.

    Rows, messages and files about them are deleted for good, with the older versions of those tables; what is derived
    is made anew. What happened before now and comes again is refused, by digests of their ids. Models that learnt from
    them stay until the next run. Raises UnknownError for whom nobody knows, UsageError for what is another's alias,
    BusyError where another process keeps the lake for long.
    """
    with place.desk.working():
        journal = Journal(place.folder)
        begun = journal.read()
        if begun is not None:
            done = _finish(place, journal, begun)
            if customer_id in begun.person.ids:
                return done
        begun = _begin(place, journal, customer_id)
        return _finish(place, journal, begun) if begun else _before(place, customer_id)


def _begin(place: Place, journal: Journal, customer_id: str) -> Begun | None:
    """Whom it is about; from here on nothing of theirs comes in any more. None where they were erased before."""
    lake = place.desk.lake
    with lake.writing():
        # Who is who is told by what waits, too.
        flush_waiting(lake, place.inbox)
        person = find(lake, customer_id)
        if not _known(place, person):
            if lake.erased.among([owner(c.CUSTOMER_ID, customer_id)]):
                return None
            raise UnknownError(f"Nobody knows a customer '{customer_id}'.", "Look them up: GET /v1/customers?text=…")
        begun = Begun(person, place.desk.clock(), place.desk.actor)
        journal.write(begun)
        lake.erased.add(person.owners, begun.until)
    return begun


def _known(place: Place, person: Person) -> bool:
    if any(len(keys) for _, keys in keys_of(place.desk.lake, person)):
        return True
    return bool(place.inbox.places(person.ids)) or kept.concluded(place.desk.ledger, place.entities, person)


def _before(place: Place, customer_id: str) -> Erasure:
    erased, who = place.desk.lake.erased, owner(c.CUSTOMER_ID, customer_id)
    return Erasure(erased.name(who), erased.among([who])[who], 0, {})


def _finish(place: Place, journal: Journal, begun: Begun) -> Erasure:
    for number, (what, step) in enumerate(STEPS):
        place.desk.progress(f"Erase: {what}", number, len(STEPS))
        begun = begun.with_done(step(place, begun))
        journal.write(begun)
    place.desk.progress("Erase: done", len(STEPS), len(STEPS))
    if hasattr(os, "sync"):
        # What is deleted must not be there again when the power fails.
        os.sync()
    journal.end()
    name = place.desk.lake.erased.name(owner(c.CUSTOMER_ID, begun.person.id))
    return Erasure(name, begun.until, len(begun.person.ids), begun.done)


# -- the steps: each deletes what is there, and says how much that was

Step = Callable[[Place, Begun], Mapping[str, int]]


def _remember(place: Place, begun: Begun) -> Mapping[str, int]:
    place.desk.lake.erased.add(begun.person.owners, begun.until)
    return {}


def _inbox(place: Place, begun: Begun) -> Mapping[str, int]:
    places = place.inbox.places(begun.person.ids)
    # Quarantine calls a refused message by its place, which is lost with the message.
    refused = kept.leave_quarantine(place.desk.lake, begun.person, places)
    place.inbox.drop(places)
    place.inbox.scrub()
    return {"inbox": len(places), "quarantine": refused}


def _lake(place: Place, begun: Begun) -> Mapping[str, int]:
    lake = place.desk.lake
    with lake.writing():
        return {f"lake/{name}": lake.delete(name, keys) for name, keys in keys_of(lake, begun.person)}


def _ledger(place: Place, begun: Begun) -> Mapping[str, int]:
    return kept.leave_ledger(place.desk.ledger, place.entities, begun.person)


def _live(place: Place, begun: Begun) -> Mapping[str, int]:
    return {"live": derived.renew_live(place.desk, begun.person)}


def _view(place: Place, begun: Begun) -> Mapping[str, int]:
    return {"serving.db": derived.renew_view(place.folder, place.publish)}


def _left_over(place: Place, begun: Begun) -> Mapping[str, int]:
    return derived.clear_left_over(place.folder, place.desk.lake, begun.person)


def _files(place: Place, begun: Begun) -> Mapping[str, int]:
    sleep(place.readers_seconds)
    kept.settle_present(place.desk.lake, place.desk.ledger)
    return {}


def _logs(place: Place, begun: Begun) -> Mapping[str, int]:
    sleep(place.readers_seconds)
    kept.forget_past(place.desk.lake, place.desk.ledger)
    return {}


def _answers(place: Place, begun: Begun) -> Mapping[str, int]:
    # Last of what is read: whoever began to learn from older facts finds their files gone.
    return {"answers": derived.clear_answers(place.folder)}


def _audit(place: Place, begun: Begun) -> Mapping[str, int]:
    ledger = place.desk.ledger
    there = ledger.audit().filter(action=ACTION)[c.MADE_AT].to_list()
    if begun.until not in there:
        name = place.desk.lake.erased.name(owner(c.CUSTOMER_ID, begun.person.id))
        row = {c.MADE_AT: begun.until, "action": ACTION, "actor": begun.actor, "why": f"erased {name}"}
        ledger.write(AUDIT, [{**row, c.INSIGHT: "", c.VERSION: ""}])
    return {}


STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("digests", _remember),
    ("inbox", _inbox),
    ("lake", _lake),
    ("ledger", _ledger),
    ("live answers", _live),
    ("serving view", _view),
    ("what was left over", _left_over),
    ("older versions", _files),
    ("logs of older versions", _logs),
    ("answers to questions", _answers),
    ("audit", _audit),
)
