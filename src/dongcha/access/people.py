"""People with roles: passwords, logins that cannot be guessed at speed, and sessions kept on the server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from dongcha.access.hashing import at_rest, hash_password, is_password, new_token
from dongcha.access.scopes import Person, Role
from dongcha.access.store import AccessStore, moment
from dongcha.access.throttle import Throttle, neighbourhood
from dongcha.errors import ThrottledError, UnknownError, UsageError

IDLE: Final = timedelta(hours=12)
LONGEST: Final = timedelta(days=7)
SEEN_EVERY: Final = timedelta(minutes=1)
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024
_NAME: Final = 64


class People:
    """Who may log in.

    A wrong password is answered like a name that nobody has, and as slowly. After 5 failures of a name from one
    address, 20 from one address, or 50 of a name from anywhere, the next try waits, twice as long each time.
    """

    def __init__(self, store: AccessStore) -> None:
        self._store = store
        self._pairs, self._addresses, self._names = Throttle(5), Throttle(20), Throttle(50)

    def login(self, name: str, password: str, address: str = "") -> Person | None:
        """Who that is; None where name and password do not belong together. Some hundredths of a second.

        Raises ThrottledError, without looking at the password, where too many tries failed.
        """
        name, address = name[:_NAME].casefold(), neighbourhood(address)
        subjects = ((self._pairs, (name, address)), (self._addresses, address), (self._names, name))
        if (wait := max(throttle.wait(subject) for throttle, subject in subjects)) > 0:
            raise ThrottledError(
                "Too many tries failed.", f"Try again in {max(1, round(wait))} seconds.", wait_seconds=wait
            )
        row = self._row(name)
        if not is_password(row and row["hash"], password[:LONGEST_PASSWORD]) or row is None:
            for throttle, subject in subjects:
                throttle.failed(subject)
            return None
        self._pairs.forgive((name, address))
        with self._store.change() as db:
            db.execute("UPDATE people SET last_login_at = ? WHERE name = ?", (self._store.clock().isoformat(), name))
            self._store.note(f"person {name}", "login", f"person {name}", address=address)
        return Person(row["name"], Role(row["role"]))

    # -- sessions

    def open_session(self, person: Person) -> str:
        """A token for the person's cookie. It ends after 12 hours without a request, and after 7 days."""
        token, now = new_token(), self._store.clock().isoformat()
        with self._store.change() as db:
            db.execute("DELETE FROM sessions WHERE began_at < ?", ((self._store.clock() - LONGEST).isoformat(),))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (at_rest(token), person.name, now, now))
        return token

    def session(self, token: str) -> Person | None:
        """Whose session that is, with the role they have now; None once it has ended."""
        hashed, now = at_rest(token), self._store.clock()
        rows = self._store.rows(
            "SELECT name, role, began_at, seen_at FROM sessions JOIN people ON name = person WHERE token = ?", hashed
        )
        if not rows:
            return None
        began, seen = moment(rows[0]["began_at"]), moment(rows[0]["seen_at"])
        if began is None or seen is None or now - began >= LONGEST or now - seen >= IDLE:
            self.close_session(token)
            return None
        if now - seen >= SEEN_EVERY:
            with self._store.change() as db:
                db.execute("UPDATE sessions SET seen_at = ? WHERE token = ?", (now.isoformat(), hashed))
        return Person(rows[0]["name"], Role(rows[0]["role"]))

    def close_session(self, token: str) -> None:
        """End a session now."""
        with self._store.change() as db:
            db.execute("DELETE FROM sessions WHERE token = ?", (at_rest(token),))

    # -- changing

    def add(self, name: str, role: Role, password: str, *, actor: str) -> Person:
        """Let somebody log in; names are kept in lower case."""
        name = name.strip().casefold()
        if not name or len(name) > _NAME or not name.isprintable() or " " in name:
            raise UsageError(f"A person's name has 1 to {_NAME} printable characters, no space.", "For example: ann.")
        if self._row(name) is not None:
            raise UsageError(f"There is a person '{name}' already.", "Choose another name, or: dongcha users password.")
        hashed = hash_password(checked_password(name, password))
        with self._store.change() as db:
            now = self._store.clock().isoformat()
            db.execute("INSERT INTO people VALUES (?, ?, ?, ?, NULL)", (name, role.value, hashed, now))
            self._store.note(actor, "add", f"person {name}", role=role.value)
        return Person(name, role)

    def set_password(self, name: str, password: str, *, actor: str) -> None:
        """Give somebody a new password; it ends their sessions."""
        person = self.find(name)
        hashed = hash_password(checked_password(person.name, password))
        with self._store.change() as db:
            db.execute("UPDATE people SET hash = ? WHERE name = ?", (hashed, person.name))
            db.execute("DELETE FROM sessions WHERE person = ?", (person.name,))
            self._store.note(actor, "password", f"person {person.name}")

    def set_role(self, name: str, role: Role, *, actor: str) -> Person:
        """Give somebody another role; their sessions have it from the next request on."""
        person = self.find(name)
        with self._store.change() as db:
            db.execute("UPDATE people SET role = ? WHERE name = ?", (role.value, person.name))
            self._store.note(actor, "role", f"person {person.name}", before=person.role.value, after=role.value)
        return Person(person.name, role)

    def remove(self, name: str, *, actor: str) -> None:
        """Let somebody log in no more; it ends their sessions."""
        person = self.find(name)
        with self._store.change() as db:
            db.execute("DELETE FROM sessions WHERE person = ?", (person.name,))
            db.execute("DELETE FROM people WHERE name = ?", (person.name,))
            self._store.note(actor, "remove", f"person {person.name}", role=person.role.value)

    # -- looking

    def find(self, name: str) -> Person:
        """The person of this name; UnknownError where there is none."""
        row = self._row(name.strip().casefold())
        if row is None:
            raise UnknownError(f"There is no person '{name[:_NAME]}'.", "See: dongcha users list.")
        return Person(row["name"], Role(row["role"]))

    def listed(self) -> list[dict[str, Any]]:
        """Everybody by name: name, role, made_at, last_login_at, `sessions` that are open."""
        rows = self._store.rows(
            "SELECT name, role, made_at, last_login_at, (SELECT count(*) FROM sessions WHERE person = name) AS sessions"
            " FROM people ORDER BY name"
        )
        moments = ("made_at", "last_login_at")
        return [{k: moment(row[k]) if k in moments else row[k] for k in row.keys()} for row in rows]  # noqa: SIM118

    def _row(self, name: str) -> Any:
        rows = self._store.rows("SELECT name, role, hash FROM people WHERE name = ?", name)
        return rows[0] if rows else None


def checked_password(name: str, password: str) -> str:
    """The password where it is long enough and not the name; UsageError otherwise. Length is what counts (NIST)."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", "Use a sentence.")
    if (name in password.casefold() and len(password) < len(name) + SHORTEST_PASSWORD) or len(set(password)) < 5:
        raise UsageError("That password is easily guessed.", "Use a sentence that is not your name.")
    return password
