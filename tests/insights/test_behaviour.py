"""Behaviour: the vector keeps the contract, is learnt in the past only, and knows what was planted."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.insight_kit.checks import Bench, check_insight
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.parts import counted
from dongcha.insight_kit.probing import bought_ndcg, probe_auc
from dongcha.insights.behaviour import SIZE, VECTOR, Behaviour, Encoder, Profile
from dongcha.jobs.study import Shelf, Study
from dongcha.warehouse.lake import Lake


def test_the_contract_holds(shop: Shop, cutoff: AsOf, truncated: Lake) -> None:
    insight = Behaviour()
    whole = Study(shop.desk, insight, cutoff)
    past = Study(replace(shop.desk, lake=truncated, shelf=Shelf()), insight, cutoff)
    moment = whole.past(cutoff)[-1].facts.as_of
    bench = Bench(
        past=[past.example(moment, cutoff)],
        now=past.facts(cutoff),
        past_with_future=[whole.example(moment, cutoff)],
        facts_with_future=whole.facts(cutoff),
    )
    proved = check_insight(insight, bench)
    assert "encoder: future_rows_change_nothing" in proved


@pytest.fixture(scope="module")
def learnt(shop: Shop) -> tuple[Study, AsOf, dict[str, Profile]]:
    """Both contenders, fitted for one horizon before the end."""
    cutoff = shop.as_of() - Horizon(90)
    study = Study(shop.desk, Behaviour(), shop.as_of())
    past, now = study.past(cutoff), study.facts(cutoff)
    fitted: dict[str, Profile] = {}
    for contender in study.insight.contenders():
        assert isinstance(contender, Profile)
        contender.fit(past[-1:], now, seed=7)
        fitted[contender.name] = contender
    return study, cutoff, fitted


def figures(learnt: tuple[Study, AsOf, dict[str, Profile]], name: str) -> dict[str, float]:
    study, cutoff, fitted = learnt
    example = study.example(cutoff, study.as_of)
    return study.insight.judge(fitted[name], example, study.insight.answer(fitted[name], example.facts))


def test_the_encoder_is_trained_one_horizon_before_it_answers(
    learnt: tuple[Study, AsOf, dict[str, Profile]],
) -> None:
    study, cutoff, fitted = learnt
    example = fitted["encoder"].example
    assert example is not None
    assert example.facts.as_of + study.desk.plan.horizon <= cutoff


def test_vectors_know_what_comes(learnt: tuple[Study, AsOf, dict[str, Profile]]) -> None:
    ours, counts = figures(learnt, "encoder"), figures(learnt, "counts")
    assert ours["probe_auc"] > 0.6
    assert counts["probe_auc"] > 0.6
    assert 0 < ours["next_event_ndcg"] < 1


def test_who_did_nothing_new_still_moves_with_time(learnt: tuple[Study, AsOf, dict[str, Profile]]) -> None:
    study, cutoff, fitted = learnt
    now, later = study.facts(cutoff), study.facts(cutoff)
    waited = replace(later, as_of=cutoff + Horizon(60))
    moved = vectors(fitted["encoder"], now) != vectors(fitted["encoder"], waited)
    assert moved.any(axis=1).mean() > 0.5


def vectors(contender: Profile, facts: Facts) -> np.ndarray:
    return np.asarray(contender.predict(facts)[VECTOR].to_numpy())


def test_vectors_are_centred_where_they_were_learnt(
    learnt: tuple[Study, AsOf, dict[str, Profile]],
) -> None:
    contender = learnt[2]["encoder"]
    assert isinstance(contender, Encoder)
    assert contender.example is not None
    found = vectors(contender, contender.example.facts)
    assert found.shape[1] == SIZE
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose((found**2).mean(), 1, atol=1e-6)


def test_a_probe_finds_what_lies_on_a_line() -> None:
    random = np.random.default_rng(0)
    learnt, tested = random.normal(size=(2, 500, 3))
    was, came = learnt[:, :1] > 0, tested[:, :1] > 0
    assert probe_auc(learnt, was, tested, came) > 0.98
    assert abs(probe_auc(learnt, was, random.normal(size=(500, 3)), came) - 0.5) < 0.1
    assert np.isnan(probe_auc(learnt, was & False, tested, came))


def test_who_buys_again_what_their_vector_says_is_ranked_first() -> None:
    side = np.arange(100) % 2
    vectors = np.stack([side, 1 - side], axis=1).astype(float)
    bought = pl.Series([["left"] if k else ["right"] for k in side])
    assert bought_ndcg(vectors, bought, vectors, bought) == pytest.approx(1)
    assert bought_ndcg(vectors, bought, vectors, pl.Series([["new"]] * 100)) == 0


def test_counts_stand_in_the_order_of_the_entities() -> None:
    timeline = pl.DataFrame({c.CUSTOMER_ID: ["a", "b", "b", "d"], c.EVENT: ["x", "x", "y", "x"]})
    counts = counted(timeline, pl.Series(["b", "c", "a"]), c.EVENT, ["y", "x"])
    assert counts.tolist() == [[1, 1], [0, 0], [0, 1]]
