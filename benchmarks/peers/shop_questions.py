"""What people ask of the simulated shop's pages, written by hand: each question with the page that answers it."""

from __future__ import annotations

from typing import Final

_ENGLISH: Final = """
shipping | How much does standard delivery cost?
shipping | Do you ship to Ireland?
shipping | Is delivery free for big orders?
tracking | My tracking has not moved for days, what happens?
tracking | How can I track my parcel?
returns | How many days do I have to send something back?
returns | Can I return opened food?
refunds | How long do refunds take?
refunds | When do I get my money back after a return?
exchange | Can I swap shoes for another size?
exchange | I need a different colour of the shirt
damaged | My vase arrived broken, what should I do?
damaged | Do I need to return a broken item?
warranty | How long is the guarantee on electronics?
warranty | Does the guarantee cover dropping it?
invoice | Where can I find my invoice?
invoice | I need a VAT invoice for my company
payment | Can I pay with PayPal?
payment | When will my card be charged?
discounts | Can I use two voucher codes at once?
discounts | The price fell after I ordered, do you refund the difference?
account | I forgot my password
account | How do I delete my account?
privacy | Do you sell my data?
privacy | How can I get a copy of my data?
change-order | Can I cancel my order?
change-order | I want to change an order that was just placed
gift | How much is gift wrapping?
gift | Until when can Christmas presents be returned?
stores | Are your shops open on Sunday?
stores | Can I collect an online order in store?
points | How many points do I earn for a pound?
points | Do loyalty points expire?
"""
_CHINESE: Final = """
shipping | 运费多少钱？
shipping | 满多少包邮？
shipping | 新疆能送到吗？
tracking | 物流好几天没更新怎么办？
tracking | 怎么查物流？
returns | 几天之内可以退货？
returns | 拆封的食品能退吗？
refunds | 退款多久到账？
refunds | 退货以后钱什么时候退给我？
exchange | 鞋子可以换个尺码吗？
exchange | 想换一个颜色
damaged | 收到的花瓶碎了怎么办？
damaged | 破损的商品需要寄回吗？
warranty | 数码产品保修多久？
warranty | 摔坏了保修吗？
invoice | 发票在哪里下载？
invoice | 能开公司抬头的发票吗？
payment | 可以用支付宝付款吗？
payment | 能用花呗分期吗？
discounts | 一笔订单可以用两张优惠券吗？
discounts | 下单后降价了能退差价吗？
account | 忘记密码了
account | 怎么注销账户？
privacy | 你们会出售我的数据吗？
privacy | 怎么索取我的数据？
change-order | 订单可以取消吗？
change-order | 刚下的订单想修改
gift | 礼品包装怎么收费？
gift | 圣诞买的礼物什么时候之前能退？
stores | 门店几点关门？
stores | 网上下单能到店自提吗？
points | 消费一元积几分？
points | 积分会过期吗？
"""


def asked(language: str) -> list[tuple[str, str]]:
    """Question and the slug of its page, in "en" or "zh"."""
    lines = (_CHINESE if language == "zh" else _ENGLISH).strip().splitlines()
    return [(question, slug) for slug, question in (line.split(" | ") for line in lines)]
