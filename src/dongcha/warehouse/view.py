"""The serving view: everything known and concluded about each customer in one file, read in milliseconds.

It is derived from the lake and the ledger by `jobs/publish.py`, swapped whole, and can be made again at any time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from dongcha import columns as c
from dongcha.errors import MissingDataError, StoreError, UsageError
from dongcha.warehouse.rules import quoted
from dongcha.warehouse.tables import CONTRACT
from dongcha.warehouse.tables import Kind as ColumnKind
from dongcha.warehouse.view_file import FORMAT, SEARCHED, unpacked
from dongcha.warehouse.view_products import ProductNames, Products
from dongcha.warehouse.view_query import Opened, condition, page, sayable, sums

FILE: Final = "serving.db"
MOST_ROWS: Final = 1_000

_TIMES: Final = [k.name for t in CONTRACT.values() for k in t.columns if k.kind is ColumnKind.TIME]
_DATES: Final = [k.name for t in CONTRACT.values() for k in t.columns if k.kind is ColumnKind.DATE]

Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A page of customers, how many there are in all, and the view's run that both are from."""

    rows: list[Row]
    total: int
    run: str


class View:
    """Reads the serving view of one workspace, always its newest version; any number of threads may share it.

    Raises MissingDataError where there is none yet, StoreError where it is damaged or of another format.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._mine = threading.local()

    # -- about the view

    @property
    def about(self) -> Row:
        """What made it: `run`, `as_of`, `made_at`, `dongcha_version`, `table_versions`, `runs`; and what pages need.

        `runs`: insight → entity, run_id, version, as_of, made_at, rows; `outputs`: name → number or text, by which
        customers can be chosen and sorted; `currency`, `overview`, `groups`.
        """
        with self._open() as view:
            return view.about

    @property
    def run(self) -> str:
        """The version: when it was made, and a few letters that are the same for the same facts and answers."""
        return str(self.about["run"])

    @property
    def overview(self) -> Row:
        """The shop in numbers, as `profiles.overview.shop_in_numbers` made them."""
        return dict(self.about["overview"])

    def groups(self, insight: str) -> list[Row] | None:
        """The groups of an insight with size, share, means and movement, largest first; None where it has none."""
        found: list[Row] | None = self.about["groups"].get(insight)
        return found

    def page(self, name: str) -> Any:
        """What a page shows of the whole shop (`profiles.pages`), moments as text; None where that was not told."""
        with self._open() as view:
            told = view.one("SELECT told FROM pages WHERE name = ?", name)
        return None if told is None else orjson.loads(told)

    @contextmanager
    def pinned(self) -> Iterator[str]:
        """Whatever this thread reads inside is of one version, whose run is given, also where a newer one comes."""
        with self._open() as view:
            self._mine.pinned = view
            try:
                yield str(view.about["run"])
            finally:
                self._mine.pinned = None

    # -- one customer

    def get(self, customer_id: str) -> Row | None:
        """What `Shop.profile` gives, less the story; None where nobody is known by this id."""
        with self._open() as view:
            place = _place(view, customer_id)
            if place is None:
                return None
            found: Row = orjson.loads(view.one("SELECT told FROM portraits WHERE place = ?", place))
            told = [_answer(view, insight, place) for insight in view.about["runs"]]
        found["insights"] = [answer for answer in told if answer is not None]
        for row in (found["customer"], *found["orders"], *found["texts"]):
            _with_moments(row)
        return found

    def answer(self, insight: str, customer_id: str) -> Row | None:
        """One insight's answer about a customer: insight, version, as_of, answer, reasons; None where it has none."""
        with self._open() as view:
            place = _place(view, customer_id)
            return None if place is None else _answer(view, insight, place)

    def knows(self, customer_id: str) -> bool:
        """Whether any table knows a customer by this id."""
        with self._open() as view:
            return _place(view, customer_id) is not None

    def timeline(self, customer_id: str, limit: int = 200) -> list[Row] | None:
        """The customer's latest events, at most 200, oldest first: columns as `features.sequence.TIMELINE`.

        None where nobody is known by this id.
        """
        with self._open() as view:
            place = _place(view, customer_id)
            if place is None:
                return None
            blob = view.one("SELECT events FROM timelines WHERE place = ?", place)
        if blob is None or limit < 1:
            return []
        columns = unpacked(blob)
        rows = zip(*(values[-limit:] for values in columns.values()), strict=True)
        return [_with_moments(dict(zip(columns, row, strict=True))) for row in rows]

    # -- many customers

    def search(
        self,
        text: str = "",
        *,
        looked_for_in: Sequence[str] = SEARCHED,
        where: str = "",
        sort: str = c.CUSTOMER_ID,
        descending: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> Found:
        """Customers in whose id, name, e-mail, city or country each word of `text` begins a word.

        Case and accents do not matter, and a run of Chinese characters is looked for as it stands; `looked_for_in`
        narrows the columns. `where`: a rule as `Shop.audience` takes it. A row has those five columns, `orders`,
        `spend` and `recency_days`, and one for each number and group that insights answer; nulls come last whichever
        way it is sorted, at most 1,000 rows a page.
        Raises UsageError for a rule or a column to sort by that is not there.
        """
        if not 0 <= limit <= MOST_ROWS or offset < 0:
            raise UsageError(f"There is no page of {limit} rows from {offset}.", f"Ask for up to {MOST_ROWS} rows.")
        with self._open() as view:
            matching = condition(view.about["outputs"], text, looked_for_in, where)
            rows, total = page(view, matching, sort=sort, descending=descending, limit=limit, offset=offset)
            return Found(rows, total, view.about["run"])

    def sums(self, text: str = "", *, looked_for_in: Sequence[str] = SEARCHED, where: str = "") -> dict[str, float]:
        """The sum of each number over the customers that `search` finds, 0 over nobody."""
        with self._open() as view:
            return sums(view, condition(view.about["outputs"], text, looked_for_in, where))

    def everybody(self) -> dict[str, Sequence[Any]]:
        """All customers in the order of ids, as columns: those of a row that `search` gives."""
        with self._open() as view:
            wanted = ", ".join(map(quoted, view.columns))
            rows = view.connection.execute(f"SELECT {wanted} FROM customers ORDER BY place").fetchall()
            return dict(zip(view.columns, zip(*rows, strict=True) if rows else [()] * len(view.columns), strict=True))

    def answers(self, insight: str, after: int = 0, limit: int = MOST_ROWS) -> tuple[list[Row], int | None]:
        """A page of an insight's answers in the order of ids: entity_id, answer, reasons; and where the next begins.

        `after`: what the page before gave as the next; None says that this is the last.
        """
        with self._open() as view:
            rows = view.connection.execute(
                "SELECT place, entity_id, told FROM answers WHERE insight = ? AND place > ? ORDER BY place LIMIT ?",
                (insight, after, limit + 1),
            ).fetchall()
        page = [{c.ENTITY_ID: entity, **orjson.loads(told)} for _, entity, told in rows[:limit]]
        return page, rows[limit - 1][0] if len(rows) > limit else None

    def every_answer(self, insight: str) -> Iterator[Row]:
        """All of an insight's answers, rows as in `answers`, of one version of the view from the first to the last."""
        opened = Opened(self.file, (0, 0))
        try:
            rows = opened.connection.execute(
                "SELECT entity_id, told FROM answers WHERE insight = ? ORDER BY place", (insight,)
            )
            for entity, told in rows:
                yield {c.ENTITY_ID: entity, **orjson.loads(told)}
        finally:
            opened.connection.close()

    # -- products

    @property
    def products(self) -> Products:
        """Product id → product_id, name, category, brand, price; null where not known."""
        return Products(self)

    @property
    def product_names(self) -> ProductNames:
        """Product id → name, of those products that have one."""
        return ProductNames(self)

    # -- inside

    @contextmanager
    def _open(self) -> Iterator[Opened]:
        """The newest version, in this thread; one reader keeps to one version from its first line to its last."""
        try:
            yield getattr(self._mine, "pinned", None) or self._newest()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.file} cannot be read: {error}.", "Make it again: dongcha publish.") from None

    def _newest(self) -> Opened:
        try:
            stat = self.file.stat()
        except FileNotFoundError:
            raise MissingDataError(
                "There is no serving view yet.", "Make it: dongcha run, or dongcha publish where that was done."
            ) from None
        identity = (stat.st_ino, stat.st_mtime_ns)
        opened: Opened | None = getattr(self._mine, "opened", None)
        if opened is None or opened.identity != identity:
            self.close()
            opened = Opened(self.file, identity)
            if opened.about["format"] != FORMAT:
                raise StoreError(f"{self.file} is of another version of Dongcha.", "Make it again: dongcha publish.")
            self._mine.opened = opened
        return opened

    def close(self) -> None:
        """Close what this thread has open; it opens again when asked."""
        opened: Opened | None = getattr(self._mine, "opened", None)
        if opened is not None:
            opened.connection.close()
            del self._mine.opened


def _place(view: Opened, customer_id: str) -> int | None:
    place: int | None = view.one("SELECT place FROM customers WHERE customer_id = ?", sayable(customer_id))
    return place


def _answer(view: Opened, insight: str, place: int) -> Row | None:
    run = view.about["runs"].get(insight)
    if run is None or run["entity"] != c.CUSTOMER_ID:
        return None
    told = view.one("SELECT told FROM answers WHERE insight = ? AND place = ?", insight, place)
    if told is None:
        return None
    return {"insight": insight, "version": run[c.VERSION], c.AS_OF: run[c.AS_OF], **orjson.loads(told)}


def _with_moments(row: Row) -> Row:
    """Moments and days read back from their ISO 8601 text, in place."""
    for name in _TIMES:
        if isinstance(row.get(name), str):
            row[name] = datetime.fromisoformat(row[name])
    for name in _DATES:
        if isinstance(row.get(name), str):
            row[name] = date.fromisoformat(row[name])
    return row
