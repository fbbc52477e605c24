"""RecTools' SASRec on sequences of items: run by an interpreter that has `rectools[torch]` (it needs NumPy 1).

    PYTHON rectools_sasrec.py SEQUENCES.npz TOP.npy --epochs 10 --seed 7

SEQUENCES.npz holds `items`, `starts` (see dongcha.models.ranking.sequences); TOP.npy gets each row's 10 best unseen
items, -1 where there are fewer. RecTools' own defaults (2 blocks, 4 heads, 256 factors, softmax over all items,
learning rate .001), but for the session length (50: few histories are longer) and the epochs.
"""

import argparse
import json
import time

import numpy as np
import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences")
    parser.add_argument("top")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    from lightning_fabric import seed_everything
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    stored = np.load(asked.sequences)
    items, starts = stored["items"], stored["starts"]
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    table = pd.DataFrame({Columns.User: rows, Columns.Item: items, Columns.Weight: 1.0})
    table[Columns.Datetime] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(items)), unit="s")
    seed_everything(asked.seed)
    model = SASRecModel(session_max_len=50, epochs=asked.epochs, deterministic=True)
    dataset = Dataset.construct(table)
    began = time.perf_counter()
    model.fit(dataset)
    fitted = time.perf_counter()
    known = np.unique(rows)
    found = model.recommend(users=known, dataset=dataset, k=10, filter_viewed=True)
    ended = time.perf_counter()
    top = np.full((len(starts) - 1, 10), -1, dtype=np.int64)
    top[found[Columns.User].to_numpy(), found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
    np.save(asked.top, top)
    print(json.dumps({"fit_seconds": fitted - began, "rank_seconds": ended - fitted}))


if __name__ == "__main__":
    main()
