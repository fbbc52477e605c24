"""What is in a customer's baskets: how much, how varied, at what price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dongcha.features.declare import Grain, Unit, declare, derive
from dongcha.features.grains import baskets, customer_brands, customer_categories, customer_products

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _effective_number(rows: Any) -> ir.Value:
    """The exponential of the entropy of spend: how many equal parts would be as varied."""
    # What cost nothing has no logarithm, and no part in the spend.
    gross, total = rows.gross.nullif(0), rows.gross.sum().nullif(0)
    return (total.ln() - (gross * gross.ln()).sum() / total).exp()


declare(
    "items_per_order", baskets, Unit.ITEMS, lambda b: b.items.mean(),
    en=("Mean items in an order", "{value} items per order"),
    zh=("平均每单件数", "平均每单 {value} 件"),
)
declare(
    "lines_per_order", baskets, Unit.ITEMS, lambda b: b.lines.mean(),
    en=("Mean lines in an order", "{value} different lines per order"),
    zh=("平均每单行数", "平均每单 {value} 行"),
)
declare(
    "items", baskets, Unit.ITEMS, lambda b: b.items.sum(),
    en=("Items bought so far", "bought {value} items so far"),
    zh=("累计购买件数", "累计购买 {value} 件"),
)
declare(
    "mean_unit_price", baskets, Unit.MONEY, lambda b: b.gross.sum() / b.items.sum(),
    en=("Mean list price of an item bought", "buys items at {value} each"),
    zh=("平均件单价", "平均件单价 {value}"),
)
declare(
    "discount_share", baskets, Unit.SHARE, lambda b: b.discount.sum() / b.gross.sum(),
    en=("Discount over list price of all bought", "saved {value} by discounts"),
    zh=("折扣占原价的比例", "折扣占原价 {value}"),
)
declare(
    "discounted_order_share", baskets, Unit.SHARE, lambda b: (b.discount > 0).mean(),
    en=("Share of orders with a discount", "{value} of the orders had a discount"),
    zh=("有折扣的订单占比", "{value} 的订单有折扣"),
)
declare(
    "weekend_share", baskets, Unit.SHARE, lambda b: b.weekend.mean(),
    en=("Share of orders placed on a Saturday or Sunday (UTC)", "{value} of the orders fell on a weekend"),
    zh=("周末（UTC）订单占比", "{value} 的订单在周末"),
)
declare(
    "gift_items", baskets, Unit.ITEMS, lambda b: b.gift_items.sum(), absent=0,
    en=("Items that came free", "got {value} free items"),
    zh=("赠品件数", "获赠 {value} 件"),
)
declare(
    "distinct_products", customer_products, Unit.ITEMS, lambda p: p.count(), absent=0,
    en=("Different products bought", "bought {value} different products"),
    zh=("购买过的不同商品数", "买过 {value} 种商品"),
)
derive(
    "products_per_order", ("distinct_products", "orders"), Unit.RATIO, lambda products, orders: products / orders,
    en=("Different products over orders: how much new each order brings", "{value} different products per order"),
    zh=("不同商品数与订单数之比", "每单带来 {value} 种商品"),
)
declare(
    "repeat_product_share", customer_products, Unit.SHARE, lambda p: p.bought_again.mean(),
    en=("Share of products bought on more than one day", "bought {value} of the products again"),
    zh=("在不止一天购买过的商品占比", "{value} 的商品重复购买"),
)
declare(
    "new_products_90d", customer_products, Unit.ITEMS, lambda p: p.count(where=p.age_days <= 90), absent=0,
    en=("Products first bought in the last 90 days", "tried {value} new products in the last 90 days"),
    zh=("近 90 天首次购买的商品数", "近 90 天尝试 {value} 种新商品"),
)
declare(
    "top_product_share", customer_products, Unit.SHARE, lambda p: p.gross.max() / p.gross.sum(),
    en=("Share of the favourite product in spend", "spends {value} on the favourite product"),
    zh=("最爱商品占消费的比例", "最爱商品占消费 {value}"),
)
declare(
    "effective_products", customer_products, Unit.ITEMS, _effective_number,
    en=("Variety: products, were they bought equally (exponential of entropy)", "variety of {value} products"),
    zh=("商品丰富度（熵的指数）", "商品丰富度 {value}"),
)
declare(
    "price_level", customer_products, Unit.RATIO, lambda p: p.gross.sum() / (p.items * p.market_price).sum(),
    relative=True,
    en=("Prices paid over what all customers paid for the same products", "pays {value} times the usual price"),
    zh=("支付价格与全体客户同款均价之比", "支付价格是同款均价的 {value} 倍"),
)


def _declare_variety(rows: Grain, one: str, many: str, zh: str) -> None:
    declare(
        f"distinct_{many}", rows, Unit.ITEMS, lambda p: p.count(), absent=0,
        en=(f"Different {many} bought", f"bought from {{value}} {many}"),
        zh=(f"购买过的不同{zh}数", f"买过 {{value}} 个{zh}"),
    )
    declare(
        f"top_{one}_share", rows, Unit.SHARE, lambda p: p.gross.max() / p.gross.sum(),
        en=(f"Share of the favourite {one} in spend", f"spends {{value}} on the favourite {one}"),
        zh=(f"最爱{zh}占消费的比例", f"最爱{zh}占消费 {{value}}"),
    )
    declare(
        f"effective_{many}", rows, Unit.ITEMS, _effective_number,
        en=(f"Variety: {many}, were they bought equally (exponential of entropy)", f"variety of {{value}} {many}"),
        zh=(f"{zh}丰富度（熵的指数）", f"{zh}丰富度 {{value}}"),
    )


_declare_variety(customer_categories, "category", "categories", "类目")
_declare_variety(customer_brands, "brand", "brands", "品牌")
