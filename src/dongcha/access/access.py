"""Who may do what in a workspace: its keys, its people, and the record of both."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from dongcha.access.keys import Keys
from dongcha.access.people import People
from dongcha.access.scopes import Caller, Person
from dongcha.access.store import FILE, AccessStore, moment


class Access:
    """`access.db` of a workspace.

    As long as nobody has made a key or a person, the workspace is `unguarded`: whoever is on this machine may do
    everything. The first one ends that for good, also when it is revoked or removed later.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock

    @cached_property
    def _store(self) -> AccessStore:
        return AccessStore(self._folder, self._clock)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self._store)

    @cached_property
    def people(self) -> People:
        return People(self._store)

    @property
    def unguarded(self) -> bool:
        """Whether no key and no person was ever made."""
        if not (self._folder / FILE).exists():
            return True
        return not self.keys.any and not self._guarded_once

    def check(self, secret: str, address: str = "") -> Caller | None:
        """Whose key that is; None for an unknown, expired or revoked one. See `Keys.check`."""
        return self.keys.check(secret, address)

    def login(self, name: str, password: str, address: str = "") -> Person | None:
        """Who that is; None where name and password do not belong together. See `People.login`."""
        return self.people.login(name, password, address)

    def note(self, actor: str, action: str, subject: str, **detail: Any) -> None:
        """Write down what somebody changed."""
        self._store.note(actor, action, subject, **detail)

    def audit(self, subject: str = "") -> list[dict[str, Any]]:
        """Who changed what and when, oldest first: made_at, actor, action, subject, detail.

        With `subject` (an id of a key, a name) only what it did and what was done to it.
        """
        rows = self._store.rows(
            "SELECT * FROM audit WHERE ?1 = '' OR subject IN ('key ' || ?1, 'person ' || ?1)"
            " OR actor = 'person ' || ?1 OR instr(actor, '(' || ?1 || ')') ORDER BY made_at, rowid",
            subject,
        )
        return [
            {
                "made_at": moment(row["made_at"]),
                **{k: row[k] for k in ("actor", "action", "subject")},
                "detail": json.loads(row["detail"]),
            }
            for row in rows
        ]

    def flush(self) -> None:
        """Write the requests that were counted since the last time."""
        if "keys" in self.__dict__:
            self.keys.flush()

    @property
    def _guarded_once(self) -> bool:
        if not self._someone:
            self._someone = bool(self._store.rows("SELECT 1 FROM audit WHERE action = 'add' LIMIT 1"))
        return self._someone

    _someone = False
