"""Orders that are being placed are judged as the batch will judge them, by whoever is champion then."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from tests.insights.conftest import open_simulated

from dongcha import columns as c
from dongcha.api.app import create_app
from dongcha.jobs.hand_over import hand_over
from dongcha.jobs.order_study import OrderStudy
from dongcha.sources.simulate import simulate
from dongcha.warehouse.inbox.message import Message

KINDS = {"boosting": "v1", "logistic": "v2"}
NEW = {"order_id": "new", "customer_id": "nobody we know", "lines": [{"quantity": 1, "price": 20.0}]}


class Till:
    """A shop whose champions were handed over, and a client of its service."""

    def __init__(self, folder: Path) -> None:
        self.shop = open_simulated(simulate(900, days=400, seed=3), folder, "outcomes")
        self.study = OrderStudy(self.shop.desk, self.shop.insights["risk"], self.shop.as_of())
        self.facts = self.study.lesson(self.study.as_of)[1]
        for name, version in KINDS.items():
            made = self.study.fitted(name, self.study.as_of)
            self.shop.desk.models.save(self.study.insight, version, made)
            hand_over(self.study, version, made, self.facts)
        self.promote("boosting")
        self.client = TestClient(create_app(self.shop), base_url="http://localhost")

    def promote(self, name: str) -> None:
        now = self.shop.clock()
        self.shop.ledger.promote("risk", KINDS[name], made_at=now, actor="test", why="test")

    def batch(self, name: str) -> dict[str, float]:
        answer = self.study.fitted(name, self.study.as_of).predict(self.facts)
        return dict(answer.select(c.ENTITY_ID, "risk_probability").iter_rows())

    def judge(self, *orders: dict[str, Any], language: str = "en") -> Any:
        return self.client.post(f"/v1/risk/orders?language={language}", json={"orders": list(orders)})

    def stored(self, order_id: str) -> dict[str, Any]:
        """An order of the lake as one would have asked about it when it was placed."""
        kept = self.shop.lake.engine.to_polars(self.shop.lake.engine.read(self.shop.lake.files(c.ORDERS)))
        lines = kept.filter(pl.col(c.ORDER_ID) == order_id).sort(c.LINE)
        extras = lines.select(pl.col(c.EXTRAS).str.json_decode(pl.Struct(dict.fromkeys(EXTRAS, pl.String)))).row(0)[0]
        first = lines.row(0, named=True)
        return {
            "order_id": order_id,
            "customer_id": first[c.CUSTOMER_ID],
            "happened_at": first[c.HAPPENED_AT].isoformat(),
            "lines": [
                {k: float(v) if k != c.PRODUCT_ID else v for k, v in row.items()}
                for row in lines.select(c.PRODUCT_ID, c.QUANTITY, c.PRICE, c.DISCOUNT).iter_rows(named=True)
            ],
            **extras,
        }


EXTRAS = ("channel", "payment", "ship_city")


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Till:
    return Till(tmp_path_factory.mktemp("till"))


def test_an_order_is_judged_as_the_batch_judges_it(till: Till) -> None:
    batch = till.batch("boosting")
    riskiest = sorted(batch, key=lambda one: -batch[one])[:12]
    answer = till.judge(*map(till.stored, riskiest)).json()
    assert [one["order_id"] for one in answer["orders"]] == riskiest
    assert {one["order_id"]: one["risk_probability"] for one in answer["orders"]} == {k: batch[k] for k in riskiest}
    assert answer["version"] == "v1"


def test_reasons_are_the_batch_s_and_said_in_both_languages(till: Till) -> None:
    batch = till.batch("boosting")
    order = till.stored(max(batch, key=lambda one: batch[one]))
    contender = till.study.fitted("boosting", till.study.as_of)
    row = till.facts.entities.to_list().index(order["order_id"])
    names, pushes = contender.contributions(till.facts)
    english, chinese = (till.judge(order, language=k).json()["orders"][0]["reasons"] for k in ("en", "zh"))
    for reason in english:
        assert reason["effect"] == pytest.approx(pushes[row, names.index(reason["feature"])])
        assert reason["typical"] == contender.typical_values([reason["feature"]], pushes)[0]
    assert [r["text"] for r in english] != [r["text"] for r in chinese]
    assert abs(english[0]["effect"]) == pytest.approx(max(abs(pushes[row])))


def test_who_is_not_known_is_judged_too(till: Till) -> None:
    one, nobody = till.judge(NEW, {**NEW, "order_id": "other", "customer_id": None}).json()["orders"]
    assert 0 < one["risk_probability"] < 1
    assert 0 < nobody["risk_probability"] < 1


def test_what_is_known_of_a_new_customer_may_be_told(till: Till) -> None:
    here = {**NEW, "ship_city": "Leeds", "account": {"city": "leeds"}}
    there = {**here, "order_id": "other", "customer_id": "another", "account": {"city": "York"}}
    live = till.client.app.state.live.world().orders[0]  # type: ignore[attr-defined]
    one, other = till.judge(here).json(), till.judge(there).json()
    assert one["orders"][0]["risk_probability"] < other["orders"][0]["risk_probability"]
    assert live.people.index.keys() & {"another", "nobody we know"} == set()


def test_an_order_of_a_second_ago_counts(till: Till) -> None:
    """It is in the inbox, and not in the lake yet."""
    asked = {**NEW, "customer_id": "quick"}
    before = till.judge(asked).json()["orders"][0]
    now = till.shop.clock() - timedelta(seconds=1)
    body = b'{"type":"track","userId":"quick","event":"Order Completed","properties":{"order_id":"q1","products":'
    body += b'[{"product_id":"p00001","price":900,"quantity":1}]}}'
    till.shop.inbox.add([Message(id="m1", customer="quick", body=body, received_at=now)])
    world = till.client.app.state.live.world()  # type: ignore[attr-defined]
    line = {**asked["lines"][0], c.ORDER_ID: "new", c.CUSTOMER_ID: "quick", c.HAPPENED_AT: till.shop.clock()}
    fresh = till.shop.inbox.recent("quick")
    facts = world.orders[0].facts({"new": [line]}, fresh, (), till.study.as_of)
    assert facts.column("orders_before_1h").tolist() == [1.0]
    assert facts.column("spend_before_1h").tolist() == [900.0]
    assert before["risk_probability"] != till.judge(asked).json()["orders"][0]["risk_probability"]


def test_a_promotion_by_another_process_changes_who_answers(till: Till) -> None:
    order = till.stored(next(iter(till.batch("logistic"))))
    till.promote("logistic")
    try:
        for _ in range(200):
            answer = till.judge(order)
            assert answer.status_code == 200
            if answer.json()["version"] == "v2":
                break
        else:
            pytest.fail("the new champion never answered")
        assert answer.json()["orders"][0]["risk_probability"] == pytest.approx(
            till.batch("logistic")[order["order_id"]]
        )
    finally:
        till.promote("boosting")


@pytest.mark.parametrize(
    "order",
    [
        {**NEW, "happened_at": "2999-01-01T00:00:00Z"},
        {**NEW, "lines": [{"quantity": 1e6, "price": 1e9}]},
    ],
    ids=["in the future", "worth too much"],
)
def test_what_cannot_be_an_order_is_refused(till: Till, order: dict[str, Any]) -> None:
    answer = till.judge(order)
    assert answer.status_code == 400
    assert answer.json()["mend"]


def test_two_orders_of_one_id_are_refused(till: Till) -> None:
    assert till.judge(NEW, NEW).status_code == 400


def test_where_no_outcomes_are_known_it_says_what_to_do(tmp_path: Path) -> None:
    import dongcha

    client = TestClient(create_app(dongcha.open(tmp_path)), base_url="http://localhost")
    answer = client.post("/v1/risk/orders", json={"orders": [NEW]})
    assert answer.status_code == 409


def test_judging_imports_nothing_heavy(till: Till) -> None:
    """With reasons, which LightGBM is not needed for."""
    program = f"""
import sys, dongcha
from datetime import datetime, UTC
from dongcha.api.live import Live
line = {{"order_id": "x", "quantity": 1.0, "price": 9.0, "happened_at": datetime.now(UTC)}}
told = Live(dongcha.open({str(till.shop.folder)!r})).judge("risk", {{"x": [line]}})
assert told["orders"][0]["reasons"], told
heavy = {{"torch", "lightgbm", "sklearn"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
