"""What is told of an order as of the moment it was placed: what it is, who places it, and what is known of its like.

Windows of a customer's orders and values, and the share of frauds at the place of sale with a delay, follow the Fraud
Detection Handbook of the Université Libre de Bruxelles, chapter 3, "Baseline feature transformation"
(fraud-detection-handbook.github.io); there the place is a terminal, here it is the order's product. Where the handbook
waits seven days for every label, here each label counts from the moment it was learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dongcha import columns as c
from dongcha.features.declare import Unit, about_orders, lookup
from dongcha.features.declare import declare_of_orders as declare
from dongcha.features.orders_as_of import (
    CATEGORY,
    CHANNEL,
    CUSTOMER,
    CUSTOMERS_PLACE,
    CUSTOMERS_PRODUCT,
    DAY,
    HOUR,
    HOUR_OF_DAY,
    MEANS,
    PRODUCT,
    Asked,
    Floats,
    hour_of,
    over,
)

FAMILY: Final = "order"
DELAY: Final = 7 * DAY
"""The handbook's delay: of orders younger than this hardly any fraud is known, so that their share would flatter."""
LONG: Final = 180 * DAY
"""How far back the shares of categories, channels, means of payment and hours look."""
MIDNIGHT_MONDAY: Final = 4 * DAY
"""The first Monday after the epoch, which was a Thursday."""
WINDOWS: Final = (
    ("1h", HOUR, "hour", "1 小时"),
    ("24h", DAY, "24 hours", "24 小时"),
    ("7d", 7 * DAY, "7 days", "7 天"),
    ("30d", 30 * DAY, "30 days", "30 天"),
)
GROUPS: Final = (
    ("category", CATEGORY, "of its product's category", "同类目"),
    ("channel", CHANNEL, "by its channel", "同渠道"),
    ("payment", MEANS, "paid by the same means", "同支付方式"),
    ("hour", HOUR_OF_DAY, "placed at its hour of the day", "同一时段"),
)


def told(asked: Asked, names: Sequence[str] = ()) -> dict[str, Floats]:
    """Features by name, all of them by default: shape (orders,), float64, NaN where one does not apply."""
    return {name: np.asarray(lookup(name).expression(asked), dtype=np.float64) for name in names or about_orders()}


def _weekend(asked: Asked) -> Floats:
    return ((asked.orders.happened_at - MIDNIGHT_MONDAY) // DAY % 7 >= 5).astype(np.float64)


def _saved(asked: Asked) -> Floats:
    return over(asked.list_value - asked.value, asked.list_value)


def _bought_before(asked: Asked) -> Floats:
    return np.minimum(asked.like(CUSTOMERS_PRODUCT).orders(), 1.0)


def _over_mean(asked: Asked, window: int | None = None) -> Floats:
    before = asked.like(CUSTOMER)
    return over(asked.value * before.orders(window), before.value(window))


declare("order_value", Unit.MONEY, lambda o: o.value,
        en=("Value of the order after discounts", "order of {value}"),
        zh=("订单金额（折后）", "订单金额 {value}"))
declare("order_items", Unit.ITEMS, lambda o: o.orders.items,
        en=("Items in the order", "{value} items in the order"), zh=("订单件数", "订单共 {value} 件"))
declare("order_lines", Unit.ITEMS, lambda o: o.orders.lines,
        en=("Lines of the order", "{value} lines in the order"), zh=("订单行数", "订单共 {value} 行"))
declare("order_most_pieces", Unit.ITEMS, lambda o: o.orders.most_pieces,
        en=("Most pieces in one line", "up to {value} pieces of one thing"),
        zh=("单行最多件数", "同一商品最多 {value} 件"))
declare("order_highest_price", Unit.MONEY, lambda o: o.orders.highest_price,
        en=("Highest price of a piece", "dearest piece at {value}"), zh=("最高单价", "最贵单价 {value}"))
declare("order_saved_share", Unit.SHARE, _saved,
        en=("Discount over list price of the order", "{value} off"), zh=("该单折扣占原价的比例", "该单折扣 {value}"))
declare("order_hour", Unit.HOUR, lambda o: hour_of(o.orders.happened_at),
        en=("Hour of the day it was placed at (UTC)", "placed at {value} UTC"),
        zh=("下单时刻（UTC）", "下单时刻 {value}（UTC）"))
declare("order_at_weekend", Unit.YES_NO, _weekend,
        en=("Placed on a Saturday or Sunday (UTC)", "placed at a weekend: {value}"),
        zh=("周末下单（UTC）", "周末下单：{value}"))
declare("ships_elsewhere", Unit.YES_NO, lambda o: o.elsewhere(), also=(c.CUSTOMERS,),
        en=("Goes to another city or country than the customer's", "goes elsewhere than the customer lives: {value}"),
        zh=("收货地与客户所在城市或国家不同", "收货地与客户所在地不同：{value}"))
declare("place_orders_before", Unit.ORDERS, lambda o: o.like(CUSTOMERS_PLACE).orders(),
        en=("The customer's earlier orders to the same place", "{value} earlier orders to the same place"),
        zh=("该客户此前寄往同一地点的订单数", "此前 {value} 单寄往同一地点"))
declare("account_age_days", Unit.DAYS, lambda o: o.account_days(), also=(c.CUSTOMERS,),
        en=("Days since the account was opened", "account opened {value} days before"),
        zh=("开户至下单的天数", "开户 {value} 天"))
declare("orders_before", Unit.ORDERS, lambda o: o.like(CUSTOMER).orders(),
        en=("The customer's orders before", "{value} orders before"), zh=("此前订单数", "此前 {value} 单"))
declare("since_order_days", Unit.DAYS, lambda o: o.since_last(),
        en=("Days since the customer's order before", "{value} days after the order before"),
        zh=("距上一单天数", "距上一单 {value} 天"))
declare("bought_before", Unit.YES_NO, _bought_before,
        en=("Whether the customer bought its product before", "product bought before: {value}"),
        zh=("此前买过该商品", "此前买过该商品：{value}"))

for _name, _window, _en, _zh in WINDOWS:
    declare(f"orders_before_{_name}", Unit.ORDERS, lambda o, w=_window: o.like(CUSTOMER).orders(w),
            en=(f"The customer's orders in the {_en} before", f"{{value}} orders in the {_en} before"),
            zh=(f"此前 {_zh}内的订单数", f"此前 {_zh}内 {{value}} 单"))
    declare(f"spend_before_{_name}", Unit.MONEY, lambda o, w=_window: o.like(CUSTOMER).value(w),
            en=(f"What the customer ordered in the {_en} before", f"ordered for {{value}} in the {_en} before"),
            zh=(f"此前 {_zh}内的下单金额", f"此前 {_zh}内下单 {{value}}"))
    declare(f"value_over_mean_{_name}", Unit.RATIO, lambda o, w=_window: _over_mean(o, w),
            en=(f"Value over the mean order of the {_en} before",
                f"{{value}} times their mean order of the {_en} before"),
            zh=(f"金额与此前 {_zh}内平均订单额之比", f"为此前 {_zh}内平均订单额的 {{value}} 倍"))

declare("value_over_mean", Unit.RATIO, _over_mean,
        en=("Value over the mean of the customer's orders before", "{value} times their mean order"),
        zh=("金额与此前平均订单额之比", "为此前平均订单额的 {value} 倍"))
declare("bad_orders_before", Unit.ORDERS, lambda o: o.like(CUSTOMER).bad(), also=(c.OUTCOMES,),
        en=("The customer's orders before that were known to have gone bad", "{value} orders before went bad"),
        zh=("此前已知出问题的订单数", "此前 {value} 单出过问题"))
declare("bad_orders_before_30d", Unit.ORDERS, lambda o: o.like(CUSTOMER).bad(30 * DAY), also=(c.OUTCOMES,),
        en=("Of those, orders of the 30 days before", "{value} orders of the 30 days before went bad"),
        zh=("其中此前 30 天内的订单", "此前 30 天内 {value} 单出过问题"))

for _days in (1, 7, 30):
    declare(f"product_orders_{_days}d", Unit.ORDERS, relative=True,
            expression=lambda o, w=_days * DAY: o.like(PRODUCT).orders(w, DELAY),
            en=(f"Orders of its product in {_days} days, until a week before",
                f"its product was ordered {{value}} times in {_days} days, until a week before"),
            zh=(f"该商品截至一周前 {_days} 天内的订单数", f"该商品截至一周前 {_days} 天内 {{value}} 单"))
    declare(f"product_bad_share_{_days}d", Unit.SHARE, relative=True, also=(c.OUTCOMES,),
            expression=lambda o, w=_days * DAY: o.like(PRODUCT).share_bad(w, DELAY),
            en=(f"Share of the same ({_days} days) that was known to have gone bad",
                f"{{value}} of its product's orders in {_days} days, until a week before, went bad"),
            zh=(f"其中（{_days} 天）已知出问题的比例", f"该商品截至一周前 {_days} 天内的订单有 {{value}} 出过问题"))

for _name, _by, _en, _zh in GROUPS:
    declare(f"{_name}_bad_share", Unit.SHARE, relative=True, also=(c.OUTCOMES,),
            expression=lambda o, by=_by: o.like(by).share_bad(LONG, DELAY),
            en=(f"Share of orders {_en}, in 180 days until a week before, that was known to have gone bad",
                f"{{value}} of the orders {_en} went bad"),
            zh=(f"{_zh}订单（截至一周前 180 天内）已知出问题的比例", f"{_zh}订单有 {{value}} 出过问题"))
