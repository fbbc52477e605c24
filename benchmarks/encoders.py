"""Which encoder, and is there need of one? The behaviour model with each, on the same leave-one-out split.

    python -m benchmarks.encoders SEQUENCES.txt.gz [--encoders transformer lstm cnn none] [--seed 7] [--json]

SEQUENCES: lines "user item item …" in time order. Each line's last item is foretold from the others, among all items
not yet taken; nothing else differs but the encoder. `none` is the fading sum alone, its embeddings trained alike.
Parameters: all, and those of the encoder beside the products' vectors; megabytes are those of the saved model.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.recommendation import read
from dongcha.models.behaviour.encoders import ENCODERS, EncoderName
from dongcha.models.behaviour.model import WEIGHTS, BehaviourModel
from dongcha.models.behaviour.network import NetworkConfig
from dongcha.models.behaviour.timelines import Timelines
from dongcha.models.behaviour.training import ndcg
from dongcha.models.ranking.sequences import Sequences


def measure(sequences: Sequences, encoder: EncoderName, seed: int) -> dict[str, Any]:
    """One encoder, fitted on all but the last items and asked for them."""
    known, wanted = Timelines.of(sequences.without_last()), sequences.last()
    began = time.perf_counter()
    model = BehaviourModel.fit(known, seed=seed, shape=NetworkConfig(encoder=encoder))
    fitted = time.perf_counter()
    gains = ndcg(model.network, known, wanted)
    ranked = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        size = (Path(folder) / WEIGHTS).stat().st_size / 1e6
    return {
        "encoder": encoder,
        "recall": float((gains > 0).mean()),
        "ndcg": float(gains.mean()),
        "error": float(gains.std() / len(gains) ** 0.5),
        "epochs": len(model.history),
        "fit_seconds": fitted - began,
        "rank_seconds": ranked - fitted,
        "parameters": sum(weight.numel() for weight in model.network.parameters()),
        "encoder_parameters": sum(weight.numel() for weight in model.network.read.parameters()),
        "mb": size,
    }


def show(line: dict[str, Any]) -> None:
    quality = f"{line['recall']:>8.4f} {line['ndcg']:>8.4f} {line['error']:>7.4f} {line['epochs']:>7}"
    cost = f"{line['fit_seconds']:>8.1f} {line['rank_seconds']:>7.1f} {line['parameters']:>11,}"
    print(f"{line['encoder']:12} {quality} {cost} {line['encoder_parameters']:>9,} {line['mb']:>7.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences", type=Path)
    parser.add_argument("--encoders", nargs="+", choices=list(ENCODERS), default=list(ENCODERS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sequences = read(asked.sequences)
    if not asked.json:
        print(f"{len(sequences):,} sequences of {sequences.catalogue:,} items")
        quality = f"{'R@10':>8} {'NDCG@10':>8} {'error':>7} {'epochs':>7}"
        print(f"{'encoder':12} {quality} {'fit s':>8} {'rank s':>7} {'parameters':>11} {'encoder':>9} {'MB':>7}")
    lines = []
    for encoder in asked.encoders:
        lines.append(measure(sequences, encoder, asked.seed))
        if not asked.json:
            show(lines[-1])
    if asked.json:
        print(json.dumps(lines))


if __name__ == "__main__":
    main()
