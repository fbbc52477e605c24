"""A variational autoencoder over customers: a point in latent space for each, a 2-D map, and how odd each one is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.timelines import Timelines
from dongcha.models.generative.small_codes import SmallCodes
from dongcha.models.generative.surprise import Surprise, Usual
from dongcha.models.generative.synthesis import Menu, Teller, Whereabouts, load_arrays, save_arrays, told_numbers
from dongcha.models.generative.table import TableScale

if TYPE_CHECKING:
    from dongcha.models.generative.network import Network, VaeConfig
    from dongcha.models.generative.training import Progress, Rows

Array = NDArray[np.float64]
Vectors = NDArray[np.float32]

WEIGHTS: Final = "vae.safetensors"
SHAPE: Final = "vae.json"
FEWEST_ROWS: Final = 20


@dataclass(frozen=True)
class Vae:
    """A trained network with all it takes to read rows and to tell what is usual.

    Events are rebuilt by causal self-attention under the latent (Bowman et al. 2016 with attention for their LSTM),
    numbers by a normal distribution each, missing ones left out. Not promised: that places of two trainings can be
    compared. Pictures and maps can, on a simulated shop up to a turn and a stretch (1 - Procrustes disparity .99).
    """

    network: Network
    codes: SmallCodes
    scale: TableScale
    """Of the table's columns and, last, the number of events."""
    axes: Vectors
    """Mean and two directions of the 2-D map, shape (3, columns of a picture)."""
    usual: Usual
    whereabouts: Whereabouts
    menu: Menu
    sizes: Mapping[str, int]
    """Field → number of codes, of the timelines it was fitted on."""
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
        from dongcha.models.generative.reading import costs, pictures, places
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
        means, deviations = places(network, rows)
        noise = np.random.default_rng(seed).normal(size=means.shape)
        return cls(
            network,
            codes,
            scale,
            _axes(pictures(network, means)),
            Usual.fit(costs(network, rows)),
            Whereabouts.fit(means + deviations * noise, seed),
            Menu.of(coded, codes),
            dict(timelines.sizes),
            tuple(history),
        )

    def encode(self, timelines: Timelines, table: Array | None = None) -> Vectors:
        """Each row's mean place, shape (rows, latent)."""
        from dongcha.models.generative.reading import places

        return places(self.network, self._rows(timelines, table))[0]

    def picture(self, timelines: Timelines, table: Array | None = None) -> Vectors:
        """What each row's place means: the numbers and first event it foretells, shape (rows, columns + codes).

        For maps better than the place itself, since another training pictures alike; groups made of it tell more of
        taste and less of totals than groups of places.
        """
        from dongcha.models.generative.reading import pictures

        return pictures(self.network, self.encode(timelines, table))

    def map(self, timelines: Timelines, table: Array | None = None) -> Vectors:
        """Each row's place on a map, shape (rows, 2): the two directions in which pictures differ most."""
        return self.mapped(self.picture(timelines, table))

    def mapped(self, picture: Vectors) -> Vectors:
        """The places on the map of what `picture` gave."""
        return np.asarray((picture - self.axes[0]) @ self.axes[1:].T, dtype=np.float32)

    def surprise(self, timelines: Timelines, table: Array | None = None) -> Surprise:
        """What about each row is odd."""
        from dongcha.models.generative.reading import costs

        return self.usual.surprise(costs(self.network, self._rows(timelines, table)))

    def anomaly(self, timelines: Timelines, table: Array | None = None) -> Array:
        """How odd each row is, shape (rows,): all that is surprising about it in one, 0 where nothing is."""
        return self.surprise(timelines, table).total

    def sample(self, count: int, seed: int = 0) -> tuple[Timelines, Array]:
        """`count` customers who never lived: timelines of at most `length` events, and a table (count, columns).

        Days count from each one's first event. Not promised: that no made-up customer resembles a real one.
        """
        random = np.random.default_rng(seed)
        places = self.whereabouts.draw(count, random)
        numbers = told_numbers(self.network, self.scale, places, random)
        counts = np.clip(np.nan_to_num(numbers[:, -1]), 0, self.network.config.length if len(self.menu) else 0)
        teller = Teller(self.network, self.codes, self.menu, self.sizes)
        return teller.tell(places, counts.astype(np.int64), random), numbers[:, :-1]

    def save(self, folder: Path) -> None:
        """Weights as safetensors, the rest as JSON."""
        from safetensors.torch import save_file

        save_file({name: weight.contiguous() for name, weight in self.network.state_dict().items()}, folder / WEIGHTS)
        save_arrays(self.whereabouts, self.menu, folder)
        told = {
            "config": asdict(self.network.config),
            "codes": self.codes.to_json(),
            "scale": self.scale.to_json(),
            "axes": self.axes.tolist(),
            "usual": self.usual.to_json(),
            "sizes": dict(self.sizes),
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
        usual = Usual.from_json(told["usual"])
        axes = np.array(told["axes"], dtype=np.float32)
        made = load_arrays(folder)
        return cls(network.eval(), codes, scale, axes, usual, *made, told["sizes"], tuple(told["history"]))

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


def _axes(picture: Vectors) -> Vectors:
    """The mean and the two directions of most variance, each signed so that its largest part is positive."""
    mean = picture.mean(axis=0)
    _, _, directions = np.linalg.svd(picture - mean, full_matrices=False)
    two = np.zeros((2, picture.shape[1]), dtype=np.float32)
    two[: len(directions)] = directions[:2]
    two *= np.sign(two[np.arange(2), np.abs(two).argmax(axis=1)])[:, None]
    return np.asarray(np.vstack([mean, two]), dtype=np.float32)
