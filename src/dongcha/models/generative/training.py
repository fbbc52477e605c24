"""Learning to tell customers through the latent: its price grows, early stopping, and resuming after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dongcha.models.behaviour.checkpoint import replace_whole
from dongcha.models.behaviour.timelines import Codes, Timelines
from dongcha.models.generative.network import Batch, Network, VaeConfig, divergence, drawn

Progress = Callable[[str, int, int], None]
"""Called with (what is done, steps done, steps in all)."""
History = list[dict[str, float]]
ROWS_AT_ONCE: Final = 512
CLIPPED: Final = 40.0
"""The longest gradient that is followed as it is: one odd customer must not throw the others about."""
RAISED: Final = 0.1
"""The share of all steps in which the learning rate rises; then it falls to nothing (Smith & Topin 2018)."""
CHECKPOINT: Final = "vae_epoch.safetensors"


@dataclass(frozen=True)
class Rows:
    """All that a network sees of its rows: events in small codes, and scaled numbers with NaN for missing."""

    timelines: Timelines
    values: NDArray[np.float64]

    def batch(self, rows: Codes, length: int) -> Batch:
        """These rows' newest `length` events and their numbers."""
        fields = {name: torch.from_numpy(codes) for name, codes in self._newest(rows, length).items()}
        counts = np.minimum(self.timelines.lengths()[rows], length)
        values = torch.from_numpy(self.values[rows].astype(np.float32))
        return Batch(fields, torch.from_numpy(counts), values.nan_to_num(), ~values.isnan())

    def _newest(self, rows: Codes, length: int) -> dict[str, Codes]:
        if self.timelines.starts[-1]:
            return self.timelines.newest(rows, length)
        return {name: np.full((len(rows), 1), none) for name, none in self.timelines.sizes.items()}

    def in_order(self, length: int) -> Iterator[tuple[Codes, Batch]]:
        """Every row, those of like length together."""
        order = np.argsort(np.minimum(self.timelines.lengths(), length), kind="stable")
        for start in range(0, len(order), ROWS_AT_ONCE):
            yield order[start : start + ROWS_AT_ONCE], self.batch(order[start : start + ROWS_AT_ONCE], length)

    def shuffled(self, rows: Codes, config: VaeConfig, random: np.random.Generator) -> Iterator[Batch]:
        """Batches in random order; rows of like length together, since padding would cost as much as events do."""
        lengths = np.minimum(self.timelines.lengths()[rows], config.length) * random.uniform(0.8, 1.2, len(rows))
        order = rows[np.argsort(lengths, kind="stable")]
        chunks = [order[k : k + config.batch_rows] for k in range(0, len(order), config.batch_rows)]
        for k in random.permutation(len(chunks)):
            yield self.batch(chunks[k], config.length)


def train(
    network: Network,
    rows: Rows,
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Progress = lambda what, done, of: None,
) -> History:
    """Train in place, leaving the best epoch's weights; returns what each epoch came to on the customers kept aside.

    Every epoch draws from its own seed, so with a `checkpoint` folder a run that was killed goes on where its last
    whole epoch ended and comes to the same weights.
    """
    config = network.config
    order = np.random.default_rng(seed).permutation(len(rows.values))
    checked, learnt = np.split(order, [max(round(config.checked_share * len(order)), 1)])
    checked, learnt = np.sort(checked), np.sort(learnt)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    steps, epochs = -(-len(learnt) // config.batch_rows), config.epochs(len(learnt))
    state = _State(network, optimizer, checkpoint)
    history = state.resume()
    with torch.random.fork_rng(devices=[]):
        for epoch in range(len(history), epochs):
            if _waited(history, config.warming * epochs) > config.patience * epochs:
                break
            torch.manual_seed(seed * 1_000 + epoch)
            network.train()
            batches = rows.shuffled(learnt, config, np.random.default_rng([seed, epoch]))
            for step, batch in enumerate(batches, start=epoch * steps):
                _step(network, batch, optimizer, step / (epochs * steps))
                progress(f"Learn customers: epoch {epoch + 1}", step + 1, epochs * steps)
            history.append(checked_loss(network, rows, checked))
            state.keep(history, _best(history, config.warming * epochs) == epoch)
    state.restore_best()
    network.eval()
    return history


def loss_of(network: Network, batch: Batch, price: float) -> Tensor:
    """The batch's mean cost of being told, and `price` times what goes through the latent beyond the free nats."""
    mean, log_variance = network.place(batch)
    told = network.told(batch, drawn(mean, log_variance)).rows(network.config.events_weight)
    passed = divergence(mean, log_variance).mean(dim=0).clamp(min=network.config.free_nats)
    return told.mean() + price * passed.sum()


def _step(network: Network, batch: Batch, optimizer: torch.optim.Optimizer, done: float) -> None:
    config = network.config
    share = done / RAISED if done < RAISED else 0.5 * (1 + np.cos(np.pi * (done - RAISED) / (1 - RAISED)))
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * max(float(share), 0.01)
    optimizer.zero_grad()
    torch.autograd.backward(loss_of(network, batch, min(done / config.warming, 1.0) if config.warming else 1.0))
    torch.nn.utils.clip_grad_norm_(network.parameters(), CLIPPED)
    optimizer.step()


def checked_loss(network: Network, rows: Rows, checked: Codes) -> dict[str, float]:
    """Of the customers kept aside: the cost of telling them from their mean place, and what goes through the latent."""
    network.eval()
    told, passed = [], []
    with torch.inference_mode():
        for chunk in np.split(checked, range(ROWS_AT_ONCE, len(checked), ROWS_AT_ONCE)):
            batch = rows.batch(chunk, network.config.length)
            mean, log_variance = network.place(batch)
            told.append(network.told(batch, mean).rows(network.config.events_weight))
            passed.append(divergence(mean, log_variance).sum(dim=1))
    found = {"told": float(torch.cat(told).mean()), "passed": float(torch.cat(passed).mean())}
    return {**found, "loss": found["told"] + found["passed"]}


def _best(history: History, warmed: float) -> int:
    """The epoch with the least loss since the latent costs its full price."""
    first = min(int(warmed), len(history) - 1)
    return first + int(np.argmin([epoch["loss"] for epoch in history[first:]]))


def _waited(history: History, warmed: float) -> int:
    """How many epochs ago the best was."""
    return len(history) - 1 - _best(history, warmed) if history else 0


class _State:
    """The network and its optimizer after the last whole epoch and the network after the best, kept in a folder."""

    def __init__(self, network: Network, optimizer: torch.optim.Optimizer, folder: Path | None) -> None:
        self.network, self.optimizer, self.folder = network, optimizer, folder
        self.best: dict[str, Tensor] = {}

    def keep(self, history: History, best: bool) -> None:
        if best:
            self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        if self.folder is None:
            return
        from safetensors.torch import save

        moving = self.optimizer.state_dict()["state"]
        parts = {
            "now": self.network.state_dict(),
            "best": self.best,
            "moving": {
                f"{weight}.{name}": value for weight, values in moving.items() for name, value in values.items()
            },
        }
        told = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_whole(self.folder / CHECKPOINT, save(told, {"history": json.dumps(history)}))

    def resume(self) -> History:
        file = None if self.folder is None else self.folder / CHECKPOINT
        if file is None or not file.exists():
            return []
        from safetensors import safe_open

        parts: dict[str, dict[str, Tensor]] = {"now": {}, "best": {}, "moving": {}}
        with safe_open(file, "pt") as stored:
            for key in list(stored.keys()):
                part, name = key.split("/", 1)
                parts[part][name] = stored.get_tensor(key)
            history: History = json.loads(stored.metadata()["history"])
        self.network.load_state_dict(parts["now"])
        self.best = parts["best"]
        moving: dict[int, dict[str, Tensor]] = {}
        for key, value in parts["moving"].items():
            weight, name = key.split(".", 1)
            moving.setdefault(int(weight), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moving})
        return history

    def restore_best(self) -> None:
        if self.best:
            self.network.load_state_dict(self.best)
