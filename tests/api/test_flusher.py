"""The server's flusher: it moves what waits, and outlives whatever goes wrong."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

import dongcha
from dongcha.api.flusher import Flusher
from dongcha.errors import BusyError
from dongcha.warehouse.inbox import Message


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


@pytest.mark.parametrize("error", [BusyError("The lake is held."), RuntimeError("a fault of ours")])
def test_a_flush_that_fails_is_tried_again(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONGCHA_INBOX__FLUSH_SECONDS", "0.02")
    shop = dongcha.new(tmp_path / "shop")
    body = b'{"type":"track","userId":"u","event":"x","messageId":"m"}'
    shop.inbox.add([Message("m", "u", datetime.now(UTC), body)])
    failed = []
    settle = shop.inbox.settle

    def fail_once(messages: Sequence[Message]) -> None:
        if not failed:
            failed.append(messages)
            raise error
        settle(messages)

    shop.inbox.settle = fail_once  # type: ignore[method-assign]
    flusher = Flusher(shop)
    flusher.start()
    assert until(lambda: shop.inbox.backlog() == 0)
    flusher.stop()
    shop.inbox.close()
    assert failed
    assert shop.lake.rows("events") == 1
