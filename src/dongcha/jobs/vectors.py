"""Other insights' vectors out of the ledger, as of a moment: never one that was learnt from what came later."""

from __future__ import annotations

from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.outputs import Vector, from_rows
from dongcha.warehouse.ledger import SCORES, Ledger

JOB: Final = "score"
"""The job whose rows are read."""


def learnt_by(ledger: Ledger, insight: Insight, version: str) -> AsOf | None:
    """The newest cutoff that a version learnt at, as its card tells; None where there is no card."""
    card = ledger.card(insight.name, version)
    moments = [AsOf.parse(example["as_of"]) for example in card["trained_on"]] if card else []
    return max(moments) if moments else None


def vectors(ledger: Ledger, insight: Insight, version: str, as_of: AsOf) -> pl.DataFrame | None:
    """What one version of `insight` said at exactly this cutoff: entity_id and one Float64 column a coordinate.

    None where it said nothing then, or where it had learnt from later cutoffs: a past example that read such a row
    would know what was yet to come. One version only, since two versions' spaces cannot be compared.
    """
    learnt = learnt_by(ledger, insight, version)
    if learnt is None or learnt > as_of:
        return None
    runs = ledger.runs(JOB, insight.name).filter(pl.col(c.VERSION) == version, pl.col(c.AS_OF) == as_of.moment)
    if runs.is_empty():
        return None
    outputs = [output for output in insight.yields if isinstance(output, Vector)]
    answer = from_rows(outputs, ledger.of_run(SCORES, runs[c.RUN_ID][0]))
    return answer.select(
        c.ENTITY_ID, *(_coordinate(insight, output, k) for output in outputs for k in range(output.size))
    )


def _coordinate(insight: Insight, output: Vector, k: int) -> pl.Expr:
    return pl.col(output.name).arr.get(k).alias(f"{insight.name}_{k}")
