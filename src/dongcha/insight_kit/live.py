"""What is kept of a shop to answer for one customer at any moment: their rows, and what the whole crowd says."""

from __future__ import annotations

import json
import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.features.declare import about_customers
from dongcha.features.one_customer import FRESH, OneCustomer, OwnRows, Recipe, Row, as_kept, market_of
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sequence import IN_ORDER, LINES, TIMELINE, catalogue, lines, own_schema
from dongcha.features.texts import TEXTS
from dongcha.features.traits import traits
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.history import History
from dongcha.warehouse.tables import table

STAMP: Final = "stamp.json"
"""What every exported folder says of itself: `as_of`, and the versions of the tables."""
FORMAT: Final = 2
"""Of the files below; part of the stamp, so that the next scoring writes anew what an older Dongcha wrote."""
HORIZON_FILE: Final = "horizon.json"
RECIPE: Final = "recipe.json"
CATALOGUE_FILE: Final = "catalogue.arrow"
TRAITS_FILE: Final = "traits.arrow"
MARKET_FILE: Final = "market.arrow"
PRODUCTS_FILE: Final = "products.arrow"
LINES_FILE: Final = "lines.arrow"
ROWS: Final = "rows"


def write_shop(facts: Snapshot, horizon: Horizon, folder: Path, stamp: Mapping[str, Any]) -> None:
    """Everything about single customers that live answers read, in place of what is there: swapped whole.

    Each table's rows, and everybody's timeline, are written by customer, uncompressed, so that one customer's are
    found in the mapped file and read alone. Takes as much memory as the largest table; the files hold personal data,
    as the lake does.
    """
    with replaced(folder, stamp) as draft:
        _write_shop(facts, horizon, draft)


def _write_shop(facts: Snapshot, horizon: Horizon, draft: Path) -> None:
    (draft / ROWS).mkdir()
    recipe = Recipe.of(facts, about_customers())
    (draft / RECIPE).write_text(recipe.to_json(), "utf-8")
    for name in recipe.tables:
        rows = as_kept(facts.lake.engine.to_polars(facts.table(name)))
        if name == c.PRODUCTS:
            write_frame(rows.sort(c.PRODUCT_ID), draft / PRODUCTS_FILE)
        else:
            write_frame(
                rows.drop_nulls(c.CUSTOMER_ID).sort(c.CUSTOMER_ID, c.HAPPENED_AT), draft / ROWS / f"{name}.arrow"
            )
    products = catalogue(facts)
    write_frame(products, draft / CATALOGUE_FILE)
    write_frame(lines(facts, products), draft / LINES_FILE)
    write_frame(market_of(facts), draft / MARKET_FILE)
    write_frame(traits(facts), draft / TRAITS_FILE)
    (draft / HORIZON_FILE).write_text(json.dumps(horizon.days), "utf-8")


def live_folder(models: Path) -> Path:
    """Where live answers find their files, beside the models' folder."""
    return models.with_name("live")


@contextmanager
def replaced(folder: Path, stamp: Mapping[str, Any]) -> Iterator[Path]:
    """An empty folder to be filled; it is stamped and takes the other's place when the block ends without an error.

    Who has the old one open goes on reading it.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    yield draft
    (draft / STAMP).write_text(json.dumps(dict(stamp)), "utf-8")
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def write_frame(frame: pl.DataFrame, file: Path) -> None:
    """Uncompressed, so that it can be mapped."""
    frame.rechunk().write_ipc(file, compression="uncompressed")


@dataclass(frozen=True)
class ByCustomer:
    """A frame sorted by customer; one's rows are found by bisection, so that opening it costs nothing."""

    frame: pl.DataFrame

    def of(self, customer_id: str) -> pl.DataFrame:
        """Their rows, none for whom it does not know; nothing is copied."""
        whose = self.frame[c.CUSTOMER_ID]
        start = bisect_left(whose, customer_id)
        return self.frame.slice(start, bisect_right(whose, customer_id, lo=start) - start)


@dataclass(frozen=True)
class Products:
    """What is known of products as of the publishing, found by their ids."""

    catalogue: pl.DataFrame
    """Columns as `features.sequence.CATALOGUE`, by product."""
    numbers: Mapping[str, int]
    """Product → its row in the catalogue."""
    described: pl.DataFrame
    """The table `products`, or no row of it."""
    _places: np.ndarray
    _paid: np.ndarray
    _items: np.ndarray

    @classmethod
    def of(cls, catalogue: pl.DataFrame, described: pl.DataFrame, market: pl.DataFrame) -> Products:
        ids = catalogue[c.PRODUCT_ID].to_list()
        numbers = dict(zip(ids, range(len(ids)), strict=True))
        places = described.select(c.PRODUCT_ID).with_row_index("place")
        beside = catalogue.select(c.PRODUCT_ID).join(places, on=c.PRODUCT_ID, how="left", maintain_order="left")
        beside = beside.join(market, on=c.PRODUCT_ID, how="left", maintain_order="left")
        found = (beside[name].cast(pl.Float64).to_numpy() for name in ("place", "paid", "items"))
        return cls(catalogue, numbers, described, *found)

    def rows(
        self, products: set[str], columns: Sequence[str] | None = None
    ) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
        """What the table `products` says of these: the columns, by default all, and the rows."""
        numbers = [self.numbers[one] for one in sorted(products) if one in self.numbers]
        places = [int(place) for place in self._places[numbers].tolist() if place >= 0]
        names = self.described.columns if columns is None else columns
        # One by one: gathered at once, they would be by other threads, to wait for which takes longer.
        told = [[series[place] for place in places] for series in map(self.described.get_column, names)]
        return names, list(zip(*told, strict=True))

    def listed(self, product: str | None) -> dict[str, Any]:
        """What the catalogue says of one; nothing of one that it lacks."""
        number = self.numbers.get(product) if product else None
        return {} if number is None else self.catalogue.row(number, named=True)

    def market(self, product: str) -> tuple[float, float] | None:
        """What everybody paid for it and how many were bought; None where nobody bought it."""
        number = self.numbers.get(product)
        if number is None or np.isnan(self._items[number]):
            return None
        return float(self._paid[number]), float(self._items[number])


@dataclass(frozen=True)
class LiveShop:
    """What `write_shop` wrote, opened: it knows everybody as of its own cutoff; what is newer, callers bring."""

    as_of: AsOf
    horizon: Horizon
    tables: Mapping[str, ByCustomer]
    lines: ByCustomer
    """Everybody's timeline, columns as `features.sequence.LINES`."""
    timelines: ByCustomer
    """The same, columns as TIMELINE."""
    traits: ByCustomer
    products: Products
    asked: OneCustomer

    @classmethod
    def open(cls, folder: Path) -> LiveShop:
        """OSError, ValueError or KeyError where something is missing or damaged."""
        told = json.loads((folder / STAMP).read_text("utf-8"))
        told_lines = read_frame(folder / LINES_FILE)
        recipe = Recipe.from_json((folder / RECIPE).read_text("utf-8"))
        rows = {name: read_frame(folder / ROWS / f"{name}.arrow") for name in recipe.tables if name != c.PRODUCTS}
        described = folder / PRODUCTS_FILE
        nothing = pl.DataFrame(schema={c.PRODUCT_ID: pl.String()})
        products = Products.of(
            read_frame(folder / CATALOGUE_FILE),
            read_frame(described) if described.exists() else nothing,
            read_frame(folder / MARKET_FILE),
        )
        return cls(
            AsOf.parse(told[c.AS_OF]),
            Horizon(json.loads((folder / HORIZON_FILE).read_text("utf-8"))),
            {name: ByCustomer(frame) for name, frame in rows.items()},
            ByCustomer(told_lines),
            ByCustomer(told_lines.select(list(TIMELINE))),
            ByCustomer(read_frame(folder / TRAITS_FILE)),
            products,
            OneCustomer(recipe, products.market),
        )

    @property
    def catalogue(self) -> pl.DataFrame:
        """Columns as `features.sequence.CATALOGUE`, by product."""
        return self.products.catalogue

    def rows(self, customer_id: str, fresh: Sequence[Row] = ()) -> OwnRows:
        """All their rows: the stored ones, and `fresh` ones whose table's key no stored row has.

        A fresh row has a `table` (events by default) and that table's columns, in UTC; one without a key is new.
        """
        stored = cache(lambda name: self.tables[name].of(customer_id))
        new: dict[str, list[Row]] = {}
        seen: dict[str, set[tuple[Any, ...]]] = {}
        for row in fresh:
            name = row.get(FRESH, c.EVENTS)
            if name not in self.tables:
                continue
            if name not in seen:
                seen[name] = set(zip(*(stored(name)[column].to_list() for column in table(name).key), strict=True))
            key = tuple(row.get(column) for column in table(name).key)
            if None in key or key not in seen[name]:
                new.setdefault(name, []).append({**row, FRESH: name, c.CUSTOMER_ID: customer_id})
        return OwnRows(tuple(self.tables), stored, self.products.rows, new)

    def facts(
        self,
        customer_id: str,
        rows: OwnRows,
        now: AsOf,
        about: Mapping[str, str] | None = None,
        features: Sequence[str] | None = None,
    ) -> Facts:
        """The facts of one customer as of a moment.

        `about`: traits of theirs that the shop does not hold. `features`: those to tell, by default all.
        """
        told = self.asked.features(rows, customer_id, now, features)
        schema = {c.ENTITY_ID: pl.String(), **dict.fromkeys(told, pl.Float64())}
        table = pl.DataFrame([(customer_id, *told.values())], schema=schema, orient="row")
        history = History(
            # Kept: contenders look at the same history through facts of their own.
            cache(partial(self._timeline, customer_id, rows, now)),
            lambda: self.catalogue,
            lambda: self._traits(customer_id, about or {}),
            lambda: pl.DataFrame(schema=TEXTS),
        )
        return Facts(now, self.horizon, table, history)

    def _timeline(self, customer_id: str, rows: OwnRows, now: AsOf) -> pl.DataFrame:
        """The stored timeline, and in their places what came in since."""
        if now.moment < self.as_of.moment:
            # What was not known yet must be left out again.
            return self._told(self.asked.timeline(rows, now)).sort(IN_ORDER).select(list(TIMELINE))
        stored = self.timelines.of(customer_id)
        if not rows.fresh:
            return stored
        new = self._told(self.asked.timeline(rows, now, fresh_alone=True)).sort(IN_ORDER)
        if stored.is_empty() or (len(new) and stored[c.HAPPENED_AT][-1] < new[c.HAPPENED_AT][0]):
            return pl.concat([stored, new.select(list(TIMELINE))])
        return pl.concat([self.lines.of(customer_id), new]).sort(IN_ORDER).select(list(TIMELINE))

    def _told(self, found: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
        """Lines as the recipe tells them with what the catalogue says of their products: columns as LINES."""
        columns = dict(zip(own_schema(), zip(*found, strict=True), strict=True)) if found else {}
        listed = [self.products.listed(one) for one in columns.get(c.PRODUCT_ID, ())]
        columns |= {name: tuple(one.get(name) for one in listed) for name in (c.CATEGORY, c.BRAND)}
        paid = zip(columns.get(c.PRICE, ()), listed, strict=True)
        columns[c.PRICE] = tuple(one.get(c.PRICE) if price is None else price for price, one in paid)
        made = [pl.Series(name, columns.get(name, ()), _kept_as(kind)).cast(kind) for name, kind in LINES.items()]
        return pl.DataFrame(made)

    def _traits(self, customer_id: str, about: Mapping[str, str]) -> pl.DataFrame:
        found = self.traits.of(customer_id)
        known = found.row(0, named=True) if len(found) else {c.CUSTOMER_ID: customer_id}
        return pl.DataFrame([{**about, **{k: v for k, v in known.items() if v is not None}}])


def _kept_as(kind: pl.DataType) -> pl.DataType:
    """The type in which SQLite tells what is kept as `kind`."""
    return pl.Int64() if kind.is_temporal() else kind


def read_frame(file: Path) -> pl.DataFrame:
    """Mapped, not copied, as Polars's own reader would: what nobody asks about takes no memory."""
    import pyarrow as pa

    with pa.memory_map(str(file)) as mapped:
        found = pl.from_arrow(pa.ipc.open_file(mapped).read_all(), rechunk=False)
    assert isinstance(found, pl.DataFrame)
    return found
