"""What the service does by itself, and the jobs it is asked for."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import HERE

import dongcha
from dongcha.access.scopes import Scope
from dongcha.api.app import create_app
from dongcha.api.upkeep import due_at
from dongcha.assemble import Shop

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("last", "due"),
    [
        ("2026-03-01T02:59:59+01:00", "2026-03-01T03:00:00+01:00"),
        ("2026-03-01T03:00:00+01:00", "2026-03-02T03:00:00+01:00"),
        ("2026-03-01T02:30:00+00:00", "2026-03-02T03:00:00+01:00"),
        # The night in which 02:00 to 03:00 is left out, and the one in which it comes twice.
        ("2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("2026-10-24T12:00:00+02:00", "2026-10-25T03:00:00+01:00"),
    ],
)
def test_daily_is_by_the_shops_own_clock(last: str, due: str) -> None:
    assert due_at("daily at 03:00", datetime.fromisoformat(last), BERLIN) == datetime.fromisoformat(due)


def test_every_counts_from_the_last_one() -> None:
    last = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    assert due_at("every 90 minutes", last, BERLIN) - last == timedelta(minutes=90)
    assert due_at("every 6 hours", last, BERLIN) - last == timedelta(hours=6)


@pytest.mark.parametrize("rule", ["daily", "daily at 3", "daily at 24:00", "every 0 hours", "every day", "hourly"])
def test_a_rule_that_is_none_is_told(tmp_path: Path, rule: str) -> None:
    (tmp_path / "dongcha.toml").write_text(f'[serve]\nrefresh = "{rule}"\n', "utf-8")
    with pytest.raises(dongcha.SettingsError, match=r"serve\.refresh"):
        _ = dongcha.open(tmp_path).settings


def test_a_due_refresh_runs_while_the_service_answers(tmp_path: Path) -> None:
    (tmp_path / "dongcha.toml").write_text('[serve]\nrefresh = "every 1 minutes"\n', "utf-8")
    start = time.monotonic()
    wound = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    # A clock on which two minutes pass in each second.
    shop = Shop(tmp_path, clock=lambda: wound + (time.monotonic() - start) * timedelta(minutes=2))
    with TestClient(create_app(shop), base_url=HERE) as client:
        until = time.monotonic() + 60
        while not (jobs := client.get("/v1/jobs").json()):
            assert time.monotonic() < until, "no refresh was started"
            time.sleep(0.1)
    assert (jobs[-1]["kind"], jobs[-1]["started_by"]) == ("run", "the schedule")
    for job in shop.background.jobs():
        if job.state == "running":
            shop.background.cancel(job.job_id, "test")


def test_a_job_is_an_admins_and_is_in_the_audit(
    client: TestClient, shop: Shop, key: Callable[..., dict[str, str]]
) -> None:
    reader, admin = key(Scope.READ, Scope.ASK, Scope.INGEST), key(Scope.ADMIN)
    for method, path in (
        ("GET", "/v1/jobs"),
        ("POST", "/v1/jobs"),
        ("GET", "/v1/jobs/x"),
        ("POST", "/v1/jobs/x/cancel"),
    ):
        assert client.request(method, path, headers=reader, json={"kind": "run"}).status_code == 403
        assert client.request(method, path, json={"kind": "run"}).status_code == 401
    started = client.post("/v1/jobs", headers=admin, json={"kind": "run"})
    assert started.status_code == 202
    job_id = started.json()["job_id"]
    cancelled = client.post(f"/v1/jobs/{job_id}/cancel", headers=admin)
    assert cancelled.status_code in (200, 409), "on an empty workspace it may have ended by itself"
    assert client.get(f"/v1/jobs/{job_id}", headers=admin).json()["state"] in ("cancelled", "failed")
    assert client.get("/v1/jobs", headers=admin).json()[0]["job_id"] == job_id
    assert client.get("/v1/jobs/nothing", headers=admin).status_code == 404
    assert client.post("/v1/jobs", headers=admin, json={"kind": "rm"}).status_code == 422
    assert client.post("/v1/jobs", headers=admin, json={"kind": "run", "command": "rm"}).status_code == 422
    told = [(row["action"], row["subject"]) for row in shop.access.audit()]
    assert ("start", f"job {job_id}") in told


def test_the_counts_are_written_when_the_service_ends(
    tmp_path: Path, shop: Shop, key: Callable[..., dict[str, str]]
) -> None:
    header = key(Scope.READ)
    with TestClient(create_app(shop), base_url=HERE) as client:
        assert client.get("/metrics", headers=header).status_code == 200
    assert dongcha.open(tmp_path).access.keys.listed()[0]["requests"] == 1
