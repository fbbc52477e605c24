"""Recommendation: planted tastes are met, what may not be recommended is not, and every place has its because."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.assemble import Shop
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.facts import Facts
from dongcha.insights.recommendation import Recommendation, measured
from dongcha.insights.recommendation.contenders import CANDIDATES, RecommendationConfig
from dongcha.insights.recommendation.rankers import Rankers
from dongcha.jobs.recovery import taste_recovery
from dongcha.jobs.study import Study
from dongcha.sources.simulate import Simulated


def facts_of(shop: Shop) -> Facts:
    return Study(shop.desk, shop.insights["recommendation"], shop.as_of()).facts(shop.as_of())


def fitted(shop: Shop, contender: str, facts: Facts, **options: object) -> pl.DataFrame:
    insight = Recommendation(RecommendationConfig(**options))  # type: ignore[arg-type]
    study, model = Study(shop.desk, insight, shop.as_of()), insight.contender(contender)
    model.fit(study.past(shop.as_of()), facts, seed=7)
    return insight.answer(model, facts)


def labels(answer: pl.DataFrame, column: str = "recommendations") -> list[list[str]]:
    return answer[column].list.eval(pl.element().struct.field(c.LABEL)).to_list()


@pytest.fixture(scope="module")
def judged(large_shop: Shop) -> pl.DataFrame:
    return fitted(large_shop, "judged_counts", facts_of(large_shop))


def test_planted_tastes_are_met_better_than_by_what_is_popular(
    large_shop: Shop, simulated: Simulated, judged: pl.DataFrame
) -> None:
    found = taste_recovery(judged, simulated.secrets)
    assert found.ours > 1.5 * found.popular
    assert found.popular < found.ours < found.best


def test_the_planted_chances_of_a_free_choice_add_up_to_one(simulated: Simulated) -> None:
    from dongcha.jobs.recovery import _planted_choice

    chance = _planted_choice(simulated.secrets.frames["customers"].head(50), simulated.secrets.frames["products"], 1.0)
    assert np.allclose(chance.sum(axis=1), 1.0)


def test_every_place_has_a_because_that_was_bought_or_is_popular(large_shop: Shop, judged: pl.DataFrame) -> None:
    timeline = facts_of(large_shop).history.timeline  # type: ignore[union-attr]
    bought = timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED).group_by(c.CUSTOMER_ID).agg(c.PRODUCT_ID)
    owned = {who: set(products) for who, products in bought.rows()}
    rows = zip(judged[c.ENTITY_ID], labels(judged), labels(judged, "recommended_because"), strict=True)
    for who, products, because in rows:
        assert len(products) == len(because) == len(set(products)) == 10
        assert set(because) <= owned[who] | {"popular"}
        assert all(lead == product for product, lead in zip(products, because, strict=True) if product in owned[who])


def with_catalogue(facts: Facts, catalogue: pl.DataFrame) -> Facts:
    assert facts.history is not None
    return replace(facts, history=replace(facts.history, find_catalogue=lambda: catalogue))


def test_what_is_out_of_stock_is_never_recommended(shop: Shop) -> None:
    facts = facts_of(shop)
    gone = labels(fitted(shop, "popular", facts))[0][:3]
    assert facts.history is not None
    stock = pl.when(pl.col(c.PRODUCT_ID).is_in(gone)).then(0.0).otherwise(9.0).alias(c.ON_HAND)
    sold_out = with_catalogue(facts, facts.history.catalogue.with_columns(stock))
    for contender in ("judged_counts", "popular", "past_purchases"):
        listed = labels(fitted(shop, contender, sold_out))
        assert not {product for products in listed for product in products} & set(gone)


def test_nothing_bought_is_recommended_where_the_setting_says_so(shop: Shop) -> None:
    facts = facts_of(shop)
    assert facts.history is not None
    bought = facts.history.timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED)
    pairs = set(bought.select(c.CUSTOMER_ID, c.PRODUCT_ID).rows())
    answer = fitted(shop, "past_purchases", facts, bought_again=False)
    assert (
        not {(who, p) for who, products in zip(answer[c.ENTITY_ID], labels(answer), strict=True) for p in products}
        & pairs
    )


def test_a_new_product_is_found_by_what_it_is_like(shop: Shop) -> None:
    facts = facts_of(shop)
    assert facts.history is not None
    catalogue = facts.history.catalogue
    best = facts.history.timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED)[c.PRODUCT_ID].mode()[0]
    twin = catalogue.filter(pl.col(c.PRODUCT_ID) == best).with_columns(pl.lit("zz-new").alias(c.PRODUCT_ID))
    rankers = Rankers.of(with_catalogue(facts, pl.concat([catalogue, twin])))
    found = rankers.content.scores(rankers.histories(facts))
    owners = np.unique(found.rows()[found.items == len(catalogue)])
    bought = facts.history.timeline.filter(pl.col(c.PRODUCT_ID) == best)[c.CUSTOMER_ID].unique()
    assert set(bought) & set(facts.entities) <= set(facts.entities.gather(owners))


def test_a_customer_of_whom_nothing_is_known_gets_what_sells(shop: Shop) -> None:
    facts = facts_of(shop)
    stranger = facts.features.head(1).with_columns(pl.lit("stranger").alias(c.ENTITY_ID))
    listed = labels(fitted(shop, "judged_counts", replace(facts, features=stranger)))[0]
    assert len(listed) == 10
    rankers = Rankers.of(facts)
    selling = rankers.recent.scores(rankers.histories(facts).take(np.array([0]))).top(CANDIDATES).items
    assert set(listed) <= set(rankers.counts.history.products.gather(selling))


def test_who_has_not_bought_yet_gets_what_those_alike_buy(shop: Shop) -> None:
    facts = facts_of(shop)
    assert facts.history is not None
    bought = facts.history.timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED)
    favourite = bought.group_by(c.CUSTOMER_ID).agg(pl.col(c.CATEGORY).mode().sort().first().alias("likes"))
    planted = favourite.vstack(pl.DataFrame({c.CUSTOMER_ID: ["zz-new"], "likes": ["Skin Care"]}, favourite.schema))
    history = replace(facts.history, find_traits=lambda: planted.sort(c.CUSTOMER_ID))
    strangers = facts.features.head(1).with_columns(pl.lit("zz-new").alias(c.ENTITY_ID))
    rankers = Rankers.of(replace(facts, history=history))
    found = rankers.alike(replace(facts, history=history, features=strangers)).found.top(10)
    kind = facts.history.catalogue[c.CATEGORY].gather(found.items)
    everybody = rankers.recent.scores(rankers.histories(facts).take(np.array([0]))).top(10).items
    assert (kind == "Skin Care").sum() > (facts.history.catalogue[c.CATEGORY].gather(everybody) == "Skin Care").sum()


def test_everybody_who_is_known_gets_a_list(shop: Shop) -> None:
    facts = facts_of(shop)
    registered = shop.lake.engine.to_polars(Snapshot(shop.lake, shop.as_of()).table(c.CUSTOMERS))[c.CUSTOMER_ID]
    assert set(registered) == set(facts.entities)
    assert {len(row) for row in labels(fitted(shop, "judged_counts", facts))} == {10}


def test_diversity_varies_the_kinds_of_what_is_listed(large_shop: Shop) -> None:
    facts = facts_of(large_shop)
    assert facts.history is not None
    kind = dict(facts.history.catalogue.select(c.PRODUCT_ID, c.CATEGORY).rows())
    kinds = [
        np.mean(
            [len({kind[p] for p in row}) for row in labels(fitted(large_shop, "item_knn", facts, diversity=strength))]
        )
        for strength in (0.0, 0.7)
    ]
    assert kinds[1] > kinds[0]


def test_the_measures_have_known_answers() -> None:
    listed = pl.Series([["a", "b", "x"], ["q"], ["z"]])
    wanted = pl.Series([["b", "a"], ["n", "q"], []], dtype=pl.List(pl.String))
    found = measured(listed, wanted)
    gain = 1 / np.log2(np.arange(2, 4))
    assert found["recall_at_10"] == pytest.approx((1.0 + 0.5) / 2)
    assert found["mrr"] == pytest.approx(1.0)
    assert found["ndcg_at_10"] == pytest.approx((1 + gain[0] / gain.sum()) / 2)
