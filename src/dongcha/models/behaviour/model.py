"""The behaviour model, whole: fitted on timelines; a vector for every customer, and the likeliest products."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import PRODUCT, Timelines
from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

if TYPE_CHECKING:
    from dongcha.models.behaviour.network import Network, NetworkConfig
    from dongcha.models.behaviour.training import Progress, TrainingConfig

WEIGHTS: Final = "behaviour.safetensors"
SHAPE: Final = "behaviour.json"
ROWS_AT_ONCE: Final = 1024

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class BehaviourModel:
    """A trained network and how its training went: each epoch's loss and NDCG@10."""

    network: Network
    history: tuple[dict[str, float], ...]

    @classmethod
    def fit(
        cls,
        timelines: Timelines,
        *,
        seed: int = 0,
        shape: NetworkConfig | None = None,
        training: TrainingConfig | None = None,
        checkpoint: Path | None = None,
        logs: Path | None = None,
        progress: Progress = lambda what, done, of: None,
    ) -> BehaviourModel:
        """Learn from every event of every row. The same seed gives the same model on the same kind of machine.

        `checkpoint`: a folder in which each epoch is kept, so that a killed run goes on from there. `logs`: a folder in
        which each epoch's figures are written for TensorBoard.
        """
        import torch

        from dongcha.models.behaviour.network import Network, NetworkConfig
        from dongcha.models.behaviour.training import TrainingConfig, train

        shape = shape or NetworkConfig()
        coded = timelines.paced()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = Network(coded.sizes, shape)
        training = training or TrainingConfig()
        history = train(network, coded, seed=seed, config=training, checkpoint=checkpoint, logs=logs, progress=progress)
        return cls(network, tuple(history))

    def vectors(self, timelines: Timelines) -> Vectors:
        """Each row's state after its newest event, shape (rows, width); zeros for a row without events."""
        import torch

        from dongcha.models.behaviour.network import last_states
        from dongcha.models.behaviour.training import tensors

        coded = timelines.paced()
        found = np.zeros((len(coded), self.network.config.width), dtype=np.float32)
        rows = np.argsort(coded.lengths(), kind="stable")
        rows = rows[coded.lengths()[rows] > 0]
        with torch.inference_mode():
            for start in range(0, len(rows), ROWS_AT_ONCE):
                chunk = rows[start : start + ROWS_AT_ONCE]
                fields = tensors(coded.newest(chunk, self.network.config.length))
                found[chunk] = last_states(self.network(fields), fields, self.network.sizes).numpy()
        return found

    def scores(self, vectors: Vectors) -> Vectors:
        """Every product's score for every vector, shape (rows, products)."""
        import torch

        with torch.inference_mode():
            return np.asarray(self.network.product_scores(torch.from_numpy(vectors)).numpy(), dtype=np.float32)

    def top(self, vectors: Vectors, count: int, without: Sequences | None = None) -> Scored:
        """Each vector's `count` likeliest of all products but those in `without`'s row, found by matrix product."""
        import torch

        count = min(count, self.network.sizes[PRODUCT])
        items, scores = [], []
        with torch.inference_mode():
            for start in range(0, len(vectors), ROWS_AT_ONCE):
                found = self.network.product_scores(torch.from_numpy(vectors[start : start + ROWS_AT_ONCE]))
                if without is not None:
                    taken = without.take(np.arange(start, start + len(found)))
                    found[torch.from_numpy(taken.rows()), torch.from_numpy(taken.items)] = -torch.inf
                best = found.topk(count, dim=1, sorted=False)
                order = best.indices.argsort(dim=1)
                items.append(best.indices.gather(1, order).numpy())
                scores.append(best.values.gather(1, order).numpy())
        flat = np.concatenate([part.ravel() for part in scores]) if scores else np.empty(0, np.float32)
        wanted = np.isfinite(flat)
        rows = np.repeat(np.arange(len(vectors)), count)[wanted]
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(vectors)))])
        chosen = np.concatenate([part.ravel() for part in items]) if items else np.empty(0, np.int64)
        return Scored(chosen[wanted], flat[wanted], starts, self.network.sizes[PRODUCT])

    def save(self, folder: Path) -> None:
        """Weights as safetensors, the rest as JSON."""
        from safetensors.torch import save_file

        save_file({name: weight.contiguous() for name, weight in self.network.state_dict().items()}, folder / WEIGHTS)
        told = {"sizes": self.network.sizes, "shape": asdict(self.network.config), "history": self.history}
        (folder / SHAPE).write_text(json.dumps(told), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> BehaviourModel:
        """Read what `save` wrote."""
        from safetensors.torch import load_file

        from dongcha.models.behaviour.network import Network, NetworkConfig

        told = json.loads((folder / SHAPE).read_text("utf-8"))
        network = Network(told["sizes"], NetworkConfig(**told["shape"]))
        network.load_state_dict(load_file(folder / WEIGHTS))
        return cls(network.eval(), tuple(told["history"]))
