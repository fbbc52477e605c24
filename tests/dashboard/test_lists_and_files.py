"""Lists, rules, files and generic pages, without a browser: whom they hold, and what a viewer does not get."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from tests.dashboard.visiting import BROKEN, PAGES, enter, settled, visit
from tests.small_shop import START, CameBack, open_shop, order_lines, put
from tests.told_shop import CUSTOMERS

from dongcha import columns as c
from dongcha.access.scopes import Role
from dongcha.assemble import Shop
from dongcha.dashboard import parts
from dongcha.dashboard.data import LOOK_AGAIN_SECONDS, Data
from dongcha.dashboard.pages.customers import A_PAGE
from dongcha.insight_kit.outputs import Group, Ranking, Series, Value, Vector, flat, to_rows
from dongcha.warehouse.ledger import RUNS, SCORES


def test_filters_a_rule_and_a_file_go_together(shop: Shop) -> None:
    async def story(user: User) -> None:
        await user.open("/customers")
        assert "30 customers" in await settled(user)
        user.find("Name, id, e-mail or place").type("number7")
        await user.should_see(content="1 customer<", retries=40)
        user.find("Clear").click()
        await user.should_see(content="30 customers", retries=40)
        rule = next(iter(user.find("Rule over any answer").elements))
        rule.set_value("churn_probability > 2")  # type: ignore[attr-defined]
        await user.should_see(content="0 customers", retries=40)
        rule.set_value("nonsense >")  # type: ignore[attr-defined]
        await user.should_see("cannot be read", retries=40)
        rule.set_value("churn_probability >= 0")  # type: ignore[attr-defined]
        await user.should_see(content="30 customers", retries=40)
        await user.should_not_see("cannot be read")
        user.find(kind=ui.button, content="satisfaction").click()
        assert rule.value == "churn_probability >= 0 and satisfaction "  # type: ignore[attr-defined]

    visit(shop, story)


@pytest.mark.parametrize("role", [None, Role.ANALYST, Role.VIEWER])
def test_the_file_of_an_audience_holds_whom_the_rule_finds_and_no_names_for_a_viewer(
    shop: Shop, request: pytest.FixtureRequest, role: Role | None
) -> None:
    if role is not None:
        request.getfixturevalue("guarded")
    text = "satisfaction > 2.5 and churn_probability < 0.9"
    expected = shop.audience(text)["entity_id"].to_list()
    assert 0 < len(expected) < CUSTOMERS

    async def story(user: User) -> None:
        if role is not None:
            assert await enter(user, role) == 303
        await user.open("/customers")
        await settled(user)
        rule = next(iter(user.find("Rule over any answer").elements))
        rule.set_value(text)  # type: ignore[attr-defined]
        await user.should_see(content=f"{len(expected)} customers", retries=40)
        user.find("Save CSV").click()
        file = (await user.download.next()).content
        assert file.startswith(b"\xef\xbb\xbf")
        rows = pl.read_csv(file.removeprefix(b"\xef\xbb\xbf"))
        assert rows["customer_id"].to_list() == expected
        masked = role is Role.VIEWER
        assert ({"name", "email"} & set(rows.columns) == set()) == masked
        assert (b"Ann Number" in file) != masked
        assert (b"@example.org" in file) != masked

    visit(shop, story)


def test_no_file_of_any_page_names_anybody_to_a_viewer(guarded: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: dict[str, str] = {}
    monkeypatch.setattr(parts, "save_csv", lambda rows, file: saved.update({file: flat(rows).write_csv()}))

    async def story(user: User) -> None:
        assert await enter(user, Role.VIEWER) == 303
        for path in PAGES:
            await user.open(path)
            await settled(user)
            for element in list(user._client.elements.values()):
                if isinstance(element, ui.button) and element.props.get("aria-label") == "Save the data (CSV)":
                    UserInteraction(user, {element}, None).click()

    visit(guarded, story)
    assert {"worth-keeping", "keep-first", "customer-map", "aspects", "orders", "recommended-most"} <= saved.keys()
    for file, rows in saved.items():
        assert "Ann Number" not in rows, file
        assert "@example.org" not in rows, file


def test_a_list_is_turned_and_sorted_by_its_heads(shop: Shop) -> None:
    whole = Data(shop)
    whole.look()
    frame = whole.people().frame.sort("spend", descending=True)

    async def story(user: User) -> None:
        await user.open("/customers")
        assert f"1 to {A_PAGE} of 30" in await settled(user)
        user.find(kind=ui.button, content="Next").click()
        await user.should_see("26 to 30 of 30", retries=40)
        user.find(kind=ui.button, content="Spent so far").click()
        await user.should_see(f"1 to {A_PAGE} of 30", retries=40)
        said = await settled(user)
        places = [said.index(f'/customers/{customer}"') for customer in frame["entity_id"].head(5)]
        assert places == sorted(places)

    visit(shop, story)


def test_facts_that_came_since_the_view_was_made_are_told_of(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)

    async def story(user: User) -> None:
        await user.open("/")
        assert "Newer facts" not in await settled(user)
        late = {"order_id": "late", "customer_id": "c000", "happened_at": START + timedelta(days=290)}
        put(shop.lake, order_lines([late]))
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await user.open("/retention")
        assert "Newer facts" in await settled(user)

    visit(shop, story)


class Odd(CameBack):
    """Which order is odd, and which product."""

    name, entity = "odd", c.ORDER_ID
    question: ClassVar[dict[str, str]] = {"en": "Which orders are odd?", "zh": "哪些订单异常？"}
    yields = (
        Value("oddness", "probability", 0, 1),
        Group("oddity"),
        Series("odd_over_time"),
        Vector("way", size=3),
    )


class Wanting(Odd):
    name, entity = "wanting", c.PRODUCT_ID
    yields = (Value("wanted", "units"), Ranking("wanted_with", of=c.PRODUCT_ID))


def test_an_insight_about_orders_or_products_has_a_page_too(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, None, Odd(), Wanting())
    pairs = [{"label": "p", "value": 1.0}, {"label": "q", "value": 2.0}]
    answers = {
        "odd": {
            c.ENTITY_ID: [f"0-{k}" for k in range(4)],
            "oddness": [0.1, 0.4, None, 0.999],
            "oddity": ["large", None, "late", "late"],
            "odd_over_time": [[{"label": f"2023-0{k}-01T00:00:00", "value": float(k)} for k in (1, 2)]] * 4,
            "way": pl.Series([[0.0, k, 2.0 * k] for k in range(4)], dtype=pl.Array(pl.Float64, 3)),
        },
        "wanting": {c.ENTITY_ID: ["p", "q"], "wanted": [3.0, 40.0], "wanted_with": [pairs, pairs[:1]]},
    }
    for name, columns in answers.items():
        answer = pl.DataFrame(columns)
        run = {"run_id": name, "insight": name, "version": "v1", "as_of": shop.as_of().moment, "made_at": shop.clock()}
        marks = [pl.lit(value).alias(k) for k, value in run.items()]
        shop.ledger.write(SCORES, to_rows(shop.insights[name].yields, answer).with_columns(marks))
        shop.ledger.write(RUNS, [{**run, "job": "score", "fingerprint": name, "rows": len(answer)}])

    async def story(user: User) -> None:
        await user.open("/insights/odd")
        said = await settled(user)
        assert not any(broken in said for broken in BROKEN)
        assert "Which orders are odd?" in said
        assert ">Order<" in said
        assert "99 %" in said
        await user.open("/insights/wanting")
        said = await settled(user)
        assert not any(broken in said for broken in BROKEN)
        assert ">Product<" in said

    visit(shop, story)
