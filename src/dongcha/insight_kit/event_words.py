"""What events are called in Chinese; in English they are called as Segment's e-commerce spec calls them."""

from __future__ import annotations

from typing import Final

from dongcha import columns as c

CHINESE: Final = {
    c.PRODUCTS_SEARCHED: "搜索商品",
    "Product List Viewed": "浏览商品列表",
    "Product List Filtered": "筛选商品列表",
    "Promotion Viewed": "看到促销",
    "Promotion Clicked": "点击促销",
    "Product Clicked": "点击商品",
    c.PRODUCT_VIEWED: "浏览商品",
    c.PRODUCT_ADDED: "加入购物车",
    "Product Removed": "移出购物车",
    "Cart Viewed": "查看购物车",
    "Checkout Started": "开始结算",
    "Checkout Step Viewed": "查看结算步骤",
    "Checkout Step Completed": "完成结算步骤",
    "Payment Info Entered": "填写支付信息",
    "Order Updated": "修改订单",
    c.ORDER_COMPLETED: "下单",
    c.ORDER_REFUNDED: "退货",
    "Order Cancelled": "取消订单",
    "Coupon Entered": "输入优惠券",
    "Coupon Applied": "使用优惠券",
    "Coupon Denied": "优惠券无效",
    "Coupon Removed": "取消优惠券",
    c.WISHLIST_ADDED: "加入心愿单",
    "Product Removed from Wishlist": "移出心愿单",
    "Wishlist Product Added to Cart": "心愿单商品加入购物车",
    "Product Shared": "分享商品",
    "Cart Shared": "分享购物车",
    c.PRODUCT_REVIEWED: "评价商品",
    c.EMAIL_OPENED: "打开邮件",
    c.EMAIL_CLICKED: "点击邮件链接",
}


def event_said(event: str, language: str) -> str:
    """An event's name for a reader of the language; one that the spec does not know keeps the shop's own name.

    >>> event_said("Product Viewed", "zh"), event_said("Product Viewed", "en")
    ('浏览商品', 'Product Viewed')
    """
    return CHINESE.get(event, event) if language == "zh" else event
