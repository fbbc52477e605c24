"""Sentiment: stars teach words, ratings are not read, planted moods of reviews and messages are found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.errors import MissingDataError
from dongcha.evaluation.metrics import auc
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insights.sentiment import Sentiment, SentimentConfig, measured
from dongcha.insights.sentiment.moods import RatingTaught
from dongcha.jobs.text_study import TextStudy, study_of
from dongcha.sources.simulate.english_talk import REVIEWS

GOOD = ["lovely soft towel, so happy", "great value, fits well", "质量很好，非常满意", "love it, works great"]
BAD = ["broke after a day, awful", "terrible smell, want my money back", "质量太差，非常失望", "does not fit, awful"]


STRINGS = dict.fromkeys((c.TEXT_ID, c.TEXT, c.PRODUCT_ID), pl.String)


def facts_of(texts: Sequence[str]) -> Facts:
    names = [f"reviews/{number:03}" for number in range(len(texts))]
    said = pl.DataFrame(
        {c.TEXT_ID: names, c.TEXT: texts, c.PRODUCT_ID: None},
        dict.fromkeys((c.TEXT_ID, c.TEXT, c.PRODUCT_ID), pl.String),
    )
    features = pl.DataFrame({c.ENTITY_ID: names}, {c.ENTITY_ID: pl.String})
    return Facts(AsOf.parse("2024-01-01"), Horizon(90), features, texts=said)


def taught(insight: Sentiment, texts: Sequence[str], ratings: Sequence[float | None]) -> RatingTaught:
    facts = facts_of(texts)
    given = pl.DataFrame({c.TEXT_ID: facts.entities, c.RATING: ratings}, schema_overrides={c.RATING: pl.Float64})
    model = RatingTaught()
    model.fit([Example(facts, insight.label(facts, given.drop_nulls(c.RATING)))], facts, seed=7)
    return model


@pytest.mark.parametrize(("best", "low", "high"), [(5.0, 1.0, 5.0), (1.0, 0.0, 1.0)])
def test_ratings_teach_words_in_both_languages(best: float, low: float, high: float) -> None:
    insight = Sentiment(SentimentConfig(best_rating=best))
    model = taught(insight, (GOOD + BAD) * 5, ([high] * 4 + [low] * 4) * 5)
    facts = facts_of(["awful towel, broke", "happy, great", "非常满意", "非常失望", ""])
    found = insight.answer(model, facts)
    assert found["mood"].to_list()[:4] == ["bad", "good", "good", "bad"]
    assert found["sentiment"].to_list()[4] == 0.0
    reasons = insight.reasons(model, facts).filter(pl.col(c.ENTITY_ID) == "reviews/000")
    pushes = dict(reasons.select(c.FEATURE, c.EFFECT).rows())
    assert pushes["awful"] < 0 < pushes["towel"], "of towels only good was said"


def test_a_shop_of_which_nobody_complains_has_neutral_texts_and_no_bad_ones() -> None:
    middling = ["it is a towel, nothing more", "an average shirt, as described", "okay for the price", "一般般，还可以"]
    insight = Sentiment()
    model = taught(insight, (GOOD + middling) * 5, ([5.0] * 4 + [3.0] * 4) * 5)
    found = insight.answer(model, facts_of(["average, okay", "lovely, so happy"]))
    assert found["mood"].to_list() == ["neutral", "good"]
    assert (found["sentiment"] >= 0).all()


def test_texts_without_ratings_teach_nothing() -> None:
    with pytest.raises(MissingDataError, match="rating"):
        taught(Sentiment(), GOOD, [None] * 4)


def test_a_text_is_read_the_same_whatever_its_own_rating(talking_shop: Shop) -> None:
    facts = study_of(talking_shop.desk, Sentiment(), talking_shop.as_of()).facts(talking_shop.as_of())
    assert facts.texts is not None
    assert c.RATING not in facts.texts.columns


def test_planted_moods_are_found(talking_shop: Shop) -> None:
    cutoff = talking_shop.as_of() - Horizon(120)
    study = study_of(talking_shop.desk, Sentiment(), cutoff)
    assert isinstance(study, TextStudy)
    example = study.example(cutoff, talking_shop.as_of(), Horizon(120))
    found = {}
    for name in ("rating_taught", "naive_bayes", "common_mood"):
        contender = study.fitted(name, cutoff)
        found[name] = study.insight.judge(contender, example, study.insight.answer(contender, example.facts))
    assert found["rating_taught"]["macro_f1"] > found["common_mood"]["macro_f1"] + 0.2
    assert found["rating_taught"]["auc"] > 0.85


def test_planted_aspects_are_found_and_felt_apart(talking_shop: Shop) -> None:
    """In reviews that praise one thing and blame another the whole text's mood cannot tell which."""
    planted = {aspect.name: " | ".join((*aspect.praise, *aspect.blame)).lower() for aspect in REVIEWS.aspects}
    study = study_of(talking_shop.desk, Sentiment(), talking_shop.as_of())
    contender = study.fitted("rating_taught", talking_shop.as_of())
    answer = study.insight.answer(contender, study.facts(talking_shop.as_of()))
    each = answer.select(c.ENTITY_ID, "sentiment", "aspects").explode("aspects").drop_nulls("aspects")
    each = each.unnest("aspects").rename({c.VALUE: "felt"})
    meant = {name: [k for k, said in planted.items() if name in said] for name in each[c.LABEL].unique()}
    assert len({k for found in meant.values() if len(found) == 1 for k in found}) >= 6
    each = each.with_columns(
        aspect=pl.col(c.LABEL).replace_strict({k: v[0] if len(v) == 1 else None for k, v in meant.items()}),
        review_id=pl.col(c.ENTITY_ID).str.strip_prefix("reviews/"),
    )
    truth = pl.read_parquet(talking_shop.folder / "raw" / "truth" / "review_aspects.parquet")
    mixed = (pl.col("mood").min() < -0.1).and_(pl.col("mood").max() > 0.1).over("review_id")
    both = each.join(truth.filter(mixed), on=["review_id", "aspect"])
    praised = (both["mood"] > 0).to_numpy().astype(float)
    assert len(both) > 40
    assert auc(praised, both["felt"].to_numpy()) > auc(praised, both["sentiment"].to_numpy()) + 0.2
    assert auc(praised, both["felt"].to_numpy()) > 0.75


def test_a_version_of_before_there_were_aspects_still_answers(tmp_path: Path) -> None:
    model = taught(Sentiment(), (GOOD + BAD) * 5, ([5.0] * 4 + [1.0] * 4) * 5)
    model.save(tmp_path)
    (tmp_path / "shares.json").unlink()
    (tmp_path / "aspect_terms.json").unlink()
    again = RatingTaught()
    again.load(tmp_path)
    found = Sentiment().answer(again, facts_of(["awful towel, broke"]))
    assert (found["mood"][0], found["aspects"][0].to_list()) == ("bad", [])


def test_an_example_is_what_came_after_the_cutoff_and_the_past_what_came_before(talking_shop: Shop) -> None:
    cutoff = talking_shop.as_of() - Horizon(120)
    study = study_of(talking_shop.desk, Sentiment(), cutoff)
    after, (before,) = study.example(cutoff, talking_shop.as_of()).facts.texts, study.past(cutoff)
    assert after is not None
    assert before.facts.texts is not None
    assert (after[c.HAPPENED_AT] >= cutoff.moment).all()
    assert (before.facts.texts[c.HAPPENED_AT] < cutoff.moment).all()
    assert len(after) > 0 < len(before.facts.texts)


def test_a_text_that_is_not_there_says_nothing() -> None:
    facts = facts_of(GOOD)
    gone = replace(facts, features=pl.DataFrame({c.ENTITY_ID: ["reviews/none", "reviews/001"]}))
    assert gone.said == ["", GOOD[1]]


def test_the_measures_have_known_answers() -> None:
    moods, sentiment = np.array([1, 1, -1, 0]), np.array([0.9, -0.5, -0.8, 0.0])
    found = measured(moods, sentiment, np.array([1, -1, -1, 0]))
    assert found["accuracy"] == pytest.approx(0.75)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found["auc"] == pytest.approx(1.0)
    assert found["brier"] == pytest.approx(((0.05**2) + (0.75**2) + (0.1**2)) / 4)
    assert np.isnan(measured(moods[:0], sentiment[:0], moods[:0])["macro_f1"])


def test_messages_are_felt_as_texts_of_another_kind() -> None:
    insight, mostly_good = Sentiment(), GOOD * 8 + BAD
    model = taught(insight, mostly_good, [5.0] * len(GOOD) * 8 + [1.0] * len(BAD))
    asked = ["When will it arrive?", "This is unacceptable, ridiculous 😡"]

    def moods(table: str) -> list[float]:
        facts = facts_of(asked)
        assert facts.texts is not None
        of_table = replace(facts, texts=facts.texts.with_columns(pl.lit(table).alias(c.TABLE)))
        return insight.answer(model, of_table)["sentiment"].to_list()

    (question, complaint), (as_review, _) = moods(c.MESSAGES), moods(c.REVIEWS)
    assert complaint < 0
    assert complaint < question < as_review
