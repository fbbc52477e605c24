"""Aspect polarity on public sets with their own test files: ours beside majority and a bag of words."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.peers.texts import Contender, Signs, contenders
from dongcha.models.text.aspects import Aspects, clause_polarity
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
    """`reviews`: "zh" or "en" → rated texts for the way without labels."""
    from sklearn.metrics import accuracy_score, f1_score

    taught = {language: Polarity.fit(*reviews(language), seed=seed) for language in ("zh", "en")}
    for name, files in SETS.items():
        shown, (texts, spans, labels) = (read(folder / file) for file in files)
        for who, told in _told(shown, texts, spans, seed, taught["en" if name == "laptop14" else "zh"]):
            macro = float(f1_score(labels, told, average="macro", labels=np.unique(labels)))
            say({"set": name, "contender": who, "accuracy": float(accuracy_score(labels, told)), "macro_f1": macro})


def _told(
    shown: Examples, texts: Sequence[str], spans: Sequence[tuple[int, int]], seed: int, taught: Polarity
) -> Iterator[tuple[str, Signs]]:
    plain: list[Contender] = [one for one in contenders(chinese=False) if one.name != "dongcha polarity"]
    for one in plain:
        yield f"{one.name}, whole text", one.fit(shown[0], shown[2], seed)(texts).signs
    signs = np.sign(clause_polarity(taught, texts, spans)).astype(np.int8)
    yield "dongcha, taught by other reviews' ratings alone", signs
    yield "dongcha aspects", Aspects.fit(*shown, seed=seed).named(texts, spans)
