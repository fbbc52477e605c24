"""Every page, without a browser: in both languages, on a full workspace and on an empty one, for every role."""

from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User
from tests.dashboard.visiting import BROKEN, PAGES, PASSWORD, enter, settled, visit
from tests.small_shop import CameBack, open_shop
from tests.told_shop import NASTY

import dongcha
from dongcha.access.scopes import Role
from dongcha.api.guard import COOKIE
from dongcha.assemble import Shop
from dongcha.dashboard.door import FORM


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_drawn_in_both_languages(shop: Shop, language: str) -> None:
    async def story(user: User) -> None:
        user.http_client.cookies.set("dongcha_language", language)
        for path in PAGES:
            await user.open(path)
            said = await settled(user)
            assert not any(broken in said for broken in BROKEN), path
            assert ("总览" in said) == (language == "zh"), path
            assert ("Overview" in said) == (language == "en"), path
            assert path in {"/customers", "/data", "/ask"} or user.find(ui.echart).elements, path

    visit(shop, story)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_workspace_says_what_to_load_on_every_page(tmp_path: Path, language: str) -> None:
    shop = dongcha.new(tmp_path / "empty")

    async def story(user: User) -> None:
        user.http_client.cookies.set("dongcha_language", language)
        for path in PAGES:
            await user.open(path)
            said = await settled(user)
            assert not any(broken in said for broken in BROKEN), path
            told = ("dongcha load", "dongcha run", "No table knows", "没有任何表")
            assert any(word in said for word in told), (path, said[-600:])

    visit(shop, story)


def test_orders_alone_are_enough_for_overview_and_retention(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)

    async def story(user: User) -> None:
        for path, word in (
            ("/", "Revenue"),
            ("/retention", "buy again"),
            ("/customers", " customers</h2>"),
            ("/churn", "run"),
        ):
            await user.open(path)
            assert word in await settled(user), path

    visit(shop, story)


def test_an_insight_of_yours_has_a_page_with_no_edit_here(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, None, CameBack())
    shop.run()

    async def story(user: User) -> None:
        await user.open("/insights/came_back")
        said = await settled(user)
        assert "Who will buy again?" in said
        assert "half have over" in said
        await user.open("/")
        assert 'href="/insights/came_back"' in await settled(user)

    visit(shop, story)


def test_what_customers_wrote_or_are_called_is_never_markup(shop: Shop) -> None:
    async def story(user: User) -> None:
        for path in (*PAGES, "/customers/c003"):
            await user.open(path)
            await settled(user)
            for element in user._client.elements.values():
                assert NASTY not in str(element.props.get("innerHTML") or ""), path

    visit(shop, story)


def test_a_question_is_answered_with_its_source(shop: Shop) -> None:
    async def story(user: User) -> None:
        await user.open("/ask")
        await settled(user)
        field = next(iter(user.find("Question").elements))
        field.set_value("Can I return anything?")  # type: ignore[attr-defined]
        user.find(kind=ui.button, content="Ask").click()
        await user.should_see(content="within 30 days", retries=300)

    visit(shop, story)


def test_a_run_is_started_watched_and_stopped_from_the_page(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)

    async def story(user: User) -> None:
        await user.open("/data")
        await settled(user)
        user.find("Run now").click()
        await user.should_see(content="Running since", retries=300)
        user.find("Cancel the run").click()
        await user.should_see(content="The last run was cancelled", retries=300)
        assert [row["action"] for row in shop.access.audit()][-2:] == ["start", "cancel"]

    visit(shop, story)


# -- the door


def test_nobody_looks_before_they_log_in(guarded: Shop) -> None:
    async def story(user: User) -> None:
        for path in PAGES:
            answer = await user.http_client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
        assert await enter(user, "viewer", "a wrong password") == 401
        assert COOKIE not in user.http_client.cookies

    visit(guarded, story)


def test_a_form_from_elsewhere_is_refused(guarded: Shop) -> None:
    async def story(user: User) -> None:
        content = {"name": "admin", "password": PASSWORD, "form": "guessed"}
        answer = await user.http_client.post("/login", data=content)
        assert answer.status_code == 401
        assert "too old" in answer.text

    visit(guarded, story)


def test_a_login_never_leads_to_another_server_and_ends_with_the_session(guarded: Shop) -> None:
    async def story(user: User) -> None:
        await user.http_client.get("/login")
        form = user.http_client.cookies[FORM]
        content = {"name": "admin", "password": PASSWORD, "form": form}
        answer = await user.http_client.post("/login?next=//evil.example", data=content)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = next(k for k in answer.headers.get_list("set-cookie") if k.startswith(f"{COOKIE}="))
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert (await user.http_client.get("/")).status_code == 200
        await user.http_client.post("/logout")
        assert (await user.http_client.get("/")).status_code == 303

    visit(guarded, story)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_what_it_may(guarded: Shop, role: Role) -> None:
    async def story(user: User) -> None:
        assert await enter(user, role) == 303
        masked = role is Role.VIEWER
        for path in ("/", "/customers", "/customers/c001", "/churn", "/segments", "/voice", "/recommendations"):
            await user.open(path)
            said = await settled(user)
            assert not (masked and ("Ann Number" in said or "@example.org" in said)), path
            if path == "/customers/c001":
                assert ("Ann Number1" in said) != masked
                assert ("A. N." in said) == masked
        await user.open("/ask")
        assert ("needs the role analyst" in await settled(user)) == masked
        await user.open("/models")
        assert ("Let it answer" in await settled(user)) == (role is Role.ADMIN)

    visit(guarded, story)
