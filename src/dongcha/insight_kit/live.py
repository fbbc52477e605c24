"""What is kept of a shop to answer for one customer at any moment: their rows, and what the whole crowd says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.features.declare import about_customers
from dongcha.features.one_customer import FRESH, OneCustomer, Recipe, Row, Rows, market_of
from dongcha.features.point_in_time import Snapshot
from dongcha.features.sequence import ORDERED_BY, TIMELINE, catalogue, own_schema
from dongcha.features.texts import TEXTS
from dongcha.features.traits import traits
from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.history import History
from dongcha.warehouse.tables import table

STAMP: Final = "stamp.json"
"""What every exported folder says of itself: `as_of`, and the versions of the tables."""
HORIZON_FILE: Final = "horizon.json"
RECIPE: Final = "recipe.json"
CATALOGUE_FILE: Final = "catalogue.arrow"
TRAITS_FILE: Final = "traits.arrow"
MARKET_FILE: Final = "market.arrow"
PRODUCTS_FILE: Final = "products.arrow"
ROWS: Final = "rows"


def write_shop(facts: Snapshot, horizon: Horizon, folder: Path, stamp: Mapping[str, Any]) -> None:
    """Everything about single customers that live answers read, in place of what is there: swapped whole.

    Each table's rows are written by customer, uncompressed, so that one customer's are found in the mapped file and
    read alone. Takes as much memory as the largest table; the files hold personal data, as the lake does.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / ROWS).mkdir(parents=True)
    recipe = Recipe.of(facts, about_customers())
    (draft / RECIPE).write_text(recipe.to_json(), "utf-8")
    for name, columns in recipe.tables.items():
        rows = facts.lake.engine.to_polars(facts.table(name).select(*columns))
        if name == c.PRODUCTS:
            _write(rows.sort(c.PRODUCT_ID), draft / PRODUCTS_FILE)
        else:
            _write(rows.drop_nulls(c.CUSTOMER_ID).sort(c.CUSTOMER_ID, c.HAPPENED_AT), draft / ROWS / f"{name}.arrow")
    _write(market_of(facts), draft / MARKET_FILE)
    _write(catalogue(facts), draft / CATALOGUE_FILE)
    _write(traits(facts), draft / TRAITS_FILE)
    (draft / HORIZON_FILE).write_text(json.dumps(horizon.days), "utf-8")
    (draft / STAMP).write_text(json.dumps(dict(stamp)), "utf-8")
    swap(draft, folder)


def live_folder(models: Path) -> Path:
    """Where live answers find their files, beside the models' folder."""
    return models.with_name("live")


def swap(draft: Path, folder: Path) -> None:
    """Put a finished folder in another's place; who has the old one open goes on reading it."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write(frame: pl.DataFrame, file: Path) -> None:
    frame.rechunk().write_ipc(file, compression="uncompressed")


@dataclass(frozen=True)
class ByCustomer:
    """A frame sorted by customer, and where each one's rows are."""

    frame: pl.DataFrame
    places: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, frame: pl.DataFrame, key: str = c.CUSTOMER_ID) -> ByCustomer:
        counted = frame.lazy().group_by(key, maintain_order=True).len().collect()
        starts = counted["len"].cum_sum() - counted["len"]
        places = zip(counted[key].to_list(), zip(starts.to_list(), counted["len"].to_list(), strict=True), strict=True)
        return cls(frame, dict(places))

    def rows(self, customer_id: str) -> list[dict[str, Any]]:
        """As dicts, none for whom it does not know."""
        start, count = self.places.get(customer_id, (0, 0))
        return self.frame.slice(start, count).to_dicts() if count else []


@dataclass(frozen=True)
class LiveShop:
    """What `write_shop` wrote, opened: it knows everybody as of its own cutoff; what is newer, callers bring."""

    as_of: AsOf
    horizon: Horizon
    tables: Mapping[str, ByCustomer]
    products: ByCustomer
    listed: ByCustomer
    catalogue: pl.DataFrame
    traits: ByCustomer
    market: Mapping[str, tuple[float, float]]
    asked: OneCustomer

    @classmethod
    def open(cls, folder: Path) -> LiveShop:
        """OSError, ValueError or KeyError where something is missing or damaged."""
        told = json.loads((folder / STAMP).read_text("utf-8"))
        recipe = Recipe.from_json((folder / RECIPE).read_text("utf-8"))
        market = {name: (paid, items) for name, paid, items in _read(folder / MARKET_FILE).iter_rows()}
        products, listed = folder / PRODUCTS_FILE, _read(folder / CATALOGUE_FILE)
        none = pl.DataFrame(schema={c.PRODUCT_ID: pl.String()})
        tables = [name for name in recipe.tables if name != c.PRODUCTS]
        return cls(
            AsOf.parse(told[c.AS_OF]),
            Horizon(json.loads((folder / HORIZON_FILE).read_text("utf-8"))),
            {name: ByCustomer.of(_read(folder / ROWS / f"{name}.arrow")) for name in tables},
            ByCustomer.of(_read(products) if products.exists() else none, c.PRODUCT_ID),
            ByCustomer.of(listed, c.PRODUCT_ID),
            listed,
            ByCustomer.of(_read(folder / TRAITS_FILE)),
            market,
            OneCustomer(recipe, market),
        )

    def knows(self, customer_id: str) -> bool:
        """Whether any table has a row of theirs."""
        return any(customer_id in table.places for table in (*self.tables.values(), self.traits))

    def rows(self, customer_id: str, fresh: Sequence[Row] = ()) -> Rows:
        """All their rows: the stored ones, and `fresh` ones whose table's key no stored row has.

        A fresh row has a `table` (events by default) and that table's columns, in UTC; one without a key is new.
        """
        found: dict[str, list[Row]] = {name: list(stored.rows(customer_id)) for name, stored in self.tables.items()}
        seen = {name: {_key(name, row) for row in rows} for name, rows in found.items()}
        for row in fresh:
            name = row.get(FRESH, c.EVENTS)
            if name in found and (None in _key(name, row) or _key(name, row) not in seen[name]):
                found[name].append({**row, FRESH: name, c.CUSTOMER_ID: customer_id})
        named = {row.get(c.PRODUCT_ID) for some in found.values() for row in some}
        found[c.PRODUCTS] = [row for one in sorted(filter(None, named)) for row in self.products.rows(one)]
        return found

    def facts(self, customer_id: str, rows: Rows, now: AsOf, about: Mapping[str, str] | None = None) -> Facts:
        """The facts of one customer as of a moment; `about`: traits of theirs that the shop does not hold."""
        told = self.asked.features(rows, customer_id, now)
        schema = {c.ENTITY_ID: pl.String(), **dict.fromkeys(told, pl.Float64())}
        features = pl.DataFrame([(customer_id, *told.values())], schema=schema, orient="row")
        history = History(
            # Kept: contenders look at the same history through facts of their own.
            cache(partial(self._timeline, rows, now)),
            lambda: self.catalogue,
            lambda: self._traits(customer_id, about or {}),
            lambda: pl.DataFrame(schema=TEXTS),
        )
        return Facts(now, self.horizon, features, history)

    def _timeline(self, rows: Rows, now: AsOf) -> pl.DataFrame:
        """As `features.sequence.merged`, row by row: for so few rows frames would take far longer."""
        told = self.asked.timeline(rows, now)
        places = {name: place for place, name in enumerate(own_schema())}
        order = [places[name] for name in (c.HAPPENED_AT, c.EVENT, ORDERED_BY)]
        product, price = places[c.PRODUCT_ID], places[c.PRICE]
        told.sort(key=lambda row: (*(row[place] for place in order), row[product] or ""))
        found = []
        for row in told:
            listed = next(iter(self.listed.rows(row[product])), {}) if row[product] else {}
            values = dict(zip(places, row, strict=True)) | {name: listed.get(name) for name in (c.CATEGORY, c.BRAND)}
            values[c.PRICE] = row[price] if row[price] is not None else listed.get(c.PRICE)
            found.append(tuple(values[name] for name in TIMELINE))
        schema = {**TIMELINE, c.HAPPENED_AT: pl.Int64()}
        frame = pl.DataFrame(found, schema=schema, orient="row")
        return frame.with_columns(pl.col(c.HAPPENED_AT).cast(TIMELINE[c.HAPPENED_AT]))

    def _traits(self, customer_id: str, about: Mapping[str, str]) -> pl.DataFrame:
        known = next(iter(self.traits.rows(customer_id)), {c.CUSTOMER_ID: customer_id})
        return pl.DataFrame([{**about, **{k: v for k, v in known.items() if v is not None}}])


def _key(name: str, row: Row) -> tuple[Any, ...]:
    return tuple(row.get(column) for column in table(name).key)


def _read(file: Path) -> pl.DataFrame:
    return pl.read_ipc(file)
