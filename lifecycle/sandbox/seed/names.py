"""Names a Chinese company really has: common and rare surnames, compound ones, minority and English names."""

from random import Random


def _words(text: str) -> list[str]:
    return text.split()


# Roughly the share of each surname in the population, so that 王 and 李 repeat as they do in life.
_COMMON = {
    "王": 72, "李": 70, "张": 66, "刘": 52, "陈": 46, "杨": 32, "黄": 22, "赵": 20, "吴": 20, "周": 19,
    "徐": 15, "孙": 15, "马": 13, "朱": 12, "胡": 11, "郭": 11, "何": 11, "林": 11, "高": 10, "罗": 9,
    "郑": 9, "梁": 9, "谢": 8, "宋": 8, "唐": 7, "许": 7, "韩": 7, "冯": 6, "邓": 6, "曹": 6,
    "彭": 6, "曾": 6, "肖": 6, "田": 5, "董": 5, "袁": 5, "潘": 5, "于": 5, "蒋": 5, "蔡": 5,
    "余": 5, "杜": 5, "叶": 5, "程": 5, "苏": 5, "魏": 4, "吕": 4, "丁": 4, "任": 4, "沈": 4,
}  # fmt: skip
_RARE = _words(
    "佘 逄 亓 郗 仝 郜 覃 闫 冼 麦 阮 卜 翟 隗 查 乜 缪 璩 贠 禤 俎 乐 解 单 种 仇 区 盖 尉 晏"
)
_COMPOUND = _words("欧阳 上官 司马 诸葛 慕容 司徒 皇甫 尉迟 端木 令狐 夏侯 东方")
_MALE = _words(
    "伟 强 磊 军 勇 杰 涛 超 明 刚 平 辉 鹏 浩 宇 凯 建华 志强 子轩 浩然 宇航 俊杰 天佑 建国 志远 明轩 文博 家豪 "
    "泽宇 晨阳 立诚 思远 景行 一鸣 承志 睿 昊 毅 峰 斌 博文 子墨 嘉懿 煜城 弘文 哲瀚 瑞霖 晓东 国庆 永康"
)
_FEMALE = _words(
    "芳 娜 敏 静 丽 艳 娟 霞 燕 玲 婷 雪 琳 倩 欣怡 梓涵 诗涵 雨桐 可馨 佳怡 晓燕 雅静 慧敏 美玲 思琪 雨欣 若曦 "
    "语嫣 婉清 静怡 梦瑶 玉兰 秀英 桂英 春梅 子萱 一诺 书瑶 沐晴 知夏 宁 蕾 颖 莹 瑶 洁 晓雯 文静 佩珊 嘉欣"
)
_MINORITY_GIVEN = _words(
    "阿布都拉 买买提 古丽娜尔 阿依古丽 艾合买提 迪丽拜尔 努尔兰 帕丽达 热依扎 库尔班 巴特尔 卓玛"
)
_MINORITY_FAMILY = _words(
    "热合曼 吐尔逊 艾力 买合木提 肉孜 阿不力孜 托合提 依明 哈斯木 叶尔肯 次仁 扎西"
)
_ENGLISH_FIRST = _words("Grace James Olivia Daniel Emma Lucas Sofia Ethan Hannah Noah")
_ENGLISH_LAST = _words("Miller Clark Novak Rossi Tanaka Schmidt Brown Costa O'Neil Larsen")
# Names that many people share; searches must cope with the namesakes.
_NAMESAKES = ["王伟", "李娜", "张伟", "王芳", "刘洋", "陈静"]

_SURNAMES = list(_COMMON)
_WEIGHTS = []
_total = 0
for _weight in _COMMON.values():
    _total += _weight
    _WEIGHTS.append(_total)

MALE, FEMALE = 1, 2


def person_name(rng: Random) -> tuple[str, int]:
    """A name and the gender number Hire uses (1 male, 2 female)."""
    gender = MALE if rng.random() < 0.55 else FEMALE
    draw = rng.random()
    if draw < 0.02:
        return rng.choice(_NAMESAKES), gender
    if draw < 0.035:
        return f"{rng.choice(_MINORITY_GIVEN)}·{rng.choice(_MINORITY_FAMILY)}", gender
    if draw < 0.045:
        return f"{rng.choice(_ENGLISH_FIRST)} {rng.choice(_ENGLISH_LAST)}", gender
    return _surname(rng) + rng.choice(_MALE if gender == MALE else _FEMALE), gender


def _surname(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.03:
        return rng.choice(_COMPOUND)
    if draw < 0.10:
        return rng.choice(_RARE)
    return rng.choices(_SURNAMES, cum_weights=_WEIGHTS)[0]
