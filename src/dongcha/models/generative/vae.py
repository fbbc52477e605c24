"""A variational autoencoder over customers: a point in latent space for each, a 2-D map, and how odd each one is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.timelines import Timelines
from dongcha.models.generative.small_codes import SmallCodes
from dongcha.models.generative.table import TableScale

if TYPE_CHECKING:
    from dongcha.models.generative.network import Network, VaeConfig
    from dongcha.models.generative.training import Progress, Rows

Array = NDArray[np.float64]
Vectors = NDArray[np.float32]

WEIGHTS: Final = "vae.safetensors"
SHAPE: Final = "vae.json"
EVENTS: Final = "events"
"""The number of events, which the model reads and rebuilds beside the table's columns."""
FEWEST_ROWS: Final = 20
DOUBT: Final = 5.0
"""Events of usual cost that every row is thought to have besides its own: one odd event is little evidence."""


@dataclass(frozen=True)
class Surprise:
    """How much more each part of a row costs to tell, in nats, than it usually does; below 0 is plainer than usual.

    `fields`: name → (rows,), per event, drawn towards 0 where a row has few; EVENTS is the number of events.
    `columns`: (rows, columns of the table).
    """

    fields: Mapping[str, Array]
    columns: Array

    @property
    def total(self) -> Array:
        """The parts added up, shape (rows,)."""
        return np.asarray(sum(self.fields.values()) + self.columns.sum(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Vae:
    """A trained network with all it takes to read rows and to tell what is usual.

    Events are rebuilt by causal self-attention under the latent (Bowman et al. 2016 with attention for their LSTM),
    numbers by a normal distribution each, missing ones left out.
    """

    network: Network
    codes: SmallCodes
    scale: TableScale
    """Of the table's columns and, last, the number of events."""
    axes: Vectors
    """Mean and two directions of the 2-D map, shape (3, latent)."""
    usual: Mapping[str, Any]
    """Field → mean cost of an event; "columns" → mean cost of each number."""
    history: tuple[dict[str, float], ...] = ()

    @classmethod
    def fit(
        cls,
        timelines: Timelines,
        table: Array | None = None,
        *,
        seed: int = 0,
        config: VaeConfig | None = None,
        progress: Progress = lambda what, done, of: None,
        checkpoint: Path | None = None,
    ) -> Vae:
        """Learn from every row: its timeline, and beside it a `table` (rows, columns), NaN where missing.

        The same seed gives the same model on the same kind of machine. `checkpoint`: a folder in which each epoch is
        kept, so that a killed run goes on from there. Raises MissingDataError with fewer than 20 rows.
        """
        import torch

        from dongcha.models.generative.network import Network, VaeConfig
        from dongcha.models.generative.training import Rows, train

        if len(timelines) < FEWEST_ROWS:
            raise MissingDataError(f"{len(timelines)} customers are too few to learn from.", "Load more.")
        config = config or VaeConfig()
        coded = timelines.coded()
        codes = SmallCodes.fit(coded, product_groups=config.product_groups, most_codes=config.most_codes, seed=seed)
        numbers = _with_events(coded, table)
        scale = TableScale.fit(numbers)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = Network(codes.sizes, torch.from_numpy(scale.missing > 0), config)
        rows = Rows(codes.small(coded), scale.scaled(numbers))
        history = train(network, rows, seed=seed, checkpoint=checkpoint, progress=progress)
        return cls(network, codes, scale, _axes(places(network, rows)), _usual(network, rows), tuple(history))

    def encode(self, timelines: Timelines, table: Array | None = None) -> Vectors:
        """Each row's mean place, shape (rows, latent)."""
        return places(self.network, self._rows(timelines, table))

    def map(self, timelines: Timelines, table: Array | None = None) -> Vectors:
        """Each row's place on a map, shape (rows, 2): the two directions in which customers differ most."""
        return self.mapped(self.encode(timelines, table))

    def mapped(self, latent: Vectors) -> Vectors:
        """The places on the map of what `encode` gave."""
        return np.asarray((latent - self.axes[0]) @ self.axes[1:].T, dtype=np.float32)

    def surprise(self, timelines: Timelines, table: Array | None = None) -> Surprise:
        """What about each row is odd."""
        rows = self._rows(timelines, table)
        fields, columns = costs(self.network, rows)
        off = columns - self.usual["columns"]
        counts = np.minimum(rows.timelines.lengths(), self.network.config.length)
        odd = {name: (sums - counts * self.usual[name]) / (counts + DOUBT) for name, sums in fields.items()}
        return Surprise({**odd, EVENTS: off[:, -1]}, off[:, :-1])

    def anomaly(self, timelines: Timelines, table: Array | None = None) -> Array:
        """How odd each row is, shape (rows,): its surprise added up, 0 where it costs as much to tell as usual."""
        return self.surprise(timelines, table).total

    def save(self, folder: Path) -> None:
        """Weights as safetensors, the rest as JSON."""
        from safetensors.torch import save_file

        save_file({name: weight.contiguous() for name, weight in self.network.state_dict().items()}, folder / WEIGHTS)
        told = {
            "config": asdict(self.network.config),
            "codes": self.codes.to_json(),
            "scale": self.scale.to_json(),
            "axes": self.axes.tolist(),
            "usual": {name: np.asarray(value).tolist() for name, value in self.usual.items()},
            "history": self.history,
        }
        (folder / SHAPE).write_text(json.dumps(told), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Vae:
        """Read what `save` wrote."""
        import torch
        from safetensors.torch import load_file

        from dongcha.models.generative.network import Network, VaeConfig

        told = json.loads((folder / SHAPE).read_text("utf-8"))
        codes, scale = SmallCodes.from_json(told["codes"]), TableScale.from_json(told["scale"])
        network = Network(codes.sizes, torch.from_numpy(scale.missing > 0), VaeConfig(**told["config"]))
        network.load_state_dict(load_file(folder / WEIGHTS))
        usual = {name: np.array(value) for name, value in told["usual"].items()}
        axes = np.array(told["axes"], dtype=np.float32)
        return cls(network.eval(), codes, scale, axes, usual, tuple(told["history"]))

    def _rows(self, timelines: Timelines, table: Array | None) -> Rows:
        from dongcha.models.generative.training import Rows

        coded = timelines.coded()
        numbers = _with_events(coded, table)
        if numbers.shape[1] != len(self.scale.mean):
            raise ValueError(f"learnt with {len(self.scale.mean) - 1} columns, these are {numbers.shape[1] - 1}")
        return Rows(self.codes.small(coded), self.scale.scaled(numbers))


def _with_events(timelines: Timelines, table: Array | None) -> Array:
    """The table with the number of events as its last column."""
    numbers = np.empty((len(timelines), 0)) if table is None else np.asarray(table, dtype=np.float64)
    return np.column_stack([numbers, timelines.lengths().astype(np.float64)])


def places(network: Network, rows: Rows) -> Vectors:
    """Each row's mean place, shape (rows, latent)."""
    import torch

    found = np.zeros((len(rows.values), network.config.latent), dtype=np.float32)
    with torch.inference_mode():
        for chunk, batch in rows.in_order(network.config.length):
            found[chunk] = network.place(batch)[0].numpy()
    return found


def costs(network: Network, rows: Rows) -> tuple[dict[str, Array], Array]:
    """Nats that each row costs, told from its mean place: field → all its events' (rows,); numbers (rows, columns)."""
    import torch

    fields = {name: np.zeros(len(rows.values)) for name in network.sizes}
    columns = np.zeros(rows.values.shape)
    with torch.inference_mode():
        for chunk, batch in rows.in_order(network.config.length):
            told = network.told(batch, network.place(batch)[0])
            columns[chunk] = told.numbers.double().numpy()
            for name, nats in told.fields.items():
                fields[name][chunk] = nats.sum(dim=1).double().numpy()
    return fields, columns


def _usual(network: Network, rows: Rows) -> dict[str, Any]:
    """What an event of each field costs on average, and each number."""
    fields, columns = costs(network, rows)
    events = max(int(np.minimum(rows.timelines.lengths(), network.config.length).sum()), 1)
    return {**{name: sums.sum() / events for name, sums in fields.items()}, "columns": columns.mean(axis=0)}


def _axes(latent: Vectors) -> Vectors:
    """The mean and the two directions of most variance, each signed so that its largest part is positive."""
    mean = latent.mean(axis=0)
    _, _, directions = np.linalg.svd(latent - mean, full_matrices=False)
    two = np.zeros((2, latent.shape[1]), dtype=np.float32)
    two[: len(directions)] = directions[:2]
    two *= np.sign(two[np.arange(2), np.abs(two).argmax(axis=1)])[:, None]
    return np.asarray(np.vstack([mean, two]), dtype=np.float32)
