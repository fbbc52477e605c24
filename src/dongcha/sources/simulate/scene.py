"""What is settled before the first order, and what the orders came to: handed from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dongcha.sources.simulate.campaigns import Exposures
from dongcha.sources.simulate.catalogue import Catalogue
from dongcha.sources.simulate.clock import Flags, Floats
from dongcha.sources.simulate.people import People
from dongcha.sources.simulate.plan import ShopPlan
from dongcha.sources.simulate.words import Words

if TYPE_CHECKING:
    from dongcha.sources.simulate.buying import Lines
    from dongcha.sources.simulate.mishaps import Fraud, LostDemand, Returns, StockOuts
    from dongcha.sources.simulate.ordering import Orders
    from dongcha.sources.simulate.selling import Sales


@dataclass(frozen=True)
class Scene:
    """The shop before the first order."""

    plan: ShopPlan
    words: Words
    start: date
    days: int
    season: Floats
    """Relative order rate, (groups, days)."""
    festive: Floats
    """Festival factor, (days,)."""
    catalogue: Catalogue
    people: People
    exposures: Exposures


@dataclass(frozen=True)
class Trade:
    """What was ordered, and what became of it."""

    orders: Orders
    lines: Lines
    fraud: Fraud
    sales: Sales
    returns: Returns
    stock_outs: StockOuts
    lost: LostDemand

    @property
    def honest(self) -> Flags:
        """(orders,)."""
        return ~self.fraud.fraudulent
