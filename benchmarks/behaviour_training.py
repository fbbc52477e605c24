"""How fast the behaviour model learns, and in how much memory, as the catalogue grows.

    python -m benchmarks.behaviour_training [--products 10000 100000 1000000] [--steps 40] [--json]

Sequences of 20 random products, batches of 256. Every size is a process of its own and the median step is shown, so
neither the making of the data nor the warm start counts. `whole softmax` compares each next product with every product
instead of drawn ones: what a step costs without drawing, at the smallest size only.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any, Final

import numpy as np

LENGTH: Final = 20


def measure_here(products: int, steps: int, whole: bool) -> dict[str, Any]:
    """One contender in this process."""
    import torch
    from torch.nn import functional as F

    from dongcha.models.behaviour.losses import Sampler, parts_of
    from dongcha.models.behaviour.network import Network, NetworkConfig
    from dongcha.models.behaviour.optimizer import Optimizer
    from dongcha.models.behaviour.timelines import PRODUCT, Timelines
    from dongcha.models.behaviour.training import TrainingConfig, batches

    torch.manual_seed(0)
    config, random = TrainingConfig(), np.random.default_rng(0)
    items = random.integers(0, products, config.batch_rows * LENGTH * steps)
    timelines = Timelines(np.arange(0, len(items) + 1, LENGTH), {PRODUCT: items}, {PRODUCT: products})
    network, sampler = Network({PRODUCT: products}, NetworkConfig()), Sampler.of(timelines)
    optimizer = Optimizer(network, config.learning_rate, config.products_rate, config.weight_decay)
    if whole:
        network.embed[PRODUCT].sparse = False
        others = torch.optim.AdamW(network.parameters())
    taken = []
    rows = np.arange(len(timelines))
    for fields in batches(timelines, rows, config.batch_rows, network.config.length, random):
        began = time.perf_counter()
        if whole:
            states = network({PRODUCT: fields[PRODUCT][:, :-1]})
            loss = F.cross_entropy(network.product_scores(states).flatten(0, 1), fields[PRODUCT][:, 1:].flatten())
            others.zero_grad()
            torch.autograd.backward(loss)
            others.step()
        else:
            optimizer.step(parts_of(network, fields, sampler, config.negatives)[PRODUCT], 0.5)
        taken.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    middle = statistics.median(taken)
    return {"step_ms": 1000 * middle, "sequences_per_second": config.batch_rows / middle, "peak_mb": peak}


def measure(products: int, steps: int, whole: bool) -> dict[str, Any]:
    """One contender in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.behaviour_training", "--one", str(products)]
    command += ["--steps", str(steps), *(["--whole"] if whole else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loss = "whole softmax" if whole else "drawn"
    return {"products": products, "loss": loss, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_here(asked.one, asked.steps, asked.whole)))
        return
    lines = [measure(products, asked.steps, whole=False) for products in asked.products]
    lines.append(measure(min(asked.products), max(asked.steps // 8, 3), whole=True))
    if asked.json:
        print(json.dumps(lines))
        return
    print(f"{'products':>12} {'loss':14} {'ms a step':>10} {'sequences/s':>12} {'peak MB':>9}")
    for line in lines:
        figures = f"{line['step_ms']:>10.0f} {line['sequences_per_second']:>12.0f} {line['peak_mb']:>9,.0f}"
        print(f"{line['products']:>12,} {line['loss']:14} {figures}")


if __name__ == "__main__":
    main()
