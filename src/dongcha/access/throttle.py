"""How often: tries that failed make the next one wait, and requests are counted in buckets."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

MOST_REMEMBERED: Final = 10_000
LONGEST_WAIT: Final = 900.0


class Throttle:
    """Failures by subject: the first `free` cost nothing, each further one doubles the wait, up to 15 minutes.

    Kept in memory, for the 10,000 subjects that failed last; a subject without failure for 15 minutes is forgotten.
    """

    def __init__(self, free: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._failed: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, subject: Hashable) -> float:
        """Seconds until the subject may try again; 0 when it may."""
        failures, last = self._failed.get(subject, (0, 0.0))
        if failures < self._free:
            return 0.0
        penalty = min(2.0 ** min(failures - self._free, 20), LONGEST_WAIT)
        return max(0.0, last + penalty - self._clock())

    def failed(self, subject: Hashable) -> None:
        """Count a failure."""
        now = self._clock()
        with self._lock:
            failures, last = self._failed.pop(subject, (0, now))
            self._failed[subject] = (failures + 1 if now - last < LONGEST_WAIT else 1, now)
            while len(self._failed) > MOST_REMEMBERED:
                self._failed.popitem(last=False)

    def forgive(self, subject: Hashable) -> None:
        """Forget the subject's failures: it succeeded."""
        with self._lock:
            self._failed.pop(subject, None)


class Buckets:
    """A token bucket for each subject: `rate` a second, and twice that at once (at least one)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, subject: Hashable, rate: float) -> float:
        """Take a token; 0, or the seconds until there will be one. A rate of 0 is no limit."""
        if rate <= 0:
            return 0.0
        most = max(1.0, 2.0 * rate)
        now = self._clock()
        left, then = self._left.pop(subject, (most, now))
        left = min(most, left + (now - then) * rate)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / rate
        self._left[subject] = (left if wait else left - 1.0, now)
        if len(self._left) > MOST_REMEMBERED:
            self._left.popitem(last=False)
        return wait


def neighbourhood(address: str) -> str:
    """What one host can write as its own address: an IPv4 address, the /64 of an IPv6 address; the text if neither.

    >>> neighbourhood("203.0.113.9"), neighbourhood("2001:db8::1:2:3:4")
    ('203.0.113.9', '2001:db8::/64')
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))
