"""The side of a command that the service started: how far it is, and how it ended, left in the job's folder."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "DONGCHA_JOB"
"""The environment variable by which a command knows the folder of the job that it is."""
NICENESS: Final = 5
_EVERY_SECONDS: Final = 0.2


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Around a command: where it is a job of the service, leave its exit code, and let the service go first."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        yield
        return
    os.nice(NICENESS)
    code: Any = 1
    try:
        yield
        code = 0
    except SystemExit as ended:
        code = ended.code
        raise
    finally:
        write_json(Path(folder) / "end.json", {"exit_code": code if isinstance(code, int) else int(code is not None)})


def telling(advance: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    """`advance`, which also leaves the progress for the service, at most five times a second."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return advance
    told, told_at = "", float("-inf")

    def both(what: str, done: int, of: int) -> None:
        nonlocal told, told_at
        advance(what, done, of)
        now = time.monotonic()
        if what != told or now - told_at >= _EVERY_SECONDS:
            told, told_at = what, now
            write_json(Path(folder) / "progress.json", {"what": what, "done": done, "of": of})

    return both


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    new = file.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    new.replace(file)
