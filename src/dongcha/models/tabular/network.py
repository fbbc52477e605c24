"""A small network on a row of numbers: built, trained and stored one way for every head. torch is imported late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.tabular.training import Array

if TYPE_CHECKING:
    from torch import Tensor, nn

    Loss = Callable[[Tensor, Tensor], Tensor]
    """(outputs (rows, outputs), y (rows,)) → loss of each row, shape (rows,)."""
    Head = Callable[[Tensor], Tensor]
    """Outputs (rows, outputs) → the one number of each row to be explained, shape (rows,)."""

Weights = NDArray[np.float32]

PATH_POINTS: Final = 32
ROWS_AT_ONCE: Final = 2048


@dataclass(frozen=True)
class NetworkConfig:
    """Two hidden layers of `width`; at most `epochs` passes, `patience` of them without a better validation loss."""

    width: int = 32
    dropout: float = 0.3
    epochs: int = 8
    patience: int = 2
    batch_rows: int = 128
    learning_rate: float = 0.003
    weight_decay: float = 0.1


@dataclass(frozen=True)
class Rows:
    """What a network sees: scaled inputs (rows, inputs), y (rows,), weights (rows,) of mean 1."""

    inputs: Array
    y: Array
    weight: Array

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return tensor(self.inputs), tensor(self.y), tensor(self.weight)


def tensor(values: Array) -> Tensor:
    """The same numbers for torch, float32."""
    import torch

    return torch.as_tensor(np.ascontiguousarray(values, dtype=np.float32))


def build(inputs: int, outputs: int, config: NetworkConfig) -> nn.Sequential:
    """A fresh network with random weights."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(inputs, config.width),
        nn.SiLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.width, config.width),
        nn.SiLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.width, outputs),
    )


def train(
    rows: Rows, validation: Rows | None, loss: Loss, *, outputs: int, seed: int, config: NetworkConfig
) -> nn.Sequential:
    """The network with the best validation loss, or that of the last epoch where no validation part is given.

    The same seed gives the same network on the same kind of machine; torch's own random state is left as it was.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(rows.inputs.shape[1], outputs, config)
        _epochs(network, rows, validation, loss, config)
    return network.eval()


def _epochs(network: nn.Sequential, rows: Rows, validation: Rows | None, loss: Loss, config: NetworkConfig) -> None:
    import torch

    steps = -(-len(rows.y) // config.batch_rows) * config.epochs
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps)

    def step() -> None:
        optimizer.step()
        schedule.step()

    best, kept, waited = float("inf"), _copy(network), 0
    for _ in range(config.epochs):
        _pass(network, rows, loss, config.batch_rows, step)
        if validation is None:
            continue
        now = mean_loss(network, validation, loss)
        best, kept, waited = (now, _copy(network), 0) if now < best else (best, kept, waited + 1)
        if waited >= config.patience:
            break
    if validation is not None:
        network.load_state_dict(kept)


def _pass(network: nn.Sequential, rows: Rows, loss: Loss, batch_rows: int, step: Callable[[], object]) -> None:
    import torch

    inputs, y, weight = rows.tensors()
    network.train()
    for batch in torch.split(torch.randperm(len(y)), batch_rows):
        network.zero_grad()
        torch.autograd.backward((loss(network(inputs[batch]), y[batch]) * weight[batch]).mean())
        step()


def mean_loss(network: nn.Sequential, rows: Rows, loss: Loss) -> float:
    """The weighted mean of the loss over rows."""
    import torch

    inputs, y, weight = rows.tensors()
    network.eval()
    with torch.no_grad():
        return float((loss(network(inputs), y) * weight).mean())


class Stored:
    """A saved network: answers are worked out by NumPy from its weights, torch is imported for slopes alone."""

    def __init__(self, file: Path, config: NetworkConfig) -> None:
        self.file, self.config = file, config

    @cached_property
    def layers(self) -> list[tuple[Weights, Weights]]:
        """Each linear layer's weights (outputs, inputs) and biases (outputs,), first to last."""
        from safetensors.numpy import load_file

        return _layers(load_file(self.file))

    @cached_property
    def _network(self) -> nn.Sequential:
        from safetensors.torch import load_file

        state = load_file(self.file)
        network = build(self.layers[0][0].shape[1], self.layers[-1][0].shape[0], self.config)
        network.load_state_dict(state)
        return network.eval()

    def __call__(self, inputs: Tensor) -> Tensor:
        found: Tensor = self._network(inputs)
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, as torch keeps them."""
        return dict(self._network.state_dict())


def outputs_of(network: nn.Sequential | Stored, inputs: Array) -> Array:
    """The network's outputs, shape (rows, outputs), float64; worked out in float32."""
    weights, biases = _layers_of(network)[-1]
    return np.asarray(_hidden(network, inputs) @ weights.T + biases, dtype=np.float64)


def hidden_of(network: nn.Sequential | Stored, inputs: Array) -> Array:
    """What the last hidden layer holds, shape (rows, width), float64."""
    return np.asarray(_hidden(network, inputs), dtype=np.float64)


def _hidden(network: nn.Sequential | Stored, inputs: Array) -> Weights:
    found = np.ascontiguousarray(inputs, dtype=np.float32)
    for weights, biases in _layers_of(network)[:-1]:
        found = _silu(found @ weights.T + biases)
    return found


def _layers_of(network: nn.Sequential | Stored) -> list[tuple[Weights, Weights]]:
    if isinstance(network, Stored):
        return network.layers
    return _layers({name: value.detach().numpy() for name, value in network.state_dict().items()})


def _layers(state: Mapping[str, Weights]) -> list[tuple[Weights, Weights]]:
    places = sorted({int(name.partition(".")[0]) for name in state})
    return [(state[f"{place}.weight"], state[f"{place}.bias"]) for place in places]


def _silu(x: Weights) -> Weights:
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and x over that the 0 it should be
        return np.asarray(x / (1 + np.exp(-x)), dtype=np.float32)


def integrated_gradients(network: nn.Sequential | Stored, inputs: Array, head: Head) -> Array:
    """Each input's push on `head` along the straight path from the mean row, which is 0 after scaling.

    Shape (rows, inputs); a row's pushes sum to its head less that of the mean row, up to the error of PATH_POINTS
    Gauss-Legendre points.
    """
    parts = [_integrated(network, inputs[at : at + ROWS_AT_ONCE], head) for at in range(0, len(inputs), ROWS_AT_ONCE)]
    return np.vstack([np.empty((0, inputs.shape[1])), *parts])


def _integrated(network: nn.Sequential | Stored, inputs: Array, head: Head) -> Array:
    import torch

    points, weights = np.polynomial.legendre.leggauss(PATH_POINTS)
    slopes = np.zeros_like(inputs)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        here = tensor(inputs * point).requires_grad_()
        (slope,) = torch.autograd.grad(head(network(here)).sum(), here)
        slopes += weight * slope.numpy()
    return np.asarray(inputs * slopes, dtype=np.float64)


def save(network: nn.Sequential | Stored, file: Path) -> None:
    """Write the weights as safetensors."""
    from safetensors.torch import save_file

    save_file(network.state_dict(), file)


def load(file: Path, config: NetworkConfig) -> Stored:
    """Read what `save` wrote; its shapes say how many inputs and outputs."""
    stored = Stored(file, config)
    _ = stored.layers
    return stored


def _copy(network: nn.Sequential) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
