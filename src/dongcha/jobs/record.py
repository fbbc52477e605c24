"""How a job signs what it did: its stamp, and the row that makes it count."""

from __future__ import annotations

from typing import Any

import orjson

from dongcha import columns as c
from dongcha.jobs.study import Study
from dongcha.warehouse.ledger import RUNS


def new_run(study: Study, fingerprint: str, version: str | None = None) -> dict[str, Any]:
    """The stamp that every row of one run carries."""
    made_at = study.desk.clock()
    return {
        c.RUN_ID: f"{made_at:%Y%m%dT%H%M%S%f}-{study.insight.name}-{fingerprint[:8]}",
        c.INSIGHT: study.insight.name,
        c.VERSION: version,
        c.AS_OF: study.as_of.moment,
        c.MADE_AT: made_at,
    }


def finish(study: Study, run: dict[str, Any], job: str, fingerprint: str, *, rows: int, seconds: float) -> None:
    """Write the run's own row, last: from here on its other rows count."""
    recipe = study.recipe()
    row = {
        **run,
        "job": job,
        "fingerprint": fingerprint,
        "table_versions": orjson.dumps(study.versions).decode(),
        "config": orjson.dumps(recipe["config"]).decode(),
        "dongcha_version": recipe["dongcha"],
        "seconds": seconds,
        "rows": rows,
    }
    study.desk.ledger.write(RUNS, [row])
