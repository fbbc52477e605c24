"""The guesses about a next thing that are worth multiplying: what is usual, what is their own, what follows what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dongcha.models.ranking.next_step import Array, Codes, Memory, Steps, chain, faded, followed, own, popular

LATELY_DAYS: Final = 14.0
USUAL_DAYS: Final = 60.0
"""Half-lives of what is popular, and of what counts as lately for one row."""
BACK_OFF: Final = 5.0
"""How many visits of all a chain's link starts from."""
LAST: Final = Memory()
NEWEST: Final = Memory(5, 0.7)
WHOLE: Final = Memory(30, 0.9, at_end=False)
"""The best chain on its own, on all three shops it was tried on: over many visits, from beginning to beginning."""
OWN_STRENGTH: Final = 6.0
"""How many visits of all a row's own share starts from, where it is all that one looks at."""


@dataclass(frozen=True)
class Crowd:
    """What all rows together did before `day`, for guesses about any of them.

    `steps`: visits in things; `lines`: every single thing done, in kinds; `kind_of`: each thing's kind, -1 for none,
    shape (things,).
    """

    steps: Steps
    lines: Steps
    kind_of: Codes
    day: float

    def usual(self) -> Array:
        """Each thing's share of visits lately, shape (things,)."""
        return popular(self.steps, self.day, USUAL_DAYS)

    def by_chain(self, rows: Codes) -> Array:
        """What usually follows what each row did, shape (rows, things)."""
        usual = self.usual()
        links = chain(self.steps, usual, BACK_OFF, at_end=False)
        return followed(self.steps.take(rows), links, usual, WHOLE)

    def by_habit(self, rows: Codes) -> Array:
        """What each row did most, shape (rows, things)."""
        mine = self.steps.take(rows)
        return own(mine, np.ones(len(mine.rows)), self.usual(), OWN_STRENGTH)

    def guesses(self, rows: Codes) -> dict[str, Array]:
        """Every guess about every row's next thing, each above 0, shape (rows, things)."""
        mine, lines = self.steps.take(rows), self.lines.take(rows)
        usual, lately = self.usual(), popular(self.steps, self.day, LATELY_DAYS)
        kinds = popular(self.lines, self.day, USUAL_DAYS)
        from_end = chain(self.steps, usual, BACK_OFF)
        return {
            "usual": np.tile(usual, (len(rows), 1)),
            "lately": np.tile(lately, (len(rows), 1)),
            "own": own(mine, np.ones(len(mine.rows)), usual, 3.0),
            "own_newest": own(mine, 0.7 ** mine.back().astype(np.float64), usual, 1.0),
            "own_lately": own(mine, faded(mine, self.day, USUAL_DAYS), usual, 1.0),
            "after_last": followed(mine, from_end, usual, LAST),
            "after_newest": followed(mine, from_end, usual, NEWEST),
            "after_all": followed(mine, chain(self.steps, usual, BACK_OFF, at_end=False), usual, WHOLE),
            "lines": self._by_kind(own(lines, np.ones(len(lines.rows)), kinds, 5.0)),
            "lines_lately": self._by_kind(own(lines, faded(lines, self.day, USUAL_DAYS), kinds, 5.0)),
            "lines_surely": self._by_kind(own(lines, np.ones(len(lines.rows)), kinds, 30.0)),
        }

    def _by_kind(self, shares: Array) -> Array:
        """Shares of kinds as a guess about things; one with no kind counts like a kind of average share."""
        known = self.kind_of >= 0
        return np.where(known, shares[:, np.maximum(self.kind_of, 0)], 1 / shares.shape[1])
