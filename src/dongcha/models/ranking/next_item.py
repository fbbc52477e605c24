"""The whole recommender over sequences: the behaviour model, readings of transitions, neighbours, and a judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.timelines import Timelines
from dongcha.models.ranking.blend import Blend, Lists, Ranker
from dongcha.models.ranking.neighbours import MOST_ITEMS, Ease, Neighbours
from dongcha.models.ranking.popularity import Popularity
from dongcha.models.ranking.repeats import Repeats
from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences
from dongcha.models.ranking.transitions import Transitions, TransitionsConfig

READINGS: Final = (
    TransitionsConfig(),
    TransitionsConfig(reach=1, backward=0.0, fading=0.5),
    TransitionsConfig(reach=3, backward=0.0, from_power=0.5, to_power=0.5, fading=0.7),
    TransitionsConfig(reach=50, backward=1.0, from_power=0.5, to_power=0.5, fading=0.8),
)
"""Near and both ways; the very next; the next few, less for what is common; and who took both, whenever."""


@dataclass(frozen=True)
class NextItemConfig:
    """`each`: how many candidates every ranker brings to the judge. `unseen_only`: never what a history holds."""

    each: int = 100
    unseen_only: bool = True


@dataclass(frozen=True)
class ByModel:
    """The behaviour model as a ranker of products: its likeliest `offered`, by default such as a history lacks."""

    model: BehaviourModel
    offered: int = 300
    unseen_only: bool = True

    def scores(self, histories: Sequences) -> Scored:
        """The likeliest products and their scores."""
        without = histories if self.unseen_only else None
        return self.model.top(self.model.vectors(Timelines.of(histories)), self.offered, without)


@dataclass(frozen=True)
class NextItem:
    """Rankers fitted on everything, and a judge that learnt on newest items which its own rankers had not seen."""

    rankers: tuple[Ranker, ...]
    popularity: Popularity
    judge: Blend

    @classmethod
    def fit(
        cls,
        sequences: Sequences,
        *,
        seed: int = 0,
        config: NextItemConfig | None = None,
        model: BehaviourModel | None = None,
        fit_model: Callable[[Timelines, int], BehaviourModel] = lambda timelines, seed: BehaviourModel.fit(
            timelines, seed=seed
        ),
    ) -> NextItem:
        """Fit twice: without each row's newest item, for the judge to learn from; then with it.

        `model`: one already fitted on all of `sequences`, to save the second fit.
        """
        config = config or NextItemConfig()

        def learnt(some: Sequences) -> BehaviourModel | None:
            try:
                return fit_model(Timelines.of(some), seed)
            except MissingDataError:  # rows too short for the model: the others can do without it
                return None

        before = sequences.without_last()
        known = before.lengths() > 0
        histories, wanted = before.take(known.nonzero()[0]), sequences.last()[known]
        rankers, popularity = _rankers(before, learnt(before), config)
        lists = Lists.of(
            rankers, popularity, histories, wanted, seed=seed, each=config.each, unseen_only=config.unseen_only
        )
        judge = Blend.learnt_or_agreed([lists], seed=seed, each=config.each, unseen_only=config.unseen_only)
        now = model if model is not None else learnt(sequences)
        return cls(*_rankers(sequences, now, config), judge)

    def scores(self, histories: Sequences) -> Scored:
        """Every history's candidates with the judge's scores."""
        return self.judge.scores(self.rankers, self.popularity, histories)


def _rankers(
    sequences: Sequences, model: BehaviourModel | None, config: NextItemConfig
) -> tuple[tuple[Ranker, ...], Popularity]:
    popularity = Popularity().fit(sequences)
    rankers: list[Ranker] = [] if model is None else [ByModel(model, unseen_only=config.unseen_only)]
    rankers += [Transitions(reading).fit(sequences) for reading in READINGS]
    rankers += [Neighbours().fit(sequences), popularity]
    if sequences.catalogue <= MOST_ITEMS:
        rankers.append(Ease().fit(sequences))
    if not config.unseen_only:
        rankers.append(Repeats().fit(sequences))
    return tuple(rankers), popularity
