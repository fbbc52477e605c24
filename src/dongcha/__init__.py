"""Dongcha: from a shop's raw data to insight about its customers.

import dongcha
shop = dongcha.open("shop")
shop.load("orders.csv", "orders")
shop.run()
shop.scores("churn")        # a Polars frame
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from dongcha.as_of import AsOf, Horizon
from dongcha.errors import (
    AccessError,
    BusyError,
    ConflictError,
    ContractError,
    DongchaError,
    InputError,
    MissingDataError,
    SettingsError,
    StoreError,
    ThrottledError,
    UnknownError,
    UsageError,
)

if TYPE_CHECKING:
    from dongcha.assemble import Shop

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "AsOf",
    "BusyError",
    "ConflictError",
    "ContractError",
    "DongchaError",
    "Horizon",
    "InputError",
    "MissingDataError",
    "SettingsError",
    "StoreError",
    "ThrottledError",
    "UnknownError",
    "UsageError",
    "__version__",
    "new",
    "open",
]


def open(workspace: str | os.PathLike[str], *, progress: Callable[[str, int, int], None] | None = None) -> Shop:
    """Open the workspace in a folder; `progress` is called as (what, done, of) during long work."""
    from pathlib import Path

    from dongcha.assemble import Shop

    return Shop(Path(workspace), progress=progress)


def new(folder: str | os.PathLike[str], **shop: str) -> Shop:
    """Make a workspace and open it; keywords are keys of `[shop]` in dongcha.toml (name, language, currency, …)."""
    from pathlib import Path

    from dongcha.assemble import Shop, new_workspace

    new_workspace(Path(folder), **shop)
    return Shop(Path(folder))
