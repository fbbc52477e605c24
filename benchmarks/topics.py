"""Topics of short texts: do their words belong together, do they differ, do they come again, are they the known ones?

    python -m benchmarks.topics DATA [--topics 20] [--seeds 5] [--texts 10000] [--sets NAME …]
        [--contenders NAME …] [--bertopic-python PYTHON] [--json]

DATA: the folder of public sets (chinese/, reviews_en/, brand_monitoring/); a set that is not there is skipped. Each
is cut to `--texts` texts drawn at random. The sets "shop …" are simulated with planted topics (the aspect a review
speaks of first; "one aspect": only reviews that speak of one; the intent a conversation opens with).

All contenders get the same words and find the same number of topics, BERTopic and ours from the same vectors. BERTopic
is run by PYTHON, by default the interpreter that `make bertopic` sets up. No setting of ours depends on the set.
"dongcha, own number" chooses the number itself. Figures are means over the seeds:

- `npmi`: normalised pointwise mutual information of each pair of a topic's 10 first words, texts as windows, -1 for
  words that never meet (Bouma 2009); `diversity` (10 and 25): the share of different words among all topics' first ones
  (Dieng et al. 2020); `product`: npmi × diversity of the 10.
- `known`: adjusted mutual information between each text's topic and its known label, no topic counting as one more.
- `seeds`, `samples`: how alike two fits are, over all pairs of seeds on all texts, and of 3 samples of 80 %, by other
  seeds: the adjusted Rand index of the texts' topics, and (`words`) the mean overlap (Jaccard) of the 10 first words of
  topics matched one to one. A method without chance comes to 1 over seeds whatever it finds; samples tell more.
- `placed`: the share of texts that have a topic; `found`: how many topics; `seconds`: of processor, median of the fits.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.peers import BERTOPIC_PYTHON
from benchmarks.peers.topic_models import Contender, Corpus, Found, Run, bertopic, each, lda, nmf
from dongcha import columns as c
from dongcha.evaluation.coherence import diversity, npmi
from dongcha.models.text.topics import Topics
from dongcha.sources.simulate import simulate

TOP: Final = 10
SAMPLES: Final = 3
SAMPLE: Final = 0.8
SHOP_CUSTOMERS: Final = 1_500
FIGURES: Final = (
    *("npmi", "diversity", "diversity 25", "product", "known", "seeds", "seeds, words", "samples", "samples, words"),
    *("placed", "found", "seconds"),
)


@dataclass(frozen=True)
class TextSet:
    """Texts, and the label known of each where the set has one."""

    name: str
    texts: list[str]
    labels: list[str] | None


# -- the sets


def sets(data: Path, most: int) -> Iterator[tuple[str, Callable[[], TextSet]]]:
    """Each set's name and how to read it."""
    yield "chinese reviews", lambda: _read(data, "chinese/online_shopping_10_cats.parquet", "review", "cat", most)
    clothes = "reviews_en/womens_clothing_ecommerce_reviews.parquet"
    yield "clothing", lambda: _read(data, clothes, "Review Text", "Class Name", most)
    tweets = "brand_monitoring/twitter_us_airline_sentiment.parquet"
    yield "airline tweets", lambda: _read(data, tweets, "text", "negativereason", most)
    for language in ("en", "zh"):
        yield f"shop {language}, reviews", lambda language=language: shop_reviews(language, most)
        yield f"shop {language}, one aspect", lambda language=language: shop_reviews(language, most, one=True)
        yield f"shop {language}, messages", lambda language=language: shop_messages(language, most)


def _read(data: Path, file: str, text: str, label: str, most: int) -> TextSet:
    table = pl.read_parquet(data / file).filter(pl.col(text).is_not_null())
    return _drawn(file, table.rename({text: "text"}), label if label in table.columns else None, most)


def _drawn(name: str, table: pl.DataFrame, label: str | None, most: int) -> TextSet:
    some = table.sample(min(most, len(table)), seed=0)
    labels = some[label].cast(pl.String).fill_null("").to_list() if label else None
    return TextSet(name, some["text"].to_list(), labels)


def shop_reviews(language: str, most: int, *, one: bool = False) -> TextSet:
    """Simulated reviews with the aspect each speaks of first; `one`: only those that speak of one."""
    shop = simulate(SHOP_CUSTOMERS, language=language, seed=3)
    planted = shop.secrets.frames
    spoken = planted["review_aspects"].group_by(c.REVIEW_ID).len()
    reviews = shop.tables[c.REVIEWS].join(planted["reviews"], on=c.REVIEW_ID).join(spoken, on=c.REVIEW_ID)
    return _drawn(language, reviews.filter(pl.col("len") == 1) if one else reviews, "topic", most)


def shop_messages(language: str, most: int) -> TextSet:
    """How simulated conversations open, with the planted intent."""
    shop = simulate(4 * SHOP_CUSTOMERS, language=language, seed=3)
    opening = shop.tables[c.MESSAGES].group_by(c.CONVERSATION_ID, maintain_order=True).first()
    planted = shop.secrets.frames["conversations"].rename({c.INTENT: "planted"})
    return _drawn(language, opening.join(planted, on=c.CONVERSATION_ID), "planted", most)


# -- measuring


def words_alike(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]], top: int = TOP) -> float:
    """Mean Jaccard overlap of first words, topics matched one to one; a topic without a partner counts 0."""
    from scipy.optimize import linear_sum_assignment

    first, second = ([set(topic[:top]) for topic in topics] for topics in (one, other))
    alike = np.array([[len(a & b) / max(len(a | b), 1) for b in second] for a in first]).reshape(len(one), len(other))
    return float(alike[linear_sum_assignment(-alike)].sum() / max(1, *alike.shape))


def stability(runs: Sequence[Run], found: Sequence[Found]) -> tuple[float, float]:
    """Of all pairs of fits: the adjusted Rand index on the texts both saw, and how alike their words are."""
    from sklearn.metrics import adjusted_rand_score

    texts, topics = [], []
    for (one, its), (other, others) in combinations(zip(runs, found, strict=True), 2):
        _, first, second = np.intersect1d(one.rows, other.rows, return_indices=True)
        texts.append(adjusted_rand_score(its.labels[first], others.labels[second]))
        topics.append(words_alike(its.words, others.words))
    return (float(np.mean(texts)), float(np.mean(topics))) if texts else (float("nan"), float("nan"))


def measured(contender: Contender, texts: TextSet, corpus: Corpus, topics: int, seeds: int) -> dict[str, float]:
    """One line of the table."""
    from sklearn.metrics import adjusted_mutual_info_score

    rows = np.arange(len(texts.texts))
    whole = [Run(rows, seed) for seed in range(seeds)]
    samples = [Run(_sample(len(rows), seed), seed) for seed in range(100, 100 + SAMPLES)]
    found = contender(corpus, topics, [*whole, *samples])
    by_seed = found[:seeds]
    coherent = np.mean([npmi(fit.words, corpus.words) for fit in by_seed])
    different = np.mean([diversity(fit.words) for fit in by_seed])
    known = [adjusted_mutual_info_score(texts.labels, fit.labels) for fit in by_seed] if texts.labels else [np.nan]
    again = *stability(whole, by_seed), *stability(samples, found[seeds:])
    line = (
        *(coherent, different, np.mean([diversity(fit.words, 25) for fit in by_seed]), coherent * different),
        *(np.mean(known), *again),
        *(np.mean([(fit.labels >= 0).mean() for fit in by_seed]), np.mean([len(fit.words) for fit in by_seed])),
        np.median([fit.seconds for fit in found]),
    )
    return dict(zip(FIGURES, map(float, line), strict=True))


def _sample(texts: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(texts)[: int(SAMPLE * texts)])


# -- the contenders


def ours(corpus: Corpus, topics: int | None, run: Run) -> tuple[list[list[str]], np.ndarray]:
    texts = [corpus.texts[k] for k in run.rows]
    found = Topics.fit(texts, topics=topics, seed=run.seed)
    return [list(topic.words) for topic in found.topics], found.place(texts).numbers


def contenders(bertopic_python: str | None) -> dict[str, Contender]:
    """Ours first."""
    found = {
        "dongcha": each(ours),
        "dongcha, own number": each(lambda corpus, topics, run: ours(corpus, None, run)),
        "NMF on TF-IDF": each(nmf),
        "LDA": each(lda),
    }
    return found | ({"BERTopic": bertopic(bertopic_python)} if bertopic_python else {})


def measure(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """All sets, all contenders; what cannot run is skipped with the reason."""
    lines: list[dict[str, Any]] = []
    if not asked.bertopic_python:
        print("BERTopic skipped: `make bertopic` sets it up\n")
    for name, read in sets(asked.data, asked.texts):
        if asked.sets and name not in asked.sets:
            continue
        try:
            texts = read()
        except FileNotFoundError as reason:
            print(f"{name} skipped: {reason}\n")
            continue
        corpus = Corpus(texts.texts)
        print(f"| {name}, {len(texts.texts):,} texts | " + " | ".join(FIGURES) + " |")
        print("|---|" + "---|" * len(FIGURES), flush=True)
        for contender, fit in contenders(asked.bertopic_python).items():
            if asked.contenders and contender not in asked.contenders:
                continue
            try:
                line = measured(fit, texts, corpus, asked.topics, asked.seeds)
            except (MemoryError, RuntimeError, OSError) as reason:
                print(f"{contender} skipped: {reason}", flush=True)
                continue
            lines.append({"set": name, "texts": len(texts.texts), "contender": contender, **line})
            print(f"| {contender} | " + " | ".join(f"{line[name]:.3f}" for name in FIGURES) + " |", flush=True)
        print(flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--contenders", nargs="*", default=[])
    parser.add_argument("--bertopic-python", default=BERTOPIC_PYTHON, help="an interpreter that has bertopic")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with redirect_stdout(sys.stderr) if asked.json else nullcontext():
        lines = measure(asked)
    if asked.json:
        print(json.dumps(lines))


if __name__ == "__main__":
    main()
