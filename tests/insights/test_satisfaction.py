"""Satisfaction: later ratings are foretold as of the cutoff, strangers' too, and silent unhappy buyers are found."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.errors import MissingDataError
from dongcha.features.sequence import CATALOGUE, TIMELINE
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.history import History
from dongcha.insights.satisfaction import Satisfaction
from dongcha.insights.satisfaction.contenders import CustomerAndProduct, InLayers, Mean, Rater
from dongcha.insights.satisfaction.ratings import came
from dongcha.jobs.study import Study

NOW = AsOf.parse("2024-01-01")


def facts_of(rows: list[tuple[str, str, str | None, float | None, int]], customers: list[str]) -> Facts:
    """Rows: customer, event, product, rating, days before now."""
    whole = [
        {c.CUSTOMER_ID: who, c.EVENT: event, c.PRODUCT_ID: product, c.RATING: stars,
         c.HAPPENED_AT: NOW.moment - timedelta(days=days)}
        for who, event, product, stars, days in rows
    ]  # fmt: skip
    frame = pl.DataFrame(whole, TIMELINE).sort(c.CUSTOMER_ID, c.HAPPENED_AT)
    traits = pl.DataFrame(schema={c.CUSTOMER_ID: pl.String})
    history = History(lambda: frame, lambda: pl.DataFrame(schema=CATALOGUE), lambda: traits, pl.DataFrame)
    features = pl.DataFrame({c.ENTITY_ID: customers, "reviews": 1.0, "mean_rating": 3.0})
    return Facts(NOW, Horizon(90), features, history)


def rated(who: str, product: str | None, stars: float, days: int = 10) -> tuple[str, str, str | None, float, int]:
    return who, c.PRODUCT_REVIEWED, product, stars, days


def bought(who: str, product: str, days: int) -> tuple[str, str, str, None, int]:
    return who, c.ORDER_COMPLETED, product, None, days


SEEN = [rated(f"x{k}", "good", 5) for k in range(30)] + [rated(f"x{k}", "bad", 1) for k in range(30)]


def test_what_was_bought_lately_and_not_rated_is_listed_the_worst_first() -> None:
    rows = [
        bought("a", "good", 20), bought("a", "bad", 30), bought("a", "old", 200), bought("a", "unknown", 5),
        rated("a", "done", 3), bought("a", "done", 15),
    ]  # fmt: skip
    contender = CustomerAndProduct()
    contender.fit([], facts_of(SEEN, ["a"]), seed=7)
    found = Satisfaction().answer(contender, facts_of([*SEEN, *rows], ["a", "b"]))
    listed = found["unrated_purchases"].to_list()
    assert [pair[c.LABEL] for pair in listed[0]] == ["bad", "unknown", "good"]
    assert listed[1] == []
    assert found["satisfaction"][0] == pytest.approx(np.mean([pair[c.VALUE] for pair in listed[0]]))
    assert 2.5 < found["satisfaction"][1] < 3.5, "of whom nothing is known, what anybody gives"


def test_who_rates_low_is_expected_to_and_the_reason_says_so() -> None:
    grumpy = [rated("grumpy", f"p{k}", 1) for k in range(8)] + [rated(f"x{k}", f"p{k}", 4) for k in range(8)]
    contender = CustomerAndProduct()
    facts = facts_of([*SEEN, *grumpy], ["grumpy", "x1"])
    contender.fit([], facts, seed=7)
    found = Satisfaction().answer(contender, facts)["satisfaction"]
    assert found[0] < found[1] - 0.5
    reasons = Satisfaction().reasons(contender, facts).filter(pl.col(c.ENTITY_ID) == "grumpy")
    assert reasons[c.FEATURE].to_list() == ["mean_rating"]
    assert reasons[c.EFFECT][0] < -0.3


def test_a_label_holds_every_rating_that_came_the_strangers_too() -> None:
    facts = facts_of(SEEN, ["a", "b"])
    happened = pl.DataFrame(
        {c.CUSTOMER_ID: ["b", "b", "new"], c.PRODUCT_ID: ["good", None, "bad"], c.RATING: [5.0, 4.0, 1.0]}
    )
    example = Example(facts, Satisfaction().label(facts, happened))
    (later,) = came([example])
    assert sorted(later.rows(), key=str) == sorted(happened.rows(), key=str)
    judged = Satisfaction().judge(Mean(), example, pl.DataFrame())
    assert judged["rmse"] == pytest.approx(np.sqrt((4 + 1 + 4) / 3))
    assert judged["mae"] == pytest.approx(5 / 3)
    nothing = Example(facts, Satisfaction().label(facts, happened.clear()))
    assert np.isnan(Satisfaction().judge(Mean(), nothing, pl.DataFrame())["rmse"])


def test_nobody_can_say_anything_before_the_first_rating() -> None:
    facts = facts_of([bought("a", "good", 3)], ["a"])
    with pytest.raises(MissingDataError, match="rated anything"):
        Satisfaction().answer(Mean(), facts)
    with pytest.raises(MissingDataError, match="past cutoff"):
        InLayers().fit([], facts, seed=7)


def test_planted_moods_are_foretold_better_than_by_the_mean(talking_shop: Shop) -> None:
    cutoff = talking_shop.as_of() - Horizon(120)
    study = Study(talking_shop.desk, Satisfaction(), cutoff)
    example = study.example(cutoff, talking_shop.as_of(), Horizon(120))
    found = {}
    for name in ("layered_biases", "biases", "mean"):
        contender = study.fitted(name, cutoff)
        assert isinstance(contender, Rater)
        found[name] = study.insight.judge(contender, example, study.insight.answer(contender, example.facts))
    assert found["layered_biases"]["rmse"] < found["mean"]["rmse"] - 0.05
    assert found["biases"]["rmse"] < found["mean"]["rmse"] - 0.05
    card = study.insight.examine(example, study.insight.answer(contender, example.facts), None)
    assert sum(group["customers"] for group in card["by_ratings_before"]) > 20
