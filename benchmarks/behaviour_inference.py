"""How soon one customer's vector and list are there, in fp32 and in int8, scoring every product or through an index.

    python -m benchmarks.behaviour_inference [--sequences SEQUENCES.txt.gz] [--products 10000 100000 1000000]
        [--asked 300] [--most-indexed 100000] [--models FOLDER] [--json]

One thread, one customer at a time: from the events to the 10 best unseen products. `exact` is what `Served` does:
NumPy's matrix product in fp32, onnxruntime's whole-number product in int8. `usearch` is an HNSW index with its own
defaults over the same vectors, the bias as one more dimension, asked for 10 and as many as were seen; in i8 vectors and
queries are whole numbers on one scale. Overlap: the share of the exact fp32 list that the other list has. On disk: all
files that the contender needs. Above `--most-indexed` products no index is built (on one thread it takes hours), and
none where usearch, of the extra `bench`, is not installed.

Models: of SEQUENCES (lines "user item item …") one trained with the defaults; else one epoch over generated rows of 10
products, in families of 50, each customer true to three. FOLDER keeps the models for another run.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.recommendation import read
from dongcha.models.behaviour.serving import ENCODER, PRODUCTS, SCAN, TABLES, Precision, Served, Vectors
from dongcha.models.behaviour.timelines import PRODUCT, Timelines
from dongcha.models.ranking.sequences import Items, Sequences

TOP: Final = 10
LENGTH: Final = 10
FAMILY: Final = 50
Answer = Callable[[Sequences], Items]
"""One customer's history → their list of products."""


def generated(products: int, seed: int = 0) -> Sequences:
    """As many events as products: rows of 10, from the customer's three families, few products of each often."""
    random = np.random.default_rng(seed)
    rows = products // LENGTH
    families = random.integers(0, products // FAMILY, (rows, 3))
    chosen = np.take_along_axis(families, random.integers(0, 3, (rows, LENGTH)), axis=1)
    within = np.minimum(random.exponential(FAMILY / 4, (rows, LENGTH)).astype(np.int64), FAMILY - 1)
    starts = np.arange(0, rows * LENGTH + 1, LENGTH)
    return Sequences((chosen * FAMILY + within).ravel(), starts, products)


def train(sequences: Sequences, folder: Path, whole: bool) -> None:
    """Train and export, unless the folder already holds that."""
    if (folder / "served.json").exists():
        return
    from dongcha.models.behaviour.export import export
    from dongcha.models.behaviour.model import BehaviourModel
    from dongcha.models.behaviour.training import TrainingConfig

    little = TrainingConfig(epochs=1, last_pass=0, checked_share=200 / len(sequences))
    model = BehaviourModel.fit(Timelines.of(sequences), seed=7, training=TrainingConfig() if whole else little)
    export(model, folder)


def exact(folder: Path, precision: Precision) -> Answer:
    served = Served.open(folder, precision)
    return lambda history: served.top(served.vectors(Timelines.of(history)), TOP, history).listed(TOP)[0][0]


def indexed(folder: Path, kind: str) -> tuple[Answer, Path, float]:
    """Through usearch; the file of the index and the seconds it took to build."""
    # onnxruntime comes first (Served imports it): in the other order it crashes on import.
    served = Served.open(folder, "fp32")
    from usearch.index import Index

    rows = np.column_stack([served.tables[PRODUCT][:-1], served.bias]).astype(np.float32)
    # Given as whole numbers: of real ones usearch would drop the lengths, which the inner product needs.
    rows = _whole(rows) if kind == "i8" else rows
    index, file = Index(ndim=rows.shape[1], metric="ip", dtype=kind), folder / f"index.{kind}.usearch"
    began = time.perf_counter()
    index.add(np.arange(len(rows)), rows, threads=1)
    built = time.perf_counter() - began
    index.save(str(file))

    def answer(history: Sequences) -> Items:
        asked = np.append(served.vectors(Timelines.of(history))[0], np.float32(1))
        found = index.search(_whole(asked) if kind == "i8" else asked, TOP + len(history.items), threads=1).keys
        return found[~np.isin(found, history.items)][:TOP].astype(np.int64)

    return answer, file, built


def _whole(vectors: Vectors) -> NDArray[np.int8]:
    """On one scale for all, the largest number becoming 127."""
    return np.rint(vectors * (127 / np.abs(vectors).max())).astype(np.int8)


def timed(answer: Answer, histories: list[Sequences]) -> tuple[list[Items], dict[str, float]]:
    for history in histories[:20]:
        answer(history)
    lists, took = [], []
    for history in histories:
        began = time.perf_counter()
        lists.append(answer(history))
        took.append(1000 * (time.perf_counter() - began))
    return lists, {"p50_ms": float(np.median(took)), "p99_ms": float(np.quantile(took, 0.99))}


def measure_here(folder: Path, sequences: Sequences, asked: int, most_indexed: int) -> list[dict[str, Any]]:
    """All contenders on one model."""
    rows = np.random.default_rng(1).choice(len(sequences), min(asked, len(sequences)), replace=False)
    histories = [sequences.take(rows[k : k + 1]) for k in range(len(rows))]
    files = {kind: [ENCODER[kind], PRODUCTS[kind], TABLES, *([SCAN] if kind == "int8" else [])] for kind in ENCODER}
    lines, true = [], None
    for precision in ENCODER:
        lists, took = timed(exact(folder, precision), histories)
        true = true or lists
        line = {"retrieval": "exact", "kind": precision, **took, "build_s": 0.0, "overlap": overlap(true, lists)}
        lines.append({**line, "mb": megabytes(folder, files[precision])})
    there = importlib.util.find_spec("usearch") is not None
    for kind in ("f32", "i8") if there and sequences.catalogue <= most_indexed else ():
        answer, file, built = indexed(folder, kind)
        lists, took = timed(answer, histories)
        line = {"retrieval": "usearch", "kind": kind, **took, "build_s": built, "overlap": overlap(true, lists)}
        lines.append({**line, "mb": megabytes(folder, [*files["fp32"], file.name])})
    return [{"products": sequences.catalogue, **line} for line in lines]


def overlap(true: list[Items], lists: list[Items]) -> float:
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(true, lists, strict=True)]))


def megabytes(folder: Path, names: list[str]) -> float:
    return sum((folder / name).stat().st_size for name in names) / 1e6


def measure(products: int, file: Path | None, folder: Path, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """One model in a process of its own, which has one thread."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.behaviour_inference", "--one", str(folder)]
    command += ["--sequences", str(file)] if file else ["--products", str(products)]
    command += ["--asked", str(asked.asked), "--most-indexed", str(asked.most_indexed)]
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | alone)
    lines: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return [{"model": file.name.split(".")[0] if file else "generated", **line} for line in lines]


def show(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        figures = f"{line['p50_ms']:>9.2f} {line['p99_ms']:>9.2f} {line['overlap']:>8.3f}"
        names = f"{line['model']:10} {line['products']:>10,} {line['retrieval']:8} {line['kind']:5}"
        print(f"{names} {figures} {line['mb']:>9.1f} {line['build_s']:>8.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=Path)
    parser.add_argument("--products", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument("--most-indexed", type=int, default=100_000)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        sequences = read(asked.sequences) if asked.sequences else generated(asked.products[0])
        train(sequences, asked.one, whole=asked.sequences is not None)
        print(json.dumps(measure_here(asked.one, sequences, asked.asked, asked.most_indexed)))
        return
    if not asked.json:
        figures = f"{'p50 ms':>9} {'p99 ms':>9} {'overlap':>8} {'MB':>9} {'build s':>8}"
        print(f"{'model':10} {'products':>10} {'search':8} {'kind':5} {figures}")
    lines = []
    with tempfile.TemporaryDirectory() as passing:
        models = asked.models or Path(passing)
        files = [(0, asked.sequences)] if asked.sequences else []
        for products, file in [*files, *((products, None) for products in asked.products)]:
            name = file.name.split(".")[0] if file else str(products)
            lines += (found := measure(products, file, models / name, asked))
            if not asked.json:
                show(found)
    if asked.json:
        print(json.dumps(lines))


if __name__ == "__main__":
    main()
