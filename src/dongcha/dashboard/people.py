"""The customers as pages list them: searched and counted in the serving view, or all of them as one frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import polars as pl

from dongcha import columns as c
from dongcha.warehouse.view import MOST_ROWS, View
from dongcha.warehouse.view_file import SEARCHED

NAMING: Final = (c.NAME, c.EMAIL)
"""What names or reaches a person: neither shown nor looked for where that is masked."""


@dataclass(frozen=True)
class Wanted:
    """Whom one looks for: words, a rule over what insights answer, and whether names may be looked for."""

    text: str = ""
    where: str = ""
    masked: bool = False

    @property
    def asked(self) -> dict[str, Any]:
        looked_for_in = [name for name in SEARCHED if not (self.masked and name in NAMING)]
        return {"text": self.text, "looked_for_in": looked_for_in, "where": self.where}


class Called(Mapping[str, str]):
    """What products are called: their name, else their category or brand and their id; each read when asked for."""

    def __init__(self, products: Mapping[str, Mapping[str, Any]]) -> None:
        self._products = products

    def __getitem__(self, product_id: str) -> str:
        known = self._products[product_id]
        kind = known[c.CATEGORY] or known[c.BRAND]
        return str(known[c.NAME] or (f"{kind} · {product_id}" if kind else product_id))

    def __iter__(self) -> Iterator[str]:
        return iter(self._products)

    def __len__(self) -> int:
        return len(self._products)


class People:
    """The customers of one version of the view. Rows and columns are those of `View.search`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.outputs: dict[str, str] = view.about["outputs"]
        """Name of what insights answer → number or text."""
        self.count: int = view.about["overview"]["customers"]

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Everybody, those worth most first: entity_id, name, email, city, country, what they did, what we think."""
        found = self._view.everybody()
        texts = {*SEARCHED, *(name for name, kind in self.outputs.items() if kind == "text")}
        schema = {name: pl.String if name in texts else pl.Float64 for name in found}
        frame = pl.DataFrame({k: list(v) for k, v in found.items()}, schema=schema).rename({c.CUSTOMER_ID: c.ENTITY_ID})
        first = "lifetime_value" if "lifetime_value" in frame.columns else "spend"
        return frame.sort(first, c.ENTITY_ID, descending=[True, False], nulls_last=True)

    @cached_property
    def names(self) -> list[str]:
        """What the customers are called: what is masked wherever it stands."""
        return self.frame[c.NAME].drop_nulls().unique().to_list()

    def called(self, entities: Sequence[str]) -> dict[str, str]:
        """Of these customers, id → name, where it is known."""
        rows = self.frame.filter(pl.col(c.ENTITY_ID).is_in(list(entities))).select(c.ENTITY_ID, c.NAME)
        return dict(rows.drop_nulls().iter_rows())

    def ranks(self, answer: dict[str, Any]) -> dict[str, float]:
        """Each number of an answer → the share of customers who have a lower one."""
        numbers = [name for name, kind in self.outputs.items() if kind == "number"]
        mine = {name: answer[name] for name in numbers if isinstance(answer.get(name), float)}
        if not mine:
            return {}
        row = self.frame.select((pl.col(name).drop_nulls() < value).mean() for name, value in mine.items())
        return {name: share for name, share in row.row(0, named=True).items() if share is not None}

    def page(self, wanted: Wanted, *, sort: str, descending: bool, limit: int, offset: int = 0) -> list[dict[str, Any]]:
        """Some of whom one looks for."""
        return self._view.search(**wanted.asked, sort=sort, descending=descending, limit=limit, offset=offset).rows

    def total(self, wanted: Wanted) -> int:
        """How many are found; UsageError where the rule cannot be read."""
        return self._view.search(**wanted.asked, limit=0).total

    def sums(self, wanted: Wanted) -> dict[str, float]:
        """The sum of each number over whom one looks for."""
        return self._view.sums(**wanted.asked)

    def all(self, wanted: Wanted) -> pl.DataFrame:
        """Everybody one looks for, in the order of ids, for a file."""
        with self._view.pinned():
            rows = list(self._every(wanted))
        return pl.DataFrame(rows, infer_schema_length=None)

    def _every(self, wanted: Wanted) -> Iterator[dict[str, Any]]:
        offset = 0
        while found := self.page(wanted, sort=c.CUSTOMER_ID, descending=False, limit=MOST_ROWS, offset=offset):
            yield from found
            offset += MOST_ROWS
