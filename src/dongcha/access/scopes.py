"""What a key or a person may do, and who is behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """One thing that a key may be allowed to do; no scope includes another."""

    INGEST = "ingest"
    """Send events."""
    READ = "read"
    """Read customers, scores and audiences."""
    ASK = "ask"
    """Ask questions of the knowledge base."""
    ADMIN = "admin"
    """Change what answers: promote, roll back, start jobs, erase."""


class Role(StrEnum):
    """What a person of the dashboard may do; each role may do what those before it may."""

    VIEWER = "viewer"
    """Look, with names, e-mails and phones masked."""
    ANALYST = "analyst"
    """Look at everything, and ask."""
    ADMIN = "admin"
    """Everything, changes too."""


ROLE_SCOPES: Final = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.ANALYST: frozenset({Scope.READ, Scope.ASK}),
    Role.ADMIN: frozenset(Scope),
}


@dataclass(frozen=True)
class Person:
    """Somebody who logs in."""

    name: str
    role: Role

    @property
    def masked(self) -> bool:
        """Whether personal data is masked for them."""
        return self.role is Role.VIEWER


@dataclass(frozen=True)
class Caller:
    """Who is behind a request: the id and name of their key, and what it allows.

    `key_id` is empty for a person who is logged in, and for this machine while nobody has made a key or a person.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    rate: float | None = None
    """Requests per second, where the key has a limit of its own; 0 is no limit."""
    message_bytes: int | None = None
    """The largest message it may send, where the key has been given a larger one."""
    masked: bool = False
    """Whether personal data is masked for them."""

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})" if self.key_id else self.name


THIS_MACHINE: Final = Caller("", "this machine", frozenset(Scope))
"""Anybody on this machine, as long as no key and no person has been made."""


def caller_of(person: Person) -> Caller:
    """The person as a caller of the API."""
    return Caller("", person.name, ROLE_SCOPES[person.role], masked=person.masked)
