"""The words of time: a cutoff, a horizon, a window. Nothing below the faces asks for "now"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from dongcha.errors import UsageError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """An aware moment in microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, order=True)
class Horizon:
    """How far ahead a label looks, in whole days (24 h each, so that daylight saving changes nothing).

    >>> Horizon(90).delta
    datetime.timedelta(days=90)
    """

    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise UsageError(f"A horizon of {self.days} days looks nowhere.", "Use at least 1 day.")

    @property
    def delta(self) -> timedelta:
        return timedelta(days=self.days)


@dataclass(frozen=True, order=True)
class AsOf:
    """A cutoff: what was known strictly before `moment` (UTC, microseconds) may be used.

    >>> AsOf.parse("2011-09-10") + Horizon(90)
    AsOf(2011-12-09)
    """

    moment: datetime

    def __post_init__(self) -> None:
        if self.moment.tzinfo is None:
            raise UsageError(
                f"The cutoff {self.moment} has no time zone.", "Give an aware datetime; AsOf.parse takes text as UTC."
            )
        object.__setattr__(self, "moment", self.moment.astimezone(UTC))

    @classmethod
    def parse(cls, text: str) -> AsOf:
        """Read `2011-09-10`, `2011-09-10T08:30:00` (taken as UTC) or any ISO 8601 time with an offset."""
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise UsageError(
                f"'{text}' is not a date.", "Write it as 2011-09-10 or 2011-09-10T08:30:00+08:00."
            ) from None
        return cls(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    def __add__(self, horizon: Horizon) -> AsOf:
        return AsOf(self.moment + horizon.delta)

    def __sub__(self, horizon: Horizon) -> AsOf:
        return AsOf(self.moment - horizon.delta)

    def __str__(self) -> str:
        return re.sub(r"T00:00:00$", "", self.moment.replace(tzinfo=None).isoformat())

    def __repr__(self) -> str:
        return f"AsOf({self})"


@dataclass(frozen=True)
class Window:
    """The half-open stretch `[start, end)` that a label looks at.

    >>> Window.after(AsOf.parse("2011-09-10"), Horizon(90)).end
    AsOf(2011-12-09)
    """

    start: AsOf
    end: AsOf

    @classmethod
    def after(cls, as_of: AsOf, horizon: Horizon) -> Window:
        return cls(as_of, as_of + horizon)
