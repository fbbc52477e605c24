"""The frame: navigation, buttons, what every page shares, and the door."""

from typing import Final

WORDS: Final[dict[str, tuple[str, str]]] = {
    "skip": ("Skip to the content", "跳到内容"),
    "menu": ("Menu", "菜单"),
    "dark": ("Dark", "深色"),
    "light": ("Light", "浅色"),
    "other_language": ("中文", "English"),
    "leave": ("Log out", "退出登录"),
    "as_of": ("as of {as_of}", "截至 {as_of}"),
    "as_png": ("Save as picture (PNG)", "保存为图片（PNG）"),
    "as_csv": ("Save the data (CSV)", "保存数据（CSV）"),
    "nothing": ("Nothing to show.", "暂无内容。"),
    "lacks": ("Not there yet: {what}", "尚无数据：{what}"),
    "broke": ("This page could not be drawn. The server's log says why.", "此页无法显示，原因见服务器日志。"),
    "only_admins": ("Only an admin who is logged in may do that.", "仅登录的管理员可执行此操作。"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    # groups and pages
    "group_customers": ("Customers", "客户"),
    "group_insight": ("Insight", "洞察"),
    "group_more": ("More answers", "更多答案"),
    "group_machine": ("Workspace", "工作区"),
    "page_overview": ("Overview", "总览"),
    "page_customers": ("Customers", "客户列表"),
    "page_customer": ("Customer", "客户全景"),
    "page_segments": ("Segments", "客群"),
    "page_retention": ("Retention", "留存"),
    "page_churn": ("Churn and value", "流失与价值"),
    "page_recommendations": ("Recommendations", "推荐"),
    "page_voice": ("Voice", "客户之声"),
    "page_models": ("Models", "模型"),
    "page_data": ("Data", "数据"),
    "page_ask": ("Ask", "提问"),
    # the door
    "door_title": ("Log in", "登录"),
    "door_name": ("Name", "用户名"),
    "door_password": ("Password", "密码"),
    "door_enter": ("Log in", "登录"),
    "door_wrong": ("Name and password do not belong together.", "用户名与密码不匹配。"),
    "door_stale": ("The form was too old. Try again.", "表单已过期，请重试。"),
}
