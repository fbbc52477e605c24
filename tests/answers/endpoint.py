"""An OpenAI-compatible endpoint over loopback that says whatever a test wants, well or badly."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Endpoint(BaseHTTPRequestHandler):
    """Answers POST /v1/chat/completions as `says`; keeps what it was sent."""

    says: Any = "nothing"
    asked: list[dict[str, Any]]
    keys: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append({"path": self.path, **json.loads(body)})
        self.keys.append(self.headers.get("Authorization", ""))
        with suppress(OSError):  # The client had enough: what the test wants.
            self.answer()

    def answer(self) -> None:
        match self.says:
            case ("status", int(code)):
                self.reply(code, b'{"error": {"message": "sk-very-secret is not allowed"}}')
            case ("redirect", str(to)):
                self.send_response(307)
                self.send_header("Location", to)
                self.end_headers()
            case ("raw", bytes(body)):
                self.reply(200, body)
            case "hangs":
                time.sleep(3)
            case "drips":
                self.send_response(200)
                self.end_headers()
                for _ in range(60):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
            case "floods":
                self.send_response(200)
                self.end_headers()
                for _ in range(2_000):
                    self.wfile.write(b" " * 10_000)
            case str(text):
                self.reply(200, completion(text))

    def reply(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def completion(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ).encode()


@contextmanager
def endpoint() -> Iterator[tuple[str, type[Endpoint]]]:
    """Its base URL, and the class whose `says` may be set."""
    kind = type("Here", (Endpoint,), {"asked": [], "keys": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", kind
    finally:
        server.shutdown()
        server.server_close()
