"""The rankers of products, each fitted on what was known at a cutoff; the judge hears them all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import Horizon
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.pretrained import Pretrained, day_of, history_of
from dongcha.insights.recommendation.counts import Counts
from dongcha.models.ranking.blend import Ranker
from dongcha.models.ranking.content import Content
from dongcha.models.ranking.context import Context
from dongcha.models.ranking.popularity import Popularity
from dongcha.models.ranking.repeats import Repeats, RepeatsConfig
from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences
from dongcha.models.ranking.transitions import Transitions, TransitionsConfig

NEIGHBOURS: Final = TransitionsConfig(reach=50, backward=1.0, from_power=0.5, to_power=0.5, fading=0.98)
"""Item-item: who took both, whenever; the whole history counts nearly alike."""
FOLLOWERS: Final = TransitionsConfig(reach=20, backward=0.5, from_power=0.6, to_power=0.1, fading=0.9)
OFFERED: Final = 200
OF_A_CATEGORY: Final = 20
LOOK_HALF_LIFE_DAYS: Final = 14.0
RECENT_DAYS: Final = 60.0
KEPT: Final = 6
"""Cutoffs whose rankers are kept: a judge learns at three past ones, and contenders ask for the same."""


@dataclass(frozen=True)
class Given:
    """What was found beforehand for entities, told by their rows' ids."""

    found: Scored

    def scores(self, histories: Sequences) -> Scored:
        assert histories.ids is not None, "these histories do not say whose they are"
        return self.found.take(histories.ids)


class Own:
    """What a row holds, by how often; of those held equally often, what sells best stands first."""

    def __init__(self, taken: np.ndarray) -> None:
        """`taken`: (items,), how much each sells."""
        self.share = (0.5 * taken / max(float(taken.max(initial=0)), 1.0)).astype(np.float32)

    def scores(self, histories: Sequences) -> Scored:
        found = Scored.held(histories)
        return replace(found, scores=found.scores + self.share[found.items])


class Rankers:
    """All rankers as of one cutoff; each is fitted when first asked for, once for all contenders."""

    def __init__(self, counts: Counts, horizon: Horizon) -> None:
        self.counts, self.horizon = counts, horizon

    @classmethod
    def of(cls, facts: Facts) -> Rankers:
        """As of the facts' cutoff."""
        return _rankers(Counts(history_of(facts), day_of(facts.as_of)), facts.horizon)

    def histories(self, facts: Facts) -> Sequences:
        """What each entity bought."""
        found = self.counts.bought.take(self.counts.rows(facts.entities))
        return replace(found, ids=np.arange(len(found)))

    def judged(self, facts: Facts, pretrained: Pretrained | None = None) -> list[Ranker]:
        """The rankers that the judge hears, for these entities: the same at every cutoff, whatever is known by then."""
        counted: list[Ranker] = [self.own, self.repeats, self.neighbours, self.followers, self.content, self.recent]
        found = [*counted, self.of_own_categories, self.looked_at(facts), self.alike(facts)]
        return [*found, self.by_behaviour(facts, pretrained)] if pretrained is not None else found

    @cached_property
    def own(self) -> Own:
        return Own(self.recent.taken)

    @cached_property
    def popularity(self) -> Popularity:
        return Popularity().fit(self.counts.bought)

    @cached_property
    def recent(self) -> Popularity:
        """What everybody took lately."""
        return Popularity().fit(self.counts.since(RECENT_DAYS))

    @cached_property
    def repeats(self) -> Repeats:
        return Repeats(RepeatsConfig(ahead=float(self.horizon.days))).fit(self.counts.bought)

    @cached_property
    def neighbours(self) -> Transitions:
        return Transitions(NEIGHBOURS).fit(self.counts.bought)

    @cached_property
    def vectors(self) -> np.ndarray:
        """One vector per product to tell what is alike: its neighbours in dense form."""
        from sklearn.decomposition import TruncatedSVD

        near = self.neighbours.following
        factors = min(32, near.shape[1] - 1)
        return np.asarray(TruncatedSVD(factors, random_state=0).fit_transform(near), dtype=np.float32)

    @cached_property
    def out_of_stock(self) -> np.ndarray:
        """Which products are known to be gone, bool, shape (catalogue,)."""
        return (self.counts.history.catalogue[c.ON_HAND] <= 0).fill_null(False).to_numpy()

    @cached_property
    def followers(self) -> Transitions:
        return Transitions(FOLLOWERS).fit(self.counts.bought)

    @cached_property
    def content(self) -> Content:
        """What is like what one took; products that nobody took yet are found by this alone."""
        catalogue = self.counts.history.catalogue
        texts = catalogue.select(pl.concat_str(c.NAME, c.BRAND, separator=" ", ignore_nulls=True)).to_series()
        prices = catalogue[c.PRICE].fill_null(float("nan")).to_numpy()
        return Content().fit(texts.fill_null("").to_list(), catalogue[c.CATEGORY].to_list(), prices)

    @cached_property
    def of_own_categories(self) -> OwnCategories:
        return OwnCategories(self.counts.categories, self.recent.taken + 0.01 * self.popularity.taken)

    def looked_at(self, facts: Facts) -> Given:
        """What the entities looked at, the newer looks counting more."""
        looks = self.counts.looked_at.take(self.counts.rows(facts.entities))
        assert looks.days is not None
        fresh = (0.5 ** ((self.counts.today - looks.days) / LOOK_HALF_LIFE_DAYS)).astype(np.float32)
        return Given(Scored.held(looks, np.maximum(fresh, np.float32(1e-6))))

    @cached_property
    def context(self) -> Context:
        """What people of each kind took lately."""
        everybody = pl.concat([self.counts.customers, pl.Series([""])])
        return Context().fit(self.counts.traits(everybody), self.counts.since(RECENT_DAYS))

    def alike(self, facts: Facts) -> Given:
        """What those like the entities took lately: all there is for who has done nothing yet."""
        return Given(self.context.of(self.counts.traits(facts.entities)))

    def by_behaviour(self, facts: Facts, pretrained: Pretrained) -> Given:
        """The likeliest next products, by the behaviour model."""
        found = pretrained.model.top(pretrained.states(facts), OFFERED)
        return Given(_renumbered(found, self.counts.numbers_of(pretrained.vocabulary.products), self.counts))


_rankers = lru_cache(maxsize=KEPT)(Rankers)


def _renumbered(found: Scored, numbers: np.ndarray, counts: Counts) -> Scored:
    there = found.kept(numbers[found.items] >= 0)
    return replace(there, items=numbers[there.items], catalogue=len(counts.history.products))


class OwnCategories:
    """What sells best in the categories one buys from, by one's share of each."""

    def __init__(self, categories: np.ndarray, taken: np.ndarray) -> None:
        """`categories`: (items,) int64, -1 for none; `taken`: (items,), how much each sells.

        `member`: which category each item is in; `best`: what sells best in each category, by its share.
        """
        from scipy.sparse import csr_matrix

        known = np.flatnonzero(categories >= 0)
        kinds, shape = categories[known], (len(categories), int(categories.max(initial=0)) + 1)
        self.member: Any = csr_matrix((np.ones(len(known), np.float32), (known, kinds)), shape=shape)
        whole = np.maximum(np.bincount(kinds, taken[known], shape[1]), 1e-9)
        shares = csr_matrix((taken[known] / whole[kinds], (kinds, known)), shape=shape[::-1], dtype=np.float32)
        self.best = Scored.of(shares).top(OF_A_CATEGORY).matrix()

    def scores(self, histories: Sequences) -> Scored:
        """The best sellers of a row's categories."""
        mine = Scored.held(histories).led(self.member)
        whole = np.bincount(mine.rows(), mine.scores, len(mine))
        shares = (mine.scores / np.repeat(whole, mine.lengths())).astype(np.float32)
        return replace(mine, scores=shares).led(self.best)
