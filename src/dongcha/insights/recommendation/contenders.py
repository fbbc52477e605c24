"""Who may recommend: simple rankers alone, the behaviour model alone, and judges over all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Final

import numpy as np
import polars as pl
from pydantic import Field

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.features.labels import PRODUCTS_BOUGHT
from dongcha.insight_kit.base import InsightConfig
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.pretrained import Pretrained, pretrain
from dongcha.insights.recommendation import opened
from dongcha.insights.recommendation.finish import finished
from dongcha.insights.recommendation.rankers import Rankers
from dongcha.models.ranking.blend import Blend, Lists, Ranker
from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

ROWS_AT_ONCE: Final = 4000
CANDIDATES: Final = 50
"""How many products every ranker brings to the judge."""
SERVED: Final = "behaviour"
MOST_LESSONS: Final = 3
"""A judge learns from the newest past cutoffs; more of them told it nothing new."""


class RecommendationConfig(InsightConfig):
    """How lists are made: `diversity` from 0 (relevance alone) to 1; whether what was bought may be recommended."""

    diversity: Annotated[float, Field(ge=0, le=1)] = 0.0
    bought_again: bool = True


class Recommender(Contender):
    """Lists of products for every entity; what is counted is counted anew from the facts it is asked about."""

    def __init__(self, config: RecommendationConfig) -> None:
        self.config = config
        self.pretrained: Pretrained | None = None

    @abstractmethod
    def rank(self, rankers: Rankers, facts: Facts) -> Scored:
        """Products that are worth a look for each entity, with their scores."""

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        """Nothing is learnt but what is counted."""

    def export(self, folder: Path, facts: Facts) -> None:
        opened.save(Rankers.of(facts), folder, vectors=self.config.diversity > 0)
        if self.pretrained is not None:
            self.pretrained.export(folder / SERVED)

    def reads(self) -> tuple[str, ...]:
        return ()

    def opened(self, folder: Path, exported: Path) -> Callable[[Facts], pl.DataFrame]:
        self.load_counted(folder)
        if (exported / SERVED).exists():
            self.pretrained = Pretrained.served(exported / SERVED)
        foretold = None if self.pretrained is None else self.pretrained.vocabulary.products
        there = opened.OpenedRankers.open(exported, foretold)

        def answer(facts: Facts) -> pl.DataFrame:
            rankers, mine = there.asked(facts)
            return finished(self.rank(rankers, mine), rankers, mine, self.config)

        return answer

    def load_counted(self, folder: Path) -> None:
        """Read what `save` wrote but the behaviour model: by default nothing."""

    def predict(self, facts: Facts) -> pl.DataFrame:
        rankers = Rankers.of(facts)
        parts = [finished(self.rank(rankers, part), rankers, part, self.config) for part in _chunks(facts)]
        return pl.concat(parts)

    def save(self, folder: Path) -> None:
        if self.pretrained is not None:
            self.pretrained.save(folder)

    def load(self, folder: Path) -> None:
        self.load_counted(folder)


def _chunks(facts: Facts) -> list[Facts]:
    from dataclasses import replace

    frames = facts.features.iter_slices(ROWS_AT_ONCE)
    return [replace(facts, features=frame) for frame in frames] or [facts]


class Simple(Recommender):
    """One ranker alone: the baseline that must be beaten."""

    role = Role.BASELINE
    ranker: ClassVar[str]

    def rank(self, rankers: Rankers, facts: Facts) -> Scored:
        alone: Ranker = getattr(rankers, self.ranker)
        return alone.scores(rankers.histories(facts))


class Popular(Simple):
    """What everybody bought lately."""

    name, ranker = "popular", "recent"


class InContext(Recommender):
    """What those with the same traits bought lately."""

    name, role = "context", Role.BASELINE

    def rank(self, rankers: Rankers, facts: Facts) -> Scored:
        return rankers.alike(facts).found


class PastPurchases(Simple):
    """What the customer bought most often; among those what sells best."""

    name, ranker = "past_purchases", "own"


class ItemNeighbours(Simple):
    """What was bought by who bought the same: item-item cosine."""

    name, ranker = "item_knn", "neighbours"


class ItemTransitions(Simple):
    """What was bought soon after the same."""

    name, ranker = "transitions", "followers"


class ByBehaviour(Recommender):
    """The behaviour model alone, trained as of the newest past cutoff: the same that the insight behaviour reads."""

    name = "behaviour_model"

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.pretrained = pretrain(_newest(past).facts, seed=seed)

    def rank(self, rankers: Rankers, facts: Facts) -> Scored:
        assert self.pretrained is not None, "fit or load it first"
        return rankers.by_behaviour(facts, self.pretrained).found

    def load(self, folder: Path) -> None:
        self.pretrained = Pretrained.load(folder)


class Judged(Recommender):
    """Every counting ranker, weighed by a judge that learnt from what was bought after past cutoffs."""

    name = "judged_counts"
    lessons: ClassVar[int] = MOST_LESSONS

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        _newest(past)
        lists = [self._lists(example, seed) for example in past[-self.lessons :]]
        self.judge = Blend.learnt(lists, seed=seed, each=CANDIDATES, unseen_only=False)

    def _lists(self, example: Example, seed: int) -> Lists:
        facts, wanted = who_bought(example)
        rankers = Rankers.of(facts)
        return Lists.of(
            rankers.judged(facts, self.pretrained),
            rankers.popularity,
            rankers.histories(facts),
            numbered(wanted, rankers),
            seed=seed,
            each=CANDIDATES,
            unseen_only=False,
        )

    def rank(self, rankers: Rankers, facts: Facts) -> Scored:
        histories = rankers.histories(facts)
        return self.judge.scores(rankers.judged(facts, self.pretrained), rankers.popularity, histories)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.judge.save(folder)

    def load_counted(self, folder: Path) -> None:
        self.judge = Blend.load(folder)


class JudgedAll(Judged):
    """The same with the behaviour model among the rankers, learnt at the newest past cutoff alone.

    That model is trained as of that cutoff and stays: one trained as of now ranked no better on the simulated shop
    (NDCG@10 .455 against .453) and costs a second training at every cutoff.
    """

    name = "blend"
    lessons = 1

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        self.pretrained = pretrain(_newest(past).facts, seed=seed)
        super().fit(past, now, seed=seed)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.pretrained = Pretrained.load(folder)


def _newest(past: Sequence[Example]) -> Example:
    if not past:
        raise MissingDataError("No past cutoff has a complete label.", "Load a longer history.")
    return past[-1]


def who_bought(example: Example) -> tuple[Facts, pl.Series]:
    """Only those who bought something teach what is wanted; at most as many as a judge hears."""
    from dataclasses import replace

    wanted = example.truth[PRODUCTS_BOUGHT]
    rows = np.flatnonzero(wanted.list.len().to_numpy() > 0)
    return replace(example.facts, features=example.facts.features[rows]), wanted.gather(rows)


def numbered(wanted: pl.Series, rankers: Rankers) -> Sequences:
    """Products bought per row as catalogue numbers; what the catalogue did not hold at the cutoff is left out."""
    products = rankers.counts.history.products
    numbers = pl.DataFrame({c.PRODUCT_ID: products, "item": np.arange(len(products), dtype=np.int64)})
    flat = pl.DataFrame({"row": np.arange(len(wanted)), c.PRODUCT_ID: wanted}).explode(c.PRODUCT_ID)
    flat = flat.join(numbers, on=c.PRODUCT_ID, how="inner", maintain_order="left")
    lengths = np.bincount(flat["row"].to_numpy(), minlength=len(wanted))
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return Sequences(flat["item"].to_numpy(), starts, len(products))
