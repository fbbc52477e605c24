"""What was planted is found, is better than a rule, and means what it says."""

import numpy as np
import pytest

from dongcha import columns as c
from dongcha.as_of import Horizon
from dongcha.assemble import Shop
from dongcha.evaluation import metrics
from dongcha.insight_kit.facts import Example
from dongcha.insight_kit.orders import WENT_BAD
from dongcha.insight_kit.telling import Reader
from dongcha.insights.risk import Risk
from dongcha.insights.risk.contenders import best_rule
from dongcha.jobs.order_study import OrderStudy


@pytest.fixture(scope="module")
def study(guarded_shop: Shop) -> OrderStudy:
    return OrderStudy(guarded_shop.desk, guarded_shop.insights["risk"], guarded_shop.as_of())


@pytest.fixture(scope="module")
def example(study: OrderStudy) -> Example:
    """The orders of 120 days, told by what was known 180 days before the end."""
    return study.example(study.as_of - Horizon(180), study.as_of, Horizon(120))


def guess(study: OrderStudy, example: Example, name: str) -> np.ndarray:
    contender = study.fitted(name, example.facts.as_of)
    return contender.predict(example.facts)["risk_probability"].to_numpy()


def test_planted_fraud_is_found_better_than_by_the_baselines(study: OrderStudy, example: Example) -> None:
    bad, kinds = example.label(WENT_BAD), ("boosting", "logistic", "best_rule")
    found = {name: metrics.average_precision(bad, guess(study, example, name)) for name in kinds}
    assert found["boosting"] > 0.6
    assert max(found, key=lambda name: found[name]) == "boosting", found


def test_the_riskiest_hundredth_holds_most_of_the_fraud(study: OrderStudy, example: Example) -> None:
    assert metrics.recall_at(example.label(WENT_BAD), guess(study, example, "boosting"), 0.01) > 0.6


def test_a_probability_means_what_it_says(study: OrderStudy, example: Example) -> None:
    """Within what chance does to so few bad orders: three standard deviations of their number."""
    bad, chances = example.label(WENT_BAD), guess(study, example, "boosting")
    assert abs(chances.sum() - bad.sum()) < 3 * np.sqrt(bad.sum()) + 1


def test_what_was_planted_is_what_is_given_as_the_reason(study: OrderStudy, example: Example) -> None:
    """Fraud orders several of a thing, at night, to another place than the customer's."""
    contender = study.fitted("boosting", example.facts.as_of)
    riskiest = example.facts.entities[int(np.argmax(guess(study, example, "boosting")))]
    reasons = study.insight.reasons(contender, example.facts)
    mine = reasons.filter(reasons[c.ENTITY_ID] == riskiest)
    planted = {"order_most_pieces", "ships_elsewhere", "order_hour", "hour_bad_share", "order_saved_share"}
    assert len(set(mine[c.FEATURE]) & planted) >= 2
    assert mine[c.EFFECT][0] > 0


def test_the_best_rule_is_the_one_that_tells_most(study: OrderStudy) -> None:
    past = study.past(study.as_of)
    assert best_rule(past, ("order_at_weekend", "order_most_pieces", "order_lines")) == "order_most_pieces"


def test_more_likely_bad_than_not_is_to_be_held() -> None:
    held, looked_at, sent = (Risk().tell({"risk_probability": p}, Reader()).advice for p in (0.8, 0.2, 0.01))
    assert "Hold" in held
    assert "look" in looked_at
    assert not sent
