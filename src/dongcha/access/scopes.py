"""What a key may do, and who is behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """Who is behind a request: the id and name of their key, and what it allows."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
