"""How recently, how often and for how much a customer buys, and what comes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from dongcha.features.declare import Unit, declare, derive
from dongcha.features.grains import baskets

if TYPE_CHECKING:
    import ibis.expr.types as ir

WINDOWS: Final = (30, 60, 90, 180, 365)
HALF_LIFE_DAYS: Final = 90
PERIOD_DAYS: Final = 30


def _orders_within(days: int) -> Callable[[Any], ir.Value]:
    return lambda b: b.count(where=b.age_days <= days)


def _spend_within(days: int) -> Callable[[Any], ir.Value]:
    return lambda b: b.spend.sum(where=b.age_days <= days)


def _decay(b: Any) -> ir.Value:
    return (b.age_days * (-math.log(2) / HALF_LIFE_DAYS)).exp()


# -- recency, frequency, money

declare(
    "recency_days", baskets, Unit.DAYS, lambda b: b.age_days.min(),
    en=("Days since the last order", "last order {value} days ago"),
    zh=("距上次下单的天数", "距上次下单 {value} 天"),
)
declare(
    "tenure_days", baskets, Unit.DAYS, lambda b: b.age_days.max(),
    en=("Days since the first order", "customer for {value} days"),
    zh=("距首次下单的天数", "成为客户已 {value} 天"),
)
declare(
    "orders", baskets, Unit.ORDERS, lambda b: b.age_days.count(), absent=0,
    en=("Orders so far", "{value} orders so far"),
    zh=("累计订单数", "累计下单 {value} 次"),
)
declare(
    "purchase_days", baskets, Unit.DAYS, lambda b: b.gap_days.count() + 1,
    en=("Days (UTC) with at least one order", "ordered on {value} days"),
    zh=("有下单的天数（UTC）", "有 {value} 天下过单"),
)
declare(
    "spend", baskets, Unit.MONEY, lambda b: b.spend.sum(),
    en=("What all orders brought in, before returns", "spent {value} so far"),
    zh=("全部订单金额（未扣退货）", "累计消费 {value}"),
)
declare(
    "average_order_value", baskets, Unit.MONEY, lambda b: b.spend.mean(),
    en=("Mean value of an order", "spends {value} per order"),
    zh=("平均每单金额", "平均每单 {value}"),
)
declare(
    "largest_order_value", baskets, Unit.MONEY, lambda b: b.spend.max(),
    en=("Value of the largest order", "largest order {value}"),
    zh=("最大一单的金额", "最大一单 {value}"),
)
declare(
    "order_value_std", baskets, Unit.MONEY, lambda b: b.spend.std(),
    en=("Standard deviation of order values", "order values vary by {value}"),
    zh=("订单金额的标准差", "订单金额波动 {value}"),
)
derive(
    "order_value_cv", ("order_value_std", "average_order_value"), Unit.RATIO, lambda std, mean: std / mean,
    en=("Standard deviation of order values over their mean", "order values vary by {value} times their mean"),
    zh=("订单金额的变异系数", "订单金额变异系数 {value}"),
)
declare(
    "last_day_value", baskets, Unit.MONEY, lambda b: b.spend.sum(where=b.day == b.last_day),
    en=("Spend on the last purchase day", "spent {value} on the last day of buying"),
    zh=("最近一个购买日的消费", "最近一次购买消费 {value}"),
)
derive(
    "last_day_to_average", ("last_day_value", "average_order_value"), Unit.RATIO, lambda last, mean: last / mean,
    en=("Spend on the last purchase day over the mean order", "last bought for {value} times the usual order"),
    zh=("最近一次购买与平均每单之比", "最近一次购买是平均每单的 {value} 倍"),
)
derive(
    "one_time_buyer", ("orders",), Unit.YES_NO, lambda orders: orders == 1,
    en=("Whether there was only one order", "only one order so far: {value}"),
    zh=("是否只下过一单", "只下过一单：{value}"),
)
derive(
    "spend_per_30d", ("spend", "tenure_days"), Unit.MONEY,
    lambda spend, tenure: spend * PERIOD_DAYS / (tenure > PERIOD_DAYS).ifelse(tenure, PERIOD_DAYS),
    en=("Spend per 30 days since the first order (at least 30 days)", "spends {value} per 30 days"),
    zh=("首单以来每 30 天的消费（至少按 30 天计）", "每 30 天消费 {value}"),
)
derive(
    "orders_per_30d", ("orders", "tenure_days"), Unit.RATIO,
    lambda orders, tenure: orders * PERIOD_DAYS / (tenure > PERIOD_DAYS).ifelse(tenure, PERIOD_DAYS),
    en=("Orders per 30 days since the first order (at least 30 days)", "{value} orders per 30 days"),
    zh=("首单以来每 30 天的订单数（至少按 30 天计）", "每 30 天下单 {value} 次"),
)

# -- the last days, weeks, months

for _days in WINDOWS:
    declare(
        f"orders_{_days}d", baskets, Unit.ORDERS, _orders_within(_days), absent=0,
        en=(f"Orders in the last {_days} days", f"{{value}} orders in the last {_days} days"),
        zh=(f"近 {_days} 天订单数", f"近 {_days} 天下单 {{value}} 次"),
    )
    declare(
        f"spend_{_days}d", baskets, Unit.MONEY, _spend_within(_days), absent=0,
        en=(f"Spend in the last {_days} days", f"spent {{value}} in the last {_days} days"),
        zh=(f"近 {_days} 天消费", f"近 {_days} 天消费 {{value}}"),
    )

derive(
    "spend_change_90d", ("spend_90d", "spend_180d"), Unit.MONEY, lambda late, both: 2 * late - both,
    en=("Spend in the last 90 days less that of the 90 before", "spend changed by {value} on the 90 days before"),
    zh=("近 90 天消费与此前 90 天之差", "消费较此前 90 天变化 {value}"),
)
derive(
    "orders_change_90d", ("orders_90d", "orders_180d"), Unit.ORDERS, lambda late, both: 2 * late - both,
    en=("Orders in the last 90 days less those of the 90 before", "orders changed by {value} on the 90 days before"),
    zh=("近 90 天订单数与此前 90 天之差", "订单数较此前 90 天变化 {value}"),
)
derive(
    "spend_share_90d", ("spend_90d", "spend"), Unit.SHARE, lambda late, all_time: late / all_time,
    en=("Share of all spend that fell in the last 90 days", "{value} of all spend fell in the last 90 days"),
    zh=("近 90 天消费占累计消费的比例", "近 90 天消费占累计的 {value}"),
)
declare(
    "decayed_orders", baskets, Unit.RATIO, lambda b: _decay(b).sum(),
    en=("Orders, each fading by half every 90 days", "recent activity worth {value} orders"),
    zh=("订单数（每 90 天衰减一半）", "近期活跃度相当于 {value} 单"),
)
declare(
    "decayed_spend", baskets, Unit.MONEY, lambda b: (b.spend * _decay(b)).sum(),
    en=("Spend, fading by half every 90 days", "recent spend worth {value}"),
    zh=("消费额（每 90 天衰减一半）", "近期消费折合 {value}"),
)
declare(
    "spend_centre_days", baskets, Unit.DAYS, lambda b: (b.spend * b.age_days).sum() / b.spend.sum(),
    en=("Mean age of the money spent", "money was spent {value} days ago on average"),
    zh=("消费金额的平均距今天数", "消费平均发生在 {value} 天前"),
)
derive(
    "spend_centre_share", ("spend_centre_days", "tenure_days"), Unit.SHARE, lambda centre, tenure: centre / tenure,
    en=("Where spending lies between now (0 %) and the first order (100 %)", "spending centres {value} back"),
    zh=("消费重心位置（现在为 0 %，首单为 100 %）", "消费重心位于往回 {value} 处"),
)

# -- what came back

declare(
    "returns", baskets, Unit.TIMES, lambda b: b.return_age_days.count(), absent=0,
    en=("Orders of which something came back", "brought something back {value} times"),
    zh=("发生退货的订单数", "退货 {value} 次"),
)
declare(
    "returned_value", baskets, Unit.MONEY, lambda b: b.returned_value.sum(), absent=0,
    en=("Value of what came back", "brought back goods worth {value}"),
    zh=("退货金额", "累计退货 {value}"),
)
declare(
    "returned_value_90d", baskets, Unit.MONEY,
    lambda b: b.returned_value.sum(where=b.return_age_days <= 90), absent=0,
    en=("Value of what came back in the last 90 days", "brought back goods worth {value} in the last 90 days"),
    zh=("近 90 天退货金额", "近 90 天退货 {value}"),
)
declare(
    "last_return_days", baskets, Unit.DAYS, lambda b: b.return_age_days.min(),
    en=("Days since something last came back", "last return {value} days ago"),
    zh=("距上次退货的天数", "距上次退货 {value} 天"),
)
derive(
    "return_share", ("returned_value", "spend"), Unit.SHARE, lambda returned, spend: returned / spend,
    en=("Value returned over value bought", "brought back {value} of the value bought"),
    zh=("退货金额占消费的比例", "退货占消费的 {value}"),
)
derive(
    "net_spend", ("spend", "returned_value"), Unit.MONEY, lambda spend, returned: spend - returned,
    en=("Spend less what came back", "spent {value} so far after returns"),
    zh=("扣除退货后的消费", "扣除退货后累计消费 {value}"),
)
