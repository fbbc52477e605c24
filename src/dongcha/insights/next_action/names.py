"""The columns of next_action's label and of its answer."""

from __future__ import annotations

from typing import Final

ACTIONS: Final = "next_actions"
DAYS: Final = "next_action_days"
PROBABILITY: Final = "next_action_probability"
ACTED: Final = "acted"
LISTED: Final = 10
"""How many pairs are told at most."""
