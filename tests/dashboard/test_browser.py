"""A real browser walks every page, light and dark, on phone and wide: no error, and nothing leaves the machine."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import polars as pl
import pytest
from tests.dashboard.visiting import PAGES, PASSWORD
from tests.told_shop import CUSTOMERS, told_shop

from dongcha.access.scopes import Role

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = which("chromium") or which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
    pytest.mark.slow,
]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
LOOKS = (("light", "en", 1440), ("dark", "zh", 390))
SECONDS = 120_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_shop(tmp_path_factory.mktemp("walked") / "shop").folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """`dongcha serve` in a process of its own."""
    command = [sys.executable, "-m", "dongcha.cli.main", "serve", "--port", "0", "--text-logs", "-w", str(folder)]
    environment = {**os.environ, "COLUMNS": "200"}
    with (folder / "serve.log").open("w+") as log:
        server = subprocess.Popen(command, stderr=log, stdout=log, env=environment)
        try:
            found = None
            while found is None:
                assert server.poll() is None, (folder / "serve.log").read_text("utf-8")
                found = re.search(r"http://127\.0\.0\.1:\d+", (folder / "serve.log").read_text("utf-8"))
            yield found[0]
        finally:
            server.terminate()
            server.wait(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


class Visit:
    """A tab that notes what goes wrong and whatever is asked of another machine."""

    def __init__(self, browser: Any, address: str, theme: str, language: str, width: int) -> None:
        self.address, self.wrong = address, list[str]()
        self.context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        look = {"dongcha_theme": theme, "dongcha_language": language}
        self.context.add_cookies([{"name": k, "value": v, "url": address} for k, v in look.items()])
        self.page = self.context.new_page()
        self.page.set_default_timeout(SECONDS)
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.wrong.append(f"asked another machine: {request.url}")

    def open(self, path: str) -> None:
        """Open a page and wait until it is filled in."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector(".dc-top h1")
        self.page.wait_for_selector(".wait", state="detached")

    def contrast(self) -> list[str]:
        """Texts whose contrast with what they stand on is below WCAG's AA."""
        found: list[str] = self.page.evaluate(CONTRAST)
        return found


CONTRAST = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = (color) => color.slice(0, 3).reduce((sum, v, k) => sum + linear(v / 255) * [.2126, .7152, .0722][k], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll('.dc *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(e);
    const shown = e.offsetParent && style.visibility !== 'hidden' && !e.closest('[disabled], .disabled, .q-icon');
    if (!own || !shown) continue;
    const [a, b] = [light(rgb(style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const least = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    if (ratio < least) low.push(`${e.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""
UNNAMED = """() => [...document.querySelectorAll('.dc button, .dc a')]
  .filter((e) => !(e.textContent.trim() || e.ariaLabel)).map((e) => e.outerHTML)"""


@pytest.mark.parametrize(("theme", "language", "width"), LOOKS)
def test_every_page_stands_in_a_real_browser(browser: Any, address: str, theme: str, language: str, width: int) -> None:
    visit = Visit(browser, address, theme, language, width)
    for path in PAGES:
        visit.open(path)
        assert visit.wrong == [], path
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert visit.page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
        assert visit.contrast() == [], path
        assert visit.page.evaluate(UNNAMED) == [], path
    visit.context.close()


def test_filters_files_language_and_theme_work_by_hand(browser: Any, address: str, tmp_path: Path) -> None:
    visit = Visit(browser, address, "light", "en", 1440)
    page = visit.page
    visit.open("/customers")
    page.get_by_label("Name, id, e-mail or place").fill("number7")
    page.get_by_role("heading", name="1 customer", exact=True).wait_for()
    with page.expect_download() as got:
        page.get_by_role("button", name="Save CSV").click()
    got.value.save_as(tmp_path / "customers.csv")
    assert len((tmp_path / "customers.csv").read_text("utf-8-sig").splitlines()) == 2
    page.get_by_role("link", name="Ann Number7").click()
    page.get_by_role("heading", name="Ann Number7").wait_for()
    with page.expect_download() as got:
        page.get_by_role("button", name="Save as picture (PNG)").first.click()
    got.value.save_as(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    page.get_by_role("button", name="中文").click()
    page.get_by_text("客户列表").wait_for()
    page.get_by_role("button", name="深色").click()
    page.wait_for_selector("body.body--dark")
    visit.open("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    assert visit.wrong == []
    visit.context.close()


def test_a_rule_is_written_by_hand_and_its_audience_saved(browser: Any, address: str, tmp_path: Path) -> None:
    visit = Visit(browser, address, "dark", "en", 1440)
    page = visit.page
    visit.open("/customers")
    page.get_by_label("Rule over any answer").fill("satisfaction > 2.5")
    found = page.get_by_text("together worth").locator("xpath=preceding-sibling::h2")
    page.wait_for_function("() => !document.querySelector('.found h2').textContent.startsWith('30 ')")
    count = int(found.inner_text().split()[0])
    page.get_by_role("button", name="Would rate").click()
    page.wait_for_selector('th[aria-sort="descending"]:has-text("Would rate")')
    stars = [float(text) for text in page.locator("table.list tbody td:last-child").all_inner_texts()]
    assert stars == sorted(stars, reverse=True)
    assert len(stars) == count
    assert min(stars) >= 2.5
    with page.expect_download() as got:
        page.get_by_role("button", name="Save CSV").click()
    got.value.save_as(tmp_path / "customers.csv")
    saved = pl.read_csv((tmp_path / "customers.csv").read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert len(saved) == count
    assert saved["satisfaction"].min() > 2.5  # type: ignore[operator]
    page.get_by_label("Rule over any answer").fill("satisfaction >")
    page.get_by_role("alert").filter(has_text="cannot be read").wait_for()
    assert visit.contrast() == []
    assert visit.wrong == []
    visit.context.close()


def test_each_role_logs_in_and_out_by_hand(browser: Any, folder: Path, address: str, tmp_path: Path) -> None:
    import dongcha

    shop = dongcha.open(folder)
    for role in Role:
        shop.access.people.add(role, role, PASSWORD, actor="a test")
    assert httpx.get(f"{address}/customers").status_code == 303
    for role in Role:
        visit = Visit(browser, address, "light", "en", 1440)
        page = visit.page
        page.goto(f"{address}/customers/c001")
        page.get_by_label("Name").fill(role)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="A. N." if role is Role.VIEWER else "Ann Number1", exact=True).first.wait_for()
        visit.open("/customers")
        with page.expect_download() as got:
            page.get_by_role("button", name="Save CSV").click()
        got.value.save_as(tmp_path / f"{role}.csv")
        saved = (tmp_path / f"{role}.csv").read_text("utf-8-sig")
        assert len(saved.splitlines()) == 1 + CUSTOMERS
        assert ("@example.org" in saved) == ("Ann Number" in saved) == (role is not Role.VIEWER)
        assert visit.wrong == []
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("heading", name="Log in").wait_for()
        visit.context.close()
