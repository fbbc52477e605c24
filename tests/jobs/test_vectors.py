"""Vectors in the ledger: read at their own cutoff, by their own version, and never where they know what came later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.insight_kit.outputs import to_rows
from dongcha.insights.behaviour import SIZE, VECTOR, Behaviour
from dongcha.jobs.study import stamped
from dongcha.jobs.vectors import learnt_by, vectors
from dongcha.warehouse.ledger import CARDS, RUNS, SCORES, Ledger

LEARNT = AsOf.parse("2024-03-01")
MADE = datetime(2025, 1, 1, tzinfo=UTC)


def stamp(version: str, as_of: AsOf, later: int = 0) -> dict[str, object]:
    made_at = MADE + timedelta(hours=later)
    run_id = f"{version}-{as_of}-{later}"
    return {c.RUN_ID: run_id, c.INSIGHT: "behaviour", c.VERSION: version, c.AS_OF: as_of.moment, c.MADE_AT: made_at}


def card(ledger: Ledger, version: str, learnt: AsOf) -> None:
    told = {"trained_on": [{"as_of": str(LEARNT), "n": 2}, {"as_of": str(learnt), "n": 2}]}
    ledger.write(CARDS, [{**stamp(version, learnt), "card": orjson.dumps(told).decode()}])


def say(ledger: Ledger, version: str, as_of: AsOf, first: float, *, finished: bool = True, later: int = 0) -> None:
    said = [[first + k for k in range(SIZE)], [0.0] * SIZE]
    answer = pl.DataFrame({c.ENTITY_ID: ["a", "b"]}).with_columns(pl.Series(VECTOR, said, pl.Array(pl.Float64, SIZE)))
    run = stamp(version, as_of, later)
    ledger.write(SCORES, stamped(to_rows(Behaviour().yields, answer), run))
    if finished:
        ledger.write(RUNS, [{**run, "job": "score", "fingerprint": str(run[c.RUN_ID]), "rows": 2}])


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "ledger")
    card(made, "v1", LEARNT)
    return made


def test_a_vector_comes_back_as_columns(ledger: Ledger) -> None:
    say(ledger, "v1", AsOf.parse("2024-04-01"), 7.0)
    found = vectors(ledger, Behaviour(), "v1", AsOf.parse("2024-04-01"))
    assert found is not None
    assert found.columns == [c.ENTITY_ID, *(f"behaviour_{k}" for k in range(SIZE))]
    assert found.row(0) == ("a", *(7.0 + k for k in range(SIZE)))


def test_a_row_by_a_version_that_learnt_later_is_never_read(ledger: Ledger) -> None:
    card(ledger, "v2", AsOf.parse("2024-06-01"))
    for moment in ("2024-05-31", "2024-06-01"):
        say(ledger, "v2", AsOf.parse(moment), 1.0)
    assert learnt_by(ledger, Behaviour(), "v2") == AsOf.parse("2024-06-01")
    assert vectors(ledger, Behaviour(), "v2", AsOf.parse("2024-05-31")) is None
    assert vectors(ledger, Behaviour(), "v2", AsOf.parse("2024-06-01")) is not None


def test_versions_and_cutoffs_are_not_mixed(ledger: Ledger) -> None:
    card(ledger, "v2", LEARNT)
    say(ledger, "v2", AsOf.parse("2024-04-01"), 1.0)
    say(ledger, "v1", AsOf.parse("2024-05-01"), 2.0)
    assert vectors(ledger, Behaviour(), "v1", AsOf.parse("2024-04-01")) is None
    assert vectors(ledger, Behaviour(), "v9", AsOf.parse("2024-04-01")) is None


def test_a_scoring_that_was_killed_is_not_read_and_the_newest_whole_one_is(ledger: Ledger) -> None:
    at = AsOf.parse("2024-04-01")
    say(ledger, "v1", at, 1.0, finished=False)
    assert vectors(ledger, Behaviour(), "v1", at) is None
    say(ledger, "v1", at, 2.0, later=1)
    say(ledger, "v1", at, 3.0, later=2)
    found = vectors(ledger, Behaviour(), "v1", at)
    assert found is not None
    assert found["behaviour_0"][0] == 3.0
