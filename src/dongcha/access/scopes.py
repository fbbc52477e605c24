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


@dataclass(frozen=True)
class Caller:
    """Who is behind a request: the id and name of their key, and what it allows."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
