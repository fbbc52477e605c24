"""What a customer does besides buying: visits, carts, mail, reviews, messages, campaigns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from dongcha import columns as c
from dongcha.features.declare import Unit, declare, derive
from dongcha.features.grains import events, exposures, messages, reviews, sessions

if TYPE_CHECKING:
    import ibis.expr.types as ir

WINDOWS: Final = (30, 90)
BAD_RATING: Final = 2


def _within(days: int) -> Callable[[Any], ir.Value]:
    return lambda rows: rows.count(where=rows.age_days <= days)


def _events_within(event: str, days: int) -> Callable[[Any], ir.Value]:
    return lambda e: e.count(where=(e.age_days <= days) & (e[c.EVENT] == event))


# -- events

declare(
    "last_event_days", events, Unit.DAYS, lambda e: e.age_days.min(),
    en=("Days since the customer last did anything", "last seen {value} days ago"),
    zh=("距上次活动的天数", "距上次活动 {value} 天"),
)
derive(
    "seen_after_order_days", ("recency_days", "last_event_days"), Unit.DAYS, lambda order, event: order - event,
    en=("Days from the last order to when the customer was last seen", "last seen {value} days after the last order"),
    zh=("最近一次下单到最近一次活动的天数", "下单后 {value} 天仍有活动"),
)
for _days in WINDOWS:
    declare(
        f"events_{_days}d", events, Unit.TIMES, _within(_days), absent=0,
        en=(f"Events in the last {_days} days", f"did {{value}} things in the last {_days} days"),
        zh=(f"近 {_days} 天活动次数", f"近 {_days} 天活动 {{value}} 次"),
    )
    declare(
        f"sessions_{_days}d", sessions, Unit.TIMES, _within(_days), absent=0,
        en=(f"Visits in the last {_days} days", f"visited {{value}} times in the last {_days} days"),
        zh=(f"近 {_days} 天访问次数", f"近 {_days} 天访问 {{value}} 次"),
    )

_COUNTED: Final = (
    ("views", c.PRODUCT_VIEWED, "product views", "looked at {value} products", "浏览商品", "浏览商品 {value} 次"),
    ("adds", c.PRODUCT_ADDED, "additions to the cart", "put {value} products in the cart", "加购", "加购 {value} 次"),
    ("searches", c.PRODUCTS_SEARCHED, "searches", "searched {value} times", "搜索", "搜索 {value} 次"),
    ("wishes", c.WISHLIST_ADDED, "additions to the wishlist", "wished for {value} products", "收藏", "收藏 {value} 次"),
    ("email_opens", c.EMAIL_OPENED, "e-mails opened", "opened {value} e-mails", "打开邮件", "打开邮件 {value} 次"),
    ("email_clicks", c.EMAIL_CLICKED, "e-mails clicked", "clicked in {value} e-mails", "点邮件", "点邮件 {value} 次"),
)
for _name, _event, _en, _says_en, _zh, _says_zh in _COUNTED:
    for _days in WINDOWS:
        declare(
            f"{_name}_{_days}d", events, Unit.TIMES, _events_within(_event, _days), absent=0,
            en=(f"{_en.capitalize()} in the last {_days} days", f"{_says_en} in the last {_days} days"),
            zh=(f"近 {_days} 天{_zh}次数", f"近 {_days} 天{_says_zh}"),
        )

declare(
    "add_to_cart_rate", events, Unit.SHARE,
    lambda e: e.count(where=e[c.EVENT] == c.PRODUCT_ADDED) / e.count(where=e[c.EVENT] == c.PRODUCT_VIEWED).nullif(0),
    en=("Additions to the cart over product views", "puts {value} of what is looked at in the cart"),
    zh=("加购次数与浏览次数之比", "浏览后加购比例 {value}"),
)
declare(
    "channels", events, Unit.TIMES, lambda e: e[c.CHANNEL].nunique(), absent=0,
    en=("Different channels used", "used {value} channels"),
    zh=("使用过的渠道数", "使用过 {value} 个渠道"),
)
declare(
    "cart_abandonment", sessions, Unit.SHARE,
    lambda s: s.count(where=s.added & ~s.ordered) / s.count(where=s.added).nullif(0),
    en=("Share of visits with a filled cart and no order", "left {value} of the filled carts"),
    zh=("加购后未下单的访问占比", "{value} 的加购访问未下单"),
)

# -- reviews and messages

declare(
    "reviews", reviews, Unit.TIMES, lambda r: r.count(), absent=0,
    en=("Reviews written", "wrote {value} reviews"),
    zh=("评论数", "写过 {value} 条评论"),
)
declare(
    "mean_rating", reviews, Unit.STARS, lambda r: r[c.RATING].mean(),
    en=("Mean rating given", "rates {value} on average"),
    zh=("平均评分", "平均评分 {value}"),
)
declare(
    "worst_rating_90d", reviews, Unit.STARS, lambda r: r[c.RATING].min(where=r.age_days <= 90),
    en=("Worst rating given in the last 90 days", "gave a rating of {value} in the last 90 days"),
    zh=("近 90 天最低评分", "近 90 天最低评分 {value}"),
)
declare(
    "bad_reviews", reviews, Unit.TIMES, lambda r: r.count(where=r[c.RATING] <= BAD_RATING), absent=0,
    en=("Reviews with at most 2 stars", "wrote {value} bad reviews"),
    zh=("两星及以下评论数", "写过 {value} 条差评"),
)
declare(
    "messages_90d", messages, Unit.TIMES, _within(90), absent=0,
    en=("Lines of conversation in the last 90 days", "{value} messages in the last 90 days"),
    zh=("近 90 天会话消息数", "近 90 天 {value} 条消息"),
)
declare(
    "conversations_90d", messages, Unit.TIMES, lambda m: m[c.CONVERSATION_ID].nunique(where=m.age_days <= 90), absent=0,
    en=("Conversations in the last 90 days", "{value} conversations in the last 90 days"),
    zh=("近 90 天会话数", "近 90 天 {value} 次会话"),
)

# -- campaigns

declare(
    "exposures_90d", exposures, Unit.TIMES,
    lambda x: x.count(where=(x.age_days <= 90) & (x[c.VARIANT] != c.CONTROL)), absent=0,
    en=("Campaign contacts in the last 90 days, unless held out", "got {value} campaigns in the last 90 days"),
    zh=("近 90 天收到的营销次数（不含对照组）", "近 90 天收到 {value} 次营销"),
)
declare(
    "last_exposure_days", exposures, Unit.DAYS, lambda x: x.age_days.min(where=x[c.VARIANT] != c.CONTROL),
    en=("Days since the last campaign contact", "last campaign {value} days ago"),
    zh=("距上次营销的天数", "距上次营销 {value} 天"),
)
