"""Secrets: how they are made, and how they rest, so that who reads the file learns none of them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PREFIX: Final = "dck"
LONGEST_SECRET: Final = 128

# A key holds 256 random bits, which nobody guesses however fast the hash is; a password does not, so its hash is dear.
_KEYS: Final = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
_PASSWORDS: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY: Final = _PASSWORDS.hash(secrets.token_urlsafe(32))


def new_key() -> tuple[str, str, str]:
    """A key's id, its secret as its holder writes it (`dck_<id>_<43 characters>`), and the secret's hash."""
    key_id = secrets.token_hex(6)
    secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    return key_id, secret, _KEYS.hash(secret)


def id_of(secret: str) -> str | None:
    """The id inside a key; None where the text is no key at all."""
    parts = secret.split("_", 2) if len(secret) <= LONGEST_SECRET else []
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX else None


def is_key(hashed: str, secret: str) -> bool:
    """Whether this is the key that was hashed; some milliseconds."""
    return _is(_KEYS, hashed, secret)


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and costs."""
    return _PASSWORDS.hash(password)


def is_password(hashed: str | None, password: str) -> bool:
    """Whether this is the password that was hashed; as slow for nobody's (None) as for somebody's."""
    return _is(_PASSWORDS, hashed or _NOBODY, password) and hashed is not None


def new_token() -> str:
    """256 random bits, for a session's cookie."""
    return secrets.token_urlsafe(32)


def at_rest(token: str) -> str:
    """How a token is stored: its SHA-256, which is enough for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _is(hasher: PasswordHasher, hashed: str, secret: str) -> bool:
    try:
        return hasher.verify(hashed, secret.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False
