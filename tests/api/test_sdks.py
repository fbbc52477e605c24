"""Both official SDKs, unchanged, against a real server that is killed meanwhile: nothing acknowledged is lost."""

from pathlib import Path

import pytest
from benchmarks.ingest_crashes import survive


@pytest.mark.parametrize(("sdk", "port"), [("rudder", 18141), ("segment", 18142)])
def test_what_an_sdk_delivered_is_in_the_lake_once_though_the_server_was_killed(
    sdk: str, port: int, tmp_path: Path
) -> None:
    found = survive(tmp_path / "shop", sdk, events=1500, kills=2, seed=7, port=port)
    assert (found.lost, found.doubled, found.orders_wrong, found.traits_wrong, found.given_up) == (0, 0, 0, 0, 0)
    assert found.events == 1500
