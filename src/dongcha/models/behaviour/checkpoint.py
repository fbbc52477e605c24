"""Which epoch was best, and what of a training is kept in a folder so that a kill costs one epoch at most."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from torch import Tensor

from dongcha.models.behaviour.network import Network
from dongcha.models.behaviour.optimizer import Optimizer

History = list[dict[str, float]]


def best_of(history: History) -> int:
    """The last epoch, unless an earlier one was better by more than chance: the last has the calmest weights."""
    scores = np.array([epoch["ndcg"] for epoch in history])
    best = int(np.argmax(scores))
    return best if scores[best] - scores[-1] > history[best]["error"] else len(history) - 1


def waited(history: History) -> int:
    """How many epochs ago the best was."""
    return len(history) - 1 - best_of(history) if history else 0


class Kept:
    """The network and its optimizer after the last whole epoch and the network after the best, kept in a folder."""

    def __init__(self, network: Network, optimizer: Optimizer, folder: Path | None) -> None:
        self.network, self.optimizer, self.folder = network, optimizer, folder
        self.best: dict[str, Tensor] = {}

    def keep(self, history: History) -> None:
        if not self.best or history[-1]["ndcg"] >= max(epoch["ndcg"] for epoch in history):
            self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        if self.folder is None:
            return
        from safetensors.torch import save

        self.folder.mkdir(parents=True, exist_ok=True)
        parts = {"now": self.network.state_dict(), "best": self.best, "moving": self.optimizer.tensors()}
        told = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        replace_whole(self.folder / "epoch.safetensors", save(told, {"history": json.dumps(history)}))

    def resume(self) -> History:
        file = None if self.folder is None else self.folder / "epoch.safetensors"
        if file is None or not file.exists():
            return []
        from safetensors import safe_open

        with safe_open(file, "pt") as stored:
            parts: dict[str, dict[str, Tensor]] = {"now": {}, "best": {}, "moving": {}}
            for key in list(stored.keys()):
                part, name = key.split("/", 1)
                parts[part][name] = stored.get_tensor(key)
            history: History = json.loads(stored.metadata()["history"])
        self.network.load_state_dict(parts["now"])
        self.best = parts["best"]
        self.optimizer.restore(parts["moving"])
        return history

    def restore_best(self, history: History) -> None:
        if waited(history):
            self.network.load_state_dict(self.best)


def replace_whole(file: Path, content: bytes) -> None:
    """Write beside and rename, so that a kill leaves the old file or the new one."""
    beside = file.with_suffix(".new")
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
