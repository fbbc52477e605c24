"""The shop in Chinese: a shop for home and living (青禾小铺)."""

from __future__ import annotations

from typing import Final

from dongcha.sources.simulate.chinese_talk import DESK, PAGES, REVIEWS
from dongcha.sources.simulate.words import CategoryWords, Festival, People, Words, listed

_PEOPLE: Final = People(
    women=listed(
        "欣怡 诗涵 梓涵 雨桐 梦瑶 佳怡 思琪 雅婷 婉清 静怡 晓燕 丽华 秀英 桂兰 玉珍 海燕 婷婷 雪梅 慧敏 "
        "美玲 芳 敏 静 丽 娟 霞 艳 琳 倩 颖 洁 雪 莹 悦 一诺 依诺 可馨 语嫣 若曦 子涵 心怡 紫萱 晨曦 "
        "书瑶 舒雅 安琪"
    ),
    men=listed(
        "浩然 子轩 宇轩 俊杰 博文 明轩 天佑 建国 志强 建华 国强 文博 嘉豪 泽宇 奕辰 梓睿 皓轩 一鸣 思远 "
        "家明 永强 海涛 晓东 伟 强 磊 军 洋 勇 杰 涛 超 鹏 飞 斌 凯 浩 宇航 子墨 沐宸 铭泽 昊天 立诚 "
        "致远 景行 嘉树"
    ),
    families=listed(
        "王 李 张 刘 陈 杨 黄 赵 周 吴 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曹 彭 曾 "
        "肖 田 董 袁 潘 于 蒋 蔡 余 杜 叶 程 苏 魏 吕 丁 任 沈 姚 卢 姜 崔 钟 谭 陆 汪 范 金 石 廖 欧阳 "
        "上官"
    ),
    family_first=True,
    mail_names=listed(
        "wang li zhang liu chen yang huang zhao zhou wu xu sun ma zhu hu guo he gao lin luo zheng liang "
        "xie song tang xu han feng deng cao peng zeng xiao tian dong yuan pan yu jiang cai yu du ye "
        "cheng su wei lv ding ren shen yao lu jiang cui zhong tan lu wang fan jin shi liao ouyang "
        "shangguan"
    ),
    cities=(
        "上海",
        "北京",
        "广州",
        "深圳",
        "成都",
        "杭州",
        "重庆",
        "武汉",
        "苏州",
        "西安",
        "南京",
        "长沙",
        "天津",
        "郑州",
        "东莞",
        "青岛",
        "昆明",
        "宁波",
        "合肥",
        "佛山",
        "沈阳",
        "无锡",
        "济南",
        "厦门",
        "福州",
        "温州",
        "哈尔滨",
        "石家庄",
        "大连",
        "南宁",
        "泉州",
        "金华",
        "贵阳",
        "常州",
        "长春",
        "南昌",
        "太原",
        "兰州",
    ),
    country="CN",
    phone_prefixes=("+86 130", "+86 135", "+86 138", "+86 150", "+86 159", "+86 177", "+86 186", "+86 189"),
    mail_hosts=("example.cn", "example.com", "youxiang.example", "mail.example"),
)

_CATEGORIES: Final = (
    CategoryWords(
        "咖啡茶饮",
        ("咖啡豆", "挂耳咖啡", "绿茶", "红茶", "冷萃液", "花草茶", "抹茶粉", "普洱"),
        ("晨钟", "半山茶事", "潮汐", "云雀"),
        49.0,
        refill_days=30,
    ),
    CategoryWords(
        "护肤美妆",
        ("面霜", "洁面乳", "精华液", "护手霜", "防晒霜", "面膜", "润唇膏", "爽肤水"),
        ("茴香集", "盐泽", "露曼", "果园里"),
        129.0,
        refill_days=60,
    ),
    CategoryWords(
        "宠物用品",
        ("狗粮", "猫粮", "猫砂", "磨牙玩具", "宠物窝", "牵引绳", "冻干零食", "猫抓板"),
        ("汪小满", "胡须先生", "洞洞", "顺风耳"),
        79.0,
        refill_days=35,
    ),
    CategoryWords(
        "文具礼品",
        ("手账本", "钢笔", "日程本", "彩铅", "礼品包装", "收纳盒", "墨水", "贺卡"),
        ("翎羽", "纸巷", "墨井", "素笺"),
        39.0,
        gift=True,
    ),
    CategoryWords(
        "厨房用品",
        ("平底锅", "菜刀", "密封罐", "茶壶", "打蛋盆", "砧板", "电水壶", "砂锅"),
        ("铜釜", "灶边", "小厨司", "蓟草"),
        159.0,
        gift=True,
    ),
    CategoryWords(
        "家居装饰",
        ("香薰蜡烛", "毛毯", "抱枕", "台灯", "花瓶", "相框", "地毯", "镜子"),
        ("青禾", "灯影", "北屋", "陶野"),
        139.0,
        gift=True,
    ),
    CategoryWords(
        "数码家电",
        ("降噪耳机", "蓝牙音箱", "智能手表", "平板电脑", "电子书", "护眼灯", "充电宝", "摄像头"),
        ("伏特", "声纳", "明线", "像素工坊"),
        599.0,
    ),
    CategoryWords(
        "女装女鞋",
        ("羊毛衫", "亚麻连衣裙", "风衣", "真丝围巾", "牛仔裤", "针织开衫", "衬衫", "短靴"),
        ("漫萝", "常春街", "海晴", "花与刺"),
        239.0,
    ),
    CategoryWords(
        "男装男鞋",
        ("牛津衬衫", "休闲裤", "夹克", "羊绒衫", "皮带", "POLO衫", "工装靴", "鸭舌帽"),
        ("白蜡", "北门", "山谷志", "牧云"),
        259.0,
    ),
    CategoryWords(
        "玩具游戏",
        ("桌游", "木制小火车", "拼图", "毛绒熊", "积木", "卡牌", "水彩套装", "风筝"),
        ("滚滚乐", "小橡果", "知更鸟", "车马炮"),
        99.0,
        gift=True,
    ),
    CategoryWords(
        "运动户外",
        ("瑜伽垫", "跑鞋", "帐篷", "水壶", "登山包", "车灯", "哑铃", "睡袋"),
        ("行野", "峰顶", "疾风", "步道"),
        199.0,
    ),
    CategoryWords(
        "家具",
        ("单人沙发", "书柜", "茶几", "床架", "餐椅", "餐边柜", "人体工学椅", "衣柜"),
        ("橡木匠", "归家", "榫卯", "落叶松"),
        999.0,
    ),
)

WORDS: Final = Words(
    language="zh",
    currency="CNY",
    utc_offset_hours=8,
    people=_PEOPLE,
    adjectives=(
        "经典",
        "日常",
        "复古",
        "便携",
        "尊享",
        "有机",
        "柔软",
        "明亮",
        "原木",
        "极简",
        "迷你",
        "大号",
        "秋日",
        "海岸",
        "午夜",
        "花园",
    ),
    categories=_CATEGORIES,
    festivals=(
        Festival("年货节", (1, 8), (1, 20), 1.8),
        Festival("情人节", (2, 8), (2, 14), 1.3),
        Festival("女神节", (3, 4), (3, 8), 1.5),
        Festival("520", (5, 17), (5, 20), 1.4),
        Festival("618", (6, 8), (6, 18), 2.2),
        Festival("七夕", (8, 5), (8, 12), 1.3),
        Festival("双11", (11, 1), (11, 11), 2.8),
        Festival("双12", (12, 8), (12, 12), 1.8),
    ),
    channels=("mini-program", "app", "web"),
    store="store",
    describe="{brand}{adjective}{noun}，适合日常使用，支持七天无理由退换。",
    reviews=REVIEWS,
    desk=DESK,
    pages=PAGES,
)
