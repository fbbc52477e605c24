"""The behaviour model of one history: trained once, then read by every insight that asks."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import MissingDataError
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.memo import Memo, digest
from dongcha.insight_kit.vocabulary import DAY_MICROSECONDS, Vocabulary
from dongcha.models.behaviour.model import BehaviourModel, Vectors
from dongcha.models.behaviour.moments import asked_at, windows, with_questions
from dongcha.models.behaviour.outlook import with_outlook
from dongcha.models.behaviour.serving import Served
from dongcha.models.behaviour.timelines import Timelines

if TYPE_CHECKING:
    from dongcha.insight_kit.history import History
    from dongcha.models.behaviour.network import NetworkConfig
    from dongcha.models.behaviour.training import TrainingConfig

QUESTIONS: Final = 0.3
"""The share of longer gaps into which a question is put, so that the model learns what waiting means."""
EPOCHS: Final = 4
"""Timelines of events are longer than plain sequences of products, so an epoch is more steps; more brought nothing."""
KEPT: Final = 12
"""How many finished trainings are kept in the workspace."""
DONE: Final = "done"

_kept: Memo[Pretrained] = Memo()


@dataclass(frozen=True)
class Pretrained:
    """A vocabulary, and the model that was trained in its codes."""

    vocabulary: Vocabulary
    model: BehaviourModel | Served

    def timelines(self, timeline: pl.DataFrame, customers: pl.Series) -> Timelines:
        """The customers' events in the model's codes, row by row."""
        return self.vocabulary.timelines(timeline, customers)

    def states(self, facts: Facts) -> Vectors:
        """What the model makes of every entity's history as of the cutoff, shape (entities, width).

        The time since the last event is part of it. Zeros for an entity without events.
        """
        timelines = self.timelines(history_of(facts).timeline, facts.entities)
        return self.model.vectors(asked_at(timelines, day_of(facts.as_of)))

    def save(self, folder: Path) -> None:
        """Safetensors and JSON."""
        assert isinstance(self.model, BehaviourModel), "what is served was saved already"
        self.vocabulary.save(folder)
        self.model.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Pretrained:
        """Read what `save` wrote."""
        return cls(Vocabulary.load(folder), BehaviourModel.load(folder))

    def export(self, folder: Path) -> None:
        """Write it as `served` reads it: as ONNX."""
        from dongcha.models.behaviour.export import export

        assert isinstance(self.model, BehaviourModel), "what is served is exported already"
        folder.mkdir(parents=True, exist_ok=True)
        self.vocabulary.save(folder)
        export(self.model, folder)

    @classmethod
    def served(cls, folder: Path) -> Pretrained:
        """Read what `export` wrote, without torch; in full precision, so that the same comes of it."""
        return cls(Vocabulary.load(folder), Served.open(folder, "fp32"))


def pretrain(facts: Facts, *, seed: int) -> Pretrained:
    """The behaviour model trained on everything known at `facts.as_of`.

    The same history and seed give the same model, and a training is never repeated: it is kept in memory, and in the
    workspace's scratch folder, where one that was killed goes on. Raises MissingDataError where the history is too
    short to learn from.
    """
    history = history_of(facts)
    lesson = _Lesson.of(history.timeline, day_of(facts.as_of), seed)
    key = lesson.digest()
    return _kept.get(key, lambda: lesson.learnt(history, key))


def history_of(facts: Facts) -> History:
    """The facts' history; MissingDataError where the insight did not say that it needs one."""
    if facts.history is None:
        raise MissingDataError("These facts have no history.", "Declare it: Needs(…, history=True).")
    return facts.history


def day_of(as_of: AsOf) -> float:
    """The cutoff in days since 1970."""
    return as_of.moment.timestamp() * 1e6 / DAY_MICROSECONDS


@dataclass(frozen=True)
class _Lesson:
    """All that decides what a training comes to."""

    vocabulary: Vocabulary
    timelines: Timelines
    shape: NetworkConfig
    training: TrainingConfig
    seed: int

    @classmethod
    def of(cls, timeline: pl.DataFrame, until: float, seed: int) -> _Lesson:
        from dongcha.models.behaviour.network import NetworkConfig
        from dongcha.models.behaviour.training import TrainingConfig

        vocabulary = Vocabulary.fit(timeline)
        if not vocabulary.products:
            raise MissingDataError("No event names a product.", "Load orders or events that name their products.")
        everybody = timeline[c.CUSTOMER_ID].unique().sort()
        asked = with_questions(vocabulary.timelines(timeline, everybody), QUESTIONS, seed, until)
        timelines = with_outlook(asked, until, seed)
        return cls(vocabulary, timelines, NetworkConfig(), TrainingConfig(epochs=EPOCHS, patience=2), seed)

    def digest(self) -> str:
        told = (self.seed, asdict(self.shape), asdict(self.training), self.vocabulary)
        return digest(told, (self.timelines.starts, self.timelines.days, *self.timelines.fields.values()))

    def learnt(self, history: History, key: str) -> Pretrained:
        folder = None if history.scratch is None else history.scratch / key
        if folder is not None and (folder / DONE).exists():
            return Pretrained.load(folder)
        model = BehaviourModel.fit(
            windows(self.timelines, self.shape.length),
            seed=self.seed,
            shape=self.shape,
            training=self.training,
            checkpoint=folder,
            progress=history.progress,
        )
        made = Pretrained(self.vocabulary, model)
        if folder is not None:
            _keep(made, folder)
        return made


def _keep(made: Pretrained, folder: Path) -> None:
    """Keep a finished training in place of its checkpoints, and no more than the newest few."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made.save(folder)
    (folder / DONE).touch()
    others = sorted(folder.parent.iterdir(), key=lambda kept: kept.stat().st_mtime, reverse=True)
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
