"""Brand: a planted turn of mood is found with its day and its words, in stars, thumbs or words alone."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.small_shop import put

import dongcha
from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.cli.subjects import draw_alerts
from dongcha.errors import MissingDataError
from dongcha.insight_kit.facts import Facts
from dongcha.insights.brand import Brand, BrandConfig
from dongcha.insights.brand.contenders import LongRunMean, ThreeSigma, TurningLevel
from dongcha.jobs.score import score
from dongcha.jobs.text_study import study_of
from dongcha.jobs.train import train
from dongcha.warehouse.tables import table

START = datetime(2023, 1, 2, tzinfo=UTC)
TURN = 320
DAYS = 365
GOOD = ("lovely cup, so happy", "great taste every morning", "works well, nice box", "happy again, great price")
BAD = ("broke after two weeks, awful", "the handle broke, so disappointed", "broke at once, want my money back")


def shop_of(
    folder: Path, products: Sequence[str], *, rated: float = 1.0, thumbs: bool = False, turn: int = TURN
) -> Shop:
    """A shop of reviews, one of each product every other day; from the day `turn` on the first product breaks."""
    dice = random.Random(5)
    rows = []
    for day in range(0, DAYS, 1):
        for number, product in enumerate(products):
            if (day + number) % 2:
                continue
            bad = dice.random() < (0.75 if number == 0 and day >= turn else 0.1)
            stars = float(not bad) if thumbs else float(dice.choice((1, 2)) if bad else dice.choice((4, 5)))
            rows.append(
                {
                    "review_id": f"{day}-{product}",
                    "product_id": product,
                    "rating": stars if dice.random() < rated else None,
                    "text": dice.choice(BAD if bad else GOOD),
                    "happened_at": START + timedelta(days=day, hours=dice.random() * 20),
                }
            )
    schema = table("reviews").schema
    whole = [dict.fromkeys(schema) | row | {"known_at": row["happened_at"]} for row in rows]
    shop = dongcha.new(folder)
    put(shop.lake, pl.DataFrame(whole, schema=schema), "reviews")
    brands = [{"product_id": p, "brand": "Acme" if p == products[0] else "Other", "category": "Cups"} for p in products]
    described = table("products").schema
    put(
        shop.lake,
        pl.DataFrame(
            [dict.fromkeys(described) | {"happened_at": START, "known_at": START} | row for row in brands],
            schema=described,
        ),
        "products",
    )
    return shop


def told(shop: Shop, insight: Brand | None = None) -> tuple[Facts, dict[str, dict[str, object]]]:
    insight = insight or Brand()
    facts = study_of(shop.desk, insight, shop.as_of()).facts(shop.as_of())
    model = insight.contender("turning_level")
    model.fit([], facts, seed=7)
    answer = insight.answer(model, facts)
    return facts, {str(row[c.ENTITY_ID]): row for row in answer.iter_rows(named=True)}


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return shop_of(tmp_path_factory.mktemp("turned") / "shop", ("cup", "pot", "jug", "tray"))


def test_a_planted_turn_is_told_of_product_and_brand_and_of_nothing_that_is_steady(turned: Shop) -> None:
    _, found = told(turned)
    assert set(found) == {
        "shop/all", "brand/Acme", "brand/Other", "category/Cups",
        "product/cup", "product/pot", "product/jug", "product/tray",
    }  # fmt: skip
    for name in ("product/cup", "brand/Acme"):
        row = found[name]
        assert row["mood_alert"] == "falling"
        assert row["mood_turned"] > 0.95
        assert row["mood_since_days"] == pytest.approx(DAYS - TURN, abs=6)
        assert row["mood_change"] < -0.5
        assert row["brand_mood"] < 0 < row["brand_mood"] - row["mood_change"]
    for name in ("product/pot", "product/jug", "product/tray", "brand/Other"):
        assert found[name]["mood_alert"] == "steady"
        assert found[name]["mood_since_days"] is None


def test_moods_over_time_are_of_weeks_and_show_the_turn(turned: Shop) -> None:
    _, found = told(turned)
    moods = {pair["label"]: pair["value"] for pair in found["product/cup"]["mood_over_time"]}
    texts = {pair["label"]: pair["value"] for pair in found["product/cup"]["texts_over_time"]}
    assert all(datetime.fromisoformat(day).weekday() == 0 for day in moods)
    assert list(moods) == sorted(moods) == list(texts)
    early, late = (f"{START + timedelta(days=day):%Y-%m-%d}" for day in (TURN - 7, TURN))
    assert max(mood for day, mood in moods.items() if day > late) < min(m for day, m in moods.items() if day < early)
    assert sum(texts.values()) == 183


def test_a_week_of_few_reviews_does_not_shout(turned: Shop) -> None:
    _, found = told(turned)
    moods = [pair["value"] for pair in found["product/pot"]["mood_over_time"]]
    assert np.ptp(moods) < 0.5, "single weeks of three or four reviews go from -1 to 1"


@pytest.mark.parametrize("kind", ["words", "thumbs"])
def test_the_turn_is_found_by_words_where_most_have_no_stars_and_by_thumbs(kind: str, tmp_path: Path) -> None:
    rated, thumbs = (0.4, False) if kind == "words" else (1.0, True)
    shop = shop_of(tmp_path / "shop", ("cup", "pot"), rated=rated, thumbs=thumbs)
    _, found = told(shop, Brand(BrandConfig(best_rating=1.0 if thumbs else 5.0)))
    assert found["product/cup"]["mood_alert"] == "falling"
    assert found["product/cup"]["mood_since_days"] == pytest.approx(DAYS - TURN, abs=6)
    assert found["product/pot"]["mood_alert"] == "steady"


def test_reviews_of_which_none_has_a_rating_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="rating"):
        told(shop_of(tmp_path / "shop", ("cup",), rated=0.0))


def test_what_is_never_likelier_than_asked_raises_no_alert(turned: Shop) -> None:
    _, found = told(turned, Brand(BrandConfig(alert_at=0.9999)))
    assert found["product/pot"]["mood_turned"] < 0.5
    _, easily = told(turned, Brand(BrandConfig(alert_at=1e-9)))
    assert {row["mood_alert"] for row in easily.values()} <= {"falling", "rising"}


def test_the_words_of_the_turn_are_its_reasons(turned: Shop) -> None:
    insight = Brand()
    facts, _ = told(turned)
    model = insight.contender("turning_level")
    model.fit([], facts, seed=7)
    reasons = insight.reasons(model, facts).filter(pl.col(c.ENTITY_ID) == "product/cup")
    assert reasons[c.FEATURE][0] == "broke"
    assert (reasons[c.EFFECT] < 0).all()
    assert (reasons[c.VALUE] > reasons[c.TYPICAL]).all()


def test_an_alarm_that_was_right_pays_and_a_wrong_one_costs(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "shop", ("cup", "pot", "jug"), turn=250)
    cutoff = AsOf(START) + Horizon(280)
    insight = Brand()
    study = study_of(shop.desk, insight, cutoff)
    example = study.example(cutoff, shop.as_of(), Horizon(60))
    found = {}
    for name in ("turning_level", "long_run_mean"):
        answer = insight.answer(study.fitted(name, cutoff), example.facts, to_judge=True)
        found[name] = insight.judge(study.fitted(name, cutoff), example, answer)
    assert found["turning_level"]["mood_rmse"] < 0.7 * found["long_run_mean"]["mood_rmse"]
    assert found["turning_level"]["alerts_right"] == 1.0
    answer = insight.answer(study.fitted("turning_level", cutoff), example.facts, to_judge=True)
    wrong = answer.with_columns(mood_alert=pl.lit("rising"), brand_mood=pl.lit(0.99), mood_change=pl.lit(0.4))
    cost = insight.judge(study.fitted("turning_level", cutoff), example, wrong)
    assert cost["mood_rmse"] > found["turning_level"]["mood_rmse"]
    assert cost["alerts_right"] == 0.0


def test_the_simple_ways_answer_too(turned: Shop) -> None:
    insight = Brand()
    facts = study_of(turned.desk, insight, turned.as_of()).facts(turned.as_of())
    for model in (ThreeSigma(5.0, 0.5), LongRunMean(5.0, 0.5)):
        model.fit([], facts, seed=7)
        answer = insight.answer(model, facts)
        steady = answer.filter(pl.col(c.ENTITY_ID) == "product/pot")["mood_alert"].item()
        assert steady == "steady" or isinstance(model, ThreeSigma)
    assert isinstance(insight.contenders()[0], TurningLevel)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Its product turned early enough for backtests to see who was right, and is told some weeks later."""
    shop = shop_of(tmp_path_factory.mktemp("scored") / "shop", ("cup", "pot", "jug"), turn=240)
    insight = shop.insights["brand"]
    assert train(study_of(shop.desk, insight, shop.as_of())).contender == "turning_level"
    score(study_of(shop.desk, insight, AsOf(START) + Horizon(290)))
    return shop


def test_the_shop_tells_its_alerts_with_examples(scored: Shop) -> None:
    alerts = scored.alerts()
    assert [alert["sure"] for alert in alerts] == sorted((alert["sure"] for alert in alerts), reverse=True)
    cup = next(alert for alert in alerts if alert[c.SUBJECT_ID] == "product/cup")
    assert (cup["kind"], cup["name"], cup["alert"]) == ("product", "cup", "falling")
    assert cup["before"] > 0.4
    assert cup["mood"] < 0
    assert cup["words"][0]["word"] == "broke"
    assert all("broke" in example[c.TEXT] for example in cup["examples"])
    assert len(cup["examples"]) == 3


def test_alerts_read_as_sentences_in_both_languages(scored: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    draw_alerts(scored, scored.alerts(), "en")
    english = capsys.readouterr().out
    draw_alerts(scored, scored.alerts(), "zh")
    chinese = capsys.readouterr().out
    assert "Product cup: mood fell from +0." in english
    assert "said more: broke (" in english
    assert "商品 cup：情绪自 2023-0" in chinese
