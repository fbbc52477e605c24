"""The rhythm of a customer's purchases: gaps, their trend, and what "probably still alive" models need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dongcha.features.declare import Unit, declare, derive
from dongcha.features.grains import baskets

if TYPE_CHECKING:
    import ibis.expr.types as ir

FAMILY: Final = "purchasing"
PERIOD_DAYS: Final = 30


def _slope(b: Any) -> ir.Value:
    """Least squares of the gaps on the days they ended; nothing where there are fewer than two."""
    known = b.gap_days.notnull()
    return b.gap_days.cov(b.day, where=known, how="pop") / b.day.var(where=known, how="pop")


def _period(age_days: ir.NumericValue) -> ir.Value:
    return age_days // PERIOD_DAYS


declare(
    "mean_gap_days", baskets, Unit.DAYS, lambda b: b.gap_days.mean(),
    en=("Mean days between purchase days", "usually orders every {value} days"),
    zh=("购买日之间的平均间隔天数", "平均每 {value} 天购买一次"),
)
declare(
    "median_gap_days", baskets, Unit.DAYS, lambda b: b.gap_days.median(),
    en=("Median days between purchase days", "half of the gaps are under {value} days"),
    zh=("购买间隔的中位数", "购买间隔中位数 {value} 天"),
)
declare(
    "std_gap_days", baskets, Unit.DAYS, lambda b: b.gap_days.std(),
    en=("Standard deviation of the gaps", "gaps vary by {value} days"),
    zh=("购买间隔的标准差", "购买间隔波动 {value} 天"),
)
declare(
    "longest_gap_days", baskets, Unit.DAYS, lambda b: b.gap_days.max(),
    en=("Longest gap between purchase days", "longest pause so far {value} days"),
    zh=("最长购买间隔", "最长一次间隔 {value} 天"),
)
declare(
    "last_gap_days", baskets, Unit.DAYS, lambda b: b.gap_days.argmax(b.day, where=b.gap_days.notnull()),
    en=("Gap before the last purchase day", "{value} days between the last two purchases"),
    zh=("最近两次购买的间隔", "最近两次购买间隔 {value} 天"),
)
derive(
    "gap_cv", ("std_gap_days", "mean_gap_days"), Unit.RATIO, lambda std, mean: std / mean,
    en=("Standard deviation of the gaps over their mean", "gaps vary by {value} times their mean"),
    zh=("购买间隔的变异系数", "购买间隔变异系数 {value}"),
)
derive(
    "regularity", ("gap_cv",), Unit.SHARE, lambda cv: 1 / (1 + cv),
    en=("How even the gaps are: 100 % is clockwork", "buys with {value} regularity"),
    zh=("购买规律性（100 % 为完全规律）", "购买规律性 {value}"),
)
derive(
    "recency_to_mean_gap", ("recency_days", "mean_gap_days"), Unit.RATIO, lambda recency, gap: recency / gap,
    en=("Days since the last order over the usual gap", "silent for {value} times the usual gap"),
    zh=("距上次下单天数与平均间隔之比", "沉默时长是平常间隔的 {value} 倍"),
)
derive(
    "recency_to_longest_gap", ("recency_days", "longest_gap_days"), Unit.RATIO, lambda recency, gap: recency / gap,
    en=("Days since the last order over the longest gap", "silent for {value} times the longest pause so far"),
    zh=("距上次下单天数与最长间隔之比", "沉默时长是历史最长间隔的 {value} 倍"),
)
derive(
    "recency_to_tenure", ("recency_days", "tenure_days"), Unit.SHARE, lambda recency, tenure: recency / tenure,
    en=("Share of the time since the first order that passed since the last", "silent for {value} of the time since"),
    zh=("沉默期占客户时长的比例", "沉默期占客户时长的 {value}"),
)
derive(
    "last_gap_to_mean", ("last_gap_days", "mean_gap_days"), Unit.RATIO, lambda last, mean: last / mean,
    en=("Last gap over the mean gap: above 1 is slowing down", "last gap was {value} times the usual"),
    zh=("最近间隔与平均间隔之比（大于 1 表示变慢）", "最近间隔是平常的 {value} 倍"),
)
declare(
    "gap_trend", baskets, Unit.RATIO, lambda b: _slope(b) * PERIOD_DAYS,
    en=("Days by which gaps grow per 30 days (least squares)", "gaps grow by {value} days a month"),
    zh=("间隔每 30 天增加的天数（最小二乘）", "购买间隔每月增加 {value} 天"),
)
declare(
    "active_periods", baskets, Unit.TIMES,
    lambda b: b.count(where=_period(b.age_days) != _period(b.previous_age_days)) + 1,
    en=("30-day periods, counted back from now, with an order", "ordered in {value} periods of 30 days"),
    zh=("有下单的 30 天周期数（从现在往回数）", "有 {value} 个 30 天周期下过单"),
)
derive(
    "active_period_share", ("active_periods", "tenure_days"), Unit.SHARE,
    lambda active, tenure: active / (_period(tenure) + 1),
    en=("Share of the 30-day periods since the first order that have an order", "active in {value} of the months"),
    zh=("首单以来有下单的 30 天周期占比", "{value} 的月份有下单"),
)

# -- the sufficient statistics of BG/NBD and Gamma-Gamma, in whole days

declare(
    "repeat_purchase_days", baskets, Unit.DAYS, lambda b: b.gap_days.count(),
    en=("Purchase days after the first (x of BG/NBD)", "came back on {value} days"),
    zh=("首个购买日之后的购买天数（BG/NBD 的 x）", "回购 {value} 天"),
)
declare(
    "last_purchase_age_days", baskets, Unit.DAYS, lambda b: b.day.max() - b.day.min(),
    en=("Days from the first purchase day to the last (t_x of BG/NBD)", "bought over a stretch of {value} days"),
    zh=("首个到最后一个购买日的天数（BG/NBD 的 t_x）", "购买跨度 {value} 天"),
)
declare(
    "age_days", baskets, Unit.DAYS, lambda b: b.last_whole_day.max() - b.day.min(),
    en=("Days from the first purchase day to the day before now (T of BG/NBD)", "first bought {value} days ago"),
    zh=("首个购买日到现在前一日的天数（BG/NBD 的 T）", "首次购买在 {value} 整天前"),
)
declare(
    "first_day_value", baskets, Unit.MONEY, lambda b: b.spend.sum(where=b.day == b.first_day),
    en=("Spend on the first purchase day", "spent {value} on the first day of buying"),
    zh=("首个购买日的消费", "首次购买消费 {value}"),
)
derive(
    "repeat_day_value", ("spend", "first_day_value", "repeat_purchase_days"), Unit.MONEY,
    lambda spend, first, days: (spend - first) / days.nullif(0),
    en=("Mean spend on a purchase day after the first (for Gamma-Gamma)", "spends {value} on a day of coming back"),
    zh=("回购日的平均消费（用于 Gamma-Gamma）", "每个回购日消费 {value}"),
)
