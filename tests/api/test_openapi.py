"""The whole API against its own OpenAPI document, by schemathesis: every route there is, every check there is."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

import dongcha
from dongcha.access.scopes import Scope
from dongcha.api.app import create_app
from dongcha.cli.service import _listen
from dongcha.jobs import background

METHODS = ("get", "post", "put", "patch", "delete")
CONFIG = """
# 422 is a wrong shape, which the document can tell; 400 a wrong meaning, such as a rule that names no insight, which
# no document can: a request of the right shape may be answered so.
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 429]

# Events are taken as Segment takes them: a field that no row is made of may hold anything, and what is wrong in a batch
# goes to quarantine beside the others.
[[operations]]
include-path-regex = "^/v1/(batch|track|identify|page|screen|group|alias)$"
checks.negative_data_rejection.expected-statuses = ["2xx", 400, 401, 403, 413, 415, 422, 429]
"""
EXAMPLES = 8
"""Per route, on top of every boundary; a run by night may want more."""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """A real server over a guarded workspace, and a key that may do everything; jobs end as soon as they begin."""
    shop = dongcha.open(tmp_path)
    _, secret = shop.access.keys.add("fuzz", list(Scope), actor="test", rate=0)
    monkeypatch.setattr(background, "COMMAND", ("/bin/true",))
    listening = _listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(shop), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", secret
    server.should_exit = True
    thread.join()


def test_no_request_is_answered_otherwise_than_the_document_says(service: tuple[str, str], tmp_path: Path) -> None:
    here, secret = service
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG, "utf-8")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{here}/openapi.json"),
        *("--header", f"Authorization: Bearer {secret}", "--checks", "all", "--max-examples", f"{EXAMPLES}"),
        *("--seed", "7", "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = httpx.get(f"{here}/openapi.json").json()["paths"]
    routes = sum(method in METHODS for methods in told.values() for method in methods)
    assert re.search(rf"Tested: {routes}\n", done.stdout), done.stdout
