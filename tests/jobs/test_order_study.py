"""Which orders a model learns from, is examined on and answers for, and what it then knows of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.small_shop import order_lines, put

import dongcha
from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon, Window
from dongcha.features.labels import went_bad
from dongcha.insight_kit.orders import WENT_BAD, OrdersConfig
from dongcha.insights.risk import Risk
from dongcha.jobs.order_study import OrderStudy
from dongcha.warehouse.lake import Lake
from dongcha.warehouse.tables import table

START = datetime(2023, 1, 1, tzinfo=UTC)
NOW = AsOf(START + timedelta(days=100))
WAIT = 30


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def bad(order_id: str, name: str, known_day: float, happened_day: float = 0.0) -> dict[str, Any]:
    moments = {c.HAPPENED_AT: day(happened_day), c.KNOWN_AT: day(known_day)}
    return {c.OUTCOME_ID: f"{order_id} {name}", c.ORDER_ID: order_id, c.NAME: name, **moments}


def outcomes(lake: Lake, *rows: dict[str, Any]) -> None:
    schema = table(c.OUTCOMES).schema
    put(lake, pl.DataFrame([{k: row.get(k) for k in schema} for row in rows], schema=schema), c.OUTCOMES)


@pytest.fixture
def study(tmp_path: Path) -> OrderStudy:
    """An order every ten days, from "o0" on; the charge-back of "o2" is known by NOW, that of "o5" is not."""
    shop = dongcha.new(tmp_path / "shop")
    rows = [{"order_id": f"o{k}", "customer_id": f"c{k % 3}", "happened_at": day(10 * k)} for k in range(20)]
    rows += [{"order_id": "sent back", "customer_id": "c1", "happened_at": day(15), "quantity": -1.0}]
    rows += [{"order_id": "cancelled", "customer_id": "c1", "happened_at": day(16), "status": "cancelled"}]
    rows += [{"order_id": "caught", "customer_id": "c1", "happened_at": day(17), "status": "refused"}]
    put(shop.lake, order_lines(rows))
    reports = [bad("o2", "chargeback", 60), bad("o5", "chargeback", 120), bad("o3", "late delivery", 35)]
    outcomes(shop.lake, *reports, bad("o8", "fraud", 85), bad("caught", "fraud", 18))
    return OrderStudy(shop.desk, Risk(OrdersConfig(mature_days=WAIT)), AsOf(day(200)))


def labels(study: OrderStudy) -> dict[str, float]:
    example = study.past(NOW)[0]
    return dict(zip(example.facts.entities, example.truth[WENT_BAD], strict=True))


def test_an_order_whose_outcome_may_still_come_is_not_learnt_from(study: OrderStudy) -> None:
    """Neither as a good one, nor as a bad one while the good ones of its age are left out."""
    assert set(labels(study)) == {"o0", "o1", "o2", "o3", "o4", "o5", "o6", "caught"}


def test_an_order_is_bad_from_when_that_is_known(study: OrderStudy) -> None:
    assert {one for one, label in labels(study).items() if label} == {"o2", "caught"}
    later = study.past(AsOf(day(130)))[0]
    assert "o5" in later.facts.entities.filter(later.truth[WENT_BAD] == 1)


def test_what_is_no_order_or_never_became_one_is_not_asked_about(study: OrderStudy) -> None:
    assert not {"sent back", "cancelled"} & set(study.told[c.ENTITY_ID].filter(study.told["sold"]))
    assert "cancelled" not in labels(study)


def test_it_answers_for_orders_that_may_still_turn_out_bad(study: OrderStudy) -> None:
    assert study.facts(NOW).entities.to_list() == ["o7", "o8", "o9"]


def test_it_is_examined_on_the_orders_after_the_cutoff(study: OrderStudy) -> None:
    example = study.example(AsOf(day(45)), AsOf(day(200)), Horizon(40))
    assert example.facts.entities.to_list() == ["o5", "o6", "o7", "o8"]
    assert example.label(WENT_BAD).tolist() == [1.0, 0.0, 0.0, 1.0]


def test_every_fold_is_whole_and_has_orders_of_both_kinds(study: OrderStudy) -> None:
    for cutoff in study.fold_cutoffs():
        assert (cutoff + study.desk.plan.horizon + Horizon(WAIT)) <= study.as_of
        assert study.past(cutoff)[0].truth[WENT_BAD].n_unique() == 2


def test_which_outcomes_are_bad_is_an_option(study: OrderStudy) -> None:
    study.insight.config = OrdersConfig(mature_days=WAIT, bad=("late delivery",))
    assert {one for one, label in labels(study).items() if label} == {"o3"}


def test_an_outcome_counts_by_its_order_whenever_it_is_dated(study: OrderStudy) -> None:
    lake = study.desk.lake
    outcomes(lake, bad("o1", "fraud", known_day=90, happened_day=89))
    window = Window(AsOf(day(5)), AsOf(day(25)))
    found = went_bad(lake, window, known_by=NOW)
    assert found.rows() == [("caught", "fraud"), ("o1", "fraud"), ("o2", "chargeback")]
    assert went_bad(lake, window, known_by=AsOf(day(80)))[c.ORDER_ID].to_list() == ["caught", "o2"]
