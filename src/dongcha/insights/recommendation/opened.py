"""The rankers of a cutoff as files, and read again to rank for one customer: what all bought, without whose it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.features.numbering import placed
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.pretrained import day_of, history_of
from dongcha.insight_kit.vocabulary import days_of
from dongcha.insights.recommendation.counts import Counts
from dongcha.insights.recommendation.rankers import FOLLOWERS, NEIGHBOURS, Own, OwnCategories, Rankers
from dongcha.models.ranking.content import Content
from dongcha.models.ranking.context import Context
from dongcha.models.ranking.popularity import Popularity
from dongcha.models.ranking.repeats import Repeats, RepeatsConfig
from dongcha.models.ranking.sequences import Sequences
from dongcha.models.ranking.transitions import Transitions

CATALOGUE_FILE: Final = "catalogue.arrow"
KINDS_FILE: Final = "kinds_of_people.json"
ARRAYS_FILE: Final = "rankers.safetensors"
HORIZON: Final = "horizon_days"


@dataclass(frozen=True)
class OneCounted(Counts):
    """The counts of one customer, in the numbers that were given when the rankers were written."""

    numbers: Mapping[str, int]
    """Product → its number in the catalogue."""
    kinds: Mapping[str, Sequence[str]]
    """Trait → its values in the order of their numbers."""
    foretold: np.ndarray | None
    """The numbers of the products that the behaviour model foretells."""

    def numbers_of(self, products: Sequence[str]) -> np.ndarray:
        return super().numbers_of(products) if self.foretold is None else self.foretold

    @cached_property
    def customers(self) -> pl.Series:
        return pl.Series(c.CUSTOMER_ID, sorted(set(self.history.timeline[c.CUSTOMER_ID].to_list())), dtype=pl.String)

    def rows(self, entities: pl.Series) -> np.ndarray:
        places = placed(entities, self.customers)
        return np.where(places < 0, len(self.customers), places)

    def traits(self, entities: pl.Series) -> np.ndarray:
        told = {row[c.CUSTOMER_ID]: row for row in self.history.traits.iter_rows(named=True)}
        found = [[self._number(told.get(entity, {}), trait) for trait in self.kinds] for entity in entities]
        return np.array(found, dtype=np.int64).reshape(len(entities), len(self.kinds))

    def _number(self, told: Mapping[str, Any], trait: str) -> int:
        values, value = self.kinds[trait], told.get(trait)
        return values.index(value) if value in values else -1

    def _sequences(self, events: Sequence[str]) -> Sequences:
        rows, numbers, days = self._lines
        wanted = np.array([event in events for event in self.history.timeline[c.EVENT].to_list()], dtype=bool)
        keep = wanted & (numbers >= 0)
        count = len(self.customers) + 1
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=count))]).astype(np.int64)
        return Sequences(numbers[keep], starts, len(self.numbers), days[keep], np.full(count, self.today))

    @cached_property
    def _lines(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of every line of the timeline: whose it is, its product's number, -1 for none, and the day."""
        mine = self.history.timeline
        numbers = [self.numbers.get(product, -1) for product in mine[c.PRODUCT_ID].to_list()]
        return self.rows(mine[c.CUSTOMER_ID]), np.array(numbers, dtype=np.int64), days_of(mine[c.HAPPENED_AT])


@dataclass(frozen=True)
class OpenedRankers:
    """Rankers without customers; `asked` gives them one."""

    rankers: Rankers
    catalogue: pl.DataFrame
    numbers: Mapping[str, int]
    kinds: Mapping[str, Sequence[str]]
    foretold: np.ndarray | None

    @classmethod
    def open(cls, folder: Path, foretold: Sequence[str] | None = None) -> OpenedRankers:
        """Read what `save` wrote; `foretold`: the products of the behaviour model, where it is heard."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / ARRAYS_FILE)
        catalogue = pl.read_ipc(folder / CATALOGUE_FILE)
        numbers = {product: number for number, product in enumerate(catalogue[c.PRODUCT_ID].to_list())}
        told = json.loads((folder / KINDS_FILE).read_text("utf-8"))
        known = None if foretold is None else np.array([numbers.get(one, -1) for one in foretold], dtype=np.int64)
        return cls(_read(arrays, told[HORIZON], len(numbers)), catalogue, numbers, told["kinds"], known)

    def asked(self, facts: Facts) -> tuple[Rankers, Facts]:
        """The rankers with this customer's own history, and the facts with the rankers' catalogue."""
        history = replace(history_of(facts), find_catalogue=lambda: self.catalogue)
        rankers = copy(self.rankers)
        rankers.counts = OneCounted(history, day_of(facts.as_of), self.numbers, self.kinds, self.foretold)
        return rankers, replace(facts, history=history)


def save(rankers: Rankers, folder: Path, *, vectors: bool) -> None:
    """Everything that ranks, none of it by customer. `vectors`: with what lists are varied by."""
    from safetensors.numpy import save_file

    history = rankers.counts.history
    history.catalogue.write_ipc(folder / CATALOGUE_FILE)
    traits = history.traits.drop(c.CUSTOMER_ID)
    kinds = {column.name: column.drop_nulls().unique().sort().to_list() for column in traits}
    told = {"kinds": kinds, HORIZON: rankers.horizon.days}
    (folder / KINDS_FILE).write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    arrays: dict[str, np.ndarray] = {
        "popularity.taken": rankers.popularity.taken,
        "popularity.most": rankers.popularity.most,
        "recent.taken": rankers.recent.taken,
        "recent.most": rankers.recent.most,
        "context.items": rankers.context.items,
        "context.everybody": rankers.context.everybody,
        "out_of_stock": rankers.out_of_stock,
        "repeats.chance": rankers.repeats.chance,
        "repeats.gap": rankers.repeats.gap,
        "repeats.spread": rankers.repeats.spread,
    }
    arrays |= {f"context.shift.{k}": np.asarray(shift) for k, shift in enumerate(rankers.context.shifts)}
    arrays |= {"vectors": rankers.vectors} if vectors else {}
    for name, matrix in (
        ("neighbours", rankers.neighbours.following),
        ("followers", rankers.followers.following),
        ("content", rankers.content.alike),
        ("member", rankers.of_own_categories.member),
        ("best", rankers.of_own_categories.best),
    ):
        shape = np.array(matrix.shape, dtype=np.int64)
        arrays |= {f"{name}.data": matrix.data, f"{name}.indices": matrix.indices, f"{name}.indptr": matrix.indptr}
        arrays[f"{name}.shape"] = shape
    save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, folder / ARRAYS_FILE)


def _read(arrays: Mapping[str, np.ndarray], horizon_days: int, catalogue: int) -> Rankers:
    from scipy.sparse import csr_matrix

    from dongcha.as_of import Horizon

    def matrix(name: str) -> Any:
        parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
        return csr_matrix(parts, shape=tuple(arrays[f"{name}.shape"]))

    def filled(made: Any, **attributes: Any) -> Any:
        for name, value in attributes.items():
            setattr(made, name, value)
        return made

    rankers = Rankers(None, Horizon(horizon_days))  # type: ignore[arg-type]  # whoever asks brings their own
    recent = filled(Popularity(), taken=arrays["recent.taken"], most=arrays["recent.most"])
    shifts = [arrays[f"context.shift.{k}"] for k in range(sum(name.startswith("context.shift.") for name in arrays))]
    context = {"items": arrays["context.items"], "everybody": arrays["context.everybody"], "shifts": shifts}
    repeats = {name: arrays[f"repeats.{name}"] for name in ("chance", "gap", "spread")}
    categories = filled(object.__new__(OwnCategories), member=matrix("member"), best=matrix("best"))
    return filled(  # type: ignore[no-any-return]
        rankers,
        popularity=filled(Popularity(), taken=arrays["popularity.taken"], most=arrays["popularity.most"]),
        recent=recent,
        own=Own(recent.taken),
        repeats=filled(Repeats(RepeatsConfig(ahead=float(horizon_days))), **repeats),
        neighbours=filled(Transitions(NEIGHBOURS), following=matrix("neighbours")),
        followers=filled(Transitions(FOLLOWERS), following=matrix("followers")),
        content=filled(Content(), alike=matrix("content")),
        of_own_categories=categories,
        context=filled(Context(), catalogue=catalogue, **context),
        out_of_stock=arrays["out_of_stock"],
        **({"vectors": arrays["vectors"]} if "vectors" in arrays else {}),
    )
