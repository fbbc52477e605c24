"""RecTools' SASRec on sequences of items: run by an interpreter that has `rectools[torch]` (it needs NumPy 1).

    PYTHON rectools_sasrec.py SEQUENCES.npz TOP.npz [--loss softmax] [--epochs 200] [--seconds 900] [--seed 7]

SEQUENCES.npz holds `items`, `starts` (see dongcha.models.ranking.sequences). Settings are those of RecTools' own public
benchmark, which are also its defaults: 2 blocks, 4 heads, 256 factors, dropout .2, learning rate .001, batches of 128,
softmax over all items. As there, the last item of 2,048 rows is kept from training and the best epoch by recall@10 on
them is used; training ends after `--epochs`, or 50 of them without a better one, and here also after `--seconds`.
Sessions are as long as 99 % of the rows, at most 100, since every row is padded to that. `--loss sampled_softmax`
compares with 256 drawn items instead, as RecTools' later paper (eSASRec, 2025) does.

TOP.npz gets `top`, each row's 10 best unseen items, -1 where there are fewer, and for every epoch checked the same for
`checked` rows in `tops`. Prints as JSON the training seconds and the recall of each epoch checked.
"""

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd

VALIDATED = 2048
CHECKED = 3000
PATIENCE = 50
TOP = 10


def table(items: Any, rows: Any) -> pd.DataFrame:
    """RecTools' interactions; a row's order is told by made-up moments."""
    from rectools import Columns

    made = pd.DataFrame({Columns.User: rows, Columns.Item: items, Columns.Weight: 1.0})
    made[Columns.Datetime] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(items)), unit="s")
    return made


def top_of(model: Any, dataset: Any, users: Any) -> Any:
    """Shape (users, 10); `users` ascending."""
    from rectools import Columns

    found = model.recommend(users=users, dataset=dataset, k=TOP, filter_viewed=True, on_unsupported_targets="ignore")
    top = np.full((len(users), TOP), -1, dtype=np.int64)
    places = np.searchsorted(users, found[Columns.User].to_numpy())
    top[places, found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
    return top


def session_length(lengths: Any) -> int:
    return int(np.clip(np.quantile(lengths, 0.99), 5, 100))


def run(asked: argparse.Namespace) -> None:
    from lightning_fabric import seed_everything
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    stored = np.load(asked.sequences)
    items, starts = stored["items"], stored["starts"]
    lengths = np.diff(starts)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    random = np.random.default_rng(asked.seed)
    some = np.sort(random.permutation(np.flatnonzero(lengths > 2))[:VALIDATED])
    wanted = items[starts[some + 1] - 1]
    kept = np.ones(len(items), dtype=bool)
    kept[starts[some + 1] - 1] = False
    whole, shown = Dataset.construct(table(items, rows)), Dataset.construct(table(items[kept], rows[kept]))
    every = np.unique(rows)
    checked = np.sort(random.permutation(every)[:CHECKED])
    seed_everything(asked.seed)
    model = SASRecModel(
        session_max_len=session_length(lengths),
        deterministic=True,
        loss=asked.loss,
        n_negatives=256 if asked.loss != "softmax" else 1,
        get_trainer_func=quiet_trainer,
    )
    took, cpu, rank_seconds = 0.0, 0.0, 0.0
    curve, tops, top, best, best_at = [], [], None, -1.0, 0
    for epoch in range(1, asked.epochs + 1):
        began, cpu_began = time.perf_counter(), time.process_time()
        model.fit_partial(shown, min_epochs=1, max_epochs=1)
        took, cpu = took + time.perf_counter() - began, cpu + time.process_time() - cpu_began
        if epoch % asked.every and took < asked.seconds:
            continue
        recall = float((top_of(model, shown, some) == wanted[:, None]).any(axis=1).mean())
        curve.append({"epoch": epoch, "seconds": took, "cpu_seconds": cpu, "validation_recall": recall})
        print(json.dumps(curve[-1]), file=sys.stderr, flush=True)
        tops.append(top_of(model, whole, checked))
        if recall > best:
            began = time.perf_counter()
            best, best_at, top = recall, epoch, top_of(model, whole, every)
            rank_seconds = time.perf_counter() - began
        if took >= asked.seconds or epoch - best_at >= PATIENCE:
            break
    full = np.full((len(lengths), TOP), -1, dtype=np.int64)
    if top is not None:
        full[every] = top
    np.savez(asked.top, top=full, checked=checked, tops=np.stack(tops))
    told = {"fit_seconds": took, "fit_cpu": cpu, "rank_seconds": rank_seconds, "best_epoch": best_at}
    print(json.dumps(told | {"session_length": session_length(lengths), "loss": asked.loss, "curve": curve}))


def quiet_trainer() -> Any:
    """RecTools' own trainer, without files or bars."""
    from pytorch_lightning import Trainer

    return Trainer(
        max_epochs=1,
        deterministic=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
        enable_checkpointing=False,
        devices=1,
        accelerator="cpu",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences")
    parser.add_argument("top")
    parser.add_argument("--loss", choices=("softmax", "sampled_softmax"), default="softmax")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--every", type=int, default=1, help="epochs between two checks")
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=7)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
