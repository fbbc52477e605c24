"""Topics: planted ones are found, they keep their numbers when learnt anew, and stars are not read."""

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.insight_kit.facts import Facts
from dongcha.insights.topics import Factors, Mixture, Topics
from dongcha.jobs.text_study import study_of
from dongcha.jobs.train import train

PLANTED = {
    "delivery": ["parcel", "courier", "late", "arrived", "box", "tracking"],
    "size": ["sleeves", "tight", "waist", "shoulders", "small", "inches"],
    "taste": ["bitter", "aroma", "roast", "beans", "cup", "smooth"],
}


def facts_of(count: int) -> tuple[Facts, np.ndarray]:
    random = np.random.default_rng(3)
    truth = random.integers(len(PLANTED), size=count)
    texts = [" ".join(random.choice(list(PLANTED.values())[k], 4, replace=False)) for k in truth]
    names = [f"reviews/{number:04}" for number in range(count)]
    said = pl.DataFrame({c.TEXT_ID: names, c.TEXT: texts})
    features = pl.DataFrame({c.ENTITY_ID: names})
    return Facts(AsOf.parse("2024-01-01"), Horizon(90), features, texts=said), truth


def test_planted_topics_are_found_by_every_contender() -> None:
    facts, truth = facts_of(240)
    for contender in (Mixture(), Factors()):
        contender.fit([], facts, seed=7)
        found = Topics().answer(contender, facts)["topic"].to_list()
        pairs = {(name, kind) for name, kind in zip(found, truth.tolist(), strict=True) if name is not None}
        if isinstance(contender, Mixture):
            assert len({name for name, _ in pairs}) == len(PLANTED) == len(pairs)
        else:
            assert len({name for name, _ in pairs}) == len(pairs), "no topic mixes two planted ones"


def test_the_reasons_are_the_topic_s_words_that_the_text_holds() -> None:
    facts, truth = facts_of(240)
    contender = Mixture()
    contender.fit([], facts, seed=7)
    reasons = Topics().reasons(contender, facts)
    kinds = dict(zip(facts.entities, [list(PLANTED.values())[k] for k in truth], strict=True))
    said = dict(zip(facts.entities, facts.said, strict=True))
    assert len(reasons) > len(truth)
    for entity, word in reasons.select(c.ENTITY_ID, c.FEATURE).iter_rows():
        assert word in kinds[entity]
        assert word in said[entity].split()


def test_topics_learnt_anew_keep_their_numbers() -> None:
    facts, _ = facts_of(240)
    first, again = Mixture(), Mixture()
    first.fit([], facts, seed=7)
    again.follow(first)
    again.fit([], facts, seed=8)
    before, after = (Topics().answer(k, facts)["topic"].str.extract(r"#(\d+)") for k in (first, again))
    assert (before == after).all()


def test_a_shop_trains_twice_and_goes_on_with_its_numbers(talking_shop: Shop) -> None:
    insight = Topics()
    cutoff = talking_shop.as_of() - Horizon(30)
    earlier = study_of(talking_shop.desk, insight, cutoff)
    train(earlier)
    champion = talking_shop.ledger.champion("topics")
    assert champion is not None
    train(study_of(talking_shop.desk, insight, talking_shop.as_of()))
    versions = talking_shop.ledger.versions("topics")
    one, two = (talking_shop.desk.models.load(insight, version) for version in versions[-2:])
    if isinstance(one, Mixture) and isinstance(two, Mixture):
        shared = set(one.topics()) & set(two.topics())
        assert len(shared) >= 0.5 * len(one.topics())
        assert all(set(one.topics()[n][:10]) & set(two.topics()[n][:10]) for n in shared)


def test_stars_are_not_read(talking_shop: Shop) -> None:
    facts = study_of(talking_shop.desk, Topics(), talking_shop.as_of()).facts(talking_shop.as_of())
    assert facts.texts is not None
    assert c.RATING not in facts.texts.columns
