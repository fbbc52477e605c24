"""Long work started by the service: one at a time, each a `dongcha` command in a process of its own.

A job is a folder under `jobs/` of the workspace. The server only starts it and reads the folder, so that neither holds
the other up: a job that crashes takes no server along, and a server that stops takes no job along. Whether a job's
process lives is told by a lock that it inherited, which the kernel frees when it ends, however it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from dongcha.errors import ConflictError, StoreError, UnknownError
from dongcha.jobs.reporting import VARIABLE, write_json

COMMAND: Final = (sys.executable, "-m", "dongcha.cli.main")
KEPT: Final = 50
_ID: Final = re.compile(r"\d{8}T\d{12}-[0-9a-f]{4}")
_GRACE_SECONDS: Final = 5.0
_TAIL_BYTES: Final = 2000


class Kind(StrEnum):
    """What may be started: the command of that name."""

    RUN = "run"
    """Everything that can run: backtest, train, promote, score; only what changed."""
    FLUSH = "flush"
    """Events that were received, into the lake."""
    PUBLISH = "publish"
    """The serving view, made anew where it is old."""


class State(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """`done` of `of` steps of `what`."""

    what: str
    done: int
    of: int


@dataclass(frozen=True)
class Job:
    """One job. Moments are UTC; `exit_code` is None while it runs, and where its process died without a word."""

    job_id: str
    kind: Kind
    state: State
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    exit_code: int | None
    progress: Progress | None
    output: str
    """The last 2,000 bytes that it printed."""


class Background:
    """The jobs of a workspace; several servers over one workspace share them."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._workspace = folder
        self._folder = folder / "jobs"
        self._clock = clock
        self._children: list[subprocess.Popen[bytes]] = []
        self._starting = threading.Lock()

    def start(self, kind: Kind, actor: str) -> Job:
        """Start a job; ConflictError where one is running."""
        self._folder.mkdir(exist_ok=True)
        with self._starting:
            held = self._take_lock()
            try:
                return self._start(kind, actor, held)
            finally:
                os.close(held)  # the job's process has it still

    def jobs(self) -> list[Job]:
        """The last 50 jobs, newest first."""
        self._children = [child for child in self._children if child.poll() is None]
        running = self._running()
        return [job for name in self._names() if (job := self._read(name, running)) is not None]

    def job(self, job_id: str) -> Job:
        """One job; UnknownError where there is none."""
        for job in self.jobs() if _ID.fullmatch(job_id) else ():
            if job.job_id == job_id:
                return job
        raise UnknownError("There is no such job.", "GET /v1/jobs lists the last 50.")

    @property
    def running(self) -> bool:
        """Whether a job is running."""
        return self._running() is not None

    def cancel(self, job_id: str, actor: str) -> Job:
        """End a running job, after 5 seconds by force; what it had finished stays. ConflictError where it has ended."""
        job = self.job(job_id)
        if job.state is not State.RUNNING:
            raise ConflictError(f"The job is {job.state} already.", "Only a running job can be cancelled.")
        folder = self._folder / job_id
        write_json(folder / "cancelled.json", {"by": actor})
        pid = int(json.loads((folder / "job.json").read_text("utf-8"))["pid"])
        for sign in (signal.SIGTERM, signal.SIGKILL):
            # Only while the lock says that the process lives is the number its own.
            with contextlib.suppress(ProcessLookupError):
                if self._running() == job_id:
                    os.killpg(pid, sign)
            if self._ends(job_id):
                break
        return self.job(job_id)

    # -- inside

    def _start(self, kind: Kind, actor: str, held: int) -> Job:
        job_id = f"{self._clock():%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"
        folder = self._folder / job_id
        folder.mkdir()
        os.ftruncate(held, 0)
        os.pwrite(held, job_id.encode(), 0)
        command = [*COMMAND, kind.value, "-w", str(self._workspace.resolve())]
        with (folder / "output.log").open("wb") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, VARIABLE: str(folder.resolve()), "PYTHONUNBUFFERED": "1"},
                pass_fds=(held,),
                start_new_session=True,
            )
        self._children.append(child)
        told = {"kind": kind.value, "by": actor, "at": self._clock().isoformat(), "pid": child.pid}
        write_json(folder / "job.json", told)
        for old in self._names()[KEPT:]:
            shutil.rmtree(self._folder / old, ignore_errors=True)
        return self.job(job_id)

    def _names(self) -> list[str]:
        there = os.listdir(self._folder) if self._folder.is_dir() else []
        return sorted((name for name in there if _ID.fullmatch(name)), reverse=True)

    def _read(self, name: str, running: str | None) -> Job | None:
        folder = self._folder / name
        told, end = _json(folder / "job.json"), _json(folder / "end.json")
        if told is None:
            return None
        progress = _json(folder / "progress.json")
        code = None if end is None else int(end["exit_code"])
        if running == name:
            state = State.RUNNING
        elif code == 0:
            state = State.DONE
        else:
            state = State.CANCELLED if (folder / "cancelled.json").exists() else State.FAILED
        last_sign = folder / ("end.json" if end is not None else "output.log")
        return Job(
            job_id=name,
            kind=Kind(told["kind"]),
            state=state,
            started_at=datetime.fromisoformat(told["at"]),
            started_by=told["by"],
            ended_at=None if state is State.RUNNING else datetime.fromtimestamp(last_sign.stat().st_mtime, UTC),
            exit_code=code,
            progress=None if progress is None else Progress(**progress),
            output=_tail(folder / "output.log"),
        )

    def _take_lock(self) -> int:
        """A descriptor that holds the lock; ConflictError where a job's process has it."""
        for _ in range(10):
            held = self._try_lock()
            if held is not None:
                return held
            time.sleep(0.02)  # somebody may just be looking whether it is held
        raise ConflictError("A job is running already.", "Wait for it, or cancel it.")

    def _try_lock(self) -> int | None:
        if sys.platform == "win32":
            raise StoreError("Jobs are not started from the service on Windows.", "Run: dongcha run.")
        import fcntl

        held = os.open(self._folder / ".running", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            return None
        return held

    def _running(self) -> str | None:
        """The id of the job whose process lives; None where there is none."""
        if not (self._folder / ".running").exists():
            return None
        held = self._try_lock()
        if held is None:
            return (self._folder / ".running").read_text("utf-8")
        os.close(held)
        return None

    def _ends(self, job_id: str) -> bool:
        until = time.monotonic() + _GRACE_SECONDS
        while self._running() == job_id:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


def _json(file: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _tail(file: Path) -> str:
    with contextlib.suppress(FileNotFoundError), file.open("rb") as output:
        output.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        return output.read().decode("utf-8", "replace").strip()
    return ""
