"""What was planted is found back in what everybody can see."""

from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from dongcha import columns as c
from dongcha.errors import UsageError
from dongcha.sources.simulate import ShopPlan, Simulated, simulate
from dongcha.sources.simulate.chinese import WORDS as CHINESE
from dongcha.sources.simulate.clock import expected_orders, silence, survival
from dongcha.sources.simulate.english import WORDS as ENGLISH

START = date(2023, 1, 1)
HORIZON = 90
CUTOFFS = (300, 420, 600)
PLAN = ShopPlan()


@cache
def shop(language: str = "en") -> Simulated:
    return simulate(5000, language=language, start=START, seed=5)  # type: ignore[arg-type]


@pytest.fixture(params=["en", "zh"])
def either(request: pytest.FixtureRequest) -> Simulated:
    return shop(request.param)


def bought(simulated: Simulated) -> pl.DataFrame:
    orders = simulated.tables[c.ORDERS].filter(pl.col(c.QUANTITY) > 0, pl.col(c.STATUS) == "completed")
    paid = pl.col(c.QUANTITY) * pl.col(c.PRICE).cast(float) - pl.col(c.DISCOUNT).cast(float)
    return orders.with_columns(paid=paid, day=(pl.col(c.HAPPENED_AT).dt.date() - START).dt.total_days())


def outcome(simulated: Simulated, day: int) -> pl.DataFrame:
    """Planted chance and expectation beside what happened, per customer, in the HORIZON days from `day`."""
    as_of = START + timedelta(days=day)
    window = bought(simulated).filter(pl.col("day").is_between(day, day + HORIZON - 1))
    real = window.group_by(c.CUSTOMER_ID).agg(pl.col(c.ORDER_ID).n_unique().alias("orders"), pl.col("paid").sum())
    chances = simulated.churn_probability(as_of, HORIZON)
    spend = simulated.expected_spend(as_of, HORIZON).drop("alive")
    joined = chances.join(spend, on=c.CUSTOMER_ID).join(real, on=c.CUSTOMER_ID, how="left", maintain_order="left")
    return joined.with_columns(pl.col("orders", "paid").fill_null(0), silent=pl.col("orders").is_null())


def auc(score: np.ndarray, label: np.ndarray) -> float:
    rank = pl.Series(score).rank().to_numpy()
    positive = int(label.sum())
    return float((rank[label].sum() - positive * (positive + 1) / 2) / (positive * (len(label) - positive)))


def spearman(a: pl.Series, b: pl.Series) -> float:
    return float(np.corrcoef(a.rank().to_numpy(), b.rank().to_numpy())[0, 1])


# -- the clock


def test_the_chance_of_silence_agrees_with_a_slow_simulation():
    rng = np.random.default_rng(1)
    shape, hazard, since, speed, draws = 3, 0.004, 0.6, 0.02, 40_000
    gap = rng.gamma(shape, 1 / shape, 12 * draws)
    gap = gap[gap > since][:draws] - since
    stop = rng.exponential(1 / hazard, len(gap))
    silent = (gap / speed > np.minimum(stop, HORIZON)).mean()
    ahead = (np.arange(HORIZON + 1) * speed)[None, :]
    exact = silence(np.array([shape]), np.array([hazard]), np.array([since]), ahead)[0]
    assert exact == pytest.approx(silent, abs=4 * np.sqrt(0.25 / len(gap)))


@pytest.mark.parametrize("shape", [1, 2, 3])
def test_expected_orders_agree_with_a_slow_simulation(shape):
    rng = np.random.default_rng(2)
    run, since, draws = 5.0, 0.4, 40_000
    first = rng.gamma(shape, 1 / shape, 8 * draws)
    first = first[first > since][:draws] - since
    times = first[:, None] + np.concatenate(
        [np.zeros((len(first), 1)), np.cumsum(rng.gamma(shape, 1 / shape, (len(first), 40)), axis=1)], axis=1
    )
    ahead = np.linspace(0, run, 51)[None, :]
    exact = expected_orders(np.array([shape]), np.array([0.0]), np.array([since]), ahead).sum()
    assert exact == pytest.approx((times < run).sum(1).mean(), rel=0.02)


def test_survival_starts_at_one_and_falls():
    run = np.linspace(0, 5, 20)[None, :].repeat(3, axis=0)
    left = survival(np.array([1, 2, 3]), run)
    assert (left[:, 0] == 1).all()
    assert (np.diff(left, axis=1) < 0).all()
    assert left[0] == pytest.approx(np.exp(-run[0]))


# -- churn and spend


@pytest.mark.parametrize("day", CUTOFFS)
@pytest.mark.parametrize("column", ["probability", "observed_probability"])
def test_the_share_that_falls_silent_is_the_mean_planted_chance(either, day, column):
    found = outcome(either, day)
    p = found[column].to_numpy()
    error = np.sqrt((p * (1 - p)).sum()) / len(p)
    assert found["silent"].mean() == pytest.approx(p.mean(), abs=4 * error)


def test_the_planted_chance_is_calibrated_by_decile(either):
    found = pl.concat([outcome(either, day) for day in CUTOFFS]).sort("probability")
    for tenth in np.array_split(np.arange(found.height), 10):
        part = found[tenth]
        p = part["probability"].to_numpy()
        assert part["silent"].mean() == pytest.approx(p.mean(), abs=4 * np.sqrt((p * (1 - p)).sum()) / len(p) + 1e-9)


def test_who_stopped_never_orders_again(either):
    for day in CUTOFFS:
        gone = outcome(either, day).filter(~pl.col("alive"))
        assert gone.height > 100
        assert gone["silent"].all()
        assert (gone["probability"] == 1).all()
        assert (gone["observed_probability"] < 1).any()


def test_churn_can_be_inferred_but_not_known(either):
    for day in CUTOFFS:
        found = outcome(either, day)
        label = found["silent"].to_numpy()
        best, observer = (auc(found[k].to_numpy(), label) for k in ("probability", "observed_probability"))
        assert 0.8 < observer < best < 0.99
        assert 0.3 < label.mean() < 0.7


@pytest.mark.parametrize("day", CUTOFFS)
def test_expected_orders_and_spend_add_up_to_what_came(either, day):
    found = outcome(either, day)
    assert found["expected_orders"].sum() == pytest.approx(found["orders"].sum(), rel=0.08)
    assert found["expected_spend"].sum() == pytest.approx(found["paid"].sum(), rel=0.15)
    assert found["observed_spend"].sum() == pytest.approx(found["paid"].sum(), rel=0.15)
    assert spearman(found["expected_spend"], found["paid"]) > 0.6


def test_the_truth_is_told_only_within_the_window_and_at_midnight():
    for as_of in ("2022-12-31", "2026-01-01", "2024-01-01T08:00:00"):
        with pytest.raises(UsageError):
            shop().churn_probability(as_of, HORIZON)
    with pytest.raises(UsageError, match="horizon"):
        shop().churn_probability("2024-01-01", 2000)


# -- groups


def test_groups_have_their_planted_sizes(either):
    hidden = either.truth["customers"]
    sizes = dict(hidden["group"].value_counts().iter_rows())
    for group in PLAN.groups:
        assert sizes[group.name] == pytest.approx(group.share * hidden.height, abs=1.5)


def test_groups_differ_where_everybody_can_see_it(either):
    by_order = bought(either).join(either.truth["customers"].select(c.CUSTOMER_ID, "group"), on=c.CUSTOMER_ID)
    months = pl.col(c.HAPPENED_AT).dt.month()
    seen = by_order.group_by("group").agg(
        basket=pl.col("paid").sum() / pl.col(c.ORDER_ID).n_unique(),
        deals=(pl.col(c.DISCOUNT) > 0).mean(),
        year_end=(months >= 11).mean(),
        orders=pl.col(c.ORDER_ID).n_unique() / pl.col(c.CUSTOMER_ID).n_unique(),
        first=pl.col("day").min(),
    )
    at = {row["group"]: row for row in seen.iter_rows(named=True)}
    honest = [row for name, row in at.items() if name != "impostors"]
    settled = [row for row in honest if row["group"] != "newcomers"]
    assert max(honest, key=lambda r: r["basket"])["group"] == "big_ticket_rare_buyers"
    assert max(honest, key=lambda r: r["deals"])["group"] == "bargain_hunters"
    assert max(settled, key=lambda r: r["year_end"])["group"] == "gift_season_buyers"
    assert max(honest, key=lambda r: r["orders"])["group"] == "loyal_regulars"
    assert at["newcomers"]["first"] >= 0.7 * 730


def test_those_slipping_away_order_less_and_less(either):
    slipping = either.truth["customers"].filter(pl.col("group") == "slipping_away", pl.col("arrival_day") < 300)
    age = bought(either).join(slipping, on=c.CUSTOMER_ID).with_columns(age=pl.col("day") - pl.col("arrival_day"))
    orders = [age.filter(pl.col("age").is_between(a, a + 120, closed="right"))[c.ORDER_ID].n_unique() for a in (0, 240)]
    assert orders[1] < 0.5 * orders[0]


def test_bargain_hunters_come_for_the_festivals(either):
    season = either.truth["seasons"].filter(pl.col("day") < 730)
    strength = season.group_by("group").agg(pl.col("factor").std())
    by_group = dict(strength.iter_rows())
    assert by_group["bargain_hunters"] > 1.5 * by_group["loyal_regulars"]


# -- campaigns


def test_treated_less_held_out_is_the_planted_effect(either):
    campaigns = either.truth["campaigns"]
    for response, sign in (("persuadable", 1), ("indifferent", 0), ("sleeping_dog", -1)):
        planted, seen, error = [], [], []
        for name, day, effect_days, _ in campaigns.iter_rows():
            reached = either.secrets.campaign_effect(name).filter(pl.col("response") == response)
            window = bought(either).filter(pl.col("day").is_between(day, day + effect_days))
            came = reached[c.CUSTOMER_ID].is_in(window[c.CUSTOMER_ID].implode()).to_numpy()
            treated = reached["treated"].to_numpy()
            seen.append(came[treated].mean() - came[~treated].mean())
            planted.append(reached["effect_probability"].mean())
            error.append(np.sqrt(0.25 / treated.sum() + 0.25 / (~treated).sum()))
        assert np.sign(round(float(np.mean(planted)), 3)) == sign
        assert np.mean(seen) == pytest.approx(np.mean(planted), abs=3 * np.sqrt(np.square(error).sum()) / len(error))


def test_arms_are_tossed_fairly_and_only_among_those_who_may_be_mailed(either):
    exposures = either.tables[c.EXPOSURES].join(either.tables[c.CUSTOMERS], on=c.CUSTOMER_ID)
    assert exposures[c.CONSENT].all()
    held_out = (exposures[c.VARIANT] == c.CONTROL).mean()
    assert held_out == pytest.approx(0.5, abs=2 / np.sqrt(exposures.height))


def test_only_the_treated_open_campaign_mail(either):
    opened = either.tables[c.EVENTS].filter(pl.col(c.EVENT) == c.EMAIL_OPENED)[c.CUSTOMER_ID].unique()
    treated = either.tables[c.EXPOSURES].filter(pl.col(c.VARIANT) != c.CONTROL)[c.CUSTOMER_ID].unique()
    assert opened.len() > 100
    assert opened.is_in(treated.implode()).all()


# -- reviews


def test_ratings_follow_the_planted_mood(either):
    joined = either.tables[c.REVIEWS].join(either.truth["reviews"], on=c.REVIEW_ID)
    assert joined.height == either.tables[c.REVIEWS].height
    assert spearman(joined[c.RATING], joined["mood"]) > 0.8
    assert set(joined[c.RATING].unique()) == {1.0, 2.0, 3.0, 4.0, 5.0}


def test_reviews_are_rarely_the_same_text_twice(either):
    texts = either.tables[c.REVIEWS][c.TEXT]
    assert texts.n_unique() > 0.95 * texts.len() > 3000


def test_the_text_names_the_planted_topic(either):
    words = {"en": ENGLISH, "zh": CHINESE}[either.truth["shop"][c.LANGUAGE][0]].reviews
    joined = either.tables[c.REVIEWS].join(either.truth["reviews"], on=c.REVIEW_ID)
    for aspect in words.aspects:
        of = joined.filter(pl.col("topic") == aspect.name)[c.TEXT].str.to_lowercase()
        phrases = [phrase.lower() for phrase in (*aspect.praise, *aspect.blame)]
        assert of.str.contains_any(phrases).all()


def test_the_mood_of_one_brand_turns(either):
    brand, since, shift, aspect = either.truth["brand_mood"].row(0)
    reviews = either.tables[c.REVIEWS].join(either.truth["reviews"], on=c.REVIEW_ID)
    reviews = reviews.join(either.tables[c.PRODUCTS].select(c.PRODUCT_ID, c.BRAND), on=c.PRODUCT_ID)
    late, of = pl.col(c.HAPPENED_AT) >= since, pl.col(c.BRAND) == brand
    change = [reviews.filter(own, late)["mood"].mean() - reviews.filter(own, ~late)["mood"].mean() for own in (of, ~of)]
    assert change[0] < 0.6 * shift
    assert abs(change[1]) < 0.1
    assert (reviews.filter(of, late)["topic"] == aspect).mean() > 0.5


# -- conversations


def test_the_desk_labels_some_conversations_and_always_rightly(either):
    seen = either.tables[c.MESSAGES].join(either.truth["conversations"], on=c.CONVERSATION_ID, suffix="_planted")
    labelled = seen.filter(pl.col(c.INTENT).is_not_null())
    assert 0.5 < labelled.height / seen.height < 0.7
    assert (labelled[c.INTENT] == labelled["intent_planted"]).all()
    assert seen.group_by(c.CONVERSATION_ID).agg(pl.col(c.SENDER).first())[c.SENDER].unique().to_list() == ["customer"]


# -- mishaps


def test_fraud_is_known_late(either):
    fraud = either.tables[c.OUTCOMES]
    after = (fraud[c.KNOWN_AT] - fraud[c.HAPPENED_AT]).dt.total_days()
    assert fraud.height > 50
    assert after.min() >= 3
    charged_back = after.filter(fraud[c.NAME] == "chargeback")
    assert charged_back.median() > 21


def test_most_outcomes_are_planted_frauds_and_few_are_mistakes(either):
    joined = either.tables[c.OUTCOMES].join(either.truth["orders"], on=c.ORDER_ID)
    assert 0.85 < joined["fraud"].mean() < 1


def test_fraud_has_a_pattern(either):
    orders = bought(either).group_by(c.ORDER_ID, c.CUSTOMER_ID, c.HAPPENED_AT, c.EXTRAS).agg(pl.col("paid").sum())
    joined = orders.join(either.truth["orders"].select(c.ORDER_ID, "fraud"), on=c.ORDER_ID)
    joined = joined.join(either.tables[c.CUSTOMERS].select(c.CUSTOMER_ID, c.CITY, c.CREATED_AT), on=c.CUSTOMER_ID)
    marks = joined.group_by("fraud").agg(
        dear=pl.col("paid").median(),
        elsewhere=(pl.col(c.EXTRAS).str.json_path_match("$.ship_city") != pl.col(c.CITY)).mean(),
        new=((pl.col(c.HAPPENED_AT) - pl.col(c.CREATED_AT)).dt.total_days() < 14).mean(),
    )
    no, yes = marks.sort("fraud").iter_rows(named=True)
    assert joined["fraud"].mean() < 0.02
    assert yes["dear"] > 2 * no["dear"]
    assert yes["elsewhere"] > 3 * no["elsewhere"]
    assert yes["new"] > 2 * no["new"]


def test_what_is_out_of_stock_is_not_ordered(either):
    outs = either.truth["stock_outs"]
    assert outs.height > 50
    during = (
        bought(either)
        .join(outs, on=c.PRODUCT_ID)
        .filter(pl.col(c.HAPPENED_AT).is_between("from", "until", closed="left"))
    )
    assert during.is_empty()
    counted = either.tables[c.STOCK].join(outs, on=c.PRODUCT_ID)
    empty = counted.filter(pl.col(c.HAPPENED_AT).is_between("from", "until", closed="left"))
    assert (empty[c.ON_HAND] == 0).all()
    assert empty.height > 2 * outs.height


def test_demand_that_met_an_empty_shelf_was_lost_or_went_to_the_nearest_substitute(either):
    lost = either.truth["lost_demand"]
    nearest = either.truth["substitutes"].filter(pl.col("rank") == 1)
    went = lost.drop_nulls("bought_instead").join(nearest, on=c.PRODUCT_ID)
    assert (went["bought_instead"] == went["substitute_id"]).all()
    assert 0.5 < went.height / lost.height < 0.95


# -- tastes


def test_companions_follow_more_often_than_chance(either):
    lines = bought(either).sort(c.CUSTOMER_ID, c.HAPPENED_AT, c.ORDER_ID, c.LINE)
    pairs = lines.with_columns(after=pl.col(c.PRODUCT_ID).shift(-1).over(c.CUSTOMER_ID)).drop_nulls("after")
    pairs = pairs.join(either.truth["transitions"], on=c.PRODUCT_ID)
    share = (pairs["after"] == pairs["next_product_id"]).mean()
    assert 0.1 < share < PLAN.follow_share + 0.05


def test_customers_buy_what_they_like(either):
    hidden = either.truth["customers"]
    categories = either.truth["products"].select(c.PRODUCT_ID, c.CATEGORY)
    names = categories[c.CATEGORY].unique(maintain_order=True).to_list()
    counts = bought(either).join(categories, on=c.PRODUCT_ID).group_by(c.CUSTOMER_ID, c.CATEGORY).len()
    favourite = counts.sort("len", c.CATEGORY, descending=[True, False]).unique(
        c.CUSTOMER_ID, keep="first", maintain_order=True
    )
    joined = favourite.join(hidden.select(c.CUSTOMER_ID, "taste"), on=c.CUSTOMER_ID)
    liked = joined["taste"].to_numpy().argmax(1)
    assert (np.array(names)[liked] == joined[c.CATEGORY].to_numpy()).mean() > 0.4


def test_consumables_are_bought_again_when_they_have_run_out(either):
    refills = either.truth["lines"].filter("refill")
    lines = bought(either).join(either.truth["products"], on=c.PRODUCT_ID).filter(pl.col("refill_days") > 0)
    gaps = (
        lines.sort(c.HAPPENED_AT)
        .with_columns(gap=pl.col("day").diff().over(c.CUSTOMER_ID, c.PRODUCT_ID))
        .drop_nulls("gap")
    )
    again = gaps.join(refills, on=[c.ORDER_ID, c.LINE])
    assert again.height > 500
    assert (again["gap"] >= 0.8 * again["refill_days"]).mean() > 0.85


def test_deals_go_to_those_who_watch_prices(either):
    share = (
        bought(either)
        .group_by(c.CUSTOMER_ID)
        .agg(pl.len(), deals=(pl.col(c.DISCOUNT) > 0).mean())
        .filter(pl.col("len") >= 5)
    )
    joined = share.join(either.truth["customers"], on=c.CUSTOMER_ID)
    assert spearman(joined["deals"], joined["price_sensitivity"]) > 0.5
