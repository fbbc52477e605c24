"""The products of the serving view, as mappings that read each product when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dongcha import columns as c
from dongcha.warehouse.view_file import PRODUCT

if TYPE_CHECKING:
    from dongcha.warehouse.view import View

Row = dict[str, Any]


class Products(Mapping[str, Row]):
    """The view's products, each read when asked for."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __getitem__(self, product_id: str) -> Row:
        with self._view._open() as view:
            row = view.connection.execute("SELECT * FROM products WHERE product_id = ?", (product_id,)).fetchone()
        if row is None:
            raise KeyError(product_id)
        return dict(zip(PRODUCT, row, strict=True))

    def __iter__(self) -> Iterator[str]:
        with self._view._open() as view:
            return iter([row[0] for row in view.connection.execute("SELECT product_id FROM products")])

    def __len__(self) -> int:
        with self._view._open() as view:
            return int(view.one("SELECT count(*) FROM products"))


class ProductNames(Mapping[str, str]):
    """The names of those products that have one."""

    def __init__(self, view: View) -> None:
        self._products = Products(view)

    def __getitem__(self, product_id: str) -> str:
        name: str | None = self._products[product_id][c.NAME]
        if name is None:
            raise KeyError(product_id)
        return name

    def __iter__(self) -> Iterator[str]:
        return (product for product in self._products if self._products[product][c.NAME] is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
