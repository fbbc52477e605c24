"""Orders as Segment's e-commerce events tell them, made lines of the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from dongcha import columns as c
from dongcha.sources.segment.values import Row, as_id, as_number, as_text, first, number_of, packed

FIRST_REFUND_LINE: Final = 100_000_000
REFUND_LINES: Final = 899_000_000
"""A refund's lines stand in the same order beyond its own lines, at a place that its message id decides."""
CENT: Final = Decimal("0.0001")
TOTALS: Final = ("subtotal", "revenue", "value", "total")
_OWN: Final = {"product_id", "productId", "sku", "quantity", "price", "discount"}


def ordered(someone: str, properties: dict[str, Any]) -> list[Row]:
    """The lines of `Order Completed`, one a product; one of the order's whole value where no products are named.

    A discount of the order is shared out over the lines by their value, to the last hundredth of a cent.
    """
    products = _products(properties)
    lines = [_line(someone, properties, product, place) for place, product in enumerate(products, start=1)]
    if not products:
        return [_whole(someone, properties, 1, "1")]
    if not any(line[c.DISCOUNT] for line in lines):
        for line, part in zip(lines, _shares(lines, _decimal(properties.get("discount"))), strict=True):
            line[c.DISCOUNT] = part
    return lines


def refunded(someone: str, message_id: str, properties: dict[str, Any]) -> list[Row]:
    """The lines of `Order Refunded`: those of an order, with quantities below zero."""
    digest = hashlib.blake2b(message_id.encode("utf-8", "replace"), digest_size=8).digest()
    start = FIRST_REFUND_LINE + int.from_bytes(digest, "big") % REFUND_LINES
    products = _products(properties)
    if not products:
        return [_whole(someone, properties, start, "-1")]
    lines = [_line(someone, properties, product, start + place) for place, product in enumerate(products)]
    for line in lines:
        quantity = line[c.QUANTITY] or ""
        line[c.QUANTITY] = quantity if quantity.startswith("-") else f"-{quantity.lstrip('+')}"
    return lines


def _products(properties: dict[str, Any]) -> list[dict[str, Any]]:
    given = properties.get("products")
    return [product for product in given if isinstance(product, dict)] if isinstance(given, list) else []


def _line(someone: str, order: dict[str, Any], product: dict[str, Any], place: int) -> Row:
    left = {k: v for k, v in product.items() if k not in _OWN and v is not None}
    return {
        **_of_order(someone, order, place),
        c.PRODUCT_ID: as_id(first(product, "product_id", "productId", "sku")),
        c.QUANTITY: number_of(c.QUANTITY, product.get("quantity")) or "1",
        c.PRICE: number_of(c.PRICE, product.get("price")),
        c.DISCOUNT: number_of(c.DISCOUNT, product.get("discount")),
        c.EXTRAS: packed(left),
    }


def _whole(someone: str, order: dict[str, Any], place: int, quantity: str) -> Row:
    return {
        **_of_order(someone, order, place),
        c.PRODUCT_ID: as_id(first(order, "product_id", "productId", "sku")),
        c.QUANTITY: quantity,
        c.PRICE: number_of(c.PRICE, first(order, *TOTALS)),
        c.DISCOUNT: None,
        c.EXTRAS: None,
    }


def _of_order(someone: str, order: dict[str, Any], place: int) -> Row:
    return {
        c.ORDER_ID: as_id(first(order, "order_id", "orderId", "checkout_id")),
        c.LINE: str(place),
        c.CUSTOMER_ID: someone,
        c.CURRENCY: as_text(order.get("currency")),
        c.STATUS: None,
    }


def _shares(lines: Sequence[Row], discount: Decimal) -> list[str | None]:
    values = [_decimal(line[c.QUANTITY]) * _decimal(line[c.PRICE]) for line in lines]
    total = sum(values, Decimal(0))
    if discount <= 0 or total <= 0 or min(values) < 0:
        return [None] * len(lines)
    parts = [(discount * value / total).quantize(CENT) for value in values]
    parts[-1] += discount - sum(parts)
    return [str(part) for part in parts]


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(as_number(value) or "0")
    except InvalidOperation:
        return Decimal(0)
