"""Keys: checked quickly, shown once, ended at once, counted."""

import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dongcha.access import keys as keys_module
from dongcha.access.access import Access
from dongcha.access.scopes import Scope
from dongcha.errors import StoreError, UnknownError, UsageError


def in_another_process(folder: Path, statement: str) -> str:
    code = (
        "from pathlib import Path; from dongcha.assemble import utc_now; from dongcha.access.access import Access;"
        f"from dongcha.access.scopes import Scope; access = Access(Path({str(folder)!r}), utc_now); {statement}"
    )
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_a_key_is_its_holders_and_says_what_it_allows(access: Access) -> None:
    key, secret = access.keys.add("website", [Scope.INGEST], actor="test", rate=5, message_bytes=100_000)
    caller = access.check(secret)
    assert caller is not None
    assert (caller.key_id, caller.name, caller.scopes) == (key.key_id, "website", {Scope.INGEST})
    assert (caller.rate, caller.message_bytes, caller.masked) == (5, 100_000, False)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + "x", lambda s: s.swapcase(), lambda s: ""])
def test_what_is_not_the_whole_secret_opens_nothing(access: Access, change: Any) -> None:
    _, secret = access.keys.add("website", [Scope.READ], actor="test")
    assert access.check(change(secret)) is None
    assert access.check(secret) is not None
    assert access.check(change(secret)) is None, "also once the right one is remembered"


@pytest.mark.parametrize("junk", ["dck__", "dck_a_b", "dck_" + "a" * 10_000, "\ud800", "dck_0_\x00", "é" * 40])
def test_junk_opens_nothing_and_breaks_nothing(access: Access, junk: str) -> None:
    access.keys.add("website", [Scope.READ], actor="test")
    assert access.check(junk) is None


def test_no_file_of_the_workspace_holds_the_secret(access: Access, tmp_path: Path) -> None:
    _, secret = access.keys.add("website", [Scope.READ], actor="test")
    access.check(secret)
    token = secret.split("_", 2)[2].encode()
    content = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert token not in content
    assert b"$argon2id$" in content
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_the_dear_hash_is_worked_once(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = access.keys.add("website", [Scope.READ], actor="test")
    worked = []
    real = keys_module.is_key
    monkeypatch.setattr(keys_module, "is_key", lambda *given: worked.append(1) or real(*given))
    for _ in range(20):
        assert access.check(secret) is not None
    assert len(worked) == 1


def test_wrong_secrets_for_a_key_are_soon_not_even_read(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = access.keys.add("website", [Scope.READ], actor="test")
    worked = []
    real = keys_module.is_key
    monkeypatch.setattr(keys_module, "is_key", lambda *given: worked.append(1) or real(*given))
    for n in range(100):
        assert access.check(f"{secret[:-3]}{n:03}", "203.0.113.9") is None
    assert len(worked) <= 12
    assert access.check(secret, "198.51.100.7") is not None, "its holder elsewhere is not shut out"


def test_an_expired_key_opens_nothing(access: Access, clock: Any) -> None:
    _, secret = access.keys.add("website", [Scope.READ], actor="test", expires_in=timedelta(days=1))
    assert access.check(secret) is not None
    clock.forward(days=1)
    assert access.check(secret) is None
    assert access.keys.listed()[0]["state"] == "expired"


def test_a_key_revoked_by_another_process_ends_within_a_second(access: Access, tmp_path: Path) -> None:
    key, secret = access.keys.add("website", [Scope.READ], actor="test")
    assert access.check(secret) is not None
    in_another_process(tmp_path, f"access.keys.revoke({key.key_id!r}, actor='other')")
    time.sleep(keys_module.LOOK_AGAIN_SECONDS)
    assert keys_module.LOOK_AGAIN_SECONDS < 1
    assert access.keys.cached(secret) is None
    assert access.check(secret) is None


def test_a_key_made_by_another_process_is_known(access: Access, tmp_path: Path) -> None:
    access.keys.add("website", [Scope.READ], actor="test")
    secret = in_another_process(tmp_path, "print(access.keys.add('new', [Scope.ASK], actor='other')[1])")
    time.sleep(keys_module.LOOK_AGAIN_SECONDS)
    caller = access.check(secret)
    assert caller is not None
    assert caller.scopes == {Scope.ASK}


def test_rotation_overlaps_and_keeps_what_the_key_may(access: Access, clock: Any) -> None:
    _, old = access.keys.add("website", [Scope.INGEST, Scope.READ], actor="test", rate=7)
    key, new = access.keys.rotate("website", actor="test", overlap=timedelta(hours=1))
    assert new != old
    assert (key.scopes, key.rate, key.name) == ({Scope.INGEST, Scope.READ}, 7, "website")
    assert access.check(old) is not None
    assert access.check(new) is not None
    clock.forward(hours=1)
    assert access.check(old) is None
    assert access.check(new) is not None
    assert [row["state"] for row in access.keys.listed()] == ["expired", "live"]


def test_rotation_does_not_lengthen_a_life(access: Access, clock: Any) -> None:
    first, _ = access.keys.add("website", [Scope.READ], actor="test", expires_in=timedelta(hours=1))
    access.keys.rotate("website", actor="test", overlap=timedelta(days=9))
    assert access.keys.find(first.key_id).expires_at == clock.now + timedelta(hours=1)


def test_a_name_of_two_keys_is_not_guessed(access: Access) -> None:
    for _ in range(2):
        access.keys.add("website", [Scope.READ], actor="test")
    with pytest.raises(UsageError, match="2 keys are named"):
        access.keys.revoke("website", actor="test")
    with pytest.raises(UnknownError, match="no key 'shop'"):
        access.keys.revoke("shop", actor="test")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("", {}),
        ("x" * 65, {}),
        ("a\nb", {}),
        ("a", {"rate": -1}),
        ("a", {"rate": float("nan")}),
        ("a", {"message_bytes": 0}),
        ("a", {"message_bytes": 1 << 30}),
        ("a", {"expires_in": timedelta()}),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(access: Access, name: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        access.keys.add(name, [Scope.READ], actor="test", **options)
    with pytest.raises(UsageError, match="scope"):
        access.keys.add("a", [], actor="test")
    assert access.keys.listed() == []


def test_requests_are_counted_and_survive_the_process(access: Access, tmp_path: Path, clock: Any) -> None:
    key, _ = access.keys.add("website", [Scope.READ], actor="test")
    for refused in (False, False, True):
        access.keys.count(key.key_id, refused=refused)
    access.flush()
    clock.forward(days=1)
    access.keys.count(key.key_id, refused=False)
    access.flush()
    (row,) = Access(tmp_path, clock).keys.listed()
    assert (row["requests"], row["refused"], row["last_used_at"]) == (4, 1, clock.now)


def test_the_audit_says_who_changed_what(access: Access) -> None:
    key, secret = access.keys.add("website", [Scope.READ], actor="ann")
    other, _ = access.keys.add("till", [Scope.INGEST], actor="ann")
    access.keys.revoke(key.key_id, actor="bob", why="leaked")
    access.note(f"website ({key.key_id})", "start", "job 1")
    told = [(row["actor"], row["action"]) for row in access.audit(key.key_id)]
    assert told == [("ann", "add"), ("bob", "revoke"), (f"website ({key.key_id})", "start")]
    assert len(access.audit()) == 4
    assert other.key_id in access.audit()[1]["subject"]
    assert secret not in str(access.audit())


def test_a_workspace_is_unguarded_until_its_first_key_and_never_again(access: Access, tmp_path: Path) -> None:
    assert access.unguarded
    assert not (tmp_path / "access.db").exists(), "asking makes no file"
    access.keys.add("website", [Scope.READ], actor="test")
    assert not access.unguarded
    access.keys.revoke("website", actor="test")
    assert not access.unguarded


def test_a_damaged_file_is_told_and_opens_nothing(access: Access, tmp_path: Path) -> None:
    (tmp_path / "access.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"access\.db"):
        _ = access.unguarded
