"""The read routes: what a program asks about customers, insights, audiences and models, and who may ask it."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import HERE
from tests.published_shop import IDS, conclude, published_shop
from tests.small_shop import CameBack, open_shop

from dongcha.access.scopes import Caller, Scope
from dongcha.api import guard
from dongcha.api.app import create_app
from dongcha.api.customer_shapes import Customer, Timeline
from dongcha.api.routes.insights import Scores
from dongcha.assemble import Shop
from dongcha.errors import UnknownError


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = published_shop(tmp_path_factory.mktemp("w") / "shop")
    made.publish()
    return made


@pytest.fixture(scope="module")
def app(shop: Shop) -> FastAPI:
    return create_app(shop)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url=HERE, raise_server_exceptions=False)


@pytest.fixture
def calling(monkeypatch: pytest.MonkeyPatch) -> list[Caller]:
    """Who calls: by default with every scope; append another."""
    callers = [Caller("", "everybody", frozenset(Scope))]

    async def identify(request: object, secret: str | None = None) -> Caller:
        return callers[-1]

    monkeypatch.setattr(guard, "identify", identify)
    return callers


@pytest.mark.parametrize("customer", IDS)
def test_a_portrait_comes_with_its_story_whatever_the_id(client: TestClient, shop: Shop, customer: str) -> None:
    answered = client.get(f"/v1/customers/{quote(customer, safe='')}")
    assert answered.status_code == 200
    expected = orjson.loads(orjson.dumps({**shop.profile(customer), "run": shop.view.run}))
    assert answered.json() == expected
    Customer.model_validate(answered.json())


def test_an_id_that_looks_like_a_path_is_none(client: TestClient) -> None:
    assert client.get("/v1/customers/a%2Frecommendations").json()["customer_id"] == "a/recommendations"
    assert client.get("/v1/customers/a/recommendations").status_code == 404
    assert "'recommendation' has no answer" in client.get("/v1/customers/a/recommendations").json()["error"]
    assert client.get("/v1/customers/a/b").status_code == 404


def test_a_story_is_told_in_the_language_asked_for(client: TestClient) -> None:
    who = {k: client.get(f"/v1/customers/a?language={k}").json()["story"]["who"][0]["text"] for k in ("en", "zh")}
    assert "customer since" in who["en"]
    assert "起成为客户" in who["zh"]
    assert client.get("/v1/customers/a?language=fr").status_code == 422


def test_who_is_not_known_is_told_as_such(client: TestClient) -> None:
    for path in ("", "/timeline", "/recommendations", "/next-action", "/reasons/inclined"):
        answered = client.get(f"/v1/customers/n%C3%B6body%2F{path}")
        assert (answered.status_code, "nöbody/" in answered.json()["error"]) == (404, True)


def test_customers_are_found_sorted_and_paged(client: TestClient) -> None:
    found = client.get("/v1/customers", params={"sort": "inclination", "descending": True, "limit": 2}).json()
    assert [row["customer_id"] for row in found["rows"]] == ['o\'brien "x"', "c 1"]
    assert (found["total"], found["limit"], found["offset"]) == (8, 2, 0)
    assert client.get("/v1/customers?text=o%27br").json()["total"] == 1
    ruled = client.get("/v1/customers", params={"where": "leaning == 'left' and inclination > 0.3"}).json()
    assert [row["customer_id"] for row in ruled["rows"]] == ['o\'brien "x"']
    for wrong, status in (({"where": "os.system(1)"}, 400), ({"sort": "x"}, 400), ({"limit": 0}, 422)):
        assert client.get("/v1/customers", params=wrong).status_code == status


def test_the_timeline_is_oldest_first(client: TestClient) -> None:
    found = client.get("/v1/customers/a%2Fb/timeline?limit=3").json()
    Timeline.model_validate(found)
    moments = [event["happened_at"] for event in found["events"]]
    assert (len(moments), moments) == (3, sorted(moments))


def test_reasons_come_with_the_answer_and_its_version(client: TestClient) -> None:
    found = client.get("/v1/customers/a/reasons/inclined").json()
    assert (found["version"], found["answer"]["leaning"]) == ("v1", "left")
    assert found["reasons"] == [{"feature": "recency_days", "value": 4.0, "typical": None, "effect": -0.5}]


def test_scores_page_as_json_and_stream_as_csv_and_ndjson(client: TestClient) -> None:
    rows, after = [], 0
    while after is not None:
        page = client.get(f"/v1/insights/inclined/scores?limit=2&after={after}").json()
        Scores.model_validate(page)
        rows += page["rows"]
        after = page["next"]
    assert [row["entity_id"] for row in rows] == IDS[:5]
    lines = client.get("/v1/insights/inclined/scores?format=ndjson").text.splitlines()
    assert [orjson.loads(line) for line in lines] == rows
    sheet = list(csv.DictReader(io.StringIO(client.get("/v1/insights/inclined/scores?format=csv").text)))
    assert [row["entity_id"] for row in sheet] == IDS[:5]
    assert orjson.loads(sheet[0]["wishes"]) == rows[0]["wishes"]
    assert client.get("/v1/insights/tone/scores").json()["rows"][0]["entity_id"] == "reviews/r0"
    assert client.get("/v1/insights/came_back/scores").status_code == 409
    assert client.get("/v1/insights/no%20such/scores").status_code == 404


def test_the_catalogue_says_what_answers_are_called(client: TestClient) -> None:
    told = {insight["name"]: insight for insight in client.get("/v1/insights").json()}
    assert (told["inclined"]["version"], told["came_back"]["version"]) == ("v1", None)
    assert [output["kind"] for output in told["inclined"]["outputs"]] == ["value", "group", "ranking", "vector"]
    assert client.get("/v1/insights/inclined/groups").json()["groups"][0]["leaning"] == "left"
    assert client.get("/v1/insights/came_back/groups").status_code == 404


def test_an_audience_is_whom_the_command_line_finds(client: TestClient, shop: Shop) -> None:
    for rule in ("inclination > 0.15", "not (leaning == 'left')", "entity_id != 'a'", "leaning in ['right']"):
        found = client.post("/v1/audiences", json={"rule": rule}).json()
        expected = shop.audience(rule)["entity_id"].to_list()
        assert ([row["customer_id"] for row in found["rows"]], found["count"]) == (expected, len(expected))
    assert client.post("/v1/audiences", json={"rule": "inclination > 0", "limit": 0}).json()["rows"] == []
    for rule, status in ((" ", 400), ("x > 1", 400), (1, 422)):
        assert client.post("/v1/audiences", json={"rule": rule}).status_code == status
    for wrong in ({"x": 1}, {"offset": False}, {"limit": "1"}, {"descending": 1}):
        assert client.post("/v1/audiences", json={"rule": "1 < 2", **wrong}).status_code == 422


def test_a_viewer_sees_nobodys_name_and_cannot_look_for_one(client: TestClient, calling: list[Caller]) -> None:
    calling.append(Caller("", "vera", frozenset({Scope.READ}), masked=True))
    secrets = ("Ann Lee", "ann@mail", "Lee says", "1980-02-03")
    for path in ("/v1/customers/a", "/v1/customers", "/v1/customers?sort=name", "/v1/customers?text=a"):
        assert not [secret for secret in secrets if secret in client.get(path).text]
    assert client.get("/v1/customers/a").json()["customer"]["name"] == "A. L."
    assert client.get("/v1/customers?text=oscar").json()["total"] == 0
    audience = client.post("/v1/audiences", json={"rule": "inclination < 0.15"})
    assert audience.json()["rows"][0]["name"] == "A. L."


@pytest.mark.parametrize("scope", Scope)
def test_each_route_wants_its_scope(client: TestClient, calling: list[Caller], scope: Scope) -> None:
    calling.append(Caller("", "somebody", frozenset({scope})))
    reading = ["/v1/customers", "/v1/customers/a", "/v1/customers/a/timeline", "/v1/customers/a/reasons/inclined"]
    reading += ["/v1/insights", "/v1/insights/inclined/scores", "/v1/insights/inclined/groups", "/v1/models"]
    refused = {path: client.get(path).status_code == 403 for path in reading}
    assert set(refused.values()) == {scope is not Scope.READ}
    changing = client.post("/v1/models/inclined/promote", json={"version": "v9"}).status_code
    assert (changing == 403) == (scope is not Scope.ADMIN)
    asking = client.post("/v1/ask", json={"question": " "}).status_code
    assert asking == (400 if scope is Scope.ASK else 403)


def test_a_program_asks_as_anybody_and_for_a_customer_only_if_it_may_read_them(
    client: TestClient, shop: Shop, calling: list[Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str | None, bool]] = []

    def ask(question: str, customer: str | None = None, *, staff: bool = True) -> None:
        asked.append((customer, staff))
        raise UnknownError("Asked.")

    monkeypatch.setattr(shop, "ask", ask)
    calling.append(Caller("k", "chat", frozenset({Scope.ASK})))
    client.post("/v1/ask", json={"question": "Where is my parcel?"})
    refused = client.post("/v1/ask", json={"question": "Where is my parcel?", "customer_id": "a"})
    assert (refused.status_code, asked) == (403, [(None, False)])
    calling.append(Caller("k", "chat", frozenset({Scope.ASK, Scope.READ})))
    client.post("/v1/ask", json={"question": "Where is my parcel?", "customer_id": "a"})
    assert asked[1:] == [("a", False)]


def test_promoting_is_written_down_as_the_callers_deed(tmp_path: Path, calling: list[Caller]) -> None:
    shop = open_shop(tmp_path / "shop", None, CameBack(), folds=1)
    shop.train()
    client = TestClient(create_app(shop), base_url=HERE)
    calling.append(Caller("k7", "deploy", frozenset({Scope.ADMIN, Scope.READ})))
    assert client.get("/v1/models").json()[0]["champion"] is True
    assert client.get("/v1/models/came_back").json()["version"] == "v1"
    done = client.post("/v1/models/came_back/promote", json={"version": "v1", "why": "looked at"})
    assert done.json() == {"insight": "came_back", "version": "v1"}
    last = shop.ledger.audit("came_back").row(-1, named=True)
    assert (last["actor"], last["why"]) == ("deploy (k7)", "looked at")
    assert client.post("/v1/models/came_back/promote", json={"version": "v7"}).status_code in (400, 404)
    assert client.post("/v1/models/came_back/rollback", json={}).status_code in (400, 404)


def test_what_is_published_meanwhile_answers_at_once(tmp_path: Path) -> None:
    shop = published_shop(tmp_path / "shop")
    client = TestClient(create_app(shop), base_url=HERE)
    assert client.get("/v1/customers/a").status_code == 409
    shop.publish()
    before = client.get("/v1/customers/a").json()["run"]
    conclude(shop, "r2", inclination=0.4)
    shop.publish()
    assert client.get("/v1/customers/a").json()["run"] != before
    assert client.get("/v1/customers/a/reasons/inclined").json()["answer"]["inclination"] == 0.4


READING = """
import sys
import dongcha
from starlette.testclient import TestClient
from dongcha.api.app import create_app
client = TestClient(create_app(dongcha.open(sys.argv[1])), base_url="http://127.0.0.1")
for path in ("customers", "customers/a", "customers/a/timeline", "insights", "customers/a/reasons/inclined"):
    assert client.get(f"/v1/{path}").status_code == 200, path
print([name for name in ("torch", "lightgbm", "sklearn", "ibis", "duckdb", "onnxruntime") if name in sys.modules])
"""


def test_reading_imports_no_models_and_opens_no_lake(shop: Shop) -> None:
    done = subprocess.run([sys.executable, "-c", READING, str(shop.folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
