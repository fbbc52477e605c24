"""Aspect polarity on public sets with their own test files: ours beside majority and a bag of words."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.texts import Contender, Signs, contenders
from dongcha.models.text.aspects import Aspects, clause, clause_polarity
from dongcha.models.text.linear import SIGNS
from dongcha.models.text.polarity import Polarity
from dongcha.models.text.tokens import HAN

SETS: Final = {
    "absa_phone": ("chinese/absa_phone_train.txt.gz", "chinese/absa_phone_test.txt.gz"),
    "absa_notebook": ("chinese/absa_notebook_train.txt.gz", "chinese/absa_notebook_test.txt.gz"),
    "laptop14": ("absa_en/laptop14_Laptops_Train.xml.seg.gz", "absa_en/laptop14_Laptops_Test_Gold.xml.seg.gz"),
}
SIGN: Final = {"Negative": -1, "Neutral": 0, "Positive": 1}
Examples = tuple[list[str], list[tuple[int, int]], Signs]


def read(file: Path) -> Examples:
    """Texts, places of the aspects, signs; from lines of text with $T$, aspect, sign. Chinese is unspaced again."""
    lines = gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()
    texts, spans, labels = [], [], []
    for masked, name, sign in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        around, aspect = (_unspaced(part.strip()) for part in (masked, name))
        start = around.index("$T$")
        texts.append(around.replace("$T$", aspect, 1))
        spans.append((start, start + len(aspect)))
        labels.append(SIGN[sign.strip()])
    return texts, spans, np.array(labels, dtype=np.int8)


def _unspaced(text: str) -> str:
    return re.sub(r"\s+", "", text) if re.search(f"[{HAN}]", text) else text


def aspect_lines(
    folder: Path, seed: int, say: Callable[[dict[str, Any]], None], reviews: Callable[[str], tuple[list[str], Signs]]
) -> None:
    """`reviews`: "chinese", "clothing" or "instruments" → rated texts for the way without labels."""
    from sklearn.metrics import accuracy_score, f1_score

    taught = {who: Taught.by(*reviews(who), seed) for who in ("chinese", "clothing", "instruments")}
    for name, files in SETS.items():
        shown, (texts, spans, labels) = (read(folder / file) for file in files)
        teachers = {k: v for k, v in taught.items() if (k == "chinese") != (name == "laptop14")}
        for who, told in _told(shown, texts, spans, seed, teachers):
            macro = float(f1_score(labels, told, average="macro", labels=np.unique(labels)))
            say({"set": name, "contender": who, "accuracy": float(accuracy_score(labels, told)), "macro_f1": macro})


@dataclass(frozen=True)
class Taught:
    """What ratings of other reviews taught, and the shares of bad, neutral and good among them."""

    model: Polarity
    shares: NDArray[np.float64]

    @classmethod
    def by(cls, texts: Sequence[str], labels: Signs, seed: int) -> Taught:
        shares = np.array([np.mean(labels == sign) for sign in SIGNS])
        return cls(Polarity.fit(texts, labels, seed=seed), shares)


def _told(
    shown: Examples, texts: Sequence[str], spans: Sequence[tuple[int, int]], seed: int, taught: dict[str, Taught]
) -> Iterator[tuple[str, Signs]]:
    peers: list[Contender] = [one for one in contenders(chinese=False) if one.name != "dongcha polarity"]
    for one in peers:
        yield f"{one.name}, whole text", one.fit(shown[0], shown[2], seed)(texts).signs
    clauses = [clause(text, span) for text, span in zip(texts, spans, strict=True)]
    for who, teacher in taught.items():
        plain = (2 * teacher.model.polarity(clauses) + teacher.model.polarity(texts)) / 3
        yield f"ratings of {who} alone, as common as there", np.sign(plain).astype(np.int8)
        even = clause_polarity(teacher.model.probabilities, teacher.shares, texts, clauses)
        yield f"dongcha, ratings of {who} alone", np.sign(even).astype(np.int8)
    yield "dongcha aspects", Aspects.fit(*shown, seed=seed).named(texts, spans)
