"""RecTools' SASRec, how fast it steps and in how much memory: run by an interpreter that has `rectools[torch]`.

    PYTHON rectools_step.py PRODUCTS [--steps 10] [--batch-rows 256] [--length 20] [--loss softmax]

Sequences of random products, as `benchmarks.behaviour_training` makes them; RecTools' own defaults (2 blocks, 4 heads,
256 factors, softmax over all items) but for the batch and the length. The steps are timed inside its training loop.
"""

import argparse
import json
import resource
import statistics
import time
from typing import Any

import numpy as np
import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products", type=int)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch-rows", type=int, default=256)
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--loss", default="softmax")
    asked = parser.parse_args()
    import torch
    from pytorch_lightning import Callback, Trainer
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    torch.manual_seed(0)
    torch.set_num_threads(1)
    # Every product stands in the data at least once: RecTools knows no others. Only the timed steps are trained on.
    rows = max(asked.batch_rows * asked.steps, -(-asked.products // asked.length))
    items = np.random.default_rng(0).integers(0, asked.products, rows * asked.length)
    items[: asked.products] = np.arange(asked.products)
    table = pd.DataFrame({Columns.User: np.repeat(np.arange(rows), asked.length), Columns.Item: items})
    table[Columns.Weight] = 1.0
    table[Columns.Datetime] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(items)), unit="s")
    taken: list[float] = []

    class Timed(Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            self.began = time.perf_counter()

        def on_train_batch_end(self, *_: Any) -> None:
            taken.append(time.perf_counter() - self.began)

    def trainer() -> Trainer:
        return Trainer(
            accelerator="cpu",
            max_epochs=1,
            limit_train_batches=asked.steps,
            callbacks=[Timed()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    model = SASRecModel(
        session_max_len=asked.length,
        batch_size=asked.batch_rows,
        loss=asked.loss,
        n_negatives=256 if asked.loss != "softmax" else 1,
        get_trainer_func=trainer,
    )
    model.fit(Dataset.construct(table))
    middle = statistics.median(taken)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"step_ms": 1000 * middle, "sequences_per_second": asked.batch_rows / middle, "peak_mb": peak}))


if __name__ == "__main__":
    main()
