"""The columns of lifetime_value's label and of its answer, and how often its interval should hold."""

from __future__ import annotations

from typing import Final

VALUE: Final = "lifetime_value"
LOW: Final = "lifetime_value_low"
HIGH: Final = "lifetime_value_high"
SPENT: Final = "spent"
COVERAGE: Final = 0.8
"""How often the interval should hold what is then spent."""
