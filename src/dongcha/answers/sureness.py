"""The chance that a passage answers a question, learnt from questions whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from dongcha import columns as c
from dongcha.answers.elsewhere import ELSEWHERE
from dongcha.answers.finder import FEATURES, TABLES, Candidate, Finder, Passage
from dongcha.models.text.bm25 import content

FILE: Final = "sureness.json"
QUESTIONS: Final = {c.DOCUMENTS: 300, c.PRODUCTS: 150, c.REVIEWS: 150, c.MESSAGES: 150}
"""How many a table's passages are asked for, each passage at most MOST_OFTEN times."""
MOST_OFTEN: Final = 8
FEWEST: Final = 8
"""Right and wrong answers each, below which nothing is learnt and nothing is ever sure."""
FEWEST_WORDS: Final = 2
MOST_WORDS: Final = 8
TITLE_WEIGHT: Final = 6.0
"""How much likelier people name what a page is about than any other of its words (decision 0010)."""
STRANGE_WORDS: Final = 3

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sureness:
    """Of each table: P(the passage answers) = sigmoid(intercept + weights · features), features as in `finder`."""

    by_table: dict[str, tuple[Array, float]]
    """Weights of shape (FEATURES,) and the intercept; a table that taught too little is not there."""

    @classmethod
    def fit(cls, finder: Finder, *, seed: int = 0) -> Sureness:
        """Ask for the shop's own passages, and what it has no answer to; see `questions`."""
        from sklearn.linear_model import LogisticRegression

        by_table = {}
        for table in TABLES:
            X, y = examples(finder, table, seed)
            if min(y.sum(), (~y).sum()) >= FEWEST:
                center, scale = X.mean(axis=0), X.std(axis=0) + 1e-6
                model = LogisticRegression(C=1.0, max_iter=1000).fit((X - center) / scale, y)
                weights = np.asarray(model.coef_[0] / scale, dtype=np.float64)
                by_table[table] = (weights, float(model.intercept_[0] - weights @ center))
        return cls(by_table)

    def chance(self, candidate: Candidate) -> float:
        """That the candidate answers the question; 0 for a table that taught too little to be sure of anything."""
        weights, intercept = self.by_table.get(candidate.passage.table, (np.zeros(len(FEATURES)), -np.inf))
        return float(expit(candidate.features @ weights + intercept))

    def save(self, folder: Path) -> None:
        told = {table: {"weights": list(weights), "intercept": at} for table, (weights, at) in self.by_table.items()}
        (folder / FILE).write_text(json.dumps({"features": FEATURES, "by_table": told}), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Sureness:
        told = json.loads((folder / FILE).read_text("utf-8"))["by_table"]
        return cls({table: (np.array(each["weights"]), each["intercept"]) for table, each in told.items()})


def examples(finder: Finder, table: str, seed: int) -> tuple[Array, NDArray[np.bool_]]:
    """Features (questions, FEATURES) of the best candidate for each question, and whether it answers."""
    X, y = [], []
    for question, source, hidden in questions(finder, table, seed):
        for candidate in finder.candidates(question, [table], without=source if hidden else None)[:1]:
            X.append(candidate.features)
            y.append(not hidden and (candidate.passage.table, candidate.passage.source_id) == source)
    return np.array(X).reshape(-1, len(FEATURES)), np.array(y, dtype=bool)


def questions(finder: Finder, table: str, seed: int) -> Iterator[tuple[str, tuple[str, str] | None, bool]]:
    """Questions, each with the source that answers it, and whether that source is hidden when it is asked.

    A passage is asked for by its title, and by some of its own words among strange ones (after the inverse cloze task,
    Lee et al. 2019); then again by other words with its source hidden, so that the right answer is "I don't know".
    Questions of other worlds have no source.
    """
    rng = np.random.default_rng(seed)
    strange = sorted({word for question in ELSEWHERE for word in content(question)})
    rows = np.flatnonzero((finder.passages[c.TABLE] == table).to_numpy())
    often = min(MOST_OFTEN, -(-QUESTIONS[table] // max(len(rows), 1)))
    for row in np.sort(rng.permutation(rows)[: QUESTIONS[table]]):
        passage = finder.passage(int(row))
        source = (table, passage.source_id)
        if passage.title and table != c.REVIEWS:
            yield passage.title, source, False
        for hidden in (False, True) * often:
            yield _asked(passage, strange, rng), source, hidden
    yield from ((question, None, True) for question in ELSEWHERE)


def _asked(passage: Passage, strange: Sequence[str], rng: np.random.Generator) -> str:
    """Some words of a passage, those of its title before others, among words that it may not have."""
    title = set(content(passage.title))
    own = list(dict.fromkeys([*content(passage.title), *content(passage.text)]))
    kept = max(FEWEST_WORDS, round(min(len(own), MOST_WORDS) * rng.uniform() ** 2))
    weights = np.array([TITLE_WEIGHT if word in title else 1.0 for word in own])
    if own:
        drawn = rng.choice(len(own), min(kept, len(own)), replace=False, p=weights / weights.sum())
        own = [own[int(k)] for k in np.sort(drawn)]
    return " ".join([*own, *rng.choice(strange, rng.integers(0, STRANGE_WORDS + 1))])
