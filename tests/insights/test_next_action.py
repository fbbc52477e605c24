"""Next action: the contract is kept, planted habits are found, and everyone is judged on the same pairs."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.small_shop import START, open_shop, order_lines, put

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.insight_kit.checks import Bench, check_insight
from dongcha.insight_kit.facts import Example
from dongcha.insight_kit.journeys import pair_of
from dongcha.insight_kit.product_groups import ProductGroups
from dongcha.insights.next_action import NextAction
from dongcha.insights.next_action.contenders import ranked
from dongcha.insights.next_action.insight import first_choice, places
from dongcha.insights.next_action.names import ACTED, ACTIONS, DAYS, LISTED, PROBABILITY
from dongcha.jobs.study import Shelf, Study
from dongcha.warehouse.lake import Lake

KINDS = ("BAG", "MUG", "CLOCK")


def test_the_contract_holds(shop: Shop, cutoff: AsOf, truncated: Lake) -> None:
    insight = NextAction()
    whole = Study(shop.desk, insight, cutoff)
    past = Study(replace(shop.desk, lake=truncated, shelf=Shelf()), insight, cutoff)
    moments = [cutoff - Horizon(90)]
    bench = Bench(
        past=[past.example(moment, cutoff) for moment in moments],
        now=past.facts(cutoff),
        past_with_future=[whole.example(moment, cutoff) for moment in moments],
        facts_with_future=whole.facts(cutoff),
    )
    proved = check_insight(insight, bench)
    assert "blend: future_rows_change_nothing" in proved


def creatures_of_habit(customers: int = 240, days: int = 330, seed: int = 4) -> pl.DataFrame:
    """Each buys every 7, 14 or 28 days, a day more or less: always of the same kind, or each kind in its turn.

    There are no categories: kinds are told from names alone, which stand in the products table.
    """
    random = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        pace, moment, visit = (7, 14, 28)[k % 3], float(random.uniform(0, 30)), int(random.integers(3))
        while moment < days:
            kind = KINDS[(visit if k % 2 else k // 2) % 3]
            happened = START + timedelta(days=moment)
            rows.append(
                {
                    "order_id": f"{k}-{visit}",
                    "customer_id": f"c{k:03}",
                    "product_id": f"{kind}-{int(random.integers(4))}",
                    "happened_at": happened,
                }
            )
            moment, visit = moment + pace + float(random.normal(0, 0.7)), visit + 1
    return order_lines(rows)


def named_products() -> pl.DataFrame:
    from dongcha.warehouse.tables import table

    schema = table("products").schema
    colours = ("RED", "OLD", "TINY", "GREEN")
    rows = [
        {"product_id": f"{kind}-{k}", "name": f"{colour} {kind}", "happened_at": START, "known_at": START}
        for kind in KINDS
        for k, colour in enumerate(colours)
    ]
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema_overrides=schema)
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())


@pytest.fixture(scope="module")
def habits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Example, list[Example]]:
    shop = open_shop(tmp_path_factory.mktemp("habits") / "shop", creatures_of_habit())
    put(shop.lake, named_products(), "products")
    study = Study(shop.desk, NextAction(), shop.as_of())
    cutoff = shop.as_of() - Horizon(40)
    past = [study.example(cutoff - Horizon(days), cutoff) for days in (80, 40)]
    return study, study.example(cutoff, study.as_of), past


def test_planted_habits_are_found_by_the_blend(habits: tuple[Study, Example, list[Example]]) -> None:
    study, example, past = habits
    found = {}
    for contender in study.insight.contenders():
        contender.fit(past, example.facts, seed=7)
        found[contender.name] = study.insight.judge(contender, example, study.insight.answer(contender, example.facts))
    ours = found["blend"]
    assert ours["accuracy"] > 0.9
    assert ours["mrr"] > max(found["markov_chain"]["mrr"], found["renewal"]["mrr"])
    assert ours["mae_days"] < 2
    assert found["renewal"]["mae_days"] < 1 < found["markov_chain"]["mae_days"]
    assert ours["brier"] < 0.01


def test_truth_is_read_in_families_where_there_are_no_categories(habits: tuple[Study, Example, list[Example]]) -> None:
    _, example, _ = habits
    assert example.facts.history is not None
    catalogue = example.facts.history.catalogue
    groups = ProductGroups.fit(catalogue)
    assert set(groups.families.words) == set(KINDS)
    pairs = pair_of(example.truth, groups.of(catalogue))
    assert set(pairs.drop_nulls()) == {f"Order Completed · {kind}" for kind in KINDS}
    assert (pairs.is_null().to_numpy() == (example.label(ACTED) == 0)).all()


def test_a_list_is_sorted_is_short_and_adds_up_to_the_chance_of_anything(
    habits: tuple[Study, Example, list[Example]],
) -> None:
    study, example, past = habits
    contender = study.insight.contender("blend")
    contender.fit(past, example.facts, seed=1)
    answer = study.insight.answer(contender, example.facts)
    for listed, anything in zip(answer[ACTIONS], answer[PROBABILITY], strict=True):
        values = listed.struct.field(c.VALUE)
        assert len(values) <= LISTED
        assert values.is_sorted(descending=True)
        assert values.sum() <= anything + 1e-7
    assert answer[DAYS].is_between(0, 40).all()
    reasons = study.insight.reasons(contender, example.facts)
    assert reasons.height > 0


def test_places_count_from_one_and_nothing_has_none(habits: tuple[Study, Example, list[Example]]) -> None:
    _, example, _ = habits
    assert example.facts.history is not None
    catalogue = example.facts.history.catalogue
    true = pair_of(example.truth, ProductGroups.fit(catalogue).of(catalogue))
    listed = [["something else", pair] for pair in true.fill_null("nothing")]
    answer = pl.DataFrame({ACTIONS: [[{c.LABEL: p, c.VALUE: 0.4} for p in pairs] for pairs in listed]})
    expected = np.where(true.is_null().to_numpy(), 0, 2)
    assert (places(example, answer) == expected).all()
    assert (first_choice(answer) == 0.4).all()


def test_ties_keep_the_order_of_pairs() -> None:
    listed = ranked(np.array([[0.2, 0.5, 0.2], [0.1, 0.1, 0.1]]), ("a", "b", "c"))
    assert [[pair[c.LABEL] for pair in row] for row in listed.to_list()] == [["b", "a", "c"], ["a", "b", "c"]]


def test_a_catalogue_with_categories_keeps_them(tmp_path: Path) -> None:
    catalogue = pl.DataFrame(
        {"product_id": ["1", "2", "3"], "name": ["RED BAG", "OLD BAG", "BAG"], "category": ["Bags", "Bags", None]}
    )
    groups = ProductGroups.fit(catalogue)
    assert groups.of(catalogue)["category"].to_list() == ["Bags", "Bags", None]
    groups.save(tmp_path)
    assert ProductGroups.load(tmp_path) == groups
