"""What the command line says, in each language it speaks."""

from __future__ import annotations

from typing import Final

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "customer": ("customer", "客户"),
    "customers": ("customers", "客户数"),
    "reasons": ("reasons", "原因"),
    "as_of": ("as of", "截至"),
    "recent_orders": ("Recent orders", "最近订单"),
    "order": ("order", "订单"),
    "date": ("date", "日期"),
    "lines": ("lines", "行数"),
    "value": ("value", "金额"),
    # a customer's story
    "story_who": ("Who", "是谁"),
    "story_buys": ("What they buy", "买什么"),
    "story_feels": ("What they feel", "感受如何"),
    "story_next": ("What next", "接下来"),
    "story_do": ("What to do", "怎么做"),
    # the report
    "how_many": ("How many customers? {name}, as of {as_of}", "有多少客户？{name}，截至 {as_of}"),
    "customers_line": (
        "{buyers} customers have bought; {new} of them for the first time in the last {days} days",
        "共有 {buyers} 位客户下过单，其中 {new} 位在最近 {days} 天首次下单",
    ),
    "active_line": (
        "{active} bought in the last {days} days ({change} against the {days} days before)",
        "最近 {days} 天有 {active} 位客户下单（较前 {days} 天 {change}）",
    ),
    "revenue_line": (
        "they brought in {revenue} in {days} days ({change})",
        "{days} 天带来收入 {revenue}（{change}）",
    ),
    "who_leaves": ("Who is leaving, and why?", "谁要离开？为什么？"),
    "leaving_line": (
        "about {n} of them ({share}) will not order in the next {days} days",
        "预计约 {n} 位（{share}）在未来 {days} 天内不会下单",
    ),
    "worth_keeping": ("Worth keeping first (chance to leave × spend so far)", "优先挽留（流失概率 × 累计消费）"),
    "may_leave": ("may leave", "流失概率"),
    "spent_so_far": ("spent so far", "累计消费"),
    "what_worth": ("What are they worth in the next {days} days?", "未来 {days} 天他们值多少？"),
    "worth_line": (
        "together {total} in {days} days; the best tenth of customers bring {share} of it",
        "{days} 天合计 {total}；最好的十分之一客户贡献其中 {share}",
    ),
    "will_spend": ("will spend", "预计消费"),
    "interval": ("8 times in 10", "八成把握区间"),
    "which_groups": ("Which groups are there?", "客户分为哪些群？"),
    "group": ("group", "客群"),
    "text": ("text", "文字"),
    "said": ("What they said", "他们说了什么"),
    "stars": ("stars", "评分"),
    "texts": ("texts", "条数"),
    "trend": ("last {days} days", "近 {days} 天"),
    "feels": ("mood", "情绪"),
    "size": ("customers", "人数"),
    "share": ("share", "占比"),
    "mean_worth": ("worth next {days} days", "未来 {days} 天人均价值"),
    "mean_risk": ("may leave", "流失概率"),
    "moved": ("in / out in {days} days", "{days} 天流入 / 流出"),
    "what_next": (
        "What will the most valuable do next, and what would they want?",
        "最有价值的客户下一步会做什么？会想要什么？",
    ),
    "next": ("next", "下一步"),
    "in_days": ("in days", "几天后"),
    "recommended": ("recommend", "推荐"),
    "because": ("because they bought", "因为买过"),
    "source": ("source", "来源"),
    "sources": ("Sources", "来源"),
    "nearest": ("Nearest, but no answer", "最接近的资料（不是答案）"),
    "title": ("title", "标题"),
    "passage": ("passage", "原文"),
    "link": ("link", "链接"),
    "sure": ("sure", "把握"),
    "intent": ("asks for", "意图"),
    "person": ("to a person", "转人工"),
    "what_said": (
        "What do they talk about, and how does it feel? (mood from −1 to 1)",
        "他们在谈论什么？情绪如何？（−1 至 1）",
    ),
    "aspects": ("What is praised, what is blamed?", "什么被称赞？什么被批评？"),
    "aspect": ("aspect", "方面"),
    "praised": ("praised", "称赞"),
    "blamed": ("blamed", "批评"),
    "praised_stars": ("stars if praised", "称赞时星级"),
    "blamed_stars": ("if blamed", "批评时星级"),
    "praise": ("praise, in their words", "称赞原话"),
    "blame": ("blame, in their words", "批评原话"),
    "who_unhappy": ("Who may be unhappy and does not say so?", "谁可能不满却没说？"),
    # moods of brands and products
    "subject": ("about", "对象"),
    "reviews": ("reviews", "评价数"),
    "mood_now": ("mood now", "当前情绪"),
    "mood_is": ("mood is", "走势"),
    "how_sure": ("how sure", "把握"),
    "over_time": ("mood over time", "情绪变化"),
    "topic": ("topic", "话题"),
    "share_by_month": ("share by month", "各月占比"),
    "share_now": ("last month", "最近一月"),
    "whole_shop": ("The whole shop", "全店"),
    "kind_brand": ("Brand", "品牌"),
    "kind_category": ("Category", "品类"),
    "kind_product": ("Product", "商品"),
    "turning": ("Whose mood is turning, and why? (mood from −1 to 1)", "谁的口碑正在转变？为什么？（情绪 −1 至 1）"),
    "no_alerts": ("No mood is turning.", "没有情绪正在转变。"),
    "alert_falling": (
        "{subject}: mood fell from {before} to {now} since {since} ({sure} sure, {reviews} reviews since)",
        "{subject}：情绪自 {since} 起由 {before} 降至 {now}（把握 {sure}，此后 {reviews} 条评价）",
    ),
    "alert_rising": (
        "{subject}: mood rose from {before} to {now} since {since} ({sure} sure, {reviews} reviews since)",
        "{subject}：情绪自 {since} 起由 {before} 升至 {now}（把握 {sure}，此后 {reviews} 条评价）",
    ),
    "topic_more": (
        "people speak more of {topic} ({before} → {since} of reviews, their mood {mood})",
        "更多谈到 {topic}（占评价 {before} → {since}，其情绪 {mood}）",
    ),
    "topic_mood": (
        "of {topic} people speak otherwise (mood {was} → {mood}, {since} of reviews)",
        "谈到 {topic} 时口气变了（情绪 {was} → {mood}，占评价 {since}）",
    ),
    "more_said": ("said more:", "说得更多："),
    "how_good": ("How good are these answers? (mean over rolling backtests)", "这些答案有多准？（滚动回测均值）"),
    "insight": ("insight", "洞察"),
    "metric": ("metric", "指标"),
    "ours": ("ours", "我们"),
    "baseline": ("best baseline", "最好的基线"),
    "which_baseline": ("which", "哪个基线"),
    "folds": ("folds", "折数"),
    "answers_by": ("answered by", "采用模型"),
    "against_truth": ("Against the planted truth, which no model saw", "与预埋真相相比（任何模型都未见过）"),
    "churn_truth": (
        "churn: AUC {ours}; at best {observable} from order histories, {best} knowing who has silently left",
        "流失：AUC {ours}；仅凭订单历史最好可达 {observable}，若知道谁已悄然离开则为 {best}",
    ),
    "taste_truth": (
        "recommendations: ten products meet {ours} of free choices; the most popular ten {popular}, the best {best}",
        "推荐：十件商品命中 {ours} 的自由选择；最热门的十件为 {popular}，理论最佳十件为 {best}",
    ),
    "segment_truth": (
        "segments: adjusted Rand index {ours} against the {groups} planted groups",
        "分群：与预埋的 {groups} 个群相比，调整兰德指数 {ours}",
    ),
}


def say(key: str, language: str, **values: object) -> str:
    """The phrase for `key` in a language, with its values filled in.

    >>> say("reasons", "zh")
    '原因'
    """
    english, chinese = _WORDS[key]
    return (chinese if language == "zh" else english).format(**values)
