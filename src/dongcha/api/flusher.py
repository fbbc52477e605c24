"""The server's own flusher: a thread that moves what waits in the inbox into the lake."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Final

from dongcha.assemble import Shop
from dongcha.errors import BusyError

LOG: Final = logging.getLogger("dongcha.flush")
FORGET_EVERY: Final = timedelta(hours=1)


class Flusher:
    """Flushes every `flush_seconds`, at once again while whole batches wait. It outlives whatever goes wrong."""

    def __init__(self, shop: Shop) -> None:
        # A lake of its own: an engine's connection serves one thread.
        self._own = Shop(shop.folder, clock=shop.clock)
        self._inbox = shop.inbox
        self._forgot = shop.clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        settings = self._own.settings.inbox
        pause = settings.flush_seconds
        while not self._stop.wait(pause):
            try:
                more = self._flushed()
                self._forget(timedelta(days=settings.remember_days))
                pause = 0.0 if more else settings.flush_seconds
            except BusyError as busy:
                LOG.info("%s", busy.what)
                pause = settings.flush_seconds
            except Exception:
                LOG.exception("The inbox could not be flushed; it is tried again.")
                pause = settings.flush_seconds

    def _flushed(self) -> bool:
        """Whether as many wait again as were moved, so that the next flush should not wait."""
        if not self._inbox.backlog():
            return False
        # Imported by the first event, not by the start of the server.
        from dongcha.jobs.flush import flush

        done = flush(self._own.lake, self._inbox)
        LOG.info("flushed %d messages, %d quarantined", done.messages, done.quarantined)
        return 0 < done.messages <= self._inbox.backlog()

    def _forget(self, age: timedelta) -> None:
        now = self._own.clock()
        if now - self._forgot > FORGET_EVERY:
            self._inbox.forget(now - age)
            self._forgot = now
