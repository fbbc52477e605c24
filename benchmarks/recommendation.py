"""What comes next? Leave-one-out over any file of sequences, ranking all items, beside named peers.

    python -m benchmarks.recommendation SEQUENCES.txt.gz [--holdout leave-one-out] [--seed S] [--json]
        [--rectools-python PYTHON] [--sasrec-epochs 10]

SEQUENCES: lines "user item item …" in time order, plain or gzipped. Each line's last item is to be foretold from the
others; everything is fitted on all but the last items. Every item is ranked but those already seen; ties are ranked
against the contender. Popularity, item-kNN, kNN + transitions and EASE are written here; ALS is `implicit` where it is
installed; SASRec is RecTools', run by PYTHON, an interpreter of an environment that has `rectools[torch]`, which needs
an older NumPy than ours. Ours: `dongcha.models.behaviour` alone, and its blend with transitions, the blend's judge
learnt on the last item but one, which its rankers were then fitted without. No setting depends on the file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.simple import Dense, peers
from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.timelines import Timelines
from dongcha.models.ranking.next_item import NextItem, NextItemConfig
from dongcha.models.ranking.sequences import Items, Sequences

TOP: Final = 10
TEXT: Final[dict[str, Any]] = {"encoding": "utf-8", "errors": "surrogateescape", "newline": "\n"}
SPACES: Final = re.compile(r"[ \t]+")
ROWS_AT_ONCE: Final = 1000

Ranks = NDArray[np.float64]


def read(file: Path) -> Sequences:
    """The file's rows of two items or more; items are numbered in the order of their first appearance.

    The parts of a line stand between spaces or tabs and may hold anything else.
    """
    numbers: dict[str, int] = {}
    with gzip.open(file, "rt", **TEXT) if file.suffix == ".gz" else file.open(**TEXT) as lines:
        parts = [[part for part in SPACES.split(line.rstrip("\r\n")) if part] for line in lines]
    rows = [[numbers.setdefault(item, len(numbers)) for item in line[1:]] for line in parts]
    return Sequences.of([row for row in rows if len(row) > 1], len(numbers))


# -- measuring


def ranks_of(scores: Dense, histories: Sequences, wanted: Items) -> tuple[Ranks, Items]:
    """Each wanted item's rank among all unseen ones, ties against us; and each row's 10 best, -1 where there are fewer.

    An item that the row holds already is never ranked, also where it is wanted again: everybody misses it.
    """
    ranks, best = [], []
    for start in range(0, len(histories), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(histories)))
        part = histories.take(rows)
        found = np.nan_to_num(np.array(scores(part), dtype=np.float32), copy=False, nan=-np.inf)
        found[part.rows(), part.items] = -np.inf
        own = found[np.arange(len(rows)), wanted[rows]][:, None]
        ranks.append(np.where(np.isfinite(own[:, 0]), (found >= own).sum(axis=1), np.inf))
        top = np.argpartition(-found, min(TOP, found.shape[1]) - 1, axis=1)[:, :TOP]
        best.append(np.where(np.isfinite(np.take_along_axis(found, top, axis=1)), top, -1))
    return np.concatenate(ranks), np.concatenate(best)


def figures(ranks: Ranks, best: Items, catalogue: int) -> dict[str, float]:
    """Recall@10, NDCG@10, MRR over the whole ranking (0 where the item was not ranked), coverage of the catalogue."""
    hit = ranks <= TOP
    return {
        "recall": float(hit.mean()),
        "ndcg": float(np.where(hit, 1 / np.log2(ranks + 1.0), 0).mean()),
        "mrr": float((1 / ranks).mean()),
        "coverage": len(np.unique(best[best >= 0])) / catalogue,
    }


def ndcg(scores: Dense, histories: Sequences, wanted: Items) -> float:
    """NDCG@10 alone."""
    return figures(*ranks_of(scores, histories, wanted), histories.catalogue)["ndcg"]


def listed_ranks(top: Items, wanted: Items) -> Ranks:
    """Ranks where only a list is known: beyond it an item counts as not ranked."""
    at = top == wanted[:, None]
    return np.where(at.any(axis=1), at.argmax(axis=1) + 1.0, np.inf)


# -- the peers


def sasrec(known: Sequences, python: str, epochs: int, seed: int) -> tuple[Items, dict[str, float]]:
    """RecTools' top 10 of every row, and how long it took."""
    with tempfile.TemporaryDirectory() as folder:
        given, top = Path(folder) / "sequences.npz", Path(folder) / "top.npy"
        np.savez(given, items=known.items, starts=known.starts)
        script = Path(__file__).parent / "peers" / "rectools_sasrec.py"
        command = [python, str(script), str(given), str(top), "--epochs", str(epochs), "--seed", str(seed)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return np.load(top), json.loads(done.stdout.splitlines()[-1])


# -- the run


def measure(sequences: Sequences, seed: int, rectools_python: str | None, sasrec_epochs: int) -> list[dict[str, Any]]:
    """One line per contender."""
    known, wanted = sequences.without_last(), sequences.last()
    lines = []
    for peer in peers(sequences.catalogue, seed):
        if peer.missing:
            print(f"{peer.name:28} skipped: {peer.missing}")
            continue
        began = time.perf_counter()
        setting = peer.best(known, ndcg, seed)
        chosen = time.perf_counter()
        scores = peer.fit(known, **setting)
        fitted = time.perf_counter()
        found = figures(*ranks_of(scores, known, wanted), sequences.catalogue)
        line = _line(peer.name, found, fitted - chosen, time.perf_counter() - fitted)
        lines.append(line | {"setting": dict(setting), "choose_seconds": chosen - began})
    if rectools_python:
        top, took = sasrec(known, rectools_python, sasrec_epochs, seed)
        found = figures(listed_ranks(top, wanted), top, sequences.catalogue) | {"mrr": float("nan")}
        lines.append(
            _line(f"RecTools SASRec, {sasrec_epochs} epochs", found, took["fit_seconds"], took["rank_seconds"])
        )
    return lines + _ours(known, wanted, seed)


def _ours(known: Sequences, wanted: Items, seed: int) -> list[dict[str, Any]]:
    began = time.perf_counter()
    model = BehaviourModel.fit(Timelines.of(known), seed=seed)
    fitted = time.perf_counter()

    def scores(histories: Sequences) -> NDArray[np.float32]:
        return model.scores(model.vectors(Timelines.of(histories)))

    alone = figures(*ranks_of(scores, known, wanted), known.catalogue)
    ranked = time.perf_counter()
    lines = [_line("dongcha behaviour model", alone, fitted - began, ranked - fitted)]
    blend = NextItem.fit(known, seed=seed, config=NextItemConfig(), model=model)
    blended = time.perf_counter()
    judged = blend.scores(known)
    top, _ = judged.listed(TOP)
    own = judged.at(np.arange(len(known)) * known.catalogue + wanted, otherwise=np.inf)
    ahead = np.bincount(judged.rows(), judged.scores >= own[judged.rows()], minlength=len(known))
    found = figures(np.where(np.isfinite(own), ahead, np.inf), top, known.catalogue)
    return [*lines, _line("dongcha blend", found, blended - ranked + fitted - began, time.perf_counter() - blended)]


def _line(name: str, found: dict[str, float], fit_seconds: float, rank_seconds: float) -> dict[str, Any]:
    line = {"contender": name, **found, "fit_seconds": fit_seconds, "rank_seconds": rank_seconds}
    print(_row(line), flush=True)
    return line


def _row(line: dict[str, Any]) -> str:
    shown = " ".join(f"{line[k]:>8.4f}" for k in ("recall", "ndcg", "mrr", "coverage"))
    return f"{line['contender']:28} {shown} {line['fit_seconds']:>9.1f} {line['rank_seconds']:>9.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences", type=Path)
    parser.add_argument("--holdout", choices=("leave-one-out",), default="leave-one-out")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rectools-python", help="an interpreter that has rectools[torch]")
    parser.add_argument("--sasrec-epochs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sequences = read(asked.sequences)
    titles = " ".join(f"{k:>8}" for k in ("R@10", "NDCG@10", "MRR", "coverage"))
    print(f"{len(sequences):,} sequences of {sequences.catalogue:,} items\n{'':28} {titles} {'fit s':>9} {'rank s':>9}")
    lines = measure(sequences, asked.seed, asked.rectools_python, asked.sasrec_epochs)
    if asked.json:
        print(json.dumps(lines))


if __name__ == "__main__":
    main()
