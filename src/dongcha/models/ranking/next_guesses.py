"""The guesses about a next thing that are worth multiplying: what is usual, what is their own, what follows what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
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


FILE: Final = "said_by_all.safetensors"


@dataclass(frozen=True)
class SaidByAll:
    """All that a guess takes from others' rows: shares of things (things,) and kinds (kinds,), links (things, things).

    `usual` and `lately`: each thing's share of visits; `kinds`: each kind's share of single things done; `from_end` and
    `from_beginning`: what follows what a visit ended with, and what it began with.
    """

    usual: Array
    lately: Array
    kinds: Array
    from_end: Array
    from_beginning: Array

    @classmethod
    def of(cls, steps: Steps, lines: Steps, day: float) -> SaidByAll:
        """As of a day."""
        usual = popular(steps, day, USUAL_DAYS)
        return cls(
            usual,
            popular(steps, day, LATELY_DAYS),
            popular(lines, day, USUAL_DAYS),
            chain(steps, usual, BACK_OFF),
            chain(steps, usual, BACK_OFF, at_end=False),
        )

    def save(self, folder: Path) -> None:
        """As safetensors."""
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(values) for name, values in asdict(self).items()}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> SaidByAll:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        return cls(**load_file(folder / FILE))


@dataclass(frozen=True)
class Crowd:
    """What all rows together did before `day`, for guesses about any of them.

    `steps`: visits in things; `lines`: every single thing done, in kinds; `kind_of`: each thing's kind, -1 for none,
    shape (things,). `all_said`: what others did where their rows are not here.
    """

    steps: Steps
    lines: Steps
    kind_of: Codes
    day: float
    all_said: SaidByAll | None = None

    @cached_property
    def said(self) -> SaidByAll:
        """What all rows together say."""
        return self.all_said or SaidByAll.of(self.steps, self.lines, self.day)

    def by_chain(self, rows: Codes) -> Array:
        """What usually follows what each row did, shape (rows, things)."""
        return followed(self.steps.take(rows), self.said.from_beginning, self.said.usual, WHOLE)

    def by_habit(self, rows: Codes) -> Array:
        """What each row did most, shape (rows, things)."""
        mine = self.steps.take(rows)
        return own(mine, np.ones(len(mine.rows)), self.said.usual, OWN_STRENGTH)

    def guesses(self, rows: Codes) -> dict[str, Array]:
        """Every guess about every row's next thing, each above 0, shape (rows, things)."""
        mine, lines = self.steps.take(rows), self.lines.take(rows)
        usual, lately, kinds, from_end = self.said.usual, self.said.lately, self.said.kinds, self.said.from_end
        return {
            "usual": np.tile(usual, (len(rows), 1)),
            "lately": np.tile(lately, (len(rows), 1)),
            "own": own(mine, np.ones(len(mine.rows)), usual, 3.0),
            "own_newest": own(mine, 0.7 ** mine.back().astype(np.float64), usual, 1.0),
            "own_lately": own(mine, faded(mine, self.day, USUAL_DAYS), usual, 1.0),
            "after_last": followed(mine, from_end, usual, LAST),
            "after_newest": followed(mine, from_end, usual, NEWEST),
            "after_all": followed(mine, self.said.from_beginning, usual, WHOLE),
            "lines": self._by_kind(own(lines, np.ones(len(lines.rows)), kinds, 5.0)),
            "lines_lately": self._by_kind(own(lines, faded(lines, self.day, USUAL_DAYS), kinds, 5.0)),
            "lines_surely": self._by_kind(own(lines, np.ones(len(lines.rows)), kinds, 30.0)),
        }

    def _by_kind(self, shares: Array) -> Array:
        """Shares of kinds as a guess about things; one with no kind counts like a kind of average share."""
        known = self.kind_of >= 0
        return np.where(known, shares[:, np.maximum(self.kind_of, 0)], 1 / shares.shape[1])
