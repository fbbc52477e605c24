"""Stronger encoders: a real small embeddings server is asked over HTTP; a model that is not here says so."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dongcha.errors import MissingDataError, SettingsError
from dongcha.models.text.dense import Dense
from dongcha.models.text.encoders import Encoder, EndpointEncoder, SentenceEncoder

pytest.importorskip("openai")


class Embeddings(BaseHTTPRequestHandler):
    """Answers with (length of the text, 1), the last text first, as the protocol allows; "boom" breaks it."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"], asked))  # type: ignore[attr-defined]
        texts = asked["input"]
        rows = [{"object": "embedding", "index": k, "embedding": [len(t), 1]} for k, t in enumerate(texts)][::-1]
        if "short" in texts:
            rows = rows[1:]
        body = json.dumps({"object": "list", "model": asked["model"], "data": rows, "usage": {}}).encode()
        self.send_response(400 if "boom" in texts else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Embeddings)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def encoder(server: HTTPServer) -> EndpointEncoder:
    server.asked.clear()  # type: ignore[attr-defined]
    return EndpointEncoder(f"http://127.0.0.1:{server.server_port}/v1", "small")


def test_each_text_gets_its_own_vector_whatever_the_order_of_the_answer(
    encoder: EndpointEncoder, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    texts = ["x" * length for length in range(1, 101)]
    vectors = encoder.encode(texts)
    expected = np.array([[length, 1] for length in range(1, 101)])
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    asked = server.asked  # type: ignore[attr-defined]
    assert [(path, key, body["model"], len(body["input"])) for path, key, body in asked] == [
        ("/v1/embeddings", "Bearer secret", "small", 64),
        ("/v1/embeddings", "Bearer secret", "small", 36),
    ]


def test_empty_and_very_long_texts_are_sent_so_that_the_server_takes_them(
    encoder: EndpointEncoder, server: HTTPServer
) -> None:
    assert encoder.encode(["", "y" * 100_000]).shape == (2, 2)
    assert [len(text) for text in server.asked[0][2]["input"]] == [1, 6000]  # type: ignore[attr-defined]
    assert encoder.encode([]).shape == (0, 0)


@pytest.mark.parametrize("text", ["boom", "short"])
def test_an_endpoint_that_answers_badly_says_so(encoder: EndpointEncoder, text: str) -> None:
    with pytest.raises(MissingDataError, match="endpoint"):
        encoder.encode(["fine", text])


def test_a_model_that_is_not_on_this_machine_is_not_downloaded(tmp_path: Path) -> None:
    for name in (str(tmp_path), "no-such-organisation/no-such-model"):
        with pytest.raises(SettingsError):
            SentenceEncoder(name).encode(["good"])


def test_all_encoders_have_one_interface(encoder: EndpointEncoder) -> None:
    texts = ["good shirt", "good shirt too", "a shirt, good", "shirt good"]
    encoders: list[Encoder] = [encoder, Dense.fit(texts)]
    for each in encoders:
        vectors = each.encode(texts)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_sentence_transformers_model_in_a_folder_answers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("sentence_transformers", reason="the extra `text` is not installed")
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "good": 1, "shirt": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    weights = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=np.float32)
    transformers.SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(
        str(tmp_path)
    )
    vectors = SentenceEncoder(str(tmp_path)).encode(["good", "good shirt", ""])
    assert vectors.dtype == np.float32
    assert np.allclose(vectors[:2], [[1, 0, 0], [0.5**0.5, 0.5**0.5, 0]], atol=1e-6)
    assert SentenceEncoder(str(tmp_path)).encode([]).shape == (0, 0)
