"""Handing a version over to those who answer at request time: files beside the models, swapped whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.live import FORMAT, STAMP, live_folder, replaced, write_shop
from dongcha.jobs.order_study import OrderStudy
from dongcha.jobs.study import Study

SHOP: Final = "shop"
ORDERS: Final = "orders"


def hand_over(study: Study, version: str, contender: Contender, facts: Facts) -> None:
    """Write what live answers by this version read, as of the facts; nothing where the insight is not live.

    What is there already as of a later cutoff, or of the same facts, stays.
    """
    if not study.insight.live:
        return
    folder = live_folder(study.desk.models.folder)
    stamp = {c.AS_OF: str(facts.as_of), "table_versions": study.versions, "format": FORMAT}
    if _older(folder / SHOP, stamp):
        snapshot = Snapshot(study.desk.lake, facts.as_of, study.versions)
        write_shop(snapshot, study.desk.plan.horizon, folder / SHOP, stamp)
    if isinstance(study, OrderStudy) and _older(folder / ORDERS, stamp):
        study.book.write(folder / ORDERS, stamp)
    mine = folder / study.insight.name / version
    if not _older(mine, stamp):
        return
    with replaced(mine, stamp) as draft:
        contender.export(draft, facts)


def _older(folder: Path, stamp: dict[str, Any]) -> bool:
    try:
        there = json.loads((folder / STAMP).read_text("utf-8"))
        return bool(there != stamp and AsOf.parse(there[c.AS_OF]).moment <= AsOf.parse(stamp[c.AS_OF]).moment)
    except (OSError, ValueError, KeyError):
        return True
