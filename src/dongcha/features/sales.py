"""What counts as a purchase, a return and a gift: the rules of the order line, written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dongcha import columns as c

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_A_SALE: Final = ("cancelled", "canceled", "refused", "unavailable", "fraud", "failed", "rejected", "void")
"""Statuses, in lower case, of order lines that never became a sale."""
RETURNED: Final = ("returned", "refunded")

PURCHASED: Final = "purchased"
RETURN: Final = "is_return"
GIFT: Final = "is_gift"
GROSS: Final = "gross"
"""Quantity × unit price, before the discount."""


def sale_lines(orders: ir.Table, keep: Sequence[str] = ()) -> ir.Table:
    """The order lines of known customers that mean something, each marked as purchase, return or gift.

    A purchase has a quantity above zero and was not cancelled; one that cost nothing is a gift as well: the customer
    did come, and it brought nothing in. A return has a quantity below zero,
    whatever its status; or it is a purchase whose status says that it came back, which is then both. A gift has a
    price of zero. Money is counted in doubles (quantity is one): exact to 15 digits, and twice as fast to add as
    decimals. `keep`: columns of the orders to hand on besides.
    """
    status = orders[c.STATUS].lower()
    sold = status.notin(NOT_A_SALE).fill_null(True) & (orders[c.QUANTITY] > 0)
    came_back = (orders[c.QUANTITY] < 0) | (sold & status.isin(RETURNED).fill_null(False))
    lines = orders.select(
        c.CUSTOMER_ID,
        c.ORDER_ID,
        c.PRODUCT_ID,
        c.HAPPENED_AT,
        c.QUANTITY,
        *keep,
        **{
            c.DISCOUNT: orders[c.DISCOUNT].cast("float64").fill_null(0.0),
            GROSS: orders[c.QUANTITY] * orders[c.PRICE].cast("float64"),
            PURCHASED: sold,
            RETURN: came_back,
            GIFT: sold & (orders[c.PRICE] == 0),
        },
    )
    return lines.filter(lines[c.CUSTOMER_ID].notnull(), lines[PURCHASED] | lines[RETURN])


def purchase_value(lines: Any) -> ir.Value:
    """What purchase lines brought in."""
    return (lines[GROSS] - lines[c.DISCOUNT]).sum(where=lines[PURCHASED]).fill_null(0.0)


def returned_value(lines: Any) -> ir.Value:
    """What return lines cost, as a positive amount: the discount once given is not given back."""
    return (lines[GROSS].abs() - lines[c.DISCOUNT].abs()).sum(where=lines[RETURN]).fill_null(0.0)
