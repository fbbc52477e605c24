"""Customers who never lived: a place drawn from where customers stand, then numbers and events told one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import GAP, GAP_EDGES, KIND, PRODUCT, Codes, Timelines
from dongcha.models.generative.small_codes import SmallCodes

if TYPE_CHECKING:
    from dongcha.models.generative.network import Network
    from dongcha.models.generative.table import TableScale

Array = NDArray[np.float64]

FILE: Final = "vae_synthesis.safetensors"
PARTS: Final = 10
ROWS_A_PART: Final = 50
CANDIDATES: Final = 8
LONGEST_GAP: Final = 400.0
"""Days; where the last, open class of gaps ends."""


@dataclass(frozen=True)
class Whereabouts:
    """Where customers stand in latent space: a mixture of normal distributions.

    The standard normal of training is not quite where they stand; fitting their places afterwards gives better samples
    (Ghosh et al. 2020).
    """

    weights: Array
    means: Array
    roots: Array
    """Cholesky factors of the covariances, shape (parts, latent, latent)."""

    @classmethod
    def fit(cls, places: NDArray[Any], seed: int) -> Whereabouts:
        """`places`: shape (rows, latent), drawn from each row's distribution."""
        from sklearn.mixture import GaussianMixture

        parts = int(np.clip(len(places) // ROWS_A_PART, 1, PARTS))
        found = GaussianMixture(parts, random_state=seed, reg_covar=1e-4).fit(np.asarray(places, dtype=np.float64))
        return cls(found.weights_, found.means_, np.linalg.cholesky(found.covariances_))

    def draw(self, count: int, random: np.random.Generator) -> NDArray[np.float32]:
        """Places, shape (count, latent)."""
        part = random.choice(len(self.weights), count, p=self.weights / self.weights.sum())
        noise = random.normal(size=(count, self.means.shape[1]))
        return np.asarray(self.means[part] + np.einsum("nij,nj->ni", self.roots[part], noise), dtype=np.float32)


@dataclass(frozen=True)
class Menu:
    """The different events that were seen, gaps aside, so that a drawn event's product, category and price agree.

    Events of one kind and product group form a cell.
    """

    fields: Mapping[str, Codes]
    """Field → raw code of each entry, entries sorted by cell."""
    counts: Codes
    starts: Codes
    """Where each cell's entries begin, shape (cells + 1,)."""

    @classmethod
    def of(cls, timelines: Timelines, codes: SmallCodes) -> Menu:
        names = [name for name in timelines.fields if name != GAP]
        if not names or not len(timelines.fields[names[0]]):
            return cls({}, np.empty(0, np.int64), np.zeros(1, np.int64))
        columns = [timelines.fields[name] for name in names]
        cells = [codes.maps[name][timelines.fields[name]] for name in (KIND, PRODUCT) if name in codes.maps]
        entries, counts = np.unique(np.column_stack([*cells, *columns]), axis=0, return_counts=True)
        first = np.flatnonzero(np.append(True, (np.diff(entries[:, : len(cells)], axis=0) != 0).any(axis=1)))
        fields = {name: entries[:, len(cells) + k] for k, name in enumerate(names)}
        return cls(fields, counts, np.append(first, len(entries)))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def draw(self, cells: Codes, random: np.random.Generator) -> Codes:
        """CANDIDATES entries of each row's cell, by how often they were seen: shape (rows, CANDIDATES)."""
        reached = np.concatenate([[0], np.cumsum(self.counts)])
        low, high = reached[self.starts[cells]], reached[self.starts[cells + 1]]
        at = low[:, None] + random.random((len(cells), CANDIDATES)) * (high - low)[:, None]
        return np.asarray(np.searchsorted(reached, at, side="right") - 1, dtype=np.int64)


class Teller:
    """Tells events one by one with a network's decoder."""

    def __init__(self, network: Network, codes: SmallCodes, menu: Menu, sizes: Mapping[str, int]) -> None:
        self.network, self.menu, self.sizes = network, menu, dict(sizes)
        self.small = {name: codes.maps[name][raw] for name, raw in menu.fields.items() if name in codes.maps}
        self.first = menu.starts[:-1]
        self.has_product = self._has_product()
        self.beside = [name for name in self.small if name not in (KIND, PRODUCT)]
        self.usual = {name: self._shares_in_cell(name) for name in self.beside}

    def tell(self, places: NDArray[np.float32], counts: Codes, random: np.random.Generator) -> Timelines:
        """Timelines of `counts[k]` events told from `places[k]`; days count from each row's first event."""
        import torch

        width = int(counts.max(initial=0))
        told = {name: np.full((len(counts), width), size) for name, size in self.network.sizes.items()}
        entries = np.zeros((len(counts), width), dtype=np.int64)
        place = torch.from_numpy(places)
        for step in range(width):
            rows = np.flatnonzero(counts > step)
            chances = self._chances(place[rows], {name: codes[rows, : step + 1] for name, codes in told.items()})
            entries[rows, step] = chosen = self._event(chances, len(rows), random)
            for name, small in self.small.items():
                told[name][rows, step] = small[chosen]
            if GAP in told and step:
                told[GAP][rows, step] = _drawn(chances[GAP], random)
        there = np.arange(width) < counts[:, None]
        fields = {name: raw[entries[there]] for name, raw in self.menu.fields.items()}
        starts = np.concatenate([[0], np.cumsum(counts)])
        days = _days(told[GAP], random)[there] if GAP in told else None
        return Timelines(starts, fields, {name: self.sizes[name] for name in fields}, days)

    def _chances(self, place: Any, fields: Mapping[str, Codes]) -> dict[str, Array]:
        """Field → chance of each code at the last of the steps, (rows, codes)."""
        import torch

        from dongcha.models.generative.network import Batch

        with torch.inference_mode():
            tensors = {name: torch.from_numpy(codes) for name, codes in fields.items()}
            nothing = torch.zeros(len(place), 0)
            batch = Batch(tensors, torch.zeros(len(place), dtype=torch.int64), nothing, nothing.bool())
            state = self.network.decode.states(place, self.network.events(batch))[:, -1]
            heads = self.network.decode.heads
            return {name: head(state).double().softmax(dim=1).numpy() for name, head in heads.items()}

    def _event(self, chances: Mapping[str, Array], rows: int, random: np.random.Generator) -> Codes:
        """An entry of the menu for each row: its cell by kind and group, then of some candidates the one that fits."""
        weight = np.ones((rows, len(self.menu)))
        for name in (KIND, PRODUCT):
            if name in self.small:
                weight *= _of(chances[name], self.small[name][self.first])
        candidates = self.menu.draw(_drawn(weight * self.has_product, random), random)
        fits = np.ones(candidates.shape)
        for name in self.beside:
            codes = self.small[name][candidates]
            own = np.take_along_axis(_open(chances[name]), codes, axis=1)
            fits *= np.where(codes < self.network.sizes[name], own, 1.0) / self.usual[name][candidates]
        return np.asarray(candidates[np.arange(rows), _drawn(fits, random)], dtype=np.int64)

    def _has_product(self) -> Array:
        """Each cell's share of its kind's events that name a product, or that name none: (cells,)."""
        if PRODUCT not in self.small:
            return np.ones(len(self.menu))
        kind = self.small.get(KIND, np.zeros(len(self.menu.counts), dtype=np.int64))
        whether = 2 * kind + (self.small[PRODUCT] == self.network.sizes[PRODUCT])
        seen = np.bincount(whether, self.menu.counts, minlength=2 * (int(kind.max(initial=0)) + 1))
        share = seen / np.maximum(np.repeat(seen.reshape(-1, 2).sum(axis=1), 2), 1)
        return np.asarray(share[whether][self.first], dtype=np.float64)

    def _shares_in_cell(self, name: str) -> Array:
        """How common each entry's code is among the events of its cell; 1 where it has none."""
        cell = np.repeat(np.arange(len(self.menu)), np.diff(self.menu.starts))
        codes, none = self.small[name], self.network.sizes[name]
        both = cell * (none + 1) + codes
        seen = np.bincount(both, self.menu.counts * (codes < none), minlength=len(self.menu) * (none + 1))
        known = seen.reshape(-1, none + 1).sum(axis=1)[cell]
        return np.where(codes < none, seen[both] / np.maximum(known, 1), 1.0)


def _open(chances: Array) -> Array:
    """With 1 for "none", which is not foretold."""
    return np.column_stack([chances, np.ones(len(chances))])


def _of(chances: Array, codes: Codes) -> Array:
    """The chances of these codes, (rows, codes); 1 of "none"."""
    return np.asarray(_open(chances)[:, codes], dtype=np.float64)


def _drawn(weights: Array, random: np.random.Generator) -> Codes:
    """One place of each row, by weight: shape (rows,)."""
    reached = np.cumsum(weights, axis=1)
    at = random.random((len(weights), 1)) * reached[:, -1:]
    return np.asarray(np.minimum((reached <= at).sum(axis=1), weights.shape[1] - 1), dtype=np.int64)


def _days(gaps: Codes, random: np.random.Generator) -> Array:
    """Moments (rows, steps) whose gaps have these codes, the first 0; anywhere within a code's class but its first."""
    edges = np.concatenate([[0.0], GAP_EDGES, [LONGEST_GAP, LONGEST_GAP]])
    code = np.minimum(gaps, len(GAP_EDGES))
    since = edges[code] + random.random(gaps.shape) * (edges[code + 1] - edges[code])
    since[code == 0] = 0.0
    since[:, :1] = 0.0
    return np.asarray(np.cumsum(since, axis=1), dtype=np.float64)


def told_numbers(
    network: Network, scale: TableScale, places: NDArray[np.float32], random: np.random.Generator
) -> Array:
    """A row of numbers from each place, in their own units, NaN where it comes out as missing."""
    import torch

    with torch.inference_mode():
        mean, known, log_deviation = network.decode.numbers(torch.from_numpy(places))
    noise = random.normal(size=mean.shape) * log_deviation.exp().numpy()
    chance = np.where(scale.missing < 1, known.sigmoid().numpy(), 0.0)
    missing = (scale.missing > 0) & (random.random(mean.shape) >= chance)
    return scale.possible(np.where(missing, np.nan, scale.raw(mean.double().numpy() + noise)))


def save_arrays(whereabouts: Whereabouts, menu: Menu, folder: Path) -> None:
    """As safetensors."""
    from safetensors.numpy import save_file

    parts = {f"where/{name}": values for name, values in vars(whereabouts).items()}
    parts |= {f"menu/{name}": values for name, values in (("counts", menu.counts), ("starts", menu.starts))}
    parts |= {f"field/{name}": values for name, values in menu.fields.items()}
    save_file({name: np.ascontiguousarray(values) for name, values in parts.items()}, folder / FILE)


def load_arrays(folder: Path) -> tuple[Whereabouts, Menu]:
    """Read what `save_arrays` wrote."""
    from safetensors.numpy import load_file

    parts: dict[str, dict[str, NDArray[Any]]] = {"where": {}, "menu": {}, "field": {}}
    for key, values in load_file(folder / FILE).items():
        part, name = key.split("/", 1)
        parts[part][name] = values
    return Whereabouts(**parts["where"]), Menu(parts["field"], **parts["menu"])
