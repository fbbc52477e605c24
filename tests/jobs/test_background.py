"""Jobs of the service: real commands in processes of their own, whatever befalls them."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import dongcha
from dongcha.assemble import utc_now
from dongcha.cli.main import app
from dongcha.errors import ConflictError, UnknownError
from dongcha.jobs import reporting
from dongcha.jobs.background import Background, Job, Kind, State

MANY = 4000


def ended(background: Background, job_id: str) -> Job:
    until = time.monotonic() + 300
    while (job := background.job(job_id)).state is State.RUNNING:
        assert time.monotonic() < until, "the job does not end"
        time.sleep(0.1)
    return job


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    """Over an empty workspace, where a run fails soon."""
    yield from _over(tmp_path)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with orders enough to keep a run busy."""
    folder = tmp_path_factory.mktemp("shop")
    rows = "".join(f"o{n},1,c{n % 300},p{n % 40},1,9.5,2024-{1 + n % 12:02}-{1 + n % 28:02}\n" for n in range(MANY))
    file = folder / "orders.csv"
    file.write_text("order_id,line,customer_id,product_id,quantity,price,happened_at\n" + rows, "utf-8")
    dongcha.open(folder).load(file, "orders")
    return folder


@pytest.fixture
def busy(loaded: Path) -> Iterator[Background]:
    """Over the workspace that keeps a run busy."""
    yield from _over(loaded)


def _over(folder: Path) -> Iterator[Background]:
    background = Background(folder, utc_now)
    yield background
    for job in background.jobs():
        if job.state is State.RUNNING:
            background.cancel(job.job_id, "test")


def pid_of(folder: Path, job: Job) -> int:
    return int(json.loads((folder / "jobs" / job.job_id / "job.json").read_text("utf-8"))["pid"])


def test_every_kind_is_a_command() -> None:
    commands = getattr(typer.main.get_command(app), "commands", {})
    assert {kind.value for kind in Kind} <= set(commands)


def test_a_job_that_fails_says_why_and_stays_told(background: Background, tmp_path: Path) -> None:
    started = background.start(Kind.RUN, "ann")
    assert (started.state, started.started_by, started.ended_at) == (State.RUNNING, "ann", None)
    job = ended(background, started.job_id)
    assert (job.state, job.exit_code) == (State.FAILED, 4)
    assert "'orders'" in job.output
    assert job.ended_at is not None
    assert Background(tmp_path, utc_now).job(job.job_id) == job, "another server reads the same"


def test_jobs_run_one_at_a_time_and_can_be_cancelled(busy: Background, loaded: Path) -> None:
    first = busy.start(Kind.RUN, "ann")
    for server in (busy, Background(loaded, utc_now)):
        assert server.running
        with pytest.raises(ConflictError, match="running already"):
            server.start(Kind.RUN, "bob")
    job = Background(loaded, utc_now).cancel(first.job_id, "bob")
    assert (job.state, job.exit_code) == (State.CANCELLED, None)
    assert not busy.running
    with pytest.raises(ConflictError, match="cancelled already"):
        busy.cancel(first.job_id, "bob")


def test_a_job_whose_process_died_has_failed_and_the_next_may_start(busy: Background, loaded: Path) -> None:
    first = busy.start(Kind.RUN, "ann")
    os.kill(pid_of(loaded, first), signal.SIGKILL)
    job = ended(busy, first.job_id)
    assert (job.state, job.exit_code) == (State.FAILED, None)
    second = busy.start(Kind.RUN, "ann")
    assert [job.job_id for job in busy.jobs()][:2] == [second.job_id, first.job_id]
    assert busy.job(first.job_id).state is State.FAILED


@pytest.mark.parametrize("job_id", ["", "..", "20260101T000000000000-0000", "../../etc", "x" * 100])
def test_what_is_no_job_is_not_looked_for(background: Background, job_id: str) -> None:
    with pytest.raises(UnknownError):
        background.job(job_id)
    with pytest.raises(UnknownError):
        background.cancel(job_id, "ann")


def test_a_command_that_is_a_job_leaves_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(reporting.VARIABLE, str(tmp_path))
    seen = []
    advance = reporting.telling(lambda *told: seen.append(told))
    for done in range(3):
        advance("Training churn", done, 3)
    assert seen == [("Training churn", done, 3) for done in range(3)]
    assert json.loads((tmp_path / "progress.json").read_text("utf-8"))["what"] == "Training churn"
    advance("Scoring churn", 1, 2)
    told = json.loads((tmp_path / "progress.json").read_text("utf-8"))
    assert told == {"what": "Scoring churn", "done": 1, "of": 2}


@pytest.mark.parametrize(("raised", "code"), [(None, 0), (SystemExit(4), 4), (SystemExit(None), 0), (ValueError(), 1)])
def test_a_command_that_is_a_job_leaves_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException | None, code: int
) -> None:
    monkeypatch.setenv(reporting.VARIABLE, str(tmp_path))
    monkeypatch.setattr(os, "nice", lambda _: 0)
    try:
        with reporting.reported():
            if raised is not None:
                raise raised
    except (SystemExit, ValueError):
        assert raised is not None
    assert json.loads((tmp_path / "end.json").read_text("utf-8")) == {"exit_code": code}
