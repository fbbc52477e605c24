"""Words that say nothing of what a text is about, in English and Chinese."""

from typing import Final

_ENGLISH: Final = """
    a about above after again against all almost also although always am an and another any anything are aren't around
    as at back be became because been before being below between both but by can can't cannot could couldn't did
    didn't do does doesn't doing don't done down during each either else enough especially etc even ever every
    everything few for further get gets getting give given go goes going gone got had hadn't has hasn't have haven't
    having he her here hers herself him himself his how however i i'd i'll i'm i've if im in indeed instead into is
    isn't it it's its itself just keep kept let like lot lots made make makes many may maybe me might mine more most
    much must my myself need neither never no none nor not nothing now of off often oh ok on once one only onto or
    other others our ours ourselves out over own per perhaps put quite rather really said same say says see seem seems
    she should shouldn't since so some someone something sometimes still such take than that that's the their theirs
    them themselves then there there's therefore these they they're thing things think this those though through thus
    to too toward two under until up upon us use used using very via want was wasn't way we we're we've well went were
    weren't what whatever when where whether which while who whole whom whose why will with within without won't would
    wouldn't yes yet you you'd you'll you're you've your yours yourself amp didnt dont doesnt isnt wasnt cant wont ive
    thats
"""
_CHINESE: Final = """
    的 了 和 是 就 都 而 及 与 着 或 一个 没有 我们 你们 他们 她们 它们 是否 我 你 您 他 她 它 咱 咱们 自己 人家 大家
    这 那 这个 那个 这些 那些 这样 那样 这么 那么 这里 那里 这儿 那儿 这种 那种 此 该 其 之 哪 哪里 哪个 什么 怎么
    怎样 如何 为什么 谁 多少 几 一 二 两 三 一些 一点 一下 一样 一种 一直 一次 一般 一定 不 不是 不会 不能 不要 不过
    不了 没 别 未 无 非 也 还 还是 还有 又 再 再次 才 却 但 但是 可是 而且 并 并且 且 以及 以 因 因为 由于 所以 因此
    于是 如果 要是 假如 虽然 尽管 即使 只要 只有 只是 只 除了 无论 不管 然后 之后 之前 以后 以前 以上 以下 时候 时 后
    前 里 里面 上 下 中 内 外 在 到 从 向 往 对 对于 关于 把 被 给 让 叫 使 令 用 用来 由 自 于 跟 同 比 比较 按 按照
    为 为了 替 有 有些 有点 有的 会 能 能够 可以 可 可能 应该 应当 要 想 需要 必须 得 地 过 来 去 起来 出来 下来 上来
    过来 过去 回来 做 搞 弄 说 讲 看 看到 看看 觉得 感觉 认为 知道 很 非常 十分 特别 太 挺 蛮 更 最 极 较 相当 真 真的
    真是 实在 确实 其实 好像 似乎 大概 也许 当然 反正 毕竟 终于 究竟 到底 竟然 居然 原来 本来 已经 已 曾经 正在 正 刚
    刚刚 现在 目前 今天 昨天 明天 当时 总是 总之 经常 常常 往往 有时 偶尔 马上 立刻 吧 吗 呢 啊 呀 哦 哈 嗯 嘛 啦 哎
    唉 喔 哇 呵呵 哈哈 么 个 些 点 次 种 件 位 本 条 张 样 们 每 每个 每次 各 各种 某 某个 另 另外 其他 其它 其中 等
    等等 之类 而已 罢了 全 全部 所有 整个 几个 许多 很多 多 少 大 小 家 年 月 日 天 所 则 若 与其 以至 甚至 甚至于
    就是 即 便 也是 都是 还要 又是 不但 不仅 不只 仍然 仍 依然 几乎 差不多 左右 真心 的话 来说 上面 下面 这本 这是
    一本 将 像 当 完 一起 完全 作为 第一次
"""
ENGLISH: Final = frozenset(_ENGLISH.split())
CHINESE: Final = frozenset(_CHINESE.split())
