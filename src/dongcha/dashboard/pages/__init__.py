"""The pages, one file each: `PAGE` says where it is and draws it."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from dongcha.dashboard.data import Data
from dongcha.dashboard.pages.answer import page_of
from dongcha.dashboard.shell import Page

INSIGHT: Final = ("overview", "customers", "customer", "segments", "retention", "churn", "recommendations", "voice")
MACHINE: Final = ("ask", "models", "data")


def own_pages() -> list[Page]:
    """The pages that are always there."""
    return [_page(module) for module in (*INSIGHT, *MACHINE)]


def listed_pages(data: Data) -> list[Page]:
    """Our pages in the order of the navigation, and one for each insight that none of them tells."""
    ours, after = ([_page(module) for module in modules] for modules in (INSIGHT, MACHINE))
    told = {name for page in ours for name in page.tells}
    return [*ours, *(page_of(insight.name) for insight in data.insights() if insight.name not in told), *after]


def _page(module: str) -> Page:
    found: Page = import_module(f"dongcha.dashboard.pages.{module}").PAGE
    return found
