"""The dashboard beside the API: what each answers, and what serving does not import."""

import subprocess
import sys
from pathlib import Path

from fastapi.testclient import TestClient
from nicegui.testing.general import nicegui_reset_globals

import dongcha
from dongcha.api.app import create_app
from dongcha.dashboard import mount

HEAVY = ("torch", "lightgbm", "sklearn")


def test_the_api_answers_for_its_own_paths_and_pages_for_the_rest(tmp_path: Path) -> None:
    with nicegui_reset_globals():
        shop = dongcha.new(tmp_path)
        app = create_app(shop)
        mount(app, shop)
        client = TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1))
        for method, path, status in (("GET", "/v1/nothing", 404), ("PUT", "/v1/session", 405), ("GET", "/v1", 404)):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), path
        assert client.get("/healthz").json()["status"]
        assert client.get("/docs").status_code == 200
        assert "Inter" in client.get("/_dongcha/dashboard.css").text
        assert client.get("/login", follow_redirects=False).headers["location"] == "/"
        assert client.get("/no-such-page").status_code == 404


def test_drawing_pages_imports_nothing_that_learns(tmp_path: Path) -> None:
    look = f"""
import sys
from pathlib import Path
from tests.told_shop import told_shop
from dongcha.dashboard.data import Data
from dongcha.dashboard.pages import listed_pages
from dongcha.dashboard.people import Wanted
data = Data(told_shop(Path({str(tmp_path / "shop")!r})))
data.look()
listed_pages(data), data.overview(), data.people().frame, data.page("change"), data.page("survival"), data.alerts()
data.groups("topics"), data.models(), data.card("churn"), data.profile("c001", "zh"), data.page("aspects")
data.people().total(Wanted(where="satisfaction > 0")), data.reasons_of("churn", ["c001"])
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
