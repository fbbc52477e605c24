"""Topic models to measure ours against, all on the same words: NMF, LDA, BERTopic."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.tokens import words
from dongcha.models.text.topic_counts import text_vectors

WORDS: Final = 25
FEWEST: Final = 5
MOST: Final = 5_000
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Corpus:
    """Texts and their words: those in 5 texts or more, the 5,000 most frequent."""

    texts: Sequence[str]

    @cached_property
    def words(self) -> list[list[str]]:
        known = set(self.vocabulary)
        return [[word for word in text if word in known] for text in self._all_words]

    @cached_property
    def _all_words(self) -> list[list[str]]:
        return [words(text) for text in self.texts]

    @cached_property
    def _counter(self) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer

        return CountVectorizer(analyzer=list, min_df=FEWEST, max_features=MOST).fit(self._all_words)

    @cached_property
    def vocabulary(self) -> list[str]:
        return [str(word) for word in self._counter.get_feature_names_out()]

    @cached_property
    def counts(self) -> Any:
        return self._counter.transform(self._all_words).tocsr().astype(np.float64)

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """What our own default learns from the same counts."""
        return text_vectors(self.counts).astype(np.float32)


@dataclass(frozen=True)
class Run:
    """One fit: on which rows, by which seed."""

    rows: Rows
    seed: int


@dataclass(frozen=True)
class Found:
    """The words of each topic, best first; each row's topic, -1 for none; processor seconds."""

    words: list[list[str]]
    labels: Rows
    seconds: float


Contender = Callable[[Corpus, int, Sequence[Run]], list[Found]]


def each(fit: Callable[[Corpus, int, Run], tuple[list[list[str]], Any]]) -> Contender:
    """A contender out of one fit."""

    def fits(corpus: Corpus, topics: int, runs: Sequence[Run]) -> list[Found]:
        found = []
        for run in runs:
            started = time.process_time()
            told, labels = fit(corpus, topics, run)
            found.append(Found(told, np.asarray(labels, dtype=np.int64), time.process_time() - started))
        return found

    return fits


def _told(corpus: Corpus, components: Any) -> list[list[str]]:
    order = np.argsort(-components, axis=1, kind="stable")[:, :WORDS]
    return [[corpus.vocabulary[k] for k in row] for row in order]


def nmf(corpus: Corpus, topics: int, run: Run) -> tuple[list[list[str]], Any]:
    """scikit-learn's NMF on its TF-IDF, its own settings."""
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfTransformer

    weighted = TfidfTransformer().fit_transform(corpus.counts[run.rows])
    model = NMF(topics, random_state=run.seed)
    weights = model.fit_transform(weighted)
    return _told(corpus, model.components_), np.where(weights.max(axis=1) > 0, weights.argmax(axis=1), -1)


def lda(corpus: Corpus, topics: int, run: Run) -> tuple[list[list[str]], Any]:
    """scikit-learn's LDA on counts, its own settings."""
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(topics, random_state=run.seed)
    weights = model.fit_transform(corpus.counts[run.rows])
    return _told(corpus, model.components_), weights.argmax(axis=1)


def bertopic(python: str) -> Contender:
    """BERTopic on our vectors, by an interpreter of its own."""

    def fits(corpus: Corpus, topics: int, runs: Sequence[Run]) -> list[Found]:
        with tempfile.TemporaryDirectory() as folder:
            given, vectors, out = (Path(folder) / name for name in ("given.json", "vectors.npy", "fits.json"))
            asked = [{"seed": run.seed, "rows": run.rows.tolist()} for run in runs]
            given.write_text(json.dumps({"words": corpus.words, "topics": topics, "runs": asked}), "utf-8")
            np.save(vectors, corpus.vectors)
            script = Path(__file__).parent / "bertopic_fit.py"
            command = [python, str(script), str(given), str(vectors), str(out)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])
            told = json.loads(out.read_text("utf-8"))
        return [Found(fit["words"], np.array(fit["labels"]), fit["seconds"]) for fit in told]

    return fits
