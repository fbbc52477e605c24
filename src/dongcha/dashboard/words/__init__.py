"""What the dashboard says: key → (English, Chinese); one file a part of it."""

from __future__ import annotations

from typing import Final

from dongcha.dashboard.words import frame, insights, machine, people

PARTS: Final = (frame.WORDS, people.WORDS, insights.WORDS, machine.WORDS)
WORDS: Final[dict[str, tuple[str, str]]] = {key: said for part in PARTS for key, said in part.items()}
