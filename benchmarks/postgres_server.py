"""A PostgreSQL server of one's own for as long as it is needed: Debian's package, a folder, a socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PROGRAMS: Final = Path("/usr/lib/postgresql/15/bin")
START_SECONDS: Final = 60.0


def why_not() -> str:
    """Why there can be no server here; an empty text where there can."""
    if not PROGRAMS.is_dir():
        return "Debian's postgresql-15 is not installed"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "PostgreSQL refuses to run as root"
    return ""


@contextmanager
def postgres() -> Iterator[str]:
    """A server with its data in a folder that ends with it; its URL, without a password, by a socket there."""
    # Right below the temporary folder: a socket's path is short, and its own user must reach it.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name, _server(Path(name)) as url:
        yield url


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    become: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    made = [*become, str(PROGRAMS / "initdb"), "-D", str(data), "-A", "trust", "-U", "dongcha", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    command = [*become, str(PROGRAMS / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + START_SECONDS
        ready = [str(PROGRAMS / "pg_isready"), "-h", str(folder), "-q"]
        while subprocess.run(ready, check=False).returncode and time.monotonic() < until:
            time.sleep(0.1)
        try:
            yield f"postgresql://dongcha@/postgres?host={folder}"
        finally:
            running.send_signal(signal.SIGINT)
