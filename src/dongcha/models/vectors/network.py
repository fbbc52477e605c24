"""Several vectors about the same rows as one, fused by a small network that learns what the rows answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.tabular import network as net
from dongcha.models.tabular.network import NetworkConfig, Rows
from dongcha.models.vectors.principal import Principal
from dongcha.models.vectors.weighted import Weighted

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = NDArray[np.float64]

FILE: Final = "network.safetensors"
SHAPE: Final = "network.json"
HELD_OUT: Final = 5
"""One row in this many tells when to stop."""


@dataclass(frozen=True)
class Learned:
    """The last hidden layer of a network that answers all questions at once, drawn to the size asked for.

    It reads the parts side by side (`Weighted`, all alike); what it keeps is what the questions have in common.
    """

    beside: Weighted
    network: nn.Sequential | net.Stored
    config: NetworkConfig
    whole: Principal

    @classmethod
    def fit(cls, parts: Sequence[Array], size: int, *, answers: Sequence[Array], seed: int = 0) -> Learned:
        """Learn from parts (rows, any) and families of yes-or-no questions (rows, questions); see `Weighted`.

        The same seed gives the same network on the same kind of machine.
        """
        beside = Weighted.fit(parts, size)
        X, Y = beside.transform(parts), np.hstack(answers).astype(np.float64)
        held = np.random.default_rng(seed).permutation(len(X)) % HELD_OUT == 0
        config = NetworkConfig(width=size, epochs=30, patience=5)
        shown, stop_by = (Rows(X[rows], Y[rows], np.ones(int(rows.sum()))) for rows in (~held, held))
        network = net.train(shown, stop_by, _log_loss, outputs=Y.shape[1], seed=seed, config=config)
        return cls(beside, network, config, Principal.fit(net.hidden_of(network, X), size))

    def transform(self, parts: Sequence[Array]) -> Array:
        """Shape (rows, size)."""
        return self.whole.transform(net.hidden_of(self.network, self.beside.transform(parts)))

    def save(self, folder: Path) -> None:
        """Safetensors and JSON."""
        net.save(self.network, folder / FILE)
        (folder / SHAPE).write_text(json.dumps(asdict(self.config)), "utf-8")
        self.whole.save(folder)
        (folder / "beside").mkdir()
        self.beside.save(folder / "beside")

    @classmethod
    def load(cls, folder: Path) -> Learned:
        """Read what `save` wrote."""
        config = NetworkConfig(**json.loads((folder / SHAPE).read_text("utf-8")))
        return cls(Weighted.load(folder / "beside"), net.load(folder / FILE, config), config, Principal.load(folder))


def _log_loss(outputs: Tensor, y: Tensor) -> Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(outputs, y, reduction="none").mean(dim=1)
