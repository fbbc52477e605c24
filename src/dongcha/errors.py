"""What can go wrong, as one tree; every message says what was wrong, where, and the mend.

DongchaError                exit code 1
├── UsageError              2   the request itself is off: unknown insight, bad date, bad rule
│   ├── SettingsError       2   dongcha.toml or the environment holds something unusable
│   ├── ConflictError       2   not now: something else is so already, such as a job that runs
│   └── UnknownError        2   what is named is not there: no such customer, insight, version, key
├── InputError              3   a file cannot be loaded: not there, empty, unreadable, wrong columns
├── MissingDataError        4   the answer needs a table, a label or a history that is not there
├── ContractError           5   an insight or a feature breaks the kit's contract (a bug of its author)
├── StoreError              6   a stored thing is missing, damaged, or held by another process
│   └── BusyError           6   a store is full or held for now: the same again later may do
└── AccessError             7   who asks is not known, or may not
    └── ThrottledError      7   who asks must wait: too often, or too often wrong
"""

from typing import ClassVar


class DongchaError(Exception):
    """Anything Dongcha refuses, with a sentence for a person and an exit code for a script."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, mend: str = "") -> None:
        """Say `what` went wrong and where; `mend` is what the reader can do about it."""
        self.what = what
        self.mend = mend
        super().__init__(f"{what} {mend}".strip())


class UsageError(DongchaError):
    """The request itself is off."""

    exit_code = 2


class SettingsError(UsageError):
    """`dongcha.toml` or the environment holds something unusable."""


class ConflictError(UsageError):
    """Not now: something else is so already, such as a job that runs."""


class UnknownError(UsageError):
    """What is named is not there: no such customer, insight, version, key."""


class InputError(DongchaError):
    """A file cannot be loaded; the lake is as it was."""

    exit_code = 3


class MissingDataError(DongchaError):
    """The answer needs a table, a label or a history that is not there."""

    exit_code = 4


class ContractError(DongchaError):
    """An insight or a feature breaks the kit's contract."""

    exit_code = 5


class StoreError(DongchaError):
    """A stored thing is missing, damaged, or held by another process."""

    exit_code = 6


class BusyError(StoreError):
    """A store is full or held for now: the same again, `retry_after_seconds` later, may do."""

    def __init__(self, what: str, mend: str = "", retry_after_seconds: int = 1) -> None:
        super().__init__(what, mend)
        self.retry_after_seconds = retry_after_seconds


class AccessError(DongchaError):
    """Who asks is not known, or may not."""

    exit_code = 7


class ThrottledError(AccessError):
    """Who asks must wait `wait_seconds`: too often, or too often wrong."""

    def __init__(self, what: str, mend: str = "", *, wait_seconds: float) -> None:
        super().__init__(what, mend)
        self.wait_seconds = wait_seconds
