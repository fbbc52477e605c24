"""Every insight keeps the kit's contract, each property by name; insights find themselves."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from tests.small_shop import CameBack

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.errors import ContractError, SettingsError
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.checks import Bench, check_insight
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.registry import Registry
from dongcha.jobs.study import Shelf, Study
from dongcha.jobs.text_study import study_of
from dongcha.warehouse.lake import Lake

NAMES = [insight.name for insight in Registry({})]
ABOUT_CUSTOMERS = ("behaviour", "churn", "lifetime_value", "next_action", "recommendation", "segmentation")
ALL_TOLD = ("portrait",)
ABOUT_RATINGS = ("satisfaction",)
ABOUT_SUBJECTS = ("brand",)
ABOUT_TEXTS = ("sentiment", "topics")
ABOUT_ORDERS = ("risk",)


def bench(shop: Shop, insight: Insight, cutoff: AsOf, truncated: Lake) -> Bench:
    whole = study_of(shop.desk, insight, cutoff)
    past = study_of(replace(shop.desk, lake=truncated, shelf=Shelf()), insight, cutoff)
    if insight.entity != c.CUSTOMER_ID:
        return Bench(past.past(cutoff), past.facts(cutoff), whole.facts(cutoff), whole.past(cutoff))
    moments = [example.facts.as_of for example in whole.past(cutoff)][-2:]
    return Bench(
        past=[past.example(moment, cutoff) for moment in moments],
        now=past.facts(cutoff),
        past_with_future=[whole.example(moment, cutoff) for moment in moments],
        facts_with_future=whole.facts(cutoff),
    )


def test_the_catalogue_is_these() -> None:
    assert sorted([*ABOUT_CUSTOMERS, *ALL_TOLD, *ABOUT_RATINGS, *ABOUT_SUBJECTS, *ABOUT_TEXTS, *ABOUT_ORDERS]) == NAMES


@pytest.mark.parametrize("name", [*ALL_TOLD, *ABOUT_RATINGS, *ABOUT_SUBJECTS, *ABOUT_TEXTS])
def test_the_contract_holds_for_what_customers_say(name: str, talking_shop: Shop, talking_truncated: Lake) -> None:
    insight, cutoff = talking_shop.insights[name], talking_shop.as_of() - Horizon(120)
    proved = check_insight(insight, bench(talking_shop, insight, cutoff, talking_truncated))
    assert any("future_rows_change_nothing" in line for line in proved)


@pytest.mark.parametrize("name", ABOUT_ORDERS)
def test_the_contract_holds_for_orders(name: str, guarded_shop: Shop, guarded_truncated: Lake) -> None:
    insight, cutoff = guarded_shop.insights[name], guarded_shop.as_of() - Horizon(120)
    proved = check_insight(insight, bench(guarded_shop, insight, cutoff, guarded_truncated))
    assert any("future_rows_change_nothing" in line for line in proved)


@pytest.mark.parametrize("name", ABOUT_CUSTOMERS)
def test_the_contract_holds(name: str, shop: Shop, cutoff: AsOf, truncated: Lake) -> None:
    insight = shop.insights[name]
    proved = check_insight(insight, bench(shop, insight, cutoff, truncated))
    assert any("future_rows_change_nothing" in line for line in proved)


def test_a_table_that_is_missing_is_told_not_stumbled_over(tmp_path: Path) -> None:
    import dongcha

    outcomes = {}
    shop = dongcha.new(tmp_path / "shop")
    for insight in shop.insights:
        study = Study(shop.desk, insight, AsOf.parse("2024-01-01"))
        outcomes[insight.name] = study.missing_tables()
    needs = {
        "orders": (*ABOUT_CUSTOMERS, *ALL_TOLD, *ABOUT_ORDERS),
        "reviews": (*ALL_TOLD, *ABOUT_RATINGS, *ABOUT_SUBJECTS, *ABOUT_TEXTS),
        "outcomes": ABOUT_ORDERS,
    }
    needed = {name: [table for table, names in needs.items() if name in names] for name in NAMES}
    assert outcomes == needed


class Forgetful(CameBack):
    """Answers differ when asked again: every contender it makes pushes a little more than the last."""

    made = count()

    def contenders(self) -> tuple[Contender, ...]:
        found = super().contenders()
        found[0].push = 0.01 * next(self.made)  # type: ignore[attr-defined]
        return found


def test_an_insight_that_breaks_a_property_is_told_by_its_name(shop: Shop, cutoff: AsOf, truncated: Lake) -> None:
    insight = Forgetful()
    with pytest.raises(ContractError, match="same_seed_gives_the_same_answer"):
        check_insight(insight, bench(shop, insight, cutoff, truncated))


def test_an_unknown_option_in_the_settings_is_told() -> None:
    with pytest.raises(SettingsError, match="most_groups"):
        Registry({"segmentation": {"groups": 5}})
    with pytest.raises(SettingsError, match="no such insight"):
        Registry({"chrun": {}})
