"""The state of a workspace: tables, freshness, findings, quarantine, champions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.base import Insight
from dongcha.jobs.study import Desk
from dongcha.warehouse.tables import CONTRACT


def status(desk: Desk, insights: Iterable[Insight]) -> dict[str, Any]:
    """`tables`: rows, version, dates, findings; `quarantine`: file, table, reason, rows; `insights`: who answers."""
    return {
        "tables": [_table(desk, name) for name in desk.lake.tables()],
        "quarantine": _quarantine(desk),
        "insights": [_insight(desk, insight) for insight in insights],
    }


def _table(desk: Desk, name: str) -> dict[str, Any]:
    rows = desk.lake.read(name)
    optional = [k.name for k in CONTRACT[name].own_columns if not k.required]
    holes = {f"hole_{k}": rows[k].isnull().mean().fill_null(0) for k in optional}
    dates = {"first": rows[c.HAPPENED_AT].min(), "last": rows[c.HAPPENED_AT].max()}
    found = desk.lake.engine.to_polars(rows.aggregate(rows=rows.count(), **dates, **holes)).row(0, named=True)
    return {
        "table": name,
        "rows": found["rows"],
        "version": desk.lake.version(name),
        "first": found["first"],
        "last": found["last"],
        "findings": _mixed(desk, name)
        + [
            f"{k} is missing in {found[f'hole_{k}']:.0%} of rows"
            for k in optional
            if WORTH_TELLING <= found[f"hole_{k}"] < 1
        ],
        "not_given": [k for k in optional if found[f"hole_{k}"] == 1],
    }


WORTH_TELLING = 0.01
"""A column with fewer holes than this share is not a finding."""


def currencies(desk: Desk) -> list[str]:
    """The currencies that the orders name, the most used first."""
    import ibis

    if c.ORDERS not in desk.lake.tables():
        return []
    rows = desk.lake.read(c.ORDERS)
    named = rows.filter(rows[c.CURRENCY].notnull())
    counted = named.group_by(c.CURRENCY).aggregate(rows=named.count())
    found = desk.lake.engine.to_polars(counted.order_by(ibis.desc("rows"), c.CURRENCY))
    return [str(code) for code in found[c.CURRENCY]]


def _mixed(desk: Desk, name: str) -> list[str]:
    named = currencies(desk) if name == c.ORDERS else []
    return [f"amounts are in {', '.join(named)}, and are added as if in one currency"] if len(named) > 1 else []


def _quarantine(desk: Desk) -> list[dict[str, Any]]:
    refused = desk.lake.quarantined()
    counted = refused.group_by(c.FILE, c.TABLE, c.REASON).agg(pl.col(c.ROW).n_unique().alias("rows"))
    return counted.sort("rows", c.FILE, c.REASON, descending=[True, False, False]).to_dicts()


def _insight(desk: Desk, insight: Insight) -> dict[str, Any]:
    champion = desk.ledger.champion(insight.name)
    scored = desk.ledger.latest_run("score", insight.name)
    card = desk.ledger.card(insight.name, champion) if champion else None
    loaded = desk.lake.tables()
    return {
        "insight": insight.name,
        "champion": champion,
        "contender": card["contender"] if card else None,
        "beats_baseline": card["beats_baseline"] if card else None,
        "scored_as_of": scored[c.AS_OF] if scored else None,
        "rows": scored["rows"] if scored else 0,
        "lacks": [name for name in insight.needs.tables if name not in loaded],
    }
