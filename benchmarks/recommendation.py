"""What comes next? Leave-one-out over any file of sequences, ranking all items, beside named peers.

    python -m benchmarks.recommendation SEQUENCES.txt.gz [--holdout leave-one-out] [--seed S] [--json]
        [--rectools-python PYTHON] [--sasrec-epochs 200] [--sasrec-seconds 900]

SEQUENCES: lines "user item item …" in time order, plain or gzipped. Each line's last item is to be foretold from the
others; everything is fitted on all but the last items. Every item is ranked but those already seen; ties are ranked
against the contender. Peers are in benchmarks/peers/simple.py, each with settings chosen on its training data; ALS is
`implicit` where it is installed; SASRec is RecTools', run by PYTHON, by default the interpreter that `make rectools`
sets up (RecTools needs an older NumPy than ours). Ours: `dongcha.models.behaviour` alone, and its blend with
counting rankers, the blend's judge learnt on the last item but one, which its rankers were then fitted without. No
setting of ours depends on the file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import RECTOOLS_PYTHON
from benchmarks.peers.simple import Dense, Peer, peers
from dongcha.errors import MissingDataError
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


# -- the contenders


@dataclass
class Clock:
    """Seconds since it was made, by the wall and of our processors' work: where others work too only these compare."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def told(self, what: str) -> dict[str, float]:
        since = {f"{what}_seconds": time.perf_counter() - self.wall, f"{what}_cpu": time.process_time() - self.cpu}
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return since


def peer_line(peer: Peer, known: Sequences, wanted: Items, seed: int) -> dict[str, Any]:
    """One peer at its best."""
    clock = Clock()
    setting = peer.best(known, ndcg, seed)
    took = clock.told("choose")
    scores = peer.fit(known, **setting)
    took |= clock.told("fit")
    found = figures(*ranks_of(scores, known, wanted), known.catalogue)
    return {"contender": peer.name, **found, **took, **clock.told("rank"), "setting": dict(setting)}


def sasrec_line(known: Sequences, wanted: Items, python: str, options: list[str]) -> dict[str, Any]:
    """RecTools' SASRec, and on a sample of rows how good it was after each epoch."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "sequences.npz", Path(folder) / "top.npz"
        np.savez(given, items=known.items, starts=known.starts)
        script = Path(__file__).parent / "peers" / "rectools_sasrec.py"
        told = Path(folder) / "told.json"
        command = [python, str(script), str(given), str(out), *options]
        with told.open("w") as stdout:
            running = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True)
            last = "it ended without a word"
            for line in running.stderr or ():
                last = line.strip() or last
                if last.startswith("{"):
                    print(f"  {last}", file=sys.stderr, flush=True)
        if running.wait():
            raise RuntimeError(last)
        took = json.loads(told.read_text().splitlines()[-1])
        stored = np.load(out)
    found = figures(listed_ranks(stored["top"], wanted), stored["top"], known.catalogue) | {"mrr": float("nan")}
    checked = wanted[stored["checked"]]
    for point, top in zip(took["curve"], stored["tops"], strict=True):
        point |= {k: v for k, v in figures(listed_ranks(top, checked), top, known.catalogue).items() if k != "mrr"}
    return {"contender": f"RecTools SASRec, epoch {took['best_epoch']}", **found, **took}


def model_line(known: Sequences, wanted: Items, seed: int) -> tuple[BehaviourModel, dict[str, Any]]:
    """The behaviour model alone, and how good it was after each epoch on the rows it stops by."""
    clock, moments = Clock(), dict[str, float]()

    def progress(what: str, done: int, of: int) -> None:
        moments[what] = time.process_time() - clock.cpu

    model = BehaviourModel.fit(Timelines.of(known), seed=seed, progress=progress)
    curve = [{"cpu_seconds": t, **h} for t, h in zip(moments.values(), model.history, strict=False)]
    took = clock.told("fit")

    def scores(histories: Sequences) -> NDArray[np.float32]:
        return model.scores(model.vectors(Timelines.of(histories)))

    found = figures(*ranks_of(scores, known, wanted), known.catalogue)
    return model, {"contender": "dongcha behaviour model", **found, **took, **clock.told("rank"), "curve": curve}


def blend_line(known: Sequences, wanted: Items, seed: int, model: BehaviourModel | None) -> dict[str, Any]:
    """The blend; its time includes that of a second behaviour model, for the judge, but not of `model`."""
    clock = Clock()
    blend = NextItem.fit(known, seed=seed, config=NextItemConfig(), model=model)
    took = clock.told("fit")
    judged = blend.scores(known)
    own = judged.at(np.arange(len(known)) * known.catalogue + wanted, otherwise=np.inf)
    ahead = np.bincount(judged.rows(), judged.scores >= own[judged.rows()], minlength=len(known))
    ranks = np.where(np.isfinite(own), np.maximum(ahead, 1), np.inf)
    found = figures(ranks, judged.listed(TOP)[0], known.catalogue)
    return {"contender": "dongcha blend", **found, **took, **clock.told("rank")}


# -- the run


def measure(sequences: Sequences, seed: int, rectools_python: str | None, options: list[str]) -> list[dict[str, Any]]:
    """One line per contender; who cannot run is skipped with the reason."""
    known, wanted = sequences.without_last(), sequences.last()
    held = np.isin(np.arange(len(known)) * known.catalogue + wanted, known.keys())
    if held.any():
        print(f"{held.mean():.1%} of the rows want what they hold already: all contenders miss these")
    lines: list[dict[str, Any]] = []

    def run(name: str, made: Callable[[], dict[str, Any]]) -> None:
        try:
            lines.append(made())
            print(_row(lines[-1]), flush=True)
        except (MemoryError, RuntimeError, OSError, MissingDataError) as reason:
            print(f"{name:28} skipped: {reason}", flush=True)

    for peer in peers(known, seed):
        if peer.missing:
            print(f"{peer.name:28} skipped: {peer.missing}", flush=True)
        else:
            run(peer.name, lambda peer=peer: peer_line(peer, known, wanted, seed))  # type: ignore[misc]
    if rectools_python:
        run("RecTools SASRec", lambda: sasrec_line(known, wanted, rectools_python, options))
    else:
        print(f"{'RecTools SASRec':28} skipped: `make rectools` sets it up")
    models: list[BehaviourModel] = []

    def alone() -> dict[str, Any]:
        model, line = model_line(known, wanted, seed)
        models.append(model)
        return line

    run("dongcha behaviour model", alone)
    run("dongcha blend", lambda: blend_line(known, wanted, seed, models[0] if models else None))
    return lines


def _row(line: dict[str, Any]) -> str:
    shown = " ".join(f"{line[k]:>8.4f}" for k in ("recall", "ndcg", "mrr", "coverage"))
    times = " ".join(f"{line[k]:>9.1f}" for k in ("fit_seconds", "fit_cpu", "rank_seconds"))
    return f"{line['contender']:28} {shown} {times}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences", type=Path)
    parser.add_argument("--holdout", choices=("leave-one-out",), default="leave-one-out")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rectools-python", default=RECTOOLS_PYTHON, help="an interpreter that has rectools[torch]")
    parser.add_argument("--sasrec-epochs", type=int, default=200)
    parser.add_argument("--sasrec-seconds", type=float, default=900)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sequences = read(asked.sequences)
    if not len(sequences):
        parser.error(f"{asked.sequences} has no line with a user and two items")
    titles = " ".join(f"{k:>8}" for k in ("R@10", "NDCG@10", "MRR", "coverage"))
    times = " ".join(f"{k:>9}" for k in ("fit s", "fit cpu s", "rank s"))
    options = ["--epochs", str(asked.sasrec_epochs), "--seconds", str(asked.sasrec_seconds), "--seed", str(asked.seed)]
    with redirect_stdout(sys.stderr) if asked.json else nullcontext():
        print(f"{len(sequences):,} sequences of {sequences.catalogue:,} items\n{'':28} {titles} {times}")
        lines = measure(sequences, asked.seed, asked.rectools_python, options)
    if asked.json:
        print(json.dumps(lines))


if __name__ == "__main__":
    main()
