"""Visiting the dashboard in tests: without a browser, as somebody, and what a page then says."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.testing import User, user_simulation

from dongcha.assemble import Shop
from dongcha.dashboard.door import FORM
from dongcha.dashboard.mount import open_pages

PAGES = (
    "/", "/customers", "/customers/c001", "/segments", "/retention", "/churn", "/recommendations", "/voice", "/models",
    "/data", "/ask", "/insights/behaviour", "/insights/next_action", "/insights/satisfaction", "/insights/portrait",
)  # fmt: skip


PASSWORD = "a long sentence about mugs"
BROKEN = ("could not be drawn", "此页无法显示")


def visit(shop: Shop, story: Callable[[User], Awaitable[None]]) -> None:
    """Let somebody visit the dashboard of a shop."""

    async def told() -> None:
        async with user_simulation(lambda: None) as user:
            open_pages(shop)
            await story(user)

    asyncio.run(told())


async def settled(user: User) -> str:
    """What the page says once it is filled in."""
    for _ in range(400):
        if not [k for k in user.find(ui.element).elements if "wait" in k.classes]:
            break
        await asyncio.sleep(0.05)
    said = []
    for element in user._client.elements.values():
        said += [str(element.props.get(name) or "") for name in ("innerHTML", "label", "placeholder")]
        said.append(getattr(element, "text", "") or "")
        if isinstance(element, ui.echart):
            said.append(str(element.options))
    return "\n".join(said)


async def enter(user: User, name: str, password: str = "") -> int:
    """Log in through the form; the answer's status."""
    await user.http_client.get("/login")
    form = user.http_client.cookies[FORM]
    content = {"name": name, "password": password or PASSWORD, "form": form}
    return (await user.http_client.post("/login?next=//evil.example", data=content)).status_code
