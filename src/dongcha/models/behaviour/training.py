"""Learning to foretell every next event: batches of like length, the losses, early stopping, and resuming."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.network import Network, last_states
from dongcha.models.behaviour.timelines import GAP, KIND, PRODUCT, Codes, Timelines

Progress = Callable[[str, int, int], None]
"""Called with (what is done, steps done, steps in all)."""
BESIDE: Final = {KIND: 0.2, GAP: 0.2}
"""What foretelling the kind of event and the gap weighs beside foretelling the product."""
POPULARITY_POWER: Final = 0.75
"""Products to compare with are drawn by popularity to this power (Mikolov et al. 2013)."""
CHECKED_ROWS: Final = 5_000
CHECKED_AT: Final = 10
CHECKED_AT_ONCE: Final = 512
RAISED: Final = 0.1
"""The share of all steps in which the learning rate rises; then it falls to nothing (Smith & Topin 2018)."""


@dataclass(frozen=True)
class TrainingConfig:
    """How the network learns; at most `epochs` passes, `patience` of them worse than an earlier one.

    `products_rate`: how much faster the products' vectors learn. `negatives`: drawn products that each next product is
    compared with; the cost of a step does not grow with the catalogue.
    """

    epochs: int = 8
    patience: int = 4
    batch_rows: int = 256
    learning_rate: float = 0.002
    products_rate: float = 1.5
    weight_decay: float = 0.05
    negatives: int = 1024
    checked_share: float = 0.1
    """The share of customers whose newest product is kept from training, to stop by."""


@dataclass(frozen=True)
class Sampler:
    """Draws products, shared by a batch, and knows how likely each was to be drawn."""

    chance: Tensor
    """Shape (products,), float32."""
    reached: Tensor
    """The chances added up, shape (products,), float64."""

    @classmethod
    def of(cls, timelines: Timelines) -> Sampler:
        size = timelines.sizes[PRODUCT]
        counts = np.bincount(timelines.fields[PRODUCT], minlength=size + 1)[:size]
        weight = (counts + 1.0) ** POPULARITY_POWER
        chance = weight / weight.sum()
        return cls(torch.from_numpy(chance.astype(np.float32)), torch.from_numpy(np.cumsum(chance)))

    def draw(self, count: int) -> Tensor:
        """Products, shape (count,), with replacement."""
        return torch.searchsorted(self.reached, torch.rand(count, dtype=torch.float64)).clamp(max=len(self.chance) - 1)


def batches(
    timelines: Timelines, rows: Codes, batch_rows: int, length: int, random: np.random.Generator
) -> Iterator[dict[str, Tensor]]:
    """Rows of like length together, in random order: padding would cost as much as events do."""
    lengths = np.minimum(timelines.lengths()[rows], length) * random.uniform(0.9, 1.1, len(rows))
    order = rows[np.argsort(lengths, kind="stable")]
    chunks = [order[k : k + batch_rows] for k in range(0, len(order), batch_rows)]
    for k in random.permutation(len(chunks)):
        yield tensors(timelines.newest(chunks[k], length))


def tensors(fields: Mapping[str, Codes]) -> dict[str, Tensor]:
    """The same codes for torch."""
    return {name: torch.from_numpy(codes) for name, codes in fields.items()}


def loss_of(network: Network, fields: Mapping[str, Tensor], sampler: Sampler, negatives: int) -> Tensor:
    """The loss of one batch: the next product, and beside it the next kind of event and the time until it."""
    states = network({name: codes[:, :-1] for name, codes in fields.items()})
    target = fields[PRODUCT][:, 1:]
    known = target < network.sizes[PRODUCT]
    loss = product_loss(network, states[known], target[known], sampler, negatives)
    for name in network.heads:
        following = fields[name][:, 1:]
        there = following < network.sizes[name]
        if there.any():
            loss = loss + BESIDE[name] * F.cross_entropy(network.heads[name](states[there]), following[there])
    return loss


def product_loss(network: Network, states: Tensor, target: Tensor, sampler: Sampler, negatives: int) -> Tensor:
    """Cross-entropy against drawn products (Bengio & Senécal 2008).

    The own product counts once and each drawn one by the inverse of its expected count, so the sum under the softmax is
    right in the mean. Correcting the own product too, as is common, would count it as if it were drawn.
    """
    if not len(target):
        return states.sum() * 0.0
    drawn = sampler.draw(negatives)
    own_vectors, own_bias = network.looked_up(target)
    vectors, bias = network.looked_up(drawn)
    own = (states * own_vectors).sum(-1) + own_bias
    others = F.linear(states, vectors, bias - torch.log(sampler.chance[drawn] * negatives))
    others = others.masked_fill(drawn == target[:, None], -torch.inf)
    scores = torch.cat([own[:, None], others], dim=1)
    return F.cross_entropy(scores, torch.zeros_like(target))


def train(
    network: Network,
    timelines: Timelines,
    *,
    seed: int,
    config: TrainingConfig,
    checkpoint: Path | None = None,
    progress: Progress = lambda what, done, of: None,
) -> list[dict[str, float]]:
    """Train in place, leaving the best epoch's weights; returns each epoch's loss and NDCG@10.

    Every epoch draws from its own seed, so with a `checkpoint` folder a run that was killed goes on where its last
    whole epoch ended and comes to the same weights. Raises MissingDataError where nobody has three events.
    """
    shown, held = _held_out(timelines, seed, config.checked_share)
    rows = np.flatnonzero(shown.lengths() > 1)
    sampler = Sampler.of(shown)
    optimizer = Optimizer(network, config)
    steps = -(-len(rows) // config.batch_rows)
    state = _State(network, optimizer, checkpoint)
    history = state.resume()
    with torch.random.fork_rng(devices=[]):
        for epoch in range(len(history), config.epochs):
            if _waited(history) >= config.patience:
                break
            torch.manual_seed(seed * 1_000 + epoch)
            random = np.random.default_rng([seed, epoch])
            network.train()
            lost = 0.0
            for step, fields in enumerate(batches(shown, rows, config.batch_rows, network.config.length, random)):
                loss = loss_of(network, fields, sampler, config.negatives)
                optimizer.step(loss, (epoch * steps + step) / (config.epochs * steps))
                lost += loss.item()
                progress(f"Learn behaviour: epoch {epoch + 1}", epoch * steps + step + 1, config.epochs * steps)
            found = ndcg(network, shown, held)
            history.append({"loss": lost / max(steps, 1), "ndcg": float(found.mean()), "error": _error(found)})
            state.keep(history)
    state.restore_best(history)
    network.eval()
    return history


def _held_out(timelines: Timelines, seed: int, share: float) -> tuple[Timelines, Codes]:
    """The timelines without the newest product of some rows, and those products; -1 for the other rows."""
    lengths = timelines.lengths()
    newest = timelines.fields[PRODUCT][timelines.starts[1:] - 1]
    may = np.flatnonzero((lengths > 2) & (newest < timelines.sizes[PRODUCT]))
    if not len(may):
        raise MissingDataError("No customer has three events with products.", "Load a longer history.")
    chosen = np.zeros(len(lengths), dtype=bool)
    chosen[np.random.default_rng(seed).choice(may, max(round(share * len(may)), 1), replace=False)] = True
    keep = np.ones(int(timelines.starts[-1]), dtype=bool)
    keep[timelines.starts[1:][chosen] - 1] = False
    starts = np.concatenate([[0], np.cumsum(lengths - chosen)])
    fields = {name: codes[keep] for name, codes in timelines.fields.items()}
    days = None if timelines.days is None else timelines.days[keep]
    return Timelines(starts, fields, timelines.sizes, days), np.where(chosen, newest, -1)


def ndcg(network: Network, timelines: Timelines, wanted: Codes) -> NDArray[np.float64]:
    """NDCG@10 of each wanted product among all not yet taken, shape (rows that want one,); -1 in `wanted` is none."""
    rows = np.flatnonzero(wanted >= 0)[:CHECKED_ROWS]
    network.eval()
    gains = []
    products = timelines.products()
    with torch.inference_mode():
        for chunk in np.split(rows, range(CHECKED_AT_ONCE, len(rows), CHECKED_AT_ONCE)):
            fields = tensors(timelines.newest(chunk, network.config.length))
            scores = network.product_scores(last_states(network(fields), fields, network.sizes))
            taken = products.take(chunk)
            own = scores.gather(1, torch.from_numpy(wanted[chunk])[:, None])
            scores[torch.from_numpy(taken.rows()), torch.from_numpy(taken.items)] = -torch.inf
            rank = (scores > own).sum(dim=1) + 1
            gains.append(torch.where(rank <= CHECKED_AT, 1 / torch.log2(rank + 1.0), 0.0).double().numpy())
    return np.concatenate(gains)


def _error(values: NDArray[np.float64]) -> float:
    """The standard error of their mean."""
    return float(values.std() / np.sqrt(max(len(values), 1)))


class Optimizer:
    """Adam for all weights; of the products only those that a batch met are touched, however many there are."""

    def __init__(self, network: Network, config: TrainingConfig) -> None:
        products = list(network.of_products())
        others = [weight for weight in network.parameters() if all(weight is not product for product in products)]
        self.parts: tuple[tuple[torch.optim.Optimizer, float], ...] = (
            (torch.optim.SparseAdam(products), config.learning_rate * config.products_rate),
            (torch.optim.AdamW(others, weight_decay=config.weight_decay), config.learning_rate),
        )

    def step(self, loss: Tensor, done: float) -> None:
        """One step down the loss, `done` being the share of all steps that lie behind."""
        share = done / RAISED if done < RAISED else 0.5 * (1 + np.cos(np.pi * (done - RAISED) / (1 - RAISED)))
        for part, peak in self.parts:
            part.zero_grad()
            for group in part.param_groups:
                group["lr"] = peak * max(float(share), 0.01)
        torch.autograd.backward(loss)
        for part, _ in self.parts:
            part.step()

    def tensors(self) -> dict[str, Tensor]:
        """What the optimizers remember of each weight."""
        return {
            f"{place}.{weight}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
            for place, (part, _) in enumerate(self.parts)
            for weight, values in part.state_dict()["state"].items()
            for name, value in values.items()
        }

    def restore(self, stored: Mapping[str, Tensor]) -> None:
        """Remember what `tensors` gave."""
        for place, (part, _) in enumerate(self.parts):
            remembered: dict[int, dict[str, Tensor | int]] = {}
            for key, value in stored.items():
                at, weight, name = key.split(".", 2)
                if int(at) == place:
                    # SparseAdam counts steps in a plain number, AdamW in a tensor.
                    counted = name == "step" and isinstance(part, torch.optim.SparseAdam)
                    remembered.setdefault(int(weight), {})[name] = int(value) if counted else value
            part.load_state_dict({**part.state_dict(), "state": remembered})


def _best(history: list[dict[str, float]]) -> int:
    """The last epoch, unless an earlier one was better by more than chance: the last has the calmest weights."""
    scores = np.array([epoch["ndcg"] for epoch in history])
    best = int(np.argmax(scores))
    return best if scores[best] - scores[-1] > history[best]["error"] else len(history) - 1


def _waited(history: list[dict[str, float]]) -> int:
    """How many epochs ago the best was."""
    return len(history) - 1 - _best(history) if history else 0


class _State:
    """The network and its optimizer after the last whole epoch and the network after the best, kept in a folder."""

    def __init__(self, network: Network, optimizer: Optimizer, folder: Path | None) -> None:
        self.network, self.optimizer, self.folder = network, optimizer, folder
        self.best: dict[str, Tensor] = {}

    def keep(self, history: list[dict[str, float]]) -> None:
        if not self.best or history[-1]["ndcg"] >= max(epoch["ndcg"] for epoch in history):
            self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        if self.folder is None:
            return
        from safetensors.torch import save

        self.folder.mkdir(parents=True, exist_ok=True)
        parts = {"now": self.network.state_dict(), "best": self.best, "moving": self.optimizer.tensors()}
        told = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        _replace(self.folder / "epoch.safetensors", save(told, {"history": json.dumps(history)}))

    def resume(self) -> list[dict[str, float]]:
        file = None if self.folder is None else self.folder / "epoch.safetensors"
        if file is None or not file.exists():
            return []
        from safetensors import safe_open

        with safe_open(file, "pt") as stored:
            parts: dict[str, dict[str, Tensor]] = {"now": {}, "best": {}, "moving": {}}
            for key in list(stored.keys()):
                part, name = key.split("/", 1)
                parts[part][name] = stored.get_tensor(key)
            history: list[dict[str, float]] = json.loads(stored.metadata()["history"])
        self.network.load_state_dict(parts["now"])
        self.best = parts["best"]
        self.optimizer.restore(parts["moving"])
        return history

    def restore_best(self, history: list[dict[str, float]]) -> None:
        if _waited(history):
            self.network.load_state_dict(self.best)


def _replace(file: Path, content: bytes) -> None:
    """Write beside and rename, so that a kill leaves the old file or the new one."""
    beside = file.with_suffix(".new")
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
