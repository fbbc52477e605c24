"""The server's own flusher: a thread that moves what waits in the inbox into the lake."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Final

from dongcha.assemble import Shop
from dongcha.errors import BusyError

LOG: Final = logging.getLogger("dongcha.flush")
FORGET_EVERY_SECONDS: Final = 3600.0


class Flusher:
    """Flushes every `flush_seconds`, at once again while whole batches wait. It outlives whatever goes wrong."""

    def __init__(self, shop: Shop) -> None:
        # A lake of its own: an engine's connection serves one thread.
        self._own = Shop(shop.folder, clock=shop.clock)
        self._inbox = shop.inbox
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
        forgot = self._own.clock()
        pause = settings.flush_seconds
        while not self._stop.wait(pause):
            pause = 0.0 if self._flushed() else settings.flush_seconds
            now = self._own.clock()
            if (now - forgot).total_seconds() > FORGET_EVERY_SECONDS:
                self._inbox.forget(now - timedelta(days=settings.remember_days))
                forgot = now

    def _flushed(self) -> bool:
        """Whether a whole batch was moved, so that more may wait."""
        try:
            if not self._inbox.backlog():
                return False
            # Imported by the first event, not by the start of the server.
            from dongcha.jobs.flush import AT_ONCE, flush

            done = flush(self._own.lake, self._inbox)
        except BusyError as busy:
            LOG.info("%s", busy.what)
            return False
        except Exception:
            LOG.exception("The inbox could not be flushed; it is tried again.")
            return False
        if done.messages:
            LOG.info("flushed %d messages, %d quarantined", done.messages, done.quarantined)
        return done.messages == AT_ONCE
