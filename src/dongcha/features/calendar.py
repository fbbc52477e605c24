"""The season: what time of the year it is, and what a customer does at this time of the year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dongcha.features.declare import Unit, declare
from dongcha.features.grains import baskets

if TYPE_CHECKING:
    import ibis.expr.types as ir

YEAR_DAYS: Final = 365
SEASON_DAYS: Final = 90


def _a_year_ago(b: Any) -> ir.Value:
    """Whether an order fell in the 90 days that began a year before now."""
    return (b.age_days <= YEAR_DAYS) & (b.age_days > YEAR_DAYS - SEASON_DAYS)


def _if_customer_then(b: Any, value: ir.Value) -> ir.Value:
    """Nothing where those 90 days were over before the customer's first order."""
    return (b.age_days.max() > YEAR_DAYS - SEASON_DAYS).ifelse(value, None)


declare(
    "season_sine", baskets, Unit.RATIO, lambda b: b.year_angle.max().sin(),
    en=("Time of the year: 1 in early April, -1 in early October", "time of the year (sine) {value}"),
    zh=("一年中的时点：四月初为 1，十月初为 -1", "季节（正弦）{value}"),
)
declare(
    "season_cosine", baskets, Unit.RATIO, lambda b: b.year_angle.max().cos(),
    en=("Time of the year: 1 at New Year, -1 in early July", "time of the year (cosine) {value}"),
    zh=("一年中的时点：元旦为 1，七月初为 -1", "季节（余弦）{value}"),
)
declare(
    "holiday_spend_share", baskets, Unit.SHARE,
    lambda b: b.spend.sum(where=b.holiday).fill_null(0) / b.spend.sum(),
    en=("Share of spend in October to December", "spends {value} in October to December"),
    zh=("十至十二月消费占比", "{value} 的消费在十至十二月"),
)
declare(
    "first_order_in_holidays", baskets, Unit.YES_NO, lambda b: (b.holiday & (b.day == b.first_day)).any(),
    en=("Whether the first order was in October to December", "first bought in October to December: {value}"),
    zh=("首单是否在十至十二月", "首单在十至十二月：{value}"),
)
declare(
    "same_season_orders", baskets, Unit.ORDERS, lambda b: _if_customer_then(b, b.count(where=_a_year_ago(b))),
    en=("Orders in the 90 days that began a year before now", "{value} orders in this season last year"),
    zh=("去年同期起 90 天内的订单数", "去年同季下单 {value} 次"),
)
declare(
    "same_season_spend", baskets, Unit.MONEY,
    lambda b: _if_customer_then(b, b.spend.sum(where=_a_year_ago(b)).fill_null(0)),
    en=("Spend in the 90 days that began a year before now", "spent {value} in this season last year"),
    zh=("去年同期起 90 天内的消费", "去年同季消费 {value}"),
)
