"""People: logins that cannot be guessed, and sessions that end."""

from pathlib import Path
from typing import Any

import pytest

from dongcha.access import people as people_module
from dongcha.access.access import Access
from dongcha.access.scopes import Person, Role, Scope, caller_of
from dongcha.access.throttle import Buckets, Throttle
from dongcha.errors import ThrottledError, UnknownError, UsageError

PASSWORD = "a quiet sentence"


@pytest.fixture
def ann(access: Access) -> Person:
    return access.people.add("Ann", Role.ANALYST, PASSWORD, actor="test")


@pytest.mark.usefixtures("ann")
def test_name_and_password_together_open(access: Access) -> None:
    assert access.login("ann", PASSWORD) == Person("ann", Role.ANALYST)
    assert access.login("ANN", PASSWORD) == Person("ann", Role.ANALYST)
    assert access.login("ann", PASSWORD + ".") is None
    assert access.login("bob", PASSWORD) is None
    assert access.login("", "") is None


@pytest.mark.usefixtures("ann")
def test_a_name_nobody_has_costs_the_same_hash_as_a_wrong_password(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = []
    monkeypatch.setattr(people_module, "is_password", lambda hashed, _: bool(worked.append(hashed)))
    assert access.login("ann", "x") is access.login("nobody", "x") is None
    assert len(worked) == 2


def test_nobody_has_no_password_but_a_hash_as_dear() -> None:
    from argon2 import extract_parameters

    from dongcha.access import hashing

    assert not hashing.is_password(None, PASSWORD)
    assert extract_parameters(hashing._NOBODY) == extract_parameters(hashing.hash_password(PASSWORD))


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_guessing_is_slowed_for_somebody_as_for_nobody(access: Access, name: str) -> None:
    for _ in range(5):
        assert access.login(name, "wrong", "203.0.113.9") is None
    with pytest.raises(ThrottledError, match="Too many tries") as refused:
        access.login(name, PASSWORD, "203.0.113.9")
    assert 0 < refused.value.wait_seconds <= 1
    elsewhere = access.login(name, PASSWORD, "198.51.100.7")
    assert (elsewhere is not None) == (name == "ann"), "the person is not shut out elsewhere"


@pytest.mark.usefixtures("ann")
def test_many_names_from_one_address_are_slowed_too(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_module, "is_password", lambda *_: False)
    for n in range(20):
        access.login(f"name{n}", "wrong", f"2001:db8::{n:x}")
    with pytest.raises(ThrottledError):
        access.login("ann", "wrong", "2001:db8::ffff")  # of the same /64, so of the same host


def test_waits_double_and_end() -> None:
    now = [0.0]
    throttle = Throttle(2, clock=lambda: now[0])
    waits = []
    for _ in range(14):
        throttle.failed("a")
        waits.append(throttle.wait("a"))
    assert waits[:5] == [0, 1, 2, 4, 8]
    assert waits[-1] == 900
    now[0] = 901
    assert throttle.wait("a") == 0
    throttle.failed("a")
    assert throttle.wait("a") == 0, "a quarter of an hour without failure is forgiven"
    assert throttle.wait("b") == 0


def test_a_bucket_lets_its_rate_through() -> None:
    now = [0.0]
    buckets = Buckets(clock=lambda: now[0])
    assert [buckets.wait("a", 2) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert buckets.wait("b", 2) == 0
    now[0] = 10
    passed = 0
    for _ in range(200):
        now[0] += 0.05
        passed += buckets.wait("a", 2) == 0
    assert passed == pytest.approx(2 * 10 + 4, abs=1)
    assert all(buckets.wait("c", 0) == 0 for _ in range(100))


def test_memory_of_failures_and_buckets_is_bounded() -> None:
    throttle, buckets = Throttle(1), Buckets()
    for n in range(12_000):
        throttle.failed(n)
        buckets.wait(n, 1)
    assert len(throttle._failed) == len(buckets._left) == 10_000


def test_a_session_ends_by_idleness_by_age_and_by_hand(access: Access, ann: Person, clock: Any) -> None:
    token = access.people.open_session(ann)
    assert access.people.session(token) == ann
    clock.forward(hours=11)
    assert access.people.session(token) == ann
    clock.forward(hours=11)
    assert access.people.session(token) == ann, "each request begins the idle time anew"
    clock.forward(hours=12)
    assert access.people.session(token) is None
    old = access.people.open_session(ann)
    for _ in range(16):
        clock.forward(hours=11)
        alive = access.people.session(old)
    assert alive is None, "seven days are the most"
    closed = access.people.open_session(ann)
    access.people.close_session(closed)
    assert access.people.session(closed) is None


def test_a_new_password_or_role_or_removal_reaches_open_sessions(access: Access, ann: Person) -> None:
    token = access.people.open_session(ann)
    access.people.set_role("ann", Role.VIEWER, actor="test")
    assert access.people.session(token) == Person("ann", Role.VIEWER)
    access.people.set_password("ann", "another quiet sentence", actor="test")
    assert access.people.session(token) is None
    token = access.people.open_session(ann)
    access.people.remove("ann", actor="test")
    assert access.people.session(token) is None
    assert access.login("ann", "another quiet sentence") is None
    assert not access.unguarded, "the last person's leaving opens nothing"


def test_neither_password_nor_token_rests_in_the_workspace(access: Access, ann: Person, tmp_path: Path) -> None:
    token = access.people.open_session(ann)
    access.login("ann", PASSWORD)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert PASSWORD.encode() not in content
    assert token.encode() not in content
    assert PASSWORD not in str(access.audit())


@pytest.mark.parametrize("password", ["short", "x" * 2000, "aaaaaaaaaaaaaaaa", "ann123456789"])
def test_a_poor_password_is_refused(access: Access, password: str) -> None:
    with pytest.raises(UsageError):
        access.people.add("ann", Role.ADMIN, password, actor="test")
    assert access.people.listed() == []


def test_names_are_one_persons(access: Access, ann: Person) -> None:
    with pytest.raises(UsageError, match="already"):
        access.people.add(" ANN ", Role.ADMIN, PASSWORD, actor="test")
    with pytest.raises(UnknownError):
        access.people.set_role("bob", Role.ADMIN, actor="test")
    (row,) = access.people.listed()
    assert (row["name"], row["role"], row["sessions"]) == ("ann", "analyst", 0)
    assert ann == Person("ann", Role.ANALYST)


def test_each_role_may_what_the_one_before_may() -> None:
    viewer, analyst, admin = (caller_of(Person("x", role)) for role in Role)
    assert viewer.scopes < analyst.scopes < admin.scopes == set(Scope)
    assert (viewer.masked, analyst.masked, admin.masked) == (True, False, False)
