"""Who asks, and so which facts may be looked at: decided here, before anything is searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dongcha import columns as c

PUBLIC: Final = frozenset({c.DOCUMENTS, c.PRODUCTS, c.REVIEWS})
"""What a shop shows to everybody."""


@dataclass(frozen=True)
class Asker:
    """Staff, one identified customer, or anybody.

    The search index holds nothing of one customer: public texts, and for staff what colleagues told several customers
    in the same words. A customer's orders are read when that customer asks, by id; nobody else's are ever read.
    """

    customer_id: str | None = None
    is_staff: bool = False

    @classmethod
    def staff(cls) -> Asker:
        """A person of the shop, who asks about no customer: orders are not read."""
        return cls(is_staff=True)

    @classmethod
    def customer(cls, customer_id: str) -> Asker:
        """A customer whose identity the caller has checked."""
        return cls(customer_id)

    @classmethod
    def anybody(cls) -> Asker:
        return cls()

    @property
    def tables(self) -> frozenset[str]:
        """The tables whose passages in the index may be candidates."""
        return PUBLIC | {c.MESSAGES} if self.is_staff else PUBLIC
