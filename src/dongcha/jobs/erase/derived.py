"""What an erasure does with all that was made from the facts: made anew where it is read, deleted where it is not."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl
from filelock import FileLock

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.errors import MissingDataError
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.live import FORMAT, HORIZON_FILE, STAMP, live_folder, write_shop
from dongcha.insight_kit.live_orders import OrderBook
from dongcha.jobs.erase.kept import finder
from dongcha.jobs.erase.person import Person
from dongcha.jobs.hand_over import ORDERS, SHOP
from dongcha.jobs.study import Desk
from dongcha.warehouse.engine import SCRATCH
from dongcha.warehouse.lake import INCOMING, Lake
from dongcha.warehouse.view import FILE as VIEW

ANSWERS: Final = "answers"
JOBS: Final = "jobs"


def renew_live(desk: Desk, person: Person) -> int:
    """Write the rows that live answers read anew, as of the same cutoff; how many folders of them there are.

    What contenders export beside them holds products and what the whole crowd says, no customer.
    """
    live = live_folder(desk.models.folder)
    _clear_drafts(live)
    return _renew_shop(desk, live / SHOP) + _renew_orders(desk, live / ORDERS, person)


def _renew_shop(desk: Desk, folder: Path) -> int:
    try:
        as_of = AsOf.parse(json.loads((folder / STAMP).read_text("utf-8"))[c.AS_OF])
        horizon = Horizon(json.loads((folder / HORIZON_FILE).read_text("utf-8")))
    except (OSError, ValueError, KeyError):
        # Not there, or damaged: the next scoring writes it.
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    versions = desk.lake.versions()
    stamp = {c.AS_OF: str(as_of), "table_versions": versions, "format": FORMAT}
    write_shop(Snapshot(desk.lake, as_of, versions), horizon, folder, stamp)
    return 1


def _renew_orders(desk: Desk, folder: Path, person: Person) -> int:
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
        book = OrderBook.read(folder)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    stamp["table_versions"] = desk.lake.versions()
    book.without(person.ids, person.orders).write(folder, stamp)
    return 1


def renew_view(folder: Path, publish: Callable[[], object]) -> int:
    """Make the serving view anew where there is one; 1 where there is."""
    view = folder / VIEW
    if not view.exists():
        view.with_name(f".{VIEW}.new").unlink(missing_ok=True)
        return 0
    try:
        publish()
    except MissingDataError:
        # There is nobody left to publish.
        view.unlink()
    return 1


def clear_left_over(folder: Path, lake: Lake, person: Person) -> dict[str, int]:
    """Delete what killed jobs left behind, and what jobs printed that names them."""
    with lake.writing():
        shutil.rmtree(lake.folder / INCOMING, ignore_errors=True)
    _clear_drafts(folder / "models")
    for spill in folder.glob(f"{SCRATCH}*"):
        if not _alive(spill.name.rpartition("-")[2]):
            shutil.rmtree(spill, ignore_errors=True)
    return {"job logs": sum(_scrubbed(log, person) for log in (folder / JOBS).glob("*/*"))}


def clear_answers(folder: Path) -> int:
    """Delete what was learnt to answer questions: it is learnt anew by the next one. Returns 1 where there was any."""
    answers = folder / ANSWERS
    if not answers.is_dir():
        return 0
    with FileLock(answers / ".lock"):
        learnt = [entry for entry in _files(answers) if entry.is_dir()]
        for entry in learnt:
            shutil.rmtree(entry)
    return int(bool(learnt))


def _clear_drafts(folder: Path) -> None:
    """Of versions that were being written: `.v2.draft`, `.shop.old`; nobody writes while an erasure works."""
    for pattern in (".*.draft", "*/.*.draft", ".*.old", "*/.*.old"):
        for draft in folder.glob(pattern):
            shutil.rmtree(draft, ignore_errors=True)


def _scrubbed(log: Path, person: Person) -> bool:
    """Whether a job's file named them; its lines that did are gone then."""
    names = finder(person)
    text = log.read_text("utf-8", "replace")
    if not names.search(text):
        return False
    log.write_text("".join(line for line in text.splitlines(keepends=True) if not names.search(line)), "utf-8")
    return True


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _alive(process: str) -> bool:
    """Whether a process of this number runs: what it spills is in use, and goes when it ends."""
    if sys.platform == "win32":
        # There a file in use is not deleted.
        return False
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
