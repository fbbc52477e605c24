"""The ledger: only finished runs count, the champion is what the audit log last named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dongcha.as_of import AsOf
from dongcha.warehouse.ledger import AUDIT, RUNS, SCORES, Ledger

T0 = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def run_row(run_id: str, *, minutes: int = 0, as_of: datetime = T0, fingerprint: str = "f") -> dict[str, object]:
    return {
        "run_id": run_id,
        "insight": "churn",
        "as_of": as_of,
        "made_at": T0 + timedelta(minutes=minutes),
        "job": "score",
        "fingerprint": fingerprint,
    }


def test_an_empty_ledger_knows_nothing_and_says_so_quietly(ledger: Ledger) -> None:
    assert ledger.runs().is_empty()
    assert ledger.champion("churn") is None
    assert ledger.card("churn", "v1") is None
    assert ledger.same_run("score", "churn", "f") is None


def test_scores_of_a_job_that_was_killed_are_never_read(ledger: Ledger) -> None:
    ledger.write(SCORES, [{"run_id": "half", "insight": "churn", "entity_id": "c1", "name": "p", "value": 0.5}])
    assert ledger.latest_run("score", "churn") is None


def test_the_latest_run_is_the_newest_made_at_the_cutoff_asked_for_or_at_the_latest(ledger: Ledger) -> None:
    later = T0 + timedelta(days=30)
    ledger.write(RUNS, [run_row("old", minutes=1), run_row("new", minutes=2), run_row("other", minutes=0, as_of=later)])
    assert (ledger.latest_run("score", "churn", AsOf(T0)) or {})["run_id"] == "new"
    assert (ledger.latest_run("score", "churn") or {})["run_id"] == "other"


def test_the_same_work_is_found_by_its_fingerprint(ledger: Ledger) -> None:
    ledger.write(RUNS, [run_row("a", fingerprint="x")])
    assert (ledger.same_run("score", "churn", "x") or {})["run_id"] == "a"
    assert ledger.same_run("score", "churn", "y") is None
    assert ledger.same_run("train", "churn", "x") is None


def test_the_champion_is_what_was_promoted_or_rolled_back_to_last(ledger: Ledger) -> None:
    for minute, (version, action) in enumerate([("v1", "promote"), ("v2", "promote"), ("v1", "rollback")]):
        at = T0 + timedelta(minutes=minute)
        ledger.promote("churn", version, made_at=at, actor="ann", why="", action=action)
    assert ledger.champion("churn") == "v1"
    assert ledger.read(AUDIT).collect().height == 3
    assert ledger.champion("lifetime_value") is None


def test_a_commit_is_seen_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    before = ledger.commits(AUDIT)
    assert not before.any_new()
    for _ in range(2):
        ledger.promote("churn", "v1", made_at=datetime(2024, 1, 1, tzinfo=UTC), actor="test", why="test")
    after = ledger.commits(AUDIT)
    assert (before.any_new(), before.any_new(), after.any_new()) == (True, False, False)
    ledger.promote("churn", "v2", made_at=datetime(2024, 1, 1, tzinfo=UTC), actor="test", why="test")
    assert before.any_new()
    assert after.any_new()
