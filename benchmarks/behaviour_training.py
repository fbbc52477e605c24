"""How fast the behaviour model learns as the catalogue grows, beside RecTools' SASRec; and which loss pays.

    python -m benchmarks.behaviour_training [--products 10000 100000 1000000] [--steps 40] [--json]
        [--rectools-python PYTHON] [--rectools-products 10000 100000]
        [--sequences SEQUENCES.txt.gz] [--epochs 3] [--losses drawn whole]

Steps: sequences of 20 random products, batches of 256. Every size is a process of its own and the median step is
shown, so neither the making of the data nor the warm start counts. `whole softmax` compares each next product with
every product instead of drawn ones: what a step costs without drawing, at the smallest size only. RecTools' SASRec has
its own defaults (2 blocks, 256 factors, softmax over all products); PYTHON is an interpreter that has it, by default
that which `make rectools` sets up.

Losses: on SEQUENCES, fitted without the last two items of each row and asked for the last but one, the same number of
epochs for each loss: `drawn` is ours; `own corrected` corrects the own product too, as is common; `uncorrected` none;
`scalable` is SCE (Mezentsev et al. 2024): the likeliest products of random directions; `whole` is the whole softmax.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import numpy as np

from benchmarks.peers import RECTOOLS_PYTHON

if TYPE_CHECKING:
    from torch import Tensor

    from dongcha.models.behaviour.losses import Sampler
    from dongcha.models.behaviour.network import Network

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


def measure_rectools(python: str, products: int, steps: int) -> dict[str, Any]:
    """RecTools' SASRec, in its own environment."""
    script = Path(__file__).parent / "peers" / "rectools_step.py"
    command = [python, "-W", "ignore", str(script), str(products), "--steps", str(steps)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    line: dict[str, Any] = {"products": products, "loss": "RecTools"}
    nothing = dict.fromkeys(("step_ms", "sequences_per_second", "peak_mb"), float("nan"))
    return line | (nothing if done.returncode else json.loads(done.stdout.splitlines()[-1]))


# -- the losses


def against(network: Network, states: Tensor, target: Tensor, products: Tensor, shifts: tuple[Any, Any]) -> Tensor:
    """Cross-entropy of the own product against these; `shifts`: what is taken from the own and the other scores."""
    import torch
    from torch.nn import functional as F

    own_vectors, own_bias = network.looked_up(target)
    vectors, bias = network.looked_up(products)
    own = (states * own_vectors).sum(-1) + own_bias - shifts[0]
    others = F.linear(states, vectors, bias - shifts[1]).masked_fill(products == target[:, None], -torch.inf)
    return F.cross_entropy(torch.cat([own[:, None], others], dim=1), torch.zeros_like(target))


def own_corrected(network: Network, states: Tensor, target: Tensor, sampler: Sampler, negatives: int) -> Tensor:
    products = sampler.draw(negatives)
    expected = (sampler.chance * negatives).log()
    return against(network, states, target, products, (expected[target], expected[products]))


def uncorrected(network: Network, states: Tensor, target: Tensor, sampler: Sampler, negatives: int) -> Tensor:
    return against(network, states, target, sampler.draw(negatives), (0.0, 0.0))


def whole(network: Network, states: Tensor, target: Tensor, sampler: Sampler, negatives: int) -> Tensor:
    import torch

    return against(network, states, target, torch.arange(len(sampler.chance)), (0.0, 0.0))


def scalable(network: Network, states: Tensor, target: Tensor, sampler: Sampler, negatives: int) -> Tensor:
    """Buckets around random mixtures of states: each holds the states and the products that lie nearest it."""
    import torch
    from torch.nn import functional as F

    side = max(int(math.sqrt(len(states))), 1)
    with torch.no_grad():
        centres = torch.randn(2 * side, len(states)) @ states
        near = (centres @ states.T).topk(side, dim=1).indices
        close = (centres @ network.products.T).topk(min(256, len(network.products)), dim=1).indices
    own_vectors, own_bias = network.looked_up(target)
    own = ((states * own_vectors).sum(-1) + own_bias)[near]
    vectors, bias = network.looked_up(close)
    others = torch.bmm(states[near], vectors.transpose(1, 2)) + bias[:, None, :]
    others = others.masked_fill(close[:, None, :] == target[near][..., None], -torch.inf)
    scores = torch.cat([own[..., None], others], dim=2).flatten(0, 1)
    lost = F.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long), reduction="none")
    hardest = torch.zeros(len(states)).scatter_reduce(0, near.flatten(), lost, "amax", include_self=False)
    return hardest[near.unique()].mean()


LOSSES: Final[dict[str, Callable[..., Any] | None]] = {
    "drawn": None,
    "own corrected": own_corrected,
    "uncorrected": uncorrected,
    "scalable": scalable,
    "whole": whole,
}


def measure_losses(file: Path, epochs: int, names: list[str], seed: int = 7) -> list[dict[str, Any]]:
    """Each loss in turn, in this process."""
    from benchmarks.recommendation import read
    from dongcha.models.behaviour import losses
    from dongcha.models.behaviour.model import BehaviourModel
    from dongcha.models.behaviour.timelines import Timelines
    from dongcha.models.behaviour.training import TrainingConfig, ndcg

    sequences = read(file)
    known, wanted = Timelines.of(sequences.without_last(2)), sequences.without_last().last()
    wanted = np.where(known.lengths() > 0, wanted, -1)
    lines = []
    for name in names:
        with patch.object(losses, "product_loss", LOSSES[name] or losses.product_loss):
            began, cpu = time.perf_counter(), time.process_time()
            model = BehaviourModel.fit(known, seed=seed, training=TrainingConfig(epochs=epochs))
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
        gains = ndcg(model.network, known, wanted)
        quality = {"recall": float((gains > 0).mean()), "ndcg": float(gains.mean())}
        lines.append({"loss": name, "epochs": epochs, **quality, "seconds": took, "cpu_seconds": cpu})
        figures = f"{quality['recall']:>8.4f} {quality['ndcg']:>8.4f} {took:>8.1f} {cpu:>8.1f}"
        print(f"{name:14} {figures}", file=sys.stderr, flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rectools-python", default=RECTOOLS_PYTHON, help="an interpreter that has rectools[torch]")
    parser.add_argument("--rectools-products", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--sequences", type=Path, help="compare the losses on these")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--losses", nargs="+", choices=list(LOSSES), default=list(LOSSES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_here(asked.one, asked.steps, asked.whole)))
        return
    lines = [measure(products, asked.steps, whole=False) for products in asked.products]
    few = max(asked.steps // 8, 3)
    if asked.products:
        lines.append(measure(min(asked.products), few, whole=True))
    if asked.rectools_python:
        lines += [measure_rectools(asked.rectools_python, products, few) for products in asked.rectools_products]
    if not asked.json and lines:
        show(lines)
    if asked.sequences:
        print(f"{'loss':14} {'R@10':>8} {'NDCG@10':>8} {'seconds':>8} {'CPU s':>8}", file=sys.stderr, flush=True)
        lines += measure_losses(asked.sequences, asked.epochs, asked.losses)
    if asked.json:
        print(json.dumps(lines))


def show(lines: list[dict[str, Any]]) -> None:
    print(f"{'products':>12} {'loss':14} {'ms a step':>10} {'sequences/s':>12} {'peak MB':>9}")
    for line in lines:
        figures = f"{line['step_ms']:>10.0f} {line['sequences_per_second']:>12.0f} {line['peak_mb']:>9,.0f}"
        print(f"{line['products']:>12,} {line['loss']:14} {figures}", flush=True)


if __name__ == "__main__":
    main()
