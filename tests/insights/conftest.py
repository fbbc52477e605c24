"""Simulated shops in workspaces, each made once for all tests of insights."""

from pathlib import Path

import polars as pl
import pytest
from tests.small_shop import put

import dongcha
from dongcha.as_of import AsOf, Horizon
from dongcha.assemble import Shop
from dongcha.sources.simulate import Simulated, simulate, write
from dongcha.warehouse.engine import Engine
from dongcha.warehouse.lake import Lake


def open_simulated(simulated: Simulated, folder: Path, *also: str) -> Shop:
    """A workspace with the shop's orders, products and customers, and `also` these tables."""
    shop = dongcha.new(folder, currency="GBP")
    text = (folder / "dongcha.toml").read_text("utf-8").replace("folds = 4", "folds = 2")
    (folder / "dongcha.toml").write_text(text, "utf-8")
    write(simulated, folder / "raw")
    for name in ("orders", "products", "customers", *also):
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


@pytest.fixture(scope="session")
def truncated(shop: Shop, cutoff: AsOf, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return cut(shop, cutoff, tmp_path_factory.mktemp("past"))


def cut(shop: Shop, cutoff: AsOf, folder: Path) -> Lake:
    """The lake as it would be had nothing happened after the cutoff."""
    lake = Lake(folder / "lake", Engine())
    for name in shop.lake.tables():
        rows = shop.lake.engine.to_polars(shop.lake.engine.read(shop.lake.files(name)))
        put(lake, rows.filter(pl.col("happened_at") < cutoff.moment, pl.col("known_at") <= cutoff.moment), name)
    return lake


@pytest.fixture(scope="session")
def talking_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Small, with what its customers say."""
    return open_simulated(simulate(400, days=500, seed=3), tmp_path_factory.mktemp("talking"), "reviews", "messages")


@pytest.fixture(scope="session")
def talking_truncated(talking_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Its lake had nothing happened after the cutoff."""
    return cut(talking_shop, talking_shop.as_of() - Horizon(120), tmp_path_factory.mktemp("talked"))


@pytest.fixture(scope="session")
def guarded_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Of a size at which fraud is found, with what became of its orders."""
    return open_simulated(simulate(2000, days=600, seed=3), tmp_path_factory.mktemp("guarded"), "outcomes")


@pytest.fixture(scope="session")
def guarded_truncated(guarded_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Its lake had nothing happened after the cutoff."""
    return cut(guarded_shop, guarded_shop.as_of() - Horizon(120), tmp_path_factory.mktemp("guarded_past"))
