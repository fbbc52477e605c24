"""Answers at request time: the same as the batch's at the same moment, and as a re-score's a second after an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.insights.conftest import open_simulated

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.insight_kit.base import Contender, Facts
from dongcha.insight_kit.live import LiveShop, live_folder
from dongcha.jobs.hand_over import hand_over
from dongcha.jobs.study import Study
from dongcha.sources.simulate import simulate

KINDS = {
    "recommendation": ("judged_counts", "popular", "context", "item_knn", "past_purchases"),
    "churn": ("blend", "boosting", "neural_net", "logistic_rfm", "recency_rule"),
    "next_action": ("blend", "markov_chain", "renewal"),
}
EVERY = [(insight, name) for insight, names in KINDS.items() for name in names]
SECOND = timedelta(seconds=1)


class Kitchen:
    """A small shop whose contenders are fitted at one cutoff, each once, and published as versions."""

    def __init__(self, folder: Path) -> None:
        self.shop = open_simulated(simulate(130, days=400, seed=3), folder, "events", "reviews")
        self.now = self.shop.as_of()
        self.studies = {name: Study(self.shop.desk, self.shop.insights[name], self.now) for name in KINDS}

    def fitted(self, insight: str, name: str) -> Contender:
        """The contender, published as the version of its own name."""
        made = self.studies[insight].fitted(name, self.now)
        folder = self.shop.desk.models.folder / insight / name
        if not folder.exists():
            self.shop.desk.models.save(self.shop.insights[insight], name, made)
            hand_over(self.studies[insight], name, made, self.facts(insight))
        return made

    def facts(self, insight: str) -> Facts:
        return self.studies[insight].lesson(self.now)[1]

    def opened(self, insight: str, name: str) -> Any:
        """The same version as a server opens it."""
        self.fitted(insight, name)
        models = self.shop.desk.models
        fresh = models.unread(self.shop.insights[insight], name)
        return fresh.opened(models.folder / insight / name, live_folder(models.folder) / insight / name)

    def promote(self, insight: str, name: str) -> None:
        self.fitted(insight, name)
        self.shop.ledger.promote(insight, name, made_at=self.shop.clock(), actor="test", why="test")

    @property
    def live(self) -> LiveShop:
        return LiveShop.open(live_folder(self.shop.desk.models.folder) / "shop")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    return Kitchen(tmp_path_factory.mktemp("live"))


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same labels in the same order, the same numbers to 1e-6."""
    for name, value in other.items():
        mine = one[name]
        if isinstance(value, list):
            if [pair[c.LABEL] for pair in mine] != [pair[c.LABEL] for pair in value]:
                return False
            numbers = [[pair[c.VALUE] for pair in pairs] for pairs in (mine, value)]
            if not np.allclose(*numbers, atol=1e-6, rtol=1e-6):
                return False
        elif isinstance(value, float):
            if abs(mine - value) > 1e-6:
                return False
        elif mine != value:
            return False
    return True


def one_by_one(kitchen: Kitchen, answer: Any, entities: Sequence[str], now: AsOf) -> list[dict[str, Any]]:
    live = kitchen.live
    return [answer(live.facts(one, live.rows(one), now)).row(0, named=True) for one in entities]


@pytest.mark.parametrize(("insight", "name"), EVERY)
def test_with_nothing_new_everybody_gets_the_batch_s_answer(kitchen: Kitchen, insight: str, name: str) -> None:
    batch = kitchen.fitted(insight, name).predict(kitchen.facts(insight))
    found = one_by_one(kitchen, kitchen.opened(insight, name), batch[c.ENTITY_ID].to_list(), kitchen.now)
    differ = [one for one, other in zip(found, batch.iter_rows(named=True), strict=True) if not alike(one, other)]
    assert not differ, f"{len(differ)} of {len(batch)} differ, first {differ[0]}"
