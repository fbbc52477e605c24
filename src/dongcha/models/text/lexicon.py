"""How a text feels by a list of words: all there is without a rating, and what carries over to other kinds of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.tokens import NOT, tokenise

_GOOD: Final = """
    good great excellent amazing awesome wonderful fantastic perfect perfectly love loved loves lovely like
    liked best better nice happy glad pleased satisfied comfortable beautiful beautifully cute pretty gorgeous
    stunning flattering soft easy fast quick quickly helpful friendly kind polite fresh clean sturdy durable
    reliable recommend recommended worth value thanks thank thx appreciate appreciated enjoy enjoyed fun
    favorite favourite impressed solid smooth superb brilliant delighted compliments quality well works win wins
    winner yay wow cool sweet elegant tasty delicious 好 不错 很好 好用 好看 好吃 好喝 喜欢 满意 值得 推荐 漂亮
    精美 美观 舒服 舒适 方便 快 很快 快速 便宜 实惠 划算 新鲜 清晰 清楚 流畅 优秀 完美 精彩 感动 经典 赞 棒 超值
    物美价廉 性价比 热情 周到 耐心 干净 整洁 安静 温馨 结实 耐用 正品 给力 高兴 开心 享受 有趣 实用 柔软 柔顺
    合适 合身 惊喜 放心 细心 贴心 专业 友好 香 甜 爱 感谢 谢谢 值 爽 大方 好评 支持 稳定 轻巧 👍 😍 ❤ 😊 😀 😃
    😄 😁 🥰 😘 🎉 👏 💯 😎 🙏 💕 ♥ ✨ 🌹 :) :-) :d ;) <3 ^_^ =)
"""
_BAD: Final = """
    bad worse worst terrible horrible awful poor poorly hate hated disappointed disappointing disappointment
    useless waste broken broke break defective cheap flimsy uncomfortable ugly itchy scratchy tight slow late
    delayed delay delays cancelled canceled lost rude unhelpful dirty smell smells stink return returned
    returning refund problem problems issue issues wrong fail failed fails failure difficult hard annoying
    annoyed frustrated frustrating ridiculous unacceptable pathetic sucks suck sad sorry unfortunately unhappy
    unsatisfied fake scam stuck damaged leak leaking faded shrunk ripped torn stain junk garbage trash crap
    nothing worthless expensive overpriced mess 差 很差 太差 差劲 差评 不好 不行 难用 难看 难吃 难闻 难受 失望
    垃圾 坏 坏了 破 烂 假 假货 假的 骗 骗人 欺骗 上当 退货 退 退款 投诉 问题 毛病 故障 慢 太慢 很慢 贵 太贵 脏
    臭 吵 异味 刺鼻 粗糙 模糊 卡 死机 发热 掉 掉色 褪色 起球 缩水 开裂 裂 漏 漏水 后悔 郁闷 生气 气愤 恶心 无语
    无聊 糟糕 糟 糟透 敷衍 恶劣 态度恶劣 冷漠 浪费 不值 没用 不能 不满 不满意 不爽 不舒服 不新鲜 不清楚 不足
    缺点 缺货 遗憾 可惜 麻烦 后悔莫及 千万别 千万 劣质 次品 残次 二手 旧 瑕疵 划痕 变质 过期 腐烂 👎 😡 😠 😞 😢
    😭 😤 🤮 🤢 💔 😒 🙄 😩 😫 😔 :( :-( :'( =( :/ :-/
"""
GOOD: Final = frozenset(_GOOD.split())
BAD: Final = frozenset(_BAD.split())


def lexicon_polarity(texts: Sequence[str]) -> NDArray[np.float64]:
    """Good less bad words over both, in [-1, 1], shape (texts,); a denied one counts for the other side, 0 for none.

    English and Chinese words, emoji and emoticons.

    >>> lexicon_polarity(["Great quality, not bad", "质量太差", "blue"]).tolist()
    [1.0, -1.0, 0.0]
    """
    return np.array([sum(told_by_list(text).values()) for text in texts], dtype=np.float64)


def told_by_list(text: str) -> dict[str, float]:
    """What each listed token of a text adds to its polarity.

    >>> told_by_list("Great, great shirt, but late")
    {'great': 0.6666666666666666, 'late': -0.3333333333333333}
    """
    told = [(token, sign) for token in tokenise(text) if (sign := _told(token))]
    found: dict[str, float] = {}
    for token, sign in told:
        found[token] = found.get(token, 0.0) + sign / len(told)
    return found


def _told(token: str) -> int:
    word = token.removeprefix(NOT)
    sign = (word in GOOD) - (word in BAD)
    return sign if word == token else -sign
