"""Is everything well? Each check says what it found and, where something is wrong, the mend."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from dongcha.errors import DongchaError
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.checks import check_declaration
from dongcha.jobs.erase.journal import FILE as ERASING
from dongcha.jobs.study import Desk

ENOUGH_DISK_GB: Final = 1


def doctor(desk: Desk, insights: Iterable[Insight], folder: Path, broken: Mapping[str, str]) -> list[dict[str, Any]]:
    """One dict a check: check, ok, found."""
    found = [
        _try("python", lambda: sys.version.split()[0]),
        _try("workspace", lambda: _writable(folder)),
        _try("disk", lambda: _room(folder)),
        _try("lake", lambda: _lake(desk)),
        _try("ledger", lambda: f"{len(desk.ledger.runs()):,} finished runs"),
        _try("erasure", lambda: _finished(folder)),
    ]
    found += [_try(f"insight {insight.name}", partial(_insight, desk, insight)) for insight in insights]
    found += [
        {"check": f"insight {name}", "ok": False, "found": f"cannot be loaded: {why}"} for name, why in broken.items()
    ]
    return found


def _try(check: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"check": check, "ok": True, "found": look()}
    except (DongchaError, OSError) as wrong:
        return {"check": check, "ok": False, "found": str(wrong)}


def _writable(folder: Path) -> str:
    if not os.access(folder, os.W_OK):
        raise OSError(f"{folder} cannot be written to. Give yourself the right, or choose another folder.")
    return f"{folder} can be written to"


def _room(folder: Path) -> str:
    free = shutil.disk_usage(folder).free / 1e9
    if free < ENOUGH_DISK_GB:
        raise OSError(f"only {free:.1f} GB free; make room for at least {ENOUGH_DISK_GB} GB")
    return f"{free:,.0f} GB free"


def _finished(folder: Path) -> str:
    if (folder / ERASING).exists():
        raise OSError("an erasure was not finished; repeat it, or erase somebody else: dongcha erase ID finishes both")
    return "none is left unfinished"


def _lake(desk: Desk) -> str:
    """Open every table and count it from its files, which also proves that each file can be read."""
    rows = {name: _count(desk, name) for name in desk.lake.tables()}
    return ", ".join(f"{name} {n:,}" for name, n in rows.items()) or "empty"


def _count(desk: Desk, name: str) -> int:
    rows = desk.lake.read(name)
    return int(desk.lake.engine.to_polars(rows.aggregate(n=rows.count())).item())


def _insight(desk: Desk, insight: Insight) -> str:
    check_declaration(insight)
    champion = desk.ledger.champion(insight.name)
    if champion is None:
        return "declared well; no champion yet"
    desk.models.load(insight, champion)
    return f"declared well; champion {champion} loads"
