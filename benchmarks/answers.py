"""What is asked, what answers it, and when to say "I don't know": public questions, ours beside named peers.

    python -m benchmarks.answers FOLDER [--only banking atec appliances refusal pages] [--seed 7] [--json]

FOLDER holds public data as its INDEX.md lists it. `banking`: 77 intents, the set's own test file. `atec`: pairs of
questions, same or not; thresholds and weights learnt on 80 %, F1 of "same" on the rest. `appliances`: question to its
answer among all answers, and among those about the question's own product; MRR@10, ties against us, 2,000 questions
drawn at random. `refusal`: the 77 intents again, with as many questions of other worlds (half about appliances, half
Chinese ones about payments), of which every answer is wrong. `pages`: the simulated shop's pages, asked by questions
written by hand, with three times as many of other worlds; settings were chosen on the English ones.
Risk and coverage: answered are those asked with the most sureness; risk is the share of wrong answers among them, and
the area is the mean risk over all coverages (Geifman & El-Yaniv 2017), beside the least that the same answers allow.
Seconds are processor seconds, learning and asking together.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.peers.answer_peers import SvmIntents, pair_columns, tfidf_cosines
from benchmarks.peers.shop_questions import asked
from dongcha.answers.elsewhere import ELSEWHERE
from dongcha.answers.finder import Finder
from dongcha.answers.passages import PASSAGES
from dongcha.answers.sureness import Sureness
from dongcha.models.text.bm25 import Bm25
from dongcha.models.text.dense import Dense
from dongcha.models.text.hybrid import Hybrid, reciprocal_ranks
from dongcha.models.text.intents import Intents
from dongcha.models.text.likeness import EncoderLikeness, GramLikeness
from dongcha.sources.simulate.chinese_talk import PAGES as CHINESE_PAGES
from dongcha.sources.simulate.english_talk import PAGES

ASKED: Final = 2_000
TEN: Final = 10
COVERAGES: Final = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3)
Line = dict[str, Any]
Say = Callable[[Line], None]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


# -- the data


def banking(folder: Path, part: str) -> tuple[list[str], list[str]]:
    table = pl.read_parquet(folder / "support_intents" / f"banking77_{part}.parquet")
    return table["text"].to_list(), table["category"].to_list()


def appliances(folder: Path) -> pl.DataFrame:
    table = pl.read_parquet(folder / "amazon_qa" / "qa_appliances.parquet").drop_nulls(["question", "answer"])
    return table.filter(pl.col("question").str.strip_chars() != "")


def atec(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "chinese" / "atec_customer_service_qpairs.parquet").drop_nulls()


def drawn(texts: Sequence[str], most: int, seed: int) -> list[str]:
    unique = sorted(set(texts))
    return [unique[k] for k in np.random.default_rng(seed).permutation(len(unique))[:most]]


# -- the tasks


def measure_banking(folder: Path, seed: int, say: Say) -> None:
    shown, test = banking(folder, "train"), banking(folder, "test")
    for name, fit in (("dongcha intents", _ours), ("TF-IDF (word + character) + linear SVM", SvmIntents.fit)):
        began = time.process_time()
        told = fit(*shown, seed).told(test[0])[0]
        seconds = time.process_time() - began
        say({"contender": name, "accuracy": float(np.mean(np.array(told) == np.array(test[1]))), "seconds": seconds})


def _ours(texts: list[str], labels: list[str], seed: int) -> Intents:
    return Intents.fit(texts, labels, elsewhere=ELSEWHERE, seed=seed)


def measure_atec(folder: Path, seed: int, say: Say) -> None:
    pairs = atec(folder)
    first, second, same = pairs["q1"].to_list(), pairs["q2"].to_list(), pairs["label"].cast(pl.Int64).to_numpy() == 1
    shown = np.random.default_rng(seed).random(len(same)) < 0.8
    began = time.process_time()
    cosine = tfidf_cosines(first, second, shown)
    say({"contender": "character TF-IDF cosine, threshold", **_f1(cosine, same, shown), "seconds": _since(began)})
    began = time.process_time()
    columns = pair_columns(first, second, shown)
    say(
        {
            "contender": "dongcha likeness by grams, threshold",
            **_f1(columns[:, 0], same, shown),
            "seconds": _since(began),
        }
    )
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=300, learning_rate=0.05, num_leaves=31, random_state=seed, n_jobs=1, verbose=-1)
    held = shown & (np.random.default_rng(seed + 1).random(len(same)) < 0.2)
    chances = np.asarray(model.fit(columns[shown & ~held], same[shown & ~held]).predict_proba(columns))[:, 1]
    found = _f1(chances, same, held, ~shown)
    say({"contender": "dongcha's likeness and shared words, trees learnt", **found, "seconds": _since(began)})


def _f1(scores: Numbers, same: Flags, shown: Flags, test: Flags | None = None) -> dict[str, float]:
    """F1 of "same" by the threshold that is best where it is shown."""
    from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(same[shown], scores[shown])
    best = thresholds[np.argmax(2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-9))]
    test = ~shown if test is None else test
    ap = float(average_precision_score(same[test], scores[test]))
    return {"f1": float(f1_score(same[test], scores[test] >= best)), "average_precision": ap}


def measure_appliances(folder: Path, seed: int, say: Say) -> None:
    table = appliances(folder)
    questions, answers, products = table["question"].to_list(), table["answer"].to_list(), table["asin"].to_numpy()
    rows = np.random.default_rng(seed).permutation(len(questions))[:ASKED]
    began = time.process_time()
    bm25 = Bm25.fit(answers)
    lexical = np.array([bm25.scores(questions[row]) for row in rows])
    alone = _since(began)
    say({"contender": "BM25 alone (bm25s)", **_ranked(lexical, rows, products), "seconds": alone})
    began = time.process_time()
    likeness = GramLikeness.fit(answers)
    hybrid, every = Hybrid(bm25, likeness), np.ones(len(answers), dtype=bool)
    both = [hybrid.among(one, likeness.scores(questions[row]), every) for one, row in zip(lexical, rows, strict=True)]
    say(
        {
            "contender": "dongcha hybrid: BM25 and grams",
            **_ranked(np.array(both), rows, products),
            "seconds": alone + _since(began),
        }
    )
    began = time.process_time()
    dense = EncoderLikeness.fit(answers, Dense.fit(answers, seed=seed))
    vectors = np.array([dense.scores(questions[row]) for row in rows])
    say({"contender": "latent semantic vectors alone", **_ranked(vectors, rows, products), "seconds": _since(began)})
    fused = [
        reciprocal_ranks([np.argsort(-one, kind="stable")[:1000], np.argsort(-two, kind="stable")[:1000]], len(answers))
        for one, two in zip(lexical, vectors, strict=True)
    ]
    say(
        {
            "contender": "BM25 and vectors by reciprocal ranks",
            **_ranked(np.array(fused), rows, products),
            "seconds": alone + _since(began),
        }
    )


def _ranked(scores: NDArray[Any], rows: NDArray[np.int64], products: NDArray[Any]) -> Line:
    """MRR@10 of each row's own answer among all, and among those about its product."""
    own = scores[np.arange(len(rows)), rows][:, None]
    ahead, alike = scores >= own, products[rows][:, None] == products[None, :]
    ranks = {"mrr_all": ahead.sum(axis=1), "mrr_own_product": (ahead & alike).sum(axis=1)}
    return {k: float(np.mean(np.where(r <= TEN, 1 / r, 0))) for k, r in ranks.items()}


def measure_refusal(folder: Path, seed: int, say: Say) -> None:
    shown, test = banking(folder, "train"), banking(folder, "test")
    half = len(test[0]) // 2
    others = drawn(appliances(folder)["question"].to_list(), half, seed) + drawn(
        atec(folder)["q1"].to_list(), half, seed
    )
    ours, svm = _ours(*shown, seed), SvmIntents.fit(*shown, seed)
    every = [*test[0], *others]
    told, sure = ours.told(every)
    right = np.array([*(a == b for a, b in zip(told, test[1], strict=False)), *(False for _ in others)])
    by_svm, margin = svm.told(every)
    right_svm = np.array([*(a == b for a, b in zip(by_svm, test[1], strict=False)), *(False for _ in others)])
    say({"contender": "dongcha intents, learnt sureness", **risks(sure, right)})
    say({"contender": "dongcha intents, largest chance", **risks(ours.probabilities(every).max(axis=1), right)})
    say({"contender": "TF-IDF + linear SVM, largest margin", **risks(margin, right_svm)})


def measure_pages(folder: Path, seed: int, say: Say) -> None:
    for language, pages in (("en", PAGES), ("zh", CHINESE_PAGES)):
        finder = Finder.fit(_passages(pages))
        sureness = Sureness.fit(finder, seed=seed)
        known = asked(language)
        most = 3 * len(known)
        others = (
            drawn(atec(folder)["q1"].to_list(), most, seed)
            if language == "zh"
            else drawn(banking(folder, "test")[0], most // 2, seed)
            + drawn(appliances(folder)["question"].to_list(), most - most // 2, seed)
        )
        ours, bm25, right, right_bm25 = [], [], [], []
        for question, slug in [*known, *((other, "") for other in others)]:
            found = max(finder.candidates(question, ["documents"]), key=sureness.chance, default=None)
            scores = finder.hybrid.bm25.scores(question)
            ours.append(sureness.chance(found) if found else 0.0)
            right.append(found is not None and found.passage.source_id == slug)
            bm25.append(float(scores.max()))
            right_bm25.append(scores.max() > 0 and finder.passage(int(scores.argmax())).source_id == slug)
        name = f"{language}: {len(known)} + {len(others)}"
        say(
            {
                "contender": f"{name}, dongcha",
                **risks(np.array(ours), np.array(right)),
                **at_half(ours, right, len(known)),
            }
        )
        say({"contender": f"{name}, BM25's best score", **risks(np.array(bm25), np.array(right_bm25))})


def _passages(pages: Sequence[Any]) -> pl.DataFrame:
    rows = [("documents", p.slug, p.title, "", p.text, f"{p.title}\n{p.title}\n{p.text}") for p in pages]
    return pl.DataFrame(rows, schema=PASSAGES, orient="row")


def risks(sure: Numbers, right: Flags) -> Line:
    """Wrong among the answered at some coverages; the area under that curve, and the least it could be."""
    order = np.argsort(-sure, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    least = np.cumsum(np.sort(~right)) / np.arange(1, len(order) + 1)
    at = {f"risk@{share:g}": float(wrong[round(share * len(order)) - 1]) for share in COVERAGES}
    return {"right": int(right.sum()), **at, "area": float(wrong.mean()), "least": float(least.mean())}


def at_half(sure: Sequence[float], right: Sequence[bool], known: int) -> Line:
    """As the product answers: from a chance of a half on."""
    said = np.array(sure) >= 0.5
    ok = np.array(right)
    return {
        "answered_right": float(np.mean((said & ok)[:known])),
        "answered_wrong": float(np.mean((said & ~ok)[:known])),
        "others_answered": float(np.mean(said[known:])),
    }


def _since(began: float) -> float:
    return time.process_time() - began


TASKS: Final = {
    "banking": measure_banking,
    "atec": measure_atec,
    "appliances": measure_appliances,
    "refusal": measure_refusal,
    "pages": measure_pages,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines: list[Line] = []
    for task in options.only:
        print(task, file=sys.stderr)

        def say(line: Line, task: str = task) -> None:
            lines.append({"task": task, **line})
            if not options.json:
                told = "  ".join(
                    f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items() if k != "contender"
                )
                print(f"  {line['contender']:48} {told}", flush=True)

        TASKS[task](options.folder, options.seed, say)
    if options.json:
        print(json.dumps(lines, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
