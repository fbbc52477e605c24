"""Learning to foretell every next event: batches of like length, early stopping, and a last pass over everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dongcha.models.behaviour.checkpoint import History, Kept, waited
from dongcha.models.behaviour.holdout import held_out
from dongcha.models.behaviour.logs import logged
from dongcha.models.behaviour.losses import Sampler, parts_of
from dongcha.models.behaviour.network import Network, last_states
from dongcha.models.behaviour.optimizer import RAISED, Optimizer
from dongcha.models.behaviour.timelines import Codes, Timelines
from dongcha.models.behaviour.warm_start import warm_start

Progress = Callable[[str, int, int], None]
"""Called with (what is done, steps done, steps in all)."""
CHECKED_AT: Final = 10
CHECKED_AT_ONCE: Final = 512


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
    contrast: float = 0.03
    """What telling a customer from others weighs beside foretelling the next product."""
    checked_share: float = 0.1
    """The share of customers whose next product is kept from training, to stop by."""
    last_pass: float = 0.3
    """The share of the learning rate at which one more pass goes over everything, what was held out too; 0: none."""


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


def train(
    network: Network,
    timelines: Timelines,
    *,
    seed: int,
    config: TrainingConfig,
    checkpoint: Path | None = None,
    logs: Path | None = None,
    progress: Progress = lambda what, done, of: None,
) -> History:
    """Train in place; returns each epoch's loss, its parts, the learning rate, and NDCG@10 of what was held out.

    What came after a moment is held out (see `held_out`) until the best number of epochs is known; then one gentle pass
    goes over everything. Every pass draws from its own seed, so with a `checkpoint` folder a run that was killed goes
    on where its last whole epoch ended and comes to the same weights. Raises MissingDataError where nobody has three
    events.
    """
    shown, wanted = held_out(timelines, seed, config.checked_share)
    training = _Training(network, shown, seed, config, progress)
    kept = Kept(network, training.optimizer, checkpoint)
    history = kept.resume()
    with torch.random.fork_rng(devices=[]), logged(logs) as log:
        if not history:
            with torch.no_grad():
                network.products.copy_(torch.from_numpy(warm_start(shown.products(), network.config.width, seed)))
        for epoch in range(len(history), config.epochs):
            if waited(history) >= config.patience:
                break
            lost = training.epoch(epoch)
            found = ndcg(network, shown, wanted)
            history.append({**lost, "ndcg": float(found.mean()), "error": _error(found)})
            kept.keep(history)
            log(epoch, history[-1])
        kept.restore_best(history)
        if history and config.last_pass > 0:
            training.last_pass(timelines)
    network.eval()
    return history


class _Training:
    """What every epoch needs."""

    def __init__(
        self, network: Network, shown: Timelines, seed: int, config: TrainingConfig, progress: Progress
    ) -> None:
        self.network, self.shown, self.seed, self.config, self.progress = network, shown, seed, config, progress
        self.optimizer = Optimizer(network, config.learning_rate, config.products_rate, config.weight_decay)
        self.sampler = Sampler.of(shown)
        self.steps = -(-int((shown.lengths() > 1).sum()) // config.batch_rows)

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over what is shown, on the way up and down of the learning rate; returns the parts of the loss."""
        of = self.config.epochs * self.steps
        return self._pass(self.shown, self.optimizer, epoch, lambda step: (epoch * self.steps + step) / of)

    def last_pass(self, timelines: Timelines) -> None:
        """One pass over everything, with a fresh optimizer: where it is killed it is run again from the best epoch."""
        config = self.config
        rate = config.learning_rate * config.last_pass
        gentle = Optimizer(self.network, rate, config.products_rate, config.weight_decay)
        self.sampler = Sampler.of(timelines)
        self._pass(timelines, gentle, config.epochs, lambda step: RAISED)

    def _pass(
        self, timelines: Timelines, optimizer: Optimizer, epoch: int, done: Callable[[int], float]
    ) -> dict[str, float]:
        torch.manual_seed(self.seed * 1_000 + epoch)
        random = np.random.default_rng([self.seed, epoch])
        self.network.train()
        rows = np.flatnonzero(timelines.lengths() > 1)
        lost: dict[str, float] = {}
        every = batches(timelines, rows, self.config.batch_rows, self.network.config.length, random)
        for step, fields in enumerate(every):
            parts = parts_of(self.network, fields, self.sampler, self.config.negatives, self.config.contrast)
            parts["loss"] = torch.stack(list(parts.values())).sum()
            optimizer.step(parts["loss"], done(step))
            for name, part in parts.items():
                lost[name] = lost.get(name, 0.0) + part.item() / self.steps
            self._tell(epoch, step)
        return {**lost, "learning_rate": optimizer.rate()}

    def _tell(self, epoch: int, step: int) -> None:
        passes = self.config.epochs + (self.config.last_pass > 0)
        self.progress(
            f"Learn behaviour: pass {epoch + 1}",
            epoch * self.steps + min(step + 1, self.steps),
            passes * self.steps,
        )


def ndcg(network: Network, timelines: Timelines, wanted: Codes) -> NDArray[np.float64]:
    """NDCG@10 of each wanted product among all not yet taken, shape (rows that want one,); -1 in `wanted` is none."""
    rows = np.flatnonzero(wanted >= 0)
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
