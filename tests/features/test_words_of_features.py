"""Every feature says what it is, in a unit and two languages; the page says what there is."""

from pathlib import Path

import pytest

from dongcha.errors import ContractError, UsageError
from dongcha.features import declare as kit
from dongcha.features.declare import Feature, Unit, catalogue, declare, derive, family, lookup
from dongcha.features.grains import baskets
from dongcha.features.page import page

EVERY = pytest.mark.parametrize("feature", list(catalogue().values()), ids=lambda feature: feature.name)


@EVERY
def test_every_feature_has_a_unit_and_words_in_both_languages(feature: Feature) -> None:
    assert feature.unit in Unit
    for language in kit.LANGUAGES:
        assert feature.docs[language]
        assert feature.phrases[language].count("{value}") == 1
    assert not feature.docs["en"].endswith(".")


@EVERY
def test_every_feature_can_be_said(feature: Feature) -> None:
    for value in (1234.5, 0.0, -1.0, None, float("nan")):
        assert "{" not in feature.say(value, "zh", "CNY") + feature.say(value)


@EVERY
def test_a_name_that_ends_in_days_is_counted_in_days(feature: Feature) -> None:
    if feature.name.endswith("_days"):
        assert feature.unit is Unit.DAYS


def test_a_number_is_written_as_its_unit_deserves() -> None:
    assert lookup("recency_days").say(41.7) == "last order 42 days ago"
    assert lookup("recency_days").say(41.7, "zh-CN") == "距上次下单 42 天"
    assert lookup("spend").say(12345.678, "en", "GBP") == "spent 12,345.68 GBP so far"
    assert lookup("spend_change_90d").say(-12.5) == "spend changed by -12.50 on the 90 days before"
    assert lookup("discount_share").say(0.257) == "saved 26 % by discounts"
    assert lookup("one_time_buyer").say(1.0, "zh") == "只下过一单：是"
    assert lookup("mean_gap_days").say(None) == "Mean days between purchase days: does not apply"


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(ContractError, match="declared twice"):
        declare("spend", baskets, Unit.MONEY, lambda b: b.spend.sum(), en=("a", "{value}"), zh=("b", "{value}"))


def test_an_unknown_feature_or_family_is_named() -> None:
    with pytest.raises(UsageError, match="no feature 'spent'"):
        lookup("spent")
    with pytest.raises(UsageError, match="families are: basket, calendar, engagement, order, purchasing"):
        family("money")


def test_a_combination_is_relative_where_a_part_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "_DECLARED", dict(catalogue()))
    words = ("a", "{value}")
    twice = derive("twice_the_level", ("price_level",), Unit.RATIO, lambda level: 2 * level, en=words, zh=words)
    assert twice.relative
    assert twice.family == "test_words_of_features"


def test_the_page_of_features_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "insights" / "features.md"
    assert written.read_text(encoding="utf-8") == page(), "the page says how to write it anew"
