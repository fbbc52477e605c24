"""Simulated shops in workspaces, each made once for all tests of insights."""

from pathlib import Path

import pytest

import dongcha
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.sources.simulate import Simulated, simulate, write


def open_simulated(simulated: Simulated, folder: Path) -> Shop:
    """A workspace with the shop's orders, products and customers."""
    shop = dongcha.new(folder, currency="GBP")
    text = (folder / "dongcha.toml").read_text("utf-8").replace("folds = 4", "folds = 2")
    (folder / "dongcha.toml").write_text(text, "utf-8")
    write(simulated, folder / "raw")
    for name in ("orders", "products", "customers"):
        shop.load(folder / "raw" / f"{name}.parquet", name)
    return shop


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    """Large enough for what is planted to be found."""
    return simulate(1200, days=730, seed=3)


@pytest.fixture(scope="session")
def large_shop(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return open_simulated(simulated, tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Small, for what must hold at any size."""
    return open_simulated(simulate(250, days=400, seed=3), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def cutoff(shop: Shop) -> AsOf:
    """Far enough from the end for a whole horizon to follow."""
    return shop.as_of() - Horizon(120)
