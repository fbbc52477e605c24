"""A simulated shop in a workspace, made once for all tests of insights."""

from pathlib import Path

import pytest

import dongcha
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.sources.simulate import Simulated, simulate, write

CUSTOMERS = 400


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    return simulate(CUSTOMERS, days=500, seed=3)


@pytest.fixture(scope="session")
def shop(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    shop = dongcha.new(folder, currency="GBP")
    text = (folder / "dongcha.toml").read_text("utf-8").replace("folds = 4", "folds = 2")
    (folder / "dongcha.toml").write_text(text, "utf-8")
    write(simulated, folder / "raw")
    for name in ("orders", "products", "customers"):
        shop.load(folder / "raw" / f"{name}.parquet", name)
    return shop


@pytest.fixture(scope="session")
def cutoff(shop: Shop) -> AsOf:
    """Far enough from the end for a whole horizon to follow."""
    return shop.as_of() - Horizon(120)
