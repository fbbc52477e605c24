"""A shop in which every insight has answered, and the same with one person of each role."""

from pathlib import Path

import pytest
from tests.dashboard.visiting import PASSWORD
from tests.told_shop import told_shop

from dongcha.access.access import Access
from dongcha.access.scopes import Role
from dongcha.assemble import Shop, utc_now


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return told_shop(tmp_path_factory.mktemp("told") / "shop")


@pytest.fixture
def guarded(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with one person of each role."""
    access = Access(tmp_path, utc_now)
    for role in Role:
        access.people.add(role, role, PASSWORD, actor="a test")
    monkeypatch.setitem(shop.__dict__, "access", access)
    return shop
