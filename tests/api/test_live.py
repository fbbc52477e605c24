"""Answers at request time: the same as the batch's at the same moment, and as a re-score's a second after an event."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from tests.insights.conftest import open_simulated
from tests.small_shop import put

from dongcha import columns as c
from dongcha.api.app import create_app
from dongcha.api.live import Live, readiness
from dongcha.as_of import AsOf
from dongcha.assemble import Shop
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.live import LiveShop, live_folder
from dongcha.insight_kit.pretrained import Pretrained, _Lesson, day_of, history_of
from dongcha.insights.recommendation import contenders
from dongcha.jobs.hand_over import hand_over
from dongcha.jobs.study import Study
from dongcha.models.behaviour.model import BehaviourModel
from dongcha.sources.simulate import simulate
from dongcha.warehouse.tables import table

KINDS = {
    "recommendation": ("judged_counts", "past_purchases"),
    "churn": ("blend", "neural_net", "recency_rule"),
    "next_action": ("blend", "renewal"),
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
        self.fitted("churn", "recency_rule")
        return LiveShop.open(live_folder(self.shop.desk.models.folder) / "shop")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    return Kitchen(tmp_path_factory.mktemp("live"))


def alike(one: Mapping[str, Any], other: Mapping[str, Any], to: float = 1e-6) -> bool:
    """The same labels in the same order, the same numbers."""
    for name, value in other.items():
        mine = one[name]
        if isinstance(value, list):
            if [pair[c.LABEL] for pair in mine] != [pair[c.LABEL] for pair in value]:
                return False
            numbers = [[pair[c.VALUE] for pair in pairs] for pairs in (mine, value)]
            if not np.allclose(*numbers, atol=to, rtol=to):
                return False
        elif isinstance(value, float):
            if abs(mine - value) > to:
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


def test_the_behaviour_model_says_the_same_without_torch(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Untrained: what is asked is whether the files say what the network says, not whether it is right."""

    def untrained(facts: Facts, *, seed: int) -> Pretrained:
        import torch

        from dongcha.models.behaviour.network import Network, NetworkConfig

        lesson = _Lesson.of(history_of(facts).timeline, day_of(facts.as_of), seed)
        torch.manual_seed(seed)
        network = Network(lesson.timelines.paced().sizes, NetworkConfig()).eval()
        return Pretrained(lesson.vocabulary, BehaviourModel(network, ()))

    monkeypatch.setattr(contenders, "pretrain", untrained)
    batch = kitchen.fitted("recommendation", "behaviour_model").predict(kitchen.facts("recommendation"))
    answer = kitchen.opened("recommendation", "behaviour_model")
    found = one_by_one(kitchen, answer, batch[c.ENTITY_ID].to_list(), kitchen.now)
    same = [alike(one, other, 1e-4) for one, other in zip(found, batch.iter_rows(named=True), strict=True)]
    # Sums in another order differ in the last bits, and so may the order of two products that are as good as equal.
    assert np.mean(same) > 0.97


def ordered(customer: str, product: str, at: AsOf) -> dict[str, Any]:
    """A line of an order that comes in by the API."""
    line = {c.ORDER_ID: f"fresh-{customer}", c.LINE: 1, c.QUANTITY: 2.0, c.PRICE: 7.5, c.HAPPENED_AT: at.moment}
    return {"table": c.ORDERS, c.CUSTOMER_ID: customer, c.PRODUCT_ID: product, **line}


def viewed(customer: str, product: str, at: AsOf) -> dict[str, Any]:
    """An event that comes in by the API."""
    told = {c.MESSAGE_ID: f"fresh-{customer}-{product}", c.EVENT: c.PRODUCT_VIEWED, c.SESSION_ID: "s", c.CHANNEL: "web"}
    return {"table": c.EVENTS, c.CUSTOMER_ID: customer, c.PRODUCT_ID: product, c.HAPPENED_AT: at.moment, **told}


def loaded(rows: Sequence[Mapping[str, Any]], name: str) -> pl.DataFrame:
    """The rows of one table in the contract's exact types."""
    schema = table(name).schema
    whole = [{k: row.get(k) for k in schema} for row in rows if row["table"] == name]
    frame = pl.DataFrame(whole, schema={**schema, c.PRICE: pl.Float64()} if c.PRICE in schema else schema)
    return frame.with_columns(pl.col(c.HAPPENED_AT).alias(c.KNOWN_AT)).select(
        pl.col(k).cast(kind) for k, kind in schema.items()
    )


@pytest.fixture(scope="module")
def after(kitchen: Kitchen, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[Any]], dict[str, Study]]:
    """What each of some buyers did just after the cutoff; and studies of the shop into which all of it was loaded."""
    customers = kitchen.facts("churn").entities.gather_every(9).to_list()
    products = kitchen.live.catalogue[c.PRODUCT_ID].to_list()
    soon = AsOf(kitchen.now.moment + 60 * SECOND)
    fresh = {
        one: [viewed(one, products[3 * k + 1], soon), viewed(one, products[3 * k + 2], AsOf(soon.moment + SECOND))]
        + ([ordered(one, products[3 * k + 1], AsOf(soon.moment + 2 * SECOND))] if k % 2 else [])
        for k, one in enumerate(customers)
    }
    for name in ("recommendation", "churn", "next_action"):
        kitchen.fitted(name, KINDS[name][0])  # published before anything is added
    folder = tmp_path_factory.mktemp("after") / "shop"
    shutil.copytree(kitchen.shop.folder, folder)
    shop = Shop(folder)
    for name in (c.EVENTS, c.ORDERS):
        put(shop.lake, loaded([row for rows in fresh.values() for row in rows], name), name)
    later = AsOf(soon.moment + 3 * SECOND)
    return fresh, {name: Study(shop.desk, shop.insights[name], later) for name in KINDS}


def both(kitchen: Kitchen, after: Any, insight: str, name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Live and re-scored answers about those who did something since."""
    fresh, studies = after
    study, live = studies[insight], kitchen.live
    rescored = kitchen.fitted(insight, name).predict(study.facts(study.as_of))
    answer = kitchen.opened(insight, name)
    found = []
    for one, rows in fresh.items():
        mine = answer(live.facts(one, live.rows(one, rows), study.as_of)).row(0, named=True)
        found.append((mine, rescored.row(by_predicate=pl.col(c.ENTITY_ID) == one, named=True)))
    return found


@pytest.mark.parametrize("name", ["blend", "logistic_rfm"])
def test_after_an_event_churn_is_what_a_rescore_says(kitchen: Kitchen, after: Any, name: str) -> None:
    found = both(kitchen, after, "churn", name)
    assert all(alike(mine, theirs) for mine, theirs in found)


def test_after_an_event_every_feature_is_what_a_rescore_reads(kitchen: Kitchen, after: Any) -> None:
    fresh, studies = after
    facts = studies["churn"].facts(studies["churn"].as_of)
    for one, rows in fresh.items():
        mine = kitchen.live.facts(one, kitchen.live.rows(one, rows), facts.as_of).features.row(0, named=True)
        theirs = facts.features.row(by_predicate=pl.col(c.ENTITY_ID) == one, named=True)
        differ = {k: (mine[k], v) for k, v in theirs.items() if k != c.ENTITY_ID and not same(mine[k], v)}
        # What others pay for a product moves when they buy in the same minute; it is told as of the last publishing.
        assert set(differ) <= {"price_level"}, differ


def same(one: float | None, other: float | None) -> bool:
    return one is other is None or (one is not None and other is not None and abs(one - other) < 2e-6)


@pytest.mark.parametrize(
    ("insight", "column"), [("recommendation", "recommendations"), ("next_action", "next_actions")]
)
def test_after_an_event_lists_are_nearly_a_rescore_s(kitchen: Kitchen, after: Any, insight: str, column: str) -> None:
    """Not quite: what everybody buys is told as of the last publishing, and a re-score counts what others did since."""
    shared, moved = [], []
    before = kitchen.fitted(insight, KINDS[insight][0]).predict(kitchen.facts(insight))
    for mine, theirs in both(kitchen, after, insight, KINDS[insight][0]):
        once = before.row(by_predicate=pl.col(c.ENTITY_ID) == mine[c.ENTITY_ID], named=True)
        now, batch, then = ([pair[c.LABEL] for pair in one[column]] for one in (mine, theirs, once))
        shared.append(len(set(now) & set(batch)) / len(batch))
        moved.append(now != then)
    print(insight, "shared", np.mean(shared), "moved", np.mean(moved))
    assert np.mean(shared) > 0.9
    assert np.mean(moved) > 0.5


def test_what_happens_later_changes_nothing(kitchen: Kitchen) -> None:
    one, product = kitchen.facts("churn").entities[0], kitchen.live.catalogue[c.PRODUCT_ID][0]
    later = [ordered(one, product, AsOf(kitchen.now.moment + SECOND)), viewed(one, product, kitchen.now)]
    live = kitchen.live
    plain, with_later = (live.facts(one, live.rows(one, rows), kitchen.now) for rows in ((), later))
    assert plain.features.equals(with_later.features)
    assert plain.history is not None
    assert with_later.history is not None
    assert plain.history.timeline.equals(with_later.history.timeline)


def test_an_event_that_was_published_meanwhile_counts_once(kitchen: Kitchen) -> None:
    live = kitchen.live
    one = live.tables[c.EVENTS].frame[c.CUSTOMER_ID][0]
    stored = live.rows(one)[c.EVENTS]
    again = [{**row, "table": c.EVENTS} for row in stored]
    assert len(live.rows(one, again)[c.EVENTS]) == len(stored)


@pytest.fixture
def serving(kitchen: Kitchen, tmp_path: Path) -> Shop:
    """A copy of the workspace with one champion each, its clock a minute after the cutoff."""
    for insight, name in (("recommendation", "popular"), ("churn", "logistic_rfm"), ("next_action", "markov_chain")):
        kitchen.fitted(insight, name)
    kitchen.fitted("recommendation", "past_purchases")
    shutil.copytree(kitchen.shop.folder, tmp_path / "shop")
    shop = Shop(tmp_path / "shop", clock=lambda: kitchen.now.moment + 60 * SECOND)
    for insight, name in (("recommendation", "popular"), ("churn", "logistic_rfm"), ("next_action", "markov_chain")):
        promote(shop, insight, name)
    return shop


def promote(shop: Shop, insight: str, version: str) -> None:
    """Each promotion a second after the one before, whatever the shop's clock says."""
    made_at = shop.clock() + len(shop.ledger.audit()) * SECOND
    shop.ledger.promote(insight, version, made_at=made_at, actor="test", why="test")


def until(live: Live, version: str) -> None:
    """Ask until the version answers."""
    for _ in range(2000):
        if live.answer("recommendation", "c000001")["version"] == version:
            return
        live._renewing.acquire()
        live._renewing.release()
    raise AssertionError(f"{version} never answered")


def test_routes_say_who_answered_and_on_what(serving: Shop, kitchen: Kitchen) -> None:
    client = TestClient(create_app(serving), base_url="http://localhost")
    one = kitchen.facts("churn").entities[0]
    for path, version in (("recommendations", "popular"), ("churn", "logistic_rfm"), ("next-action", "markov_chain")):
        told = client.get(f"/v1/live/customers/{one}/{path}").raise_for_status().json()
        assert (told["version"], told["basis"], told["customer_id"]) == (version, "history", one)
        assert told["answer"]


def test_a_stranger_gets_what_is_popular_and_no_churn(serving: Shop) -> None:
    live = Live(serving)
    told = live.answer("recommendation", "nobody at all")
    assert told["basis"] == "popular"
    assert len(told["answer"]["recommendations"]) == 10
    assert live.answer("churn", "nobody at all")["answer"] is None
    about = live.answer("recommendation", "nobody at all", about={c.COUNTRY: "GB"})
    assert about["basis"] == "context"
    seen = live.answer("recommendation", "anonymous", [viewed("anonymous", "p00001", AsOf(serving.clock() - SECOND))])
    assert seen["basis"] == "history"


def test_a_swap_fails_no_request(serving: Shop) -> None:
    live, failed, done = Live(serving), list[str](), threading.Event()
    live.answer("recommendation", "c000001")

    def ask() -> None:
        while not done.is_set():
            try:
                live.answer("recommendation", "c000001")
            except Exception as error:
                failed.append(repr(error))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        for version in ("past_purchases", "popular", "past_purchases"):
            promote(serving, "recommendation", version)
            until(live, version)
    finally:
        done.set()
        for thread in asking:
            thread.join()
    assert not failed


def test_a_damaged_version_does_not_answer_and_is_told(serving: Shop) -> None:
    live = Live(serving)
    until(live, "popular")
    assert readiness(live) == (True, "")
    (live_folder(serving.desk.models.folder) / "recommendation" / "past_purchases" / "catalogue.arrow").unlink()
    promote(serving, "recommendation", "past_purchases")
    for _ in range(3):
        assert live.answer("recommendation", "c000001")["version"] == "popular"
        with live._renewing:
            pass
    ready, why = readiness(live)
    assert not ready
    assert "past_purchases" in why
    assert live.standing() == "answers by an older version: the newest cannot be opened"


def test_the_probe_opens_live_answers_and_metrics_tell_their_age(serving: Shop) -> None:
    client = TestClient(create_app(serving), base_url="http://localhost")
    said = []
    while not said or said[-1] == "being opened":
        answer = client.get("/readyz")
        said.append(answer.json()["parts"]["live"])
        assert answer.json()["ready"], "events are taken whatever live answers say"
    assert (said[0], said[-1]) == ("being opened", "ready")
    stamp = live_folder(serving.desk.models.folder) / "shop" / "stamp.json"
    os.utime(stamp, times=(serving.clock().timestamp() - 90,) * 2)
    ages = [line for line in client.get("/metrics").text.splitlines() if line.startswith("dongcha_live_age_seconds ")]
    assert [float(line.split()[1]) for line in ages] == [90.0]


def test_a_contender_reads_no_feature_that_it_does_not_name(kitchen: Kitchen) -> None:
    live, one = kitchen.live, kitchen.facts("churn").entities[0]
    for insight, name in EVERY:
        folder = kitchen.shop.desk.models.folder / insight / name
        kitchen.fitted(insight, name)
        contender = kitchen.shop.desk.models.unread(kitchen.shop.insights[insight], name)
        answer = contender.opened(folder, live_folder(folder.parents[1]) / insight / name)
        told, rows = contender.reads(), live.rows(one)
        assert told is not None
        few, whole = (live.facts(one, rows, kitchen.now, None, names) for names in (told, None))
        assert set(few.features.columns) == {c.ENTITY_ID, *told}
        assert answer(few).equals(answer(whole)), (insight, name)


def test_what_came_late_stands_where_it_happened(kitchen: Kitchen) -> None:
    live = kitchen.live
    one = live.lines.frame[c.CUSTOMER_ID][0]
    stored = live.timelines.of(one)
    between = AsOf(stored[c.HAPPENED_AT][0] + SECOND)
    late = viewed(one, live.catalogue[c.PRODUCT_ID][0], between)
    facts = live.facts(one, live.rows(one, [late]), AsOf(kitchen.now.moment + SECOND))
    assert facts.history is not None
    found = facts.history.timeline
    assert len(found) == len(stored) + 1
    assert found[c.HAPPENED_AT].is_sorted()
    mine = found.row(by_predicate=pl.col(c.HAPPENED_AT) == between.moment, named=True)
    assert mine[c.CATEGORY] == live.catalogue[c.CATEGORY][0]


def test_a_clock_that_is_behind_forgets_what_it_cannot_know(kitchen: Kitchen) -> None:
    one = kitchen.live.lines.frame[c.CUSTOMER_ID][0]
    timeline = kitchen.live.timelines.of(one)
    then = AsOf(timeline[c.HAPPENED_AT][len(timeline) // 2])
    facts = kitchen.live.facts(one, kitchen.live.rows(one), then)
    assert facts.history is not None
    assert facts.history.timeline.equals(timeline.filter(pl.col(c.HAPPENED_AT) < then.moment))


def test_serving_imports_nothing_heavy(serving: Shop) -> None:
    script = f"""
import sys
from pathlib import Path
from dongcha.assemble import Shop
from dongcha.api.live import Live
live = Live(Shop(Path({str(serving.folder)!r})))
for name in ("recommendation", "churn", "next_action"):
    live.answer(name, "c000001")
print([name for name in ("torch", "lightgbm", "sklearn") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
