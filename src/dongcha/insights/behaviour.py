"""What does this history say, as a vector?"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import MissingDataError
from dongcha.evaluation import metrics
from dongcha.features.labels import PRODUCTS_BOUGHT, products_bought
from dongcha.insight_kit.base import Contender, Example, Facts, Insight, Metric, Needs, Role
from dongcha.insight_kit.outputs import Vector
from dongcha.insight_kit.pretrained import Pretrained, history_of, pretrain
from dongcha.models.behaviour.principal import Principal
from dongcha.models.behaviour.probes import LinearHeads
from dongcha.models.tabular.log_scaling import signed_log
from dongcha.models.tabular.logistic import Logistic

VECTOR: Final = "behaviour_vector"
SIZE: Final = 64
FEATURES: Final = ("recency_days", "orders", "spend", "mean_gap_days", "orders_30d", "orders_90d")
WORDS: Final = {c.EVENT: 20, c.CATEGORY: 50, c.PRODUCT_ID: 200}
"""What the counts count, and how many of its values at most, the commonest."""
ASKED: Final = 20
"""Of so many categories and products, the best sold, a probe asks who will buy them."""
FEWEST: Final = 20
"""A probe needs this many customers of both answers, when it learns and when it is tested."""
RANKED: Final = 300
TOP: Final = 10
COUNTS_FILE: Final = "counts.json"
LEARNT_FILE: Final = "learnt.json"


class Profile(Contender):
    """A vector learnt from the histories as of the newest past example, then read off at any later cutoff.

    Not from those of now: what reads the vector learns at a past cutoff, and there it may only hold what was known.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self.example: Example | None = None
        """What the vectors' worth is told by; a loaded contender has none."""

    @abstractmethod
    def _learn(self, facts: Facts, seed: int) -> None:
        """Fit what `_raw` needs."""

    @abstractmethod
    def _raw(self, facts: Facts) -> np.ndarray:
        """Numbers about every entity, shape (entities, any width)."""

    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        if not past:
            raise MissingDataError("No past cutoff has a complete label.", "Load a longer history.")
        self.example = past[-1]
        self.learn(self.example.facts, seed)

    def learn(self, facts: Facts, seed: int) -> None:
        """Learn from the histories alone, as of the facts' cutoff."""
        self.learnt_as_of = facts.as_of
        self._learn(facts, seed)
        self.principal = Principal.fit(self._raw(facts), self.size)

    def vectors(self, facts: Facts) -> np.ndarray:
        """Shape (entities, size), float64."""
        return self.principal.transform(self._raw(facts))

    def predict(self, facts: Facts) -> pl.DataFrame:
        vectors = pl.Series(VECTOR, self.vectors(facts), pl.Array(pl.Float64, SIZE))
        return facts.features.select(c.ENTITY_ID).with_columns(vectors)

    def save(self, folder: Path) -> None:
        self.principal.save(folder)
        (folder / LEARNT_FILE).write_text(json.dumps(str(self.learnt_as_of)), "utf-8")

    def load(self, folder: Path) -> None:
        self.principal = Principal.load(folder)
        self.learnt_as_of = AsOf.parse(json.loads((folder / LEARNT_FILE).read_text("utf-8")))


class Encoder(Profile):
    """The pretrained behaviour model's state at the cutoff."""

    name = "encoder"

    def _learn(self, facts: Facts, seed: int) -> None:
        self.model = pretrain(facts, seed=seed)

    def _raw(self, facts: Facts) -> np.ndarray:
        return self.model.states(facts)

    def save(self, folder: Path) -> None:
        super().save(folder)
        self.model.save(folder)

    def load(self, folder: Path) -> None:
        super().load(folder)
        self.model = Pretrained.load(folder)


class Counts(Profile):
    """Logs of how often what was done, of which category and product, how lately and for how much."""

    name = "counts"
    role = Role.BASELINE

    def _learn(self, facts: Facts, seed: int) -> None:
        timeline = history_of(facts).timeline
        self.features = tuple(name for name in FEATURES if name in facts.features.columns)
        self.words = {column: commonest(timeline[column], most) for column, most in WORDS.items()}
        self.typical = np.nan_to_num(np.nanmedian(signed_log(facts.matrix(self.features)), axis=0))

    def _raw(self, facts: Facts) -> np.ndarray:
        timeline = history_of(facts).timeline
        numbers = signed_log(facts.matrix(self.features))
        counts = [counted(timeline, facts.entities, column, words) for column, words in self.words.items()]
        return np.hstack([np.where(np.isnan(numbers), self.typical, numbers), *(np.log1p(found) for found in counts)])

    def save(self, folder: Path) -> None:
        super().save(folder)
        told = {"features": self.features, "words": self.words, "typical": self.typical.tolist()}
        (folder / COUNTS_FILE).write_text(json.dumps(told, ensure_ascii=False), "utf-8")

    def load(self, folder: Path) -> None:
        super().load(folder)
        told = json.loads((folder / COUNTS_FILE).read_text("utf-8"))
        self.features, self.words, self.typical = tuple(told["features"]), told["words"], np.array(told["typical"])


class Fused(Profile):
    """Both: half of the numbers from the encoder, half from the counts."""

    name = "fused"

    def __init__(self) -> None:
        super().__init__()
        self.parts: tuple[Profile, ...] = (Encoder(size=SIZE // 2), Counts(size=SIZE // 2))

    def _learn(self, facts: Facts, seed: int) -> None:
        for part in self.parts:
            part.learn(facts, seed)

    def _raw(self, facts: Facts) -> np.ndarray:
        return np.hstack([part.vectors(facts) for part in self.parts])

    def save(self, folder: Path) -> None:
        super().save(folder)
        for part in self.parts:
            (folder / part.name).mkdir()
            part.save(folder / part.name)

    def load(self, folder: Path) -> None:
        super().load(folder)
        for part in self.parts:
            part.load(folder / part.name)


def commonest(column: pl.Series, most: int) -> list[str]:
    """The commonest values, ties by name."""
    name = column.name
    counted = column.drop_nulls().value_counts(name="n").sort("n", name, descending=[True, False])
    return counted[name].head(most).to_list()


def counted(timeline: pl.DataFrame, entities: pl.Series, column: str, words: Sequence[str]) -> np.ndarray:
    """How often each entity had each word, shape (entities, words), float64."""
    rows = pl.DataFrame({c.CUSTOMER_ID: entities, "row": np.arange(len(entities))})
    places = pl.DataFrame({column: words, "place": np.arange(len(words))}, schema_overrides={column: pl.String})
    found = timeline.join(rows, on=c.CUSTOMER_ID).join(places, on=column).group_by("row", "place").len()
    counts = np.zeros((len(entities), len(words)))
    counts[found["row"].to_numpy(), found["place"].to_numpy()] = found["len"].to_numpy()
    return counts


# -- how much a vector knows


@dataclass(frozen=True)
class Asked:
    """The yes-or-no questions that probes answer: silence, and the best sold categories and products."""

    categories: tuple[str, ...]
    products: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts) -> Asked:
        """Chosen by what was ordered before the cutoff."""
        timeline = history_of(facts).timeline
        sold = timeline.filter(pl.col(c.EVENT) == c.ORDER_COMPLETED)
        return cls(*(tuple(commonest(sold[column], ASKED)) for column in (c.CATEGORY, c.PRODUCT_ID)))

    def answers(self, example: Example) -> dict[str, np.ndarray]:
        """Family of questions → what happened, bool, shape (entities, questions)."""
        bought = example.truth[PRODUCTS_BOUGHT]
        catalogue = history_of(example.facts).catalogue
        return {
            "churn": (bought.list.len() == 0).to_numpy()[:, None],
            "category": holds(in_categories(bought, catalogue), self.categories),
            "product": holds(bought, self.products),
        }


def in_categories(bought: pl.Series, catalogue: pl.DataFrame) -> pl.Series:
    """The categories of each row's products."""
    known = catalogue.drop_nulls(c.CATEGORY)
    old, new = known[c.PRODUCT_ID], known[c.CATEGORY]
    return bought.list.eval(pl.element().replace_strict(old, new, default=None, return_dtype=pl.String))


def holds(lists: pl.Series, words: Sequence[str]) -> np.ndarray:
    """Whether each row's list holds each word, bool, shape (rows, words)."""
    columns = [lists.list.contains(word).fill_null(False).to_numpy() for word in words]
    return np.column_stack(columns) if columns else np.zeros((len(lists), 0), dtype=bool)


def probe_auc(learnt: np.ndarray, was: np.ndarray, tested: np.ndarray, came: np.ndarray) -> float:
    """Mean AUC of one logistic a question, learnt at one cutoff and tested at a later one; NaN where none can be.

    `learnt`, `tested`: vectors (rows, width); `was`, `came`: answers (rows, questions).
    """
    clear = [k for k in range(was.shape[1]) if _both(was[:, k]) and _both(came[:, k])]
    guesses = {k: Logistic.fit(learnt, was[:, k].astype(np.float64)).predict(tested) for k in clear}
    return float(np.mean([metrics.auc(came[:, k], guess) for k, guess in guesses.items()])) if clear else float("nan")


def _both(answers: np.ndarray) -> bool:
    return FEWEST <= int(answers.sum()) <= len(answers) - FEWEST


def bought_ndcg(learnt: np.ndarray, was: pl.Series, tested: np.ndarray, came: pl.Series) -> float:
    """NDCG@10 of products, ranked by linear heads learnt at one cutoff, for those who bought after a later one."""
    products = commonest(was.explode(empty_as_null=False).rename(c.PRODUCT_ID), RANKED)
    scores = LinearHeads.fit(learnt, holds(was, products)).predict(tested)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    gain = 1 / np.log2(np.arange(2, TOP + 2))
    found = np.take_along_axis(holds(came, products), best, axis=1) @ gain[: best.shape[1]]
    wanted = came.list.len().to_numpy()
    ideal = np.cumsum(gain)[np.minimum(wanted, TOP).clip(1) - 1]
    return float(np.mean((found / ideal)[wanted > 0])) if (wanted > 0).any() else float("nan")


class Behaviour(Insight):
    """A vector of every buyer's history, for other insights and tools to read; its coordinates have no names.

    On Online Retail, Complete Journey and a simulated shop see docs/insights/behaviour.md. Not promised: that vectors
    of two versions can be compared; each version has its own space.
    """

    name = "behaviour"
    question: ClassVar[dict[str, str]] = {
        "en": "What does this history say, as a vector?",
        "zh": "这段历史说明了什么（向量）？",
    }
    needs = Needs((c.ORDERS,), FEATURES, products_bought, history=True)
    yields = (Vector(VECTOR, english="behaviour", chinese="行为向量", size=SIZE),)
    judged_by = (Metric("probe_auc"), Metric("next_event_ndcg"))
    limits: ClassVar[dict[str, str]] = {
        "en": "Numbers for machines: no single coordinate means anything, and two versions cannot be compared.",
        "zh": "供程序使用的数值：单个坐标没有含义，不同版本之间不可比较。",
    }

    def contenders(self) -> tuple[Contender, ...]:
        return (Fused(), Encoder(), Counts())

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        return facts.matched(happened, c.CUSTOMER_ID).select(pl.col(PRODUCTS_BOUGHT).fill_null([]))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """`probe_auc` is the mean over the families of questions; `next_event_ndcg` ranks the products bought next."""
        if not isinstance(contender, Profile) or contender.example is None:
            raise MissingDataError(f"{contender.name} was not fitted here: its probes have nothing to learn from.")
        earlier = contender.example
        learnt, tested = contender.vectors(earlier.facts), answer[VECTOR].to_numpy()
        asked = Asked.of(earlier.facts)
        was, came = asked.answers(earlier), asked.answers(example)
        by_family = {f"{name}_auc": probe_auc(learnt, was[name], tested, came[name]) for name in was}
        found = {name: value for name, value in by_family.items() if not np.isnan(value)}
        bought = (earlier.truth[PRODUCTS_BOUGHT], example.truth[PRODUCTS_BOUGHT])
        return {
            "probe_auc": float(np.mean(list(found.values()))),
            "next_event_ndcg": bought_ndcg(learnt, bought[0], tested, bought[1]),
            **found,
        }
