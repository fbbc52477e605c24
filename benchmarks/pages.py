"""The dashboard's pages: how long each takes the first time and again, and pictures of all of them.

    python -m benchmarks.pages WORKSPACE [--only /churn …] [--pictures DIR] [--looks light-en-1440 …] [--port 18430]

Starts `dongcha serve` on WORKSPACE, which nobody else serves and which has no keys, and walks every page of its
navigation and one customer's in Debian's Chromium. One line a page: milliseconds until it is whole, of the browser's
clock, and of the server's processors, both the first time after the start and the second time. With `--pictures` each
page is instead photographed in each look (theme-language-width), as DIR/LOOK/PAGE.png: whole, or its first `--height`
pixels, in 256 colours where Pillow is installed. The README's pictures are `dongcha demo`'s shop by

    python -m benchmarks.pages SHOP --pictures DIR --height 1080 --looks light-en-1440 --only / /customers/c001329
    python -m benchmarks.pages SHOP --pictures DIR --height 1080 --looks dark-zh-1440 --only /segments
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
LOOKS: Final = [f"{t}-{k}-{w}" for t in ("light", "dark") for k in ("en", "zh") for w in (1440, 390)]
PATIENCE_MS: Final = 180_000
SETTLED_MS: Final = 900
"""After which charts have stopped moving."""
COLOURS: Final = 256
TICKS: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def served(workspace: Path, port: int) -> Iterator[tuple[str, int]]:
    """The address of `dongcha serve` and its process, until the block ends."""
    command = [
        sys.executable,
        "-m",
        "dongcha.cli.main",
        "serve",
        "--port",
        str(port),
        "--text-logs",
        "-w",
        str(workspace),
    ]
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "COLUMNS": "200"})
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", Path(log.name).read_text("utf-8"))):
                if server.poll() is not None:
                    raise SystemExit(Path(log.name).read_text("utf-8"))
                time.sleep(0.05)
            yield found[0], server.pid
        finally:
            server.terminate()
            server.wait(60)


def processor_seconds(process: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def whole(page: Page, address: str) -> float:
    """Open a page and wait until nothing on it is waited for; milliseconds."""
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".dc-top h1, .door h1")
    page.wait_for_selector(".wait", state="detached")
    return 1000 * (time.perf_counter() - began)


def pages_of(page: Page, address: str) -> list[str]:
    """Every page of the navigation, and the first customer's of the list."""
    whole(page, address)
    found: list[str] = page.eval_on_selector_all(".dc-nav a", "all => all.map((a) => a.getAttribute('href'))")
    page.goto(f"{address}/customers")
    page.wait_for_timeout(3 * SETTLED_MS)
    customers: list[str] = page.eval_on_selector_all(
        "a[href^='/customers/']", "all => all.map((a) => a.getAttribute('href'))"
    )
    return [*found, *customers[:1]]


def tab(browser: Browser, address: str, look: str) -> Page:
    """A tab with the look's cookies."""
    theme, language, width = look.split("-")
    context = browser.new_context(viewport={"width": int(width), "height": 900})
    chosen = {"dongcha_theme": theme, "dongcha_language": language}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in chosen.items()])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def measure(browser: Browser, address: str, process: int, paths: Sequence[str]) -> None:
    page = tab(browser, address, LOOKS[0])
    for path in paths:
        times: list[float] = []
        for _ in range(2):
            before = processor_seconds(process)
            times += [whole(page, address + path), 1000 * (processor_seconds(process) - before)]
        first, cpu, again, cpu_again = times
        told = f"first {first:8.0f} ms ({cpu:6.0f} of processor)   again {again:7.0f} ms ({cpu_again:5.0f})"
        print(f"{path:28} {told}", flush=True)
    page.context.close()


def photograph(browser: Browser, address: str, paths: Sequence[str], options: Any) -> None:
    folder: Path = options.pictures
    for look in options.looks:
        page = tab(browser, address, look)
        if options.height:
            page.set_viewport_size({"width": int(look.split("-")[-1]), "height": options.height})
        (folder / look).mkdir(parents=True, exist_ok=True)
        for path in paths:
            whole(page, address + path)
            page.wait_for_timeout(SETTLED_MS)
            name = "customer" if path.startswith("/customers/") else path.strip("/").replace("/", "-") or "overview"
            page.screenshot(path=folder / look / f"{name}.png", full_page=not options.height)
            fewer_colours(folder / look / f"{name}.png")
        page.context.close()


def fewer_colours(file: Path) -> None:
    """A picture of flat areas in a third of the bytes, where Pillow is installed."""
    try:
        from PIL import Image
    except ImportError:
        return
    Image.open(file).convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        file, optimize=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--looks", nargs="*", default=LOOKS)
    parser.add_argument("--height", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--port", type=int, default=18430)
    options: Any = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or which("chromium-browser"), args=list(FLAGS)
        )
        paths = options.only
        if not paths:
            with served(options.workspace, options.port) as (address, _):
                paths = pages_of(tab(browser, address, LOOKS[0]), address)
        with served(options.workspace, options.port) as (address, process):
            if options.pictures is None:
                measure(browser, address, process, paths)
            else:
                photograph(browser, address, paths, options)
        browser.close()


if __name__ == "__main__":
    main()
