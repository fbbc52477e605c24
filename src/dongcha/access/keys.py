"""API keys: made, checked in microseconds, rotated, revoked, counted."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import Any, Final

from dongcha.access.hashing import id_of, is_key, new_key
from dongcha.access.scopes import Caller, Scope
from dongcha.access.store import AccessStore, moment
from dongcha.access.throttle import Throttle
from dongcha.errors import UnknownError, UsageError

LOOK_AGAIN_SECONDS: Final = 0.25
"""How long a key revoked by another process may still pass."""
FREE_FAILURES: Final = 10
LARGEST_MESSAGE: Final = 1 << 20
_NAME: Final = 64


@dataclass(frozen=True)
class Key:
    """A key as it is stored: everything about it but its secret. Moments are UTC; `requests` are of all time."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    hash: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    rate: float | None
    message_bytes: int | None

    def state(self, now: datetime) -> str:
        """`live`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "live"


class Keys:
    """The keys of a workspace.

    Checking a secret costs an argon2 hash the first time; afterwards its keyed hash is remembered in memory, so that a
    request costs microseconds. The memory is looked over at most 0.25 s after another process changed a key.
    """

    def __init__(self, store: AccessStore) -> None:
        self._store = store
        self._throttle = Throttle(FREE_FAILURES)
        self._salt = secrets.token_bytes(32)
        self._verified: dict[bytes, str] = {}
        self._known: dict[str, Key] = {}
        self._callers: dict[str, Caller] = {}
        self._version = -1
        self._looked_at = float("-inf")
        self._counts: Counter[tuple[str, str, bool]] = Counter()
        self._used: dict[str, datetime] = {}
        self._lock = threading.Lock()

    # -- checking

    def cached(self, secret: str) -> Caller | None:
        """Whose key it is, in microseconds, where this process has seen it before; None otherwise."""
        key_id = self._verified.get(self._digest(secret))
        return None if key_id is None else self._live(key_id)

    def check(self, secret: str, address: str = "") -> Caller | None:
        """Whose key it is; None for an unknown, expired or revoked one. The first time it takes some milliseconds.

        After 10 wrong secrets for one key from one address, further ones from there wait unread, ever longer.
        """
        if (caller := self.cached(secret)) is not None:
            return caller
        key_id = id_of(secret)
        if key_id is None or self._live(key_id) is None:
            return None
        subject = (key_id, address)
        if self._throttle.wait(subject) > 0:
            return None
        if not is_key(self._all()[key_id].hash, secret):
            self._throttle.failed(subject)
            return None
        self._verified[self._digest(secret)] = key_id
        return self._live(key_id)

    def count(self, key_id: str, *, refused: bool) -> None:
        """Count a request of a key; `flush` writes the counts."""
        now = self._store.clock()
        with self._lock:
            self._counts[key_id, f"{now:%Y-%m-%d}", refused] += 1
            self._used[key_id] = now

    def flush(self) -> None:
        """Write what was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            used, self._used = self._used, {}
        if not counts:
            return
        with self._store.change() as db:
            for (key_id, day, refused), n in counts.items():
                db.execute(
                    "INSERT INTO usage VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key_id, day)"
                    " DO UPDATE SET requests = requests + ?3, refused = refused + ?4",
                    (key_id, day, n, n if refused else 0),
                )
            for key_id, at in used.items():
                db.execute("UPDATE keys SET last_used_at = ? WHERE key_id = ?", (at.isoformat(), key_id))

    # -- changing

    def add(
        self,
        name: str,
        scopes: Iterable[Scope],
        *,
        actor: str,
        expires_in: timedelta | None = None,
        rate: float | None = None,
        message_bytes: int | None = None,
    ) -> tuple[Key, str]:
        """Make a key; returns it and its secret, which is nowhere kept and never shown again."""
        held = frozenset(scopes)
        if not name.strip() or len(name) > _NAME or not name.isprintable():
            raise UsageError(f"A key's name has 1 to {_NAME} printable characters.", "Say what uses it: website.")
        if not held:
            raise UsageError("A key without a scope opens nothing.", f"Choose of {', '.join(Scope)}.")
        if expires_in is not None and expires_in <= timedelta():
            raise UsageError("A key that is expired already opens nothing.", "Give it at least a day.")
        if rate is not None and not 0 <= rate < float("inf"):
            raise UsageError(f"{rate} requests a second is no limit.", "Use a positive number, or 0 for none.")
        if message_bytes is not None and not 0 < message_bytes <= LARGEST_MESSAGE:
            raise UsageError(f"Messages of {message_bytes} bytes are not taken.", f"Use 1 to {LARGEST_MESSAGE}.")
        now = self._store.clock()
        key_id, secret, hashed = new_key()
        expires_at = None if expires_in is None else now + expires_in
        key = Key(key_id, name.strip(), held, hashed, now, expires_at, None, None, rate, message_bytes)
        with self._store.change() as db:
            self._insert(db, key, actor)
        return self.find(key_id), secret

    def rotate(self, which: str, *, actor: str, overlap: timedelta = timedelta()) -> tuple[Key, str]:
        """A new key like this one; the old one lives on for `overlap`, so that its users can change over."""
        old = self.find(which)
        now = self._store.clock()
        if old.state(now) != "live":
            raise UsageError(f"The key {old.key_id} is {old.state(now)}.", "Make a new one: dongcha keys add NAME.")
        ends = min(filter(None, (now + overlap, old.expires_at)))
        key_id, secret, hashed = new_key()
        key = replace(old, key_id=key_id, hash=hashed, made_at=now, last_used_at=None)
        with self._store.change() as db:
            db.execute("UPDATE keys SET expires_at = ? WHERE key_id = ?", (ends.isoformat(), old.key_id))
            self._insert(db, key, actor)
            self._store.note(actor, "rotate", f"key {old.key_id}", name=old.name, successor=key_id, ends=ends)
        return self.find(key_id), secret

    def revoke(self, which: str, *, actor: str, why: str = "") -> Key:
        """Let a key open nothing from now on, in every process; it stays listed."""
        key = self.find(which)
        with self._store.change() as db:
            at = self._store.clock().isoformat()
            db.execute("UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ?", (at, key.key_id))
            self._store.note(actor, "revoke", f"key {key.key_id}", name=key.name, why=why)
        return self.find(key.key_id)

    # -- looking

    def find(self, which: str) -> Key:
        """The key of this id, or the only live one of this name; UnknownError or UsageError otherwise."""
        keys = self._all(fresh=True)
        if which in keys:
            return keys[which]
        now = self._store.clock()
        named = [key for key in keys.values() if key.name == which and key.state(now) == "live"]
        if not named:
            raise UnknownError(f"There is no key '{which[:_NAME]}'.", "See: dongcha keys list.")
        if len(named) > 1:
            ids = ", ".join(key.key_id for key in named)
            raise UsageError(f"{len(named)} keys are named '{which[:_NAME]}': {ids}.", "Name it by its id.")
        return named[0]

    def listed(self) -> list[dict[str, Any]]:
        """Every key, oldest first: key_id, name, scopes, state, moments, limits, `requests` and `refused` of them."""
        now = self._store.clock()
        counted = {
            row["key_id"]: (row["requests"], row["refused"])
            for row in self._store.rows(
                "SELECT key_id, sum(requests) AS requests, sum(refused) AS refused FROM usage GROUP BY key_id"
            )
        }
        return [
            {
                "key_id": key.key_id,
                "name": key.name,
                "scopes": [scope.value for scope in Scope if scope in key.scopes],
                "state": key.state(now),
                "made_at": key.made_at,
                "expires_at": key.expires_at,
                "last_used_at": key.last_used_at,
                "rate": key.rate,
                "message_bytes": key.message_bytes,
                "requests": counted.get(key.key_id, (0, 0))[0],
                "refused": counted.get(key.key_id, (0, 0))[1],
            }
            for key in sorted(self._all(fresh=True).values(), key=lambda key: key.made_at)
        ]

    @property
    def any(self) -> bool:
        """Whether a key was ever made; one that is revoked counts too."""
        return bool(self._all())

    # -- inside

    def _insert(self, db: Connection, key: Key, actor: str) -> None:
        scopes = " ".join(scope.value for scope in Scope if scope in key.scopes)
        ends = None if key.expires_at is None else key.expires_at.isoformat()
        db.execute(
            "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?)",
            (key.key_id, key.name, scopes, key.hash, key.made_at.isoformat(), ends, key.rate, key.message_bytes),
        )
        limits = {"expires": ends, "rate": key.rate, "message_bytes": key.message_bytes}
        self._store.note(actor, "add", f"key {key.key_id}", name=key.name, scopes=scopes, **limits)

    def _digest(self, secret: str) -> bytes:
        return hashlib.blake2b(secret.encode("utf-8", "replace"), key=self._salt, digest_size=32).digest()

    def _live(self, key_id: str) -> Caller | None:
        key = self._all().get(key_id)
        return self._callers[key_id] if key is not None and key.state(self._store.clock()) == "live" else None

    def _all(self, *, fresh: bool = False) -> dict[str, Key]:
        now = time.monotonic()
        if fresh or now - self._looked_at >= LOOK_AGAIN_SECONDS:
            version = self._store.version()
            if fresh or version != self._version:
                known = {row["key_id"]: _key(row) for row in self._store.rows("SELECT * FROM keys ORDER BY rowid")}
                self._callers = {k.key_id: _caller(k) for k in known.values()}
                self._known, self._version = known, version
            self._looked_at = now
        return self._known


def _key(row: Any) -> Key:
    return Key(
        key_id=row["key_id"],
        name=row["name"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"].split()),
        hash=row["hash"],
        made_at=datetime.fromisoformat(row["made_at"]),
        expires_at=moment(row["expires_at"]),
        revoked_at=moment(row["revoked_at"]),
        last_used_at=moment(row["last_used_at"]),
        rate=row["rate"],
        message_bytes=row["message_bytes"],
    )


def _caller(key: Key) -> Caller:
    return Caller(key.key_id, key.name, key.scopes, rate=key.rate, message_bytes=key.message_bytes)
