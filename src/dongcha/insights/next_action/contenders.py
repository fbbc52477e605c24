"""Who may say what comes next, and when: the two textbook answers, and the blend."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
import polars as pl

from dongcha.features.labels import DAYS_UNTIL
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.journeys import Journeys, Kinds, pair_of
from dongcha.insight_kit.learned import HELD_OUT, Learned, sampled
from dongcha.insight_kit.outputs import listed_pairs
from dongcha.insight_kit.pretrained import history_of
from dongcha.insight_kit.product_groups import ProductGroups
from dongcha.insights.next_action.names import ACTED, ACTIONS, DAYS, LISTED, PROBABILITY
from dongcha.models.ranking.next_blend import Lesson, NextBlend
from dongcha.models.ranking.next_guesses import Crowd, SaidByAll
from dongcha.models.ranking.next_step import Array, Codes
from dongcha.models.tabular.blend import Blend
from dongcha.models.tabular.boosting import BoostedWait
from dongcha.models.tabular.renewal import Renewal

PAIRS_FILE: Final = "pairs.json"
LEARNT_FILE: Final = "learnt.json"
KINDS_FILE: Final = "kinds.arrow"
NEVER_SEEN_DAYS: Final = 30.0
"""How long one is taken to have waited of whom nothing is known."""
SURE: Final = 1e-4
"""No probability is nearer to 0 or 1 than this."""
OWN_SHARE: Final = 2 / 3
"""What trees over features weigh beside the renewal guess, in days and in logits: each makes the other steadier."""
ROWS_AT_ONCE: Final = 2048
NEWEST_PAST: Final = 4
MOST_ROWS: Final = 8_000
"""What comes next is learnt from so many past cutoffs and rows; more cost time and tell little."""


class Foretelling(Contender):
    """An answer made of three: each pair's probability if anything happens, whether anything does, and when."""

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.groups = ProductGroups.fit(history_of(now).catalogue)
        here = Journeys.of(now, Kinds.of(self.groups.of(history_of(now).catalogue)))
        self.pairs = here.pairs
        self.learn(past, now, here, seed)

    @abstractmethod
    def learn(self, past: Sequence[Example], now: Facts, here: Journeys, seed: int) -> None:
        """Learn from the past; `here` are the journeys as of now, in whose pairs everything is coded."""

    @abstractmethod
    def what(self, crowd: Crowd, rows: Codes) -> Array:
        """Each pair's probability to be the next thing if anything is, shape (rows, pairs)."""

    @abstractmethod
    def when(self, facts: Facts, here: Journeys) -> tuple[Array, Array]:
        """The probability that anything happens, and the days until it if so, both shape (entities,)."""

    def predict(self, facts: Facts) -> pl.DataFrame:
        return self._told(facts, self.journeys(facts))

    def export(self, folder: Path, facts: Facts) -> None:
        """What everybody's journeys say, and what kind of thing each product is."""
        catalogue = history_of(facts).catalogue
        self.groups.of(catalogue).write_ipc(folder / KINDS_FILE)
        self.journeys(facts).crowd.said.save(folder)

    def reads(self) -> tuple[str, ...]:
        return ()

    def opened(self, folder: Path, exported: Path) -> Callable[[Facts], pl.DataFrame]:
        self.load(folder)
        kinds, all_said = Kinds.of(pl.read_ipc(exported / KINDS_FILE)), SaidByAll.load(exported)
        return lambda facts: self._told(facts, Journeys.of(facts, kinds, self.pairs, all_said))

    def _told(self, facts: Facts, here: Journeys) -> pl.DataFrame:
        happens, days = self.when(facts, here)
        happens, rows = np.clip(happens, SURE, 1 - SURE), here.rows(facts.entities)
        parts = [slice(start, start + ROWS_AT_ONCE) for start in range(0, max(len(rows), 1), ROWS_AT_ONCE)]
        listed = [ranked(self.what(here.crowd, rows[k]) * happens[k, None], self.pairs) for k in parts]
        numbers = (pl.Series(DAYS, np.clip(days, 0, facts.horizon.days)), pl.Series(PROBABILITY, happens))
        return facts.entities.to_frame().hstack([pl.concat(listed), *numbers])

    def journeys(self, facts: Facts) -> Journeys:
        """The journeys as of the facts' cutoff, in the pairs and families that were learnt."""
        return Journeys.of(facts, Kinds.of(self.groups.of(history_of(facts).catalogue)), self.pairs)

    def save(self, folder: Path) -> None:
        self.groups.save(folder)
        (folder / PAIRS_FILE).write_text(json.dumps(self.pairs, ensure_ascii=False), "utf-8")

    def load(self, folder: Path) -> None:
        self.groups = ProductGroups.load(folder)
        self.pairs = tuple(json.loads((folder / PAIRS_FILE).read_text("utf-8")))


class MarkovChain(Foretelling):
    """What usually follows what a customer did, backing off to what is usual; in as many days as usual."""

    name = "markov_chain"
    role = Role.BASELINE

    def learn(self, past: Sequence[Example], now: Facts, here: Journeys, seed: int) -> None:
        waits = np.concatenate([_acted(example).label(DAYS_UNTIL) for example in past]) if past else np.empty(0)
        self.days = float(np.median(waits)) if len(waits) else now.horizon.days / 2
        shares = [float(example.label(ACTED).mean()) for example in past]
        self.happens = float(np.mean(shares)) if shares else 0.5

    def what(self, crowd: Crowd, rows: Codes) -> Array:
        return crowd.by_chain(rows)

    def when(self, facts: Facts, here: Journeys) -> tuple[Array, Array]:
        count = len(facts.features)
        return np.full(count, self.happens), np.full(count, self.days)

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / LEARNT_FILE).write_text(json.dumps([self.days, self.happens]), "utf-8")

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.days, self.happens = json.loads((folder / LEARNT_FILE).read_text("utf-8"))


class RenewalGuess(Foretelling):
    """What a customer does most, in as many days as their own gaps say, given how long they have waited."""

    name = "renewal"
    role = Role.BASELINE

    def learn(self, past: Sequence[Example], now: Facts, here: Journeys, seed: int) -> None:
        self.renewal = Renewal.fit(*here.crowd.steps.gaps())

    def what(self, crowd: Crowd, rows: Codes) -> Array:
        return crowd.by_habit(rows)

    def when(self, facts: Facts, here: Journeys) -> tuple[Array, Array]:
        return ahead(self.renewal, facts, here)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.renewal.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.renewal = Renewal.load(folder)


class Blended(Foretelling):
    """All guesses about the next pair multiplied and set right by trees; waits by trees over features and renewal."""

    name = "blend"

    def __init__(self, features: tuple[str, ...]) -> None:
        self.wait = Learned(BoostedWait, features, DAYS_UNTIL)
        self.happening = Learned(Blend, features, ACTED)
        self.always: float | None = None
        """1 or 0 where all or none did anything in the past: nothing to learn from, and nothing to tell apart."""
        self.learnt_days = 0

    def learn(self, past: Sequence[Example], now: Facts, here: Journeys, seed: int) -> None:
        self.renewal = Renewal.fit(*here.crowd.steps.gaps())
        self.wait.fit([_acted(example) for example in past], now, seed=seed)
        outcomes = {float(value) for example in past for value in np.unique(example.label(ACTED))}
        self.always = outcomes.pop() if len(outcomes) == 1 else None
        if self.always is None:
            self.happening.fit(past, now, seed=seed)
        self.learnt_days = past[-1].facts.horizon.days
        kinds = self.groups.of(history_of(now).catalogue)
        lessons = [self._lesson(example, past[-1], kinds) for example in _sample(past[-NEWEST_PAST:])]
        self.blend = NextBlend.fit(lessons, seed=seed)

    def _lesson(self, example: Example, newest: Example, kinds: pl.DataFrame) -> Lesson:
        """What was next to whom, in the pairs and families as of now: names of things known later are no leak."""
        there = Journeys.of(example.facts, Kinds.of(kinds), self.pairs)
        code = {pair: k for k, pair in enumerate(self.pairs)}
        came = np.array([code.get(pair, -1) for pair in pair_of(example.truth, kinds)], dtype=np.int64)
        known, entities = came >= 0, example.facts.entities
        held_out = np.array([crc32(entity.encode()) % HELD_OUT == 0 for entity in entities], dtype=bool)
        age = (newest.facts.as_of.moment - example.facts.as_of.moment) / newest.facts.horizon.delta
        return Lesson(there.crowd, there.rows(entities)[known], came[known], float(0.5**age), held_out[known])

    def what(self, crowd: Crowd, rows: Codes) -> Array:
        return self.blend.predict(crowd, rows)

    def when(self, facts: Facts, here: Journeys) -> tuple[Array, Array]:
        from scipy.special import expit, logit

        within, days = ahead(self.renewal, facts, here)
        happens = logit(np.clip(self._happens(facts), SURE, 1 - SURE))
        happens = expit(OWN_SHARE * happens + (1 - OWN_SHARE) * logit(np.clip(within, SURE, 1 - SURE)))
        days = OWN_SHARE * self.wait.predict(facts) + (1 - OWN_SHARE) * days
        return np.asarray(happens, dtype=np.float64), days

    def _happens(self, facts: Facts) -> Array:
        """P(anything happens); learnt on a shorter horizon it is taken to go on at the same rate."""
        if self.always is not None:
            return np.full(len(facts.features), self.always)
        found = self.happening.predict(facts)
        return np.asarray(1 - (1 - found) ** (facts.horizon.days / self.learnt_days), dtype=np.float64)

    def reads(self) -> tuple[str, ...]:
        return tuple({name for part in self._parts().values() for name in part.names})

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """Pushes on the days until the next thing."""
        names, pushes = self.wait.contributions(facts)
        return names, OWN_SHARE * pushes

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.renewal.save(folder)
        self.blend.save(folder)
        for name, part in self._parts().items():
            (folder / name).mkdir(exist_ok=True)
            part.save(folder / name)
        trees = self.blend.trees is not None
        stored = {"learnt_days": self.learnt_days, "with_trees": trees, "always": self.always}
        (folder / LEARNT_FILE).write_text(json.dumps(stored), "utf-8")

    def load(self, folder: Path) -> None:
        super().load(folder)
        stored = json.loads((folder / LEARNT_FILE).read_text("utf-8"))
        self.learnt_days, self.always = stored["learnt_days"], stored["always"]
        self.renewal = Renewal.load(folder)
        self.blend = NextBlend.load(folder, with_trees=stored["with_trees"])
        for name, part in self._parts().items():
            part.load(folder / name)

    def _parts(self) -> dict[str, Learned]:
        """What was learnt from features, by the folder that keeps it."""
        return {"wait": self.wait} if self.always is not None else {"wait": self.wait, "happening": self.happening}


def ahead(renewal: Renewal, facts: Facts, here: Journeys) -> tuple[Array, Array]:
    """P(anything within the horizon) and the median days until it if so, by own gaps and waiting; both (entities,)."""
    mine = here.crowd.steps.take(here.rows(facts.entities))
    waited = mine.waited(here.crowd.day, NEVER_SEEN_DAYS)
    return renewal.ahead(*mine.gaps(), waited, float(facts.horizon.days))


def ranked(probability: Array, pairs: tuple[str, ...]) -> pl.Series:
    """Each row's likeliest pairs with their probabilities, as a Ranking keeps them; ties by the pairs' order."""
    # Rounded, so that what adds up in another order does not change places.
    probability = probability.round(9)
    best: Codes = np.argsort(-probability, axis=1, kind="stable")[:, :LISTED]
    labels = np.array(pairs, dtype=object)[best].ravel().tolist()
    return listed_pairs(ACTIONS, labels, np.take_along_axis(probability, best, 1).ravel(), [best.shape[1]] * len(best))


def _acted(example: Example) -> Example:
    """Only those who did anything."""
    return only(example, example.label(ACTED) > 0)


def only(example: Example, keep: np.ndarray) -> Example:
    """The example with these entities alone; `keep`: bool, shape (entities,)."""
    facts = replace(example.facts, features=example.facts.features.filter(keep))
    return Example(facts, example.truth.filter(keep))


def _sample(past: Sequence[Example]) -> list[Example]:
    acted = [_acted(example) for example in past]
    return [only(example, keep) for example, keep in zip(acted, sampled(acted, MOST_ROWS), strict=True)]
