"""What is planted in the simulated shop is found back: churners, spenders, and honest intervals."""

import numpy as np
import polars as pl
import pytest

from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.jobs.recovery import ChurnRecovery, churn_recovery, expected_auc, value_recovery
from dongcha.jobs.study import Study
from dongcha.sources.simulate import Simulated


def answer(large_shop: Shop, name: str, contender: str, cutoff: AsOf) -> pl.DataFrame:
    study = Study(large_shop.desk, large_shop.insights[name], cutoff)
    model = study.insight.contender(contender)
    facts = study.facts(cutoff)
    model.fit(study.past(cutoff), facts, seed=7)
    return study.insight.answer(model, facts)


@pytest.fixture(scope="module")
def cutoff(large_shop: Shop) -> AsOf:
    return large_shop.as_of() - Horizon(120)


@pytest.fixture(scope="module")
def churn(large_shop: Shop, simulated: Simulated, cutoff: AsOf) -> dict[str, ChurnRecovery]:
    names = ("blend", "boosting", "neural_net", "recency_rule")
    found = {name: answer(large_shop, "churn", name, cutoff) for name in names}
    return {
        name: churn_recovery(scores, simulated.secrets, cutoff, large_shop.desk.plan.horizon)
        for name, scores in found.items()
    }


@pytest.mark.parametrize("name", ["blend", "boosting", "neural_net"])
def test_planted_churners_are_told_nearly_as_well_as_order_histories_allow(
    churn: dict[str, ChurnRecovery], name: str
) -> None:
    found = churn[name]
    assert found.ours > 0.8 * (found.best_observable - 0.5) + 0.5
    assert found.best_observable <= found.best + 1e-9


def test_the_planted_chance_itself_is_the_best_score() -> None:
    random = np.random.default_rng(1)
    chance = random.random(500)
    noisy = chance + random.normal(0, 0.3, 500)
    assert expected_auc(chance, noisy) < expected_auc(chance, chance)
    assert expected_auc(chance, np.zeros(500)) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["blend", "bg_nbd_gamma_gamma"])
def test_planted_spenders_are_ranked_better_than_by_their_past_mean(
    large_shop: Shop, simulated: Simulated, cutoff: AsOf, name: str
) -> None:
    horizon, planted = large_shop.desk.plan.horizon, simulated.secrets
    ours = value_recovery(answer(large_shop, "lifetime_value", name, cutoff), planted, cutoff, horizon)
    assert ours > value_recovery(answer(large_shop, "lifetime_value", "past_mean", cutoff), planted, cutoff, horizon)


@pytest.mark.parametrize("name", ["blend", "bg_nbd_gamma_gamma"])
def test_who_has_left_by_what_is_planted_is_worth_little(
    large_shop: Shop, simulated: Simulated, cutoff: AsOf, name: str
) -> None:
    gone = simulated.secrets.churn_probability(cutoff, 90).filter(pl.col("observed_probability") > 0.95)
    assert len(gone) > 100
    ours, past = (answer(large_shop, "lifetime_value", k, cutoff) for k in (name, "past_mean"))
    left = ours["entity_id"].is_in(gone["customer_id"].implode())
    assert ours.filter(left)["lifetime_value"].mean() < 0.2 * ours["lifetime_value"].mean()
    assert past.filter(left)["lifetime_value"].mean() > 0.4 * past["lifetime_value"].mean()


def test_the_planted_season_is_met_in_total(large_shop: Shop, simulated: Simulated) -> None:
    """In the quarter before Christmas; the newest labels that could be learnt from are of early summer."""
    autumn = large_shop.as_of() - Horizon(90)
    planted = simulated.secrets.expected_spend(autumn, 90)["expected_spend"].sum()
    assert answer(large_shop, "lifetime_value", "blend", autumn)["lifetime_value"].sum() == pytest.approx(
        planted, rel=0.2
    )
    without = answer(large_shop, "lifetime_value", "bg_nbd_gamma_gamma", autumn)["lifetime_value"].sum()
    assert without < 0.8 * planted
